//! Training: what a run does, epoch by epoch, and what it leaves on the disk.
//!
//! A [`Recipe`] says how to train. [`train`] follows it with any
//! [`Engine`](crate::engine::Engine) and tells [`Observer`]s what happens:
//! [`EpochMetrics`] after every epoch. Whoever wants data read, a run folder
//! written, checkpoints and a [`Summary`] has a
//! [`Session`](crate::session::Session) do it.

#[doc(hidden)]
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

#[doc(hidden)]
pub use checkpoint::{Checkpoint, EpochSoFar, RunClock, RunIdentity, TrainingState};
pub use metrics::{EpochMetrics, ScoredOn, Summary};
#[doc(hidden)]
pub use metrics::{TARGET_ACCURACY, best_epoch};
pub use options::{CheckpointEvery, Ending};
#[doc(hidden)]
pub use options::{TrainOptions, Trained};
#[doc(hidden)]
pub use past_run::{PastRun, RunFile, RunOverview, RunState};
pub use recipe::Recipe;
#[doc(hidden)]
pub use recorder::{Recorder, RunFacts};
#[doc(hidden)]
pub use run_folder::RunFolder;
pub use schedule::Schedule;
#[doc(hidden)]
pub use tensorboard::TensorBoard;
#[doc(hidden)]
pub use trainer::train_with;
pub use trainer::{Observer, Progress, train};
#[doc(hidden)]
pub use training_data::{AugmentedData, TrainingData};
