//! What most programs need: `use tanner::prelude::*;`.

#[doc(no_inline)]
pub use crate::dataset::{Dataset, Holdout};
#[doc(no_inline)]
pub use crate::engine::OptimizerKind;
#[doc(no_inline)]
pub use crate::importance::{Importance, Order};
#[doc(no_inline)]
pub use crate::inference::{Predictor, Scores};
#[doc(no_inline)]
pub use crate::model::{Arch, TrainedModel};
#[doc(no_inline)]
pub use crate::network::Activation;
#[doc(no_inline)]
pub use crate::session::{Preset, Session, Settings, TrainedRun, TrainingJob};
#[doc(no_inline)]
pub use crate::topology::{Partition, Topology};
#[doc(no_inline)]
pub use crate::training::{Ending, EpochMetrics, Schedule};
#[doc(no_inline)]
pub use crate::{Classifier, EngineKind};
