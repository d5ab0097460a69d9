//! A session does what was asked for: it loads data, opens an engine, trains, goes on, runs many.
//!
//! [`Settings`] say what, a [`Session`] does it and tells a [`Reporter`] what happens. The command line and
//! [`Classifier`](crate::Classifier) are faces of it: the same settings give the same model, to the bit.

#[cfg(feature = "gpu")]
mod auto;
mod batch;
mod data;
mod engine;
#[cfg(feature = "gpu")]
mod kernels;
mod memory;
mod places;
mod record;
mod reporter;
mod resume;
pub mod settings;
mod split;
mod start;
mod train;
mod warnings;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

#[cfg(feature = "gpu")]
pub use auto::auto_sentence;
pub use batch::{Batch, Configuration, Plan, Unfinished};
pub(crate) use data::USUAL_TEST;
pub use data::{Data, RawData};
pub use engine::{EngineRequest, KernelsRequest, OpenedEngine, Opening, Purpose};
pub use memory::{check_batch, check_network};
pub use reporter::{FinishedRun, Reporter, RunPreview, Silent};
pub use resume::Resumption;
pub use settings::{Preset, RunSettings, Settings};
pub use split::{Split, SplitSettings};
pub use train::{TrainedRun, TrainingJob};

/// What the parts of a run have in common: who is told, what may stop it, where results are cached.
pub struct Session<'a> {
    reporter: &'a dyn Reporter,
    cache: Option<PathBuf>,
    stop: Option<&'a AtomicBool>,
    start: Instant,
}

impl<'a> Session<'a> {
    /// A session that tells a reporter what happens, caches nothing and is never stopped.
    #[must_use]
    pub fn new(reporter: &'a dyn Reporter) -> Self {
        Self { reporter, cache: None, stop: None, start: Instant::now() }
    }

    /// Keeps forests and measured kernels in a folder, and takes them from there.
    #[must_use]
    pub fn cache(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }

    /// Ends training after the engine's current call, once the flag is true.
    #[must_use]
    pub fn stop(mut self, flag: &'a AtomicBool) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Counts the seconds of a run from here on.
    #[must_use]
    pub fn started_at(mut self, start: Instant) -> Self {
        self.start = start;
        self
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.reporter.note(text.as_ref());
    }

    fn warn(&self, text: impl AsRef<str>) {
        self.reporter.warn(text.as_ref());
    }
}
