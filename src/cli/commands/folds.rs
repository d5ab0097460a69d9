//! `tanner FILE --folds K`: cross-validation.

use std::path::Path;

use anyhow::bail;
use tanner::experiments::{FoldsReport, predictions_csv};
use tanner::files::atomic_write;
use tanner::report::folds_table;
use tanner::session::Settings;

use crate::cli::flags::TrainArgs;
use crate::cli::out_of_memory;
use crate::cli::ui::{new_folder, session, signals, terminal};

/// Trains and tests every fold, then writes their scores and predictions.
pub(crate) fn run(args: &TrainArgs, folds: usize) -> anyhow::Result<()> {
    let run = super::train::resolved(args)?;
    let settings = &super::train::with_preset(args);
    if settings.preset.preset.is_none() {
        terminal::note("preset: none, because folds take none by themselves; --preset small is for tables");
    }
    let out = match &settings.output.out {
        Some(out) => out.clone(),
        None => new_folder(&format!("{}-folds{folds}", data_name(&run.data.path))),
    };
    let resume = format!("; resume with: {}", command(settings, folds, &out));
    signals::listen(resume.clone());
    out_of_memory::set_hint(resume.clone(), None);
    let found = session().cross_validate(settings, folds, &out)?;
    if found.unfinished.is_stopped {
        bail!(signals::stop().interrupted(resume));
    }
    let report = FoldsReport::new(&found, folds, run.recipe.seed)?;
    if report.runs.is_empty() {
        found.unfinished.check()?;
    }
    let mut json = serde_json::to_vec_pretty(&report)?;
    json.push(b'\n');
    atomic_write(out.join("folds.json"), &json)?;
    atomic_write(out.join("predictions.csv"), &predictions_csv(&found)?)?;
    if terminal::wants_json() {
        let mut json = serde_json::to_value(&report)?;
        json["folder"] = out.display().to_string().into();
        terminal::print_json(&json)?;
    } else {
        terminal::print_table(&folds_table(&report))?;
        terminal::remark(&format!(
            "{}: folds.json, predictions.csv, and a run folder for each fold",
            out.display()
        ))?;
        terminal::print(&report.in_words())?;
    }
    Ok(found.unfinished.check()?)
}

/// The command line that goes on with these folds.
fn command(settings: &Settings, folds: usize, out: &Path) -> String {
    let mut settings = settings.clone();
    settings.output.out = Some(out.to_owned());
    let words = ["tanner".to_owned(), "train".to_owned()].into_iter().chain(settings.to_flags());
    shell_words::join(words.chain([format!("--folds={folds}")]))
}

/// The name of the data in a folder's name.
pub(super) fn data_name(path: &Path) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    tanner::training::data_name(path).chars().take(32).map(plain).collect()
}
