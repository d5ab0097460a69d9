//! Training, epoch by epoch.
//!
//! A [`Recipe`] says how to train. [`train`] follows it with any
//! [`Engine`](crate::engine::Engine) on the samples of any [`TrainingData`] and
//! reports to [`Observer`]s: [`EpochMetrics`] after every epoch. To have
//! data read and a run folder written, with checkpoints and a [`Summary`], use a
//! [`Session`](crate::session::Session).

#[doc(hidden)]
pub mod checkpoint;
mod continued;
mod event_file;
mod find_file;
mod hparams;
mod metric;
mod metrics;
mod observer;
mod options;
mod past_run;
mod recipe;
mod recorder;
mod rewire;
mod run_folder;
mod run_lock;
mod schedule;
mod tensorboard;
pub(crate) mod times;
mod trainer;
mod training_data;

pub(crate) use continued::in_force;
pub(crate) use continued::last as last_continuation;
pub(crate) use find_file::{absolute, find_file_of};
pub(crate) use hparams::Outcome;
pub(crate) use metrics::best_by;
pub use metrics::{EpochMetrics, ScoredOn, Summary};
pub use observer::Observer;
pub use options::{CheckpointEvery, Ending};
pub use recipe::Recipe;
pub use schedule::Schedule;
pub(crate) use times::now;
pub use trainer::train;
pub use training_data::TrainingData;

#[doc(hidden)]
pub use self::{
    checkpoint::{Checkpoint, EpochSoFar, RunClock, RunIdentity, TrainingState},
    continued::{Continuation, OptimizerState},
    find_file::find_file,
    hparams::flat_settings,
    metric::{Metric, Scoring},
    metrics::{Majority, PatienceOn, best_epoch, edges_moved, is_better},
    observer::Progress,
    options::{TargetScore, TrainOptions, Trained},
    past_run::{PastRun, RunFile, RunOverview, RunState, data_name},
    recorder::{Recorder, RunFacts},
    rewire::{LayerDegrees, Rewire, Rewiring, RewiringSummary},
    run_folder::RunFolder,
    tensorboard::TensorBoard,
    trainer::train_with,
    training_data::AugmentedData,
};
