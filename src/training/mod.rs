//! Training: what a run does, epoch by epoch, and what it leaves on the disk.
//!
//! A [`Recipe`] says how to train. [`train`] follows it with any
//! [`Engine`](crate::engine::Engine) on the samples of any [`TrainingData`] and
//! tells [`Observer`]s what happens. One
//! such observer, the [`Recorder`], keeps a [`RunFolder`] up to date: metrics and
//! model after every epoch, a [`Summary`] at the end; [`TensorBoard`] is another. A [`PastRun`] is such a folder read
//! again, whole or not.
//!
//! [`train_with`] does the same with a say in when a run is kept, where it goes on
//! and what ends it ([`TrainOptions`]). A [`TrainingState`] is where a run is
//! between two steps, a [`Checkpoint`] is one in a file: a run that goes on from
//! it, in whatever process, gives the bits of a run that was never interrupted.

pub mod checkpoint;
mod event_file;
mod metrics;
mod options;
mod past_run;
mod recipe;
mod recorder;
mod run_folder;
mod schedule;
mod tensorboard;
mod trainer;
mod training_data;

pub use checkpoint::{Checkpoint, EpochSoFar, RunClock, RunIdentity, TrainingState};
pub use metrics::{EpochMetrics, ScoredOn, Summary, TARGET_ACCURACY, best_epoch};
pub use options::{CheckpointEvery, Ending, TrainOptions, Trained};
pub use past_run::{PastRun, RunFile, RunOverview, RunState};
pub use recipe::Recipe;
pub use recorder::{Recorder, RunFacts};
pub use run_folder::RunFolder;
pub use schedule::Schedule;
pub use tensorboard::TensorBoard;
pub use trainer::{Observer, Progress, train, train_with};
pub use training_data::{AugmentedData, TrainingData};
