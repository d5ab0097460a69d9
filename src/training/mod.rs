//! Training: what a run does, epoch by epoch, and what it leaves on the disk.
//!
//! A [`Recipe`] says how to train. [`train`] follows it with any
//! [`Engine`](crate::engine::Engine) on the samples of any [`TrainingData`] and
//! tells [`Observer`]s what happens. One
//! such observer, the [`Recorder`], keeps a [`RunFolder`] up to date: metrics and
//! model after every epoch, a [`Summary`] at the end; [`TensorBoard`] is another. A [`PastRun`] is such a folder read
//! again, whole or not.

mod event_file;
mod metrics;
mod past_run;
mod recipe;
mod recorder;
mod run_folder;
mod schedule;
mod tensorboard;
mod trainer;
mod training_data;

pub use metrics::{EpochMetrics, ScoredOn, Summary, TARGET_ACCURACY};
pub use past_run::{PastRun, RunFile, RunOverview, RunState};
pub use recipe::Recipe;
pub use recorder::{Recorder, RunFacts};
pub use run_folder::RunFolder;
pub use schedule::Schedule;
pub use tensorboard::TensorBoard;
pub use trainer::{Observer, Progress, train};
pub use training_data::{AugmentedData, TrainingData};
