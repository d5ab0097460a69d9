//! A session carries out settings: it loads data, opens an engine, trains, resumes, and runs batches.
//!
//! [`Settings`] describe a run, a [`Session`] carries it out and reports to a [`Reporter`]. The command line and
//! [`Classifier`](crate::Classifier) are wrappers of it: the same settings train the same model, to the bit.
//!
//! ```no_run
//! use tanner::session::{Session, Settings, Silent, TrainingJob};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The same keys as in a settings file; the flags of the command line without their dashes.
//! let settings = Settings::from_toml("data = \"mine.csv\"\npreset = \"small\"\nout = \"runs/mine\"")?;
//! let run = Session::new(&Silent).train(TrainingJob::new(settings.resolve()?))?;
//! println!("{:?}", run.summary.map(|summary| summary.test_accuracy));
//!
//! // A table, or a folder of IDX files, as samples to train and to test on.
//! let data = Session::new(&Silent).load(&settings.resolve()?.data, 0)?;
//! println!("{} samples of {}", data.splits.train.samples(), data.record.feature_names.join(", "));
//! # Ok(())
//! # }
//! ```

mod arriving;
#[cfg(feature = "gpu")]
mod auto;
mod batch;
mod changes;
mod crossing;
mod data;
mod ending;
mod engine;
mod facts;
mod graph_files;
mod in_memory;
mod job;
#[cfg(feature = "gpu")]
mod kernels;
mod memory;
mod places;
mod record;
mod reporter;
mod request;
mod resume;
mod resumption;
#[doc(hidden)]
pub mod settings;
mod split;
mod start;
mod tables;
mod task;
mod train;
#[cfg(feature = "gpu")]
mod trust;
mod verdict;
mod warnings;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

#[cfg(feature = "gpu")]
#[doc(hidden)]
pub use auto::{TOO_NARROW, auto_sentence, is_too_narrow_for_drivers};
pub(crate) use batch::{Attempt, PlannedRun, lock};
pub use batch::{Batch, Configuration, Unfinished};
#[doc(hidden)]
pub use batch::{CrossValidation, MatchParameters, TestedFold};
pub use data::Data;
pub(crate) use data::USUAL_TEST;
#[cfg(feature = "gpu")]
use engine::SharedDevice;
pub use job::{TrainedRun, TrainingJob};
pub use reporter::{Reporter, Silent};
pub use request::EngineRequest;
pub use settings::{
    ArchitectureOptions, DataOptions, DataSettings, EngineOptions, ImportanceOptions, KeepingOptions,
    OutputOptions, Preset, PresetOption, RunSettings, SampleOptions, Settings, TrainingOptions,
};
pub use split::SplitSettings;
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub use trust::check_adapter;

#[doc(hidden)]
pub use self::{
    arriving::ArrivingFeatures,
    batch::Plan,
    data::RawData,
    engine::OpenedEngine,
    graph_files::network_from_files,
    memory::{check_batch, check_built_batch, check_network},
    reporter::{FinishedRun, RunPreview},
    request::{EnginePurpose, KernelsRequest},
    resumption::Resumption,
    split::Split,
};

/// Loads data, trains, resumes and prunes; reports to a [`Reporter`], and can be stopped from elsewhere.
pub struct Session<'a> {
    reporter: &'a dyn Reporter,
    cache: Option<PathBuf>,
    stop: Option<&'a AtomicBool>,
    start: Instant,
    /// The device that its runs share.
    #[cfg(feature = "gpu")]
    device: SharedDevice,
}

impl<'a> Session<'a> {
    /// A session with a reporter, without a cache or a stop flag.
    #[must_use]
    pub fn new(reporter: &'a dyn Reporter) -> Self {
        Self {
            reporter,
            cache: None,
            stop: None,
            start: Instant::now(),
            #[cfg(feature = "gpu")]
            device: SharedDevice::default(),
        }
    }

    /// Caches forests and measured kernels in a folder.
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

    /// Counts the seconds of a run from this moment.
    #[must_use]
    #[doc(hidden)]
    pub fn started_at(mut self, start: Instant) -> Self {
        self.start = start;
        self
    }

    /// The same session with another stop flag.
    pub(crate) fn with_stop<'b>(&'b self, stop: &'b AtomicBool) -> Session<'b> {
        Session {
            stop: Some(stop),
            cache: self.cache.clone(),
            #[cfg(feature = "gpu")]
            device: self.device.clone(),
            ..*self
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.reporter.note(text.as_ref());
    }

    fn warn(&self, text: impl AsRef<str>) {
        self.reporter.warn(text.as_ref());
    }
}
