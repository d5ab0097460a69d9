//! `tanner tune`: a search for better settings.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tanner::experiments::search::{FoundSettings, SearchEnd, SearchSettings, Space, Trial};
use tanner::files::atomic_write;
use tanner::report::{epochs as epochs_of, trials_table};
use tanner::session::{Preset, Settings};

use super::{folds::data_name, refuse};
use crate::cli::flags::TuneArgs;
use crate::cli::out_of_memory;
use crate::cli::ui::{new_folder, session, signals, terminal};

/// Rows of the table on a terminal.
const SHOWN_TRIALS: usize = 10;

/// `tune.json`.
#[derive(Serialize)]
struct TuneFile<'a> {
    #[serde(flatten)]
    found: &'a FoundSettings,
    best_settings: &'a Settings,
    folder: &'a Path,
}

/// Searches, then writes and prints what was found, also after an interruption.
pub(crate) fn run(args: &TuneArgs) -> anyhow::Result<()> {
    let train = &args.train;
    if train.resume.is_some() {
        return refuse(
            "--resume",
            "cannot be used with tune: repeat the command with the same --out to resume",
        );
    }
    let run = super::train::resolved(train)?;
    let space = args.space.as_deref().map(Space::read).transpose().context("--space")?;
    let mut base = super::train::with_preset(train);
    let out =
        base.output.out.take().unwrap_or_else(|| new_folder(&format!("{}-tune", data_name(&run.data.path))));
    if out.join("config.json").exists() {
        return refuse("--out", format!("{} holds a run: name another folder", out.display()));
    }
    let folder = shell_words::quote(&out.display().to_string()).into_owned();
    let resume = format!("; to resume, repeat the command with --out {folder}");
    signals::listen(resume.clone());
    out_of_memory::set_hint(resume.clone(), None);
    // From here on, there is a result to write.
    signals::keep_to_the_end();
    terminal::note(&format!("search in {}", out.display()));
    let settings = SearchSettings {
        base,
        space,
        trials: args.trials,
        seconds: args.time_budget,
        folds: train.folds,
        out: out.clone(),
    };
    let found = session().search(&settings)?;
    write(&found, &out)?;
    if terminal::wants_json() {
        let folder = out.as_path();
        terminal::print_json(&TuneFile { found: &found, best_settings: &found.settings, folder })?;
    } else {
        print(&found, &out, &run.data.path)?;
    }
    if found.end == SearchEnd::Stopped {
        bail!(signals::stop().interrupted(resume));
    }
    Ok(())
}

/// Writes the best settings, all trials and the space.
fn write(found: &FoundSettings, out: &Path) -> anyhow::Result<()> {
    let file = |name: &str, text: String| atomic_write(out.join(name), text.as_bytes());
    file("space.toml", found.space.clone())?;
    file("trials.csv", trials_csv(&found.trials)?)?;
    if found.best.is_some() {
        file("best.toml", best_toml(found)?)?;
    }
    let json = TuneFile { found, best_settings: &found.settings, folder: out };
    file("tune.json", serde_json::to_string_pretty(&json)? + "\n")?;
    Ok(())
}

/// The best settings as a file for `--config`, without the places of files.
fn best_toml(found: &FoundSettings) -> anyhow::Result<String> {
    let mut settings = found.settings.clone();
    settings.data.data = None;
    settings.data.labels = None;
    // Training with this file must not choose a preset itself.
    settings.preset.preset = settings.preset.preset.or(Some(Preset::None));
    let about = found.best.map(|best| in_words(&found.trials[best])).unwrap_or_default();
    // A JSON value of a setting is a TOML value, too.
    let keys = match tanner::session::settings::as_in_files(&settings)? {
        serde_json::Value::Object(keys) => keys,
        other => bail!("{other} is not a table of settings"),
    };
    let lines = keys.iter().filter(|(_, value)| !value.is_null());
    let lines: String = lines.map(|(key, value)| format!("{key} = {value}\n")).collect();
    Ok(format!("# Found by tanner tune: {about}.\n{lines}"))
}

/// A line for each training.
fn trials_csv(trials: &[Trial]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "candidate",
        "epochs",
        trials.first().map_or("accuracy", |trial| trial.score.metric.name()),
        "loss",
        "parameters",
        "seconds",
        "settings",
        "failure",
    ])?;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    for trial in trials {
        writer.write_record([
            trial.candidate.to_string(),
            trial.epochs.to_string(),
            number(trial.score.value),
            number(trial.loss),
            trial.parameters.map_or_else(String::new, |count| count.to_string()),
            format!("{:.3}", trial.seconds),
            trial.settings.to_flags().join(" "),
            trial.failure.clone().unwrap_or_default(),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn in_words(trial: &Trial) -> String {
    let name = match trial.candidate {
        0 => "the default".to_owned(),
        candidate => format!("candidate {candidate}"),
    };
    let metric = trial.score.metric;
    let score = trial.score.value.map_or(String::new(), |score| {
        format!(", {} {} of the held-out training rows", metric.title(), metric.shown(score))
    });
    format!("{name}, {}{score}", epochs_of(trial.epochs))
}

fn print(found: &FoundSettings, out: &Path, data: &Path) -> anyhow::Result<()> {
    let most = if terminal::is_read_by_people() { SHOWN_TRIALS } else { usize::MAX };
    terminal::print_table(&trials_table(&found.trials, most))?;
    let candidates = found.trials.iter().map(|trial| trial.candidate).max().unwrap_or(0);
    let ended = match found.end {
        SearchEnd::Trials => "",
        SearchEnd::Time => ", the time is over",
        SearchEnd::Stopped => ", stopped",
    };
    terminal::remark(&format!(
        "\n{candidates} candidates, {} trainings{ended}: {}",
        found.trials.len(),
        out.join("trials.csv").display()
    ))?;
    let Some(best) = found.best.map(|best| &found.trials[best]) else {
        return terminal::print("nothing was trained to its last epoch, so there is no result yet");
    };
    terminal::print(&format!("best: {}", in_words(best)))?;
    let flags = best.settings.to_flags().join(" ");
    if !flags.is_empty() {
        terminal::print(&format!("its settings: {flags}"))?;
    }
    let whole = found.trials.iter().any(|trial| trial.candidate > 0 && trial.epochs == best.epochs);
    terminal::print(&match &found.versus {
        Some(versus) => versus.in_words(),
        None if best.candidate > 0 => "the default was not trained to its last epoch".to_owned(),
        None if whole => "the default is as good: no candidate is better on the held-out rows".to_owned(),
        None => "no candidate was trained for all epochs: give more time".to_owned(),
    })?;
    let quoted = |path: &Path| shell_words::quote(&path.display().to_string()).into_owned();
    terminal::print(&format!("use: tanner {} --config {}", quoted(data), quoted(&out.join("best.toml"))))
}
