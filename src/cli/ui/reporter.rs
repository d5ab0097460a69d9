//! The terminal as a [`Reporter`]: messages of a session, on stderr.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tanner::model::TrainedModel;
use tanner::report::{OnPicture, connectivity_picture, learning_curve};
use tanner::session::{FinishedRun, Reporter, RunPreview, Session};
use tanner::training::Observer;

use super::super::out_of_memory;
use super::progress::ProgressReport;
use super::terminal::{self, BARS};
use super::{cache_folder, of_library, signals};

const FOREST: &str = "random forest {bar:24} {pos}/{len} trees  {eta} left";

/// Lines and bars on stderr.
struct Terminal {
    forest: Mutex<Option<ProgressBar>>,
}

/// A session of the command line: reports to the terminal, with its cache in the user's cache folder.
pub(crate) fn session() -> Session<'static> {
    static TERMINAL: Terminal = Terminal { forest: Mutex::new(None) };
    Session::new(&TERMINAL).cache(cache_folder::cache_folder()).stop(signals::stop().asked())
}

impl Reporter for Terminal {
    fn note(&self, text: &str) {
        terminal::note(text);
    }

    fn warn(&self, text: &str) {
        terminal::warn(text);
    }

    fn failed(&self, label: &str, error: &tanner::Error) {
        terminal::line(&format!("{label}{}", of_library(error)));
    }

    fn forest(&self, grown: Option<usize>, trees: usize) {
        let Ok(mut bar) = self.forest.lock() else { return };
        match grown {
            None => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
            Some(0) => *bar = forest_bar(trees),
            // Threads may report out of order.
            Some(grown) => {
                if let Some(bar) = &*bar {
                    bar.set_position(bar.position().max(grown as u64));
                }
            }
        }
    }

    fn watch<'a>(&'a self, run: &RunPreview<'_>) -> Option<Box<dyn Observer + 'a>> {
        let mut report = ProgressReport::new(run.epochs, run.samples, !run.is_one_of_many, run.scored_on);
        report.resumed(run.history);
        if let Some(folder) = run.folder.filter(|_| !run.is_one_of_many) {
            out_of_memory::hint_at_run(folder);
        }
        Some(Box::new(report))
    }

    fn pictures(&self, model: &TrainedModel) -> Vec<(&'static str, Vec<u8>)> {
        let network = model.network();
        let layers: Vec<_> = network.layers().iter().map(|layer| &*layer.topology).collect();
        let drawn = [
            ("connectivity", Some(connectivity_picture(&layers, model.record().arch.description()))),
            ("receptive_fields", OnPicture::of_model(model).map(|on_picture| on_picture.sheet(network))),
        ];
        let mut pictures = Vec::new();
        for (name, drawn) in drawn {
            match drawn {
                Some(Ok(png)) => pictures.push((name, png)),
                Some(Err(error)) => terminal::warn(&error.to_string()),
                None => {}
            }
        }
        pictures
    }

    fn run_ended(&self, run: &FinishedRun<'_>) {
        let written =
            learning_curve(run.history, run.title).and_then(|png| run.folder.write_learning_curve(&png));
        // A failed picture must not lose the result of a run.
        if let Err(error) = written {
            terminal::warn(&error.to_string());
        }
    }
}

/// A bar on stderr, if that is a terminal.
fn forest_bar(trees: usize) -> Option<ProgressBar> {
    terminal::shows_progress().then(|| {
        let bar = BARS.add(ProgressBar::new(trees as u64));
        if let Ok(style) = ProgressStyle::with_template(FOREST) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        // Removes the bar when a signal ends the program.
        signals::listen("");
        bar
    })
}
