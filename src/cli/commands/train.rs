//! `tanner train`: from data to a run folder.

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use tanner::Error;
use tanner::report::{epochs as epochs_of, grouped};
use tanner::session::settings::RunSettings;
use tanner::session::{Preset, Settings, TrainingJob};
use tanner::training::{Ending, Majority, Summary};

use super::resume_command;
use crate::cli::flags::TrainArgs;
use crate::cli::out_of_memory;
use crate::cli::ui::{session, signals, terminal};

/// Trains or resumes a run, and writes its files.
pub(crate) fn run(process_start: Instant, args: &TrainArgs) -> anyhow::Result<()> {
    if let Some(folds) = args.folds {
        return super::folds::run(args, folds);
    }
    signals::listen(args.resume.as_deref().map_or_else(
        || " before the first step; nothing is saved".to_owned(),
        |folder| format!("; resume with: {}", resume_command(folder)),
    ));
    args.resume.as_deref().into_iter().for_each(out_of_memory::hint_at_run);
    let session = session().started_at(process_start);
    let run = match &args.resume {
        Some(folder) => session.resume_with(folder, &args.settings)?,
        None => session.train(TrainingJob::new(resolved(args)?))?,
    };
    let folder = run.folder.as_deref().unwrap_or(Path::new("."));
    match (&run.summary, run.ending) {
        (Some(summary), _) => {
            print_summary(summary, folder)?;
            // The warning is far above the result in a terminal.
            if let Some(tip) = run.tip {
                terminal::note(&format!("tip: {tip}"));
            }
            Ok(())
        }
        (None, Ending::Stopped { epochs, steps }) => {
            let after = match steps {
                0 => String::new(),
                steps => format!(" and {steps} steps of the next"),
            };
            let (planned, command) = (epochs_of(run.epochs_planned), resume_command(folder));
            let how = format!(" after {epochs} of {planned}{after}; resume with: {command}");
            bail!(signals::stop().interrupted(how))
        }
        (None, _) => Ok(()),
    }
}

/// The checked settings; errors in settings from a file name the file.
pub(super) fn resolved(args: &TrainArgs) -> anyhow::Result<RunSettings> {
    with_preset(args).resolve().map_err(|error| match (&error, &args.config) {
        (Error::Setting { setting, .. }, Some(file)) if args.of_file.contains(setting) => {
            anyhow::Error::from(error).context(format!("--config: {}", file.display()))
        }
        _ => error.into(),
    })
}

/// The settings with the preset `auto`, unless they name another or come from a recorded run, which says in full what it was
/// trained with.
pub(super) fn with_preset(args: &TrainArgs) -> Settings {
    let mut settings = args.settings.clone();
    if !args.config.as_deref().is_some_and(is_record) {
        settings.preset.preset = settings.preset.preset.or(Some(Preset::Auto));
    }
    settings
}

/// Whether settings come from the `config.json` of a run.
fn is_record(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|extension| extension == "json")
}

fn print_summary(summary: &Summary, folder: &Path) -> anyhow::Result<()> {
    if terminal::wants_json() {
        let mut json = serde_json::to_value(summary.named())?;
        json["run_folder"] = folder.display().to_string().into();
        return terminal::print_json(&json);
    }
    let always = summary.majority.as_ref().map_or_else(String::new, |Majority { class, share }| {
        format!(" (always {class:?}: {:.2} %)", 100.0 * share)
    });
    terminal::print(&format!(
        "{} {} {}{always} after {} (best {} after epoch {})",
        summary.scored_on,
        summary.metric.title(),
        summary.metric.shown(summary.test_accuracy),
        epochs_of(summary.epochs),
        summary.metric.shown(summary.best_test_accuracy),
        summary.best_epoch
    ))?;
    terminal::print(&format!(
        "{} parameters ({} fully connected), {:.1} s, of which {:.1} s training",
        grouped(summary.parameters),
        grouped(summary.dense_parameters),
        summary.seconds_total,
        summary.seconds_training
    ))?;
    if let Some(rewiring) = &summary.rewiring {
        terminal::print(&format!("{} edges moved", grouped(rewiring.edges_moved)))?;
    }
    terminal::print(&format!("run folder {}", folder.display()))
}
