//! Importance as the commands compute it: from the cache where it can be, with a bar where it takes long.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tanner::dataset::{Dataset, Samples};
use tanner::importance::cache::{self, Source};
use tanner::importance::{Importance, ImportanceSettings, Preprocessing};
use tanner::report::grouped;

use super::cache_folder::cache_folder;
use super::terminal::{self, BARS};

const TEMPLATE: &str = "random forest {bar:24} {pos}/{len} trees  {eta} left";

/// What is done to the features of this training set.
pub(super) fn preprocessing(settings: &ImportanceSettings, train: &Dataset) -> tanner::Result<Preprocessing> {
    shown(settings, train.samples(), |progress| {
        cache::fit(settings, train, cache_folder().as_deref(), progress)
    })
}

/// The scores of its features, `[feature]`.
pub(super) fn scores(settings: &ImportanceSettings, train: &impl Samples) -> tanner::Result<Vec<f64>> {
    shown(settings, train.samples(), |progress| {
        cache::scores(settings, train, cache_folder().as_deref(), progress)
    })
}

/// Runs a fit, shows how far it is, and says where its result came from.
fn shown<T>(
    settings: &ImportanceSettings,
    samples: usize,
    fit: impl FnOnce(&(dyn Fn(usize) + Sync)) -> tanner::Result<(T, Source)>,
) -> tanner::Result<T> {
    if settings.importance != Importance::RandomForest {
        return Ok(fit(&|_| {})?.0);
    }
    let start = Instant::now();
    let bar = bar(settings.trees);
    let fitted = fit(&|done| {
        if let Some(bar) = &bar {
            // Threads may tell their counts in another order.
            bar.set_position(bar.position().max(done as u64));
        }
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let (result, source) = fitted?;
    match source {
        Source::Cache => terminal::note("importance read from cache"),
        Source::Fitted => terminal::note(&format!(
            "importance: random forest of {} trees on {} samples in {:.1} s",
            grouped(settings.trees),
            grouped(samples),
            start.elapsed().as_secs_f64()
        )),
    }
    Ok(result)
}

/// A bar on stderr, where that is a terminal.
fn bar(trees: usize) -> Option<ProgressBar> {
    terminal::shows_progress().then(|| {
        let bar = BARS.add(ProgressBar::new(trees as u64));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        bar
    })
}
