//! What most programs need: `use tanner::prelude::*;`.

pub use crate::classifier::{Classifier, EngineKind};
pub use crate::dataset::{Dataset, Holdout};
pub use crate::engine::OptimizerKind;
pub use crate::importance::{Importance, Order};
pub use crate::inference::{Predictor, Scores};
pub use crate::model::{Arch, TrainedModel};
pub use crate::network::Activation;
pub use crate::session::{Preset, Session, Settings, TrainedRun, TrainingJob};
pub use crate::topology::{Partition, Topology};
pub use crate::training::{Ending, EpochMetrics, Schedule};
