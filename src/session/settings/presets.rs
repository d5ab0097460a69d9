//! Named settings.

use super::Settings;
use super::values::Switch;
use crate::dataset::Augmentation;
use crate::engine::OptimizerKind;
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::named::named;
use crate::network::Activation;
use crate::paper;
use crate::training::Schedule;

named! {
    /// Settings of a run under one name; other given settings override them.
    pub enum Preset {
        /// The paper's recipe, with common choices for what it does not specify.
        Paper = "paper",
        /// The most accurate recipe found for Fashion-MNIST: pictures, coupled in two dimensions.
        Tanner = "tanner",
        /// Small tables: two hidden layers on standardised features in a random forest's order.
        Small = "small",
    }
}

impl Preset {
    /// Its settings.
    #[must_use]
    pub(crate) fn settings(self) -> Settings {
        let adam = |arch| Settings::default().arch(arch).optimizer(OptimizerKind::Adam);
        match self {
            Self::Paper => adam(Arch::Sc)
                .importance(Importance::Pca)
                .order(Order::Descending)
                .lr(0.001)
                .schedule(Schedule::Constant)
                .gain(1.0)
                .l2(paper::L2)
                .epochs(40usize),
            Self::Tanner => adam(Arch::Sc2d)
                .activation(Activation::Relu)
                .dropout(0.05)
                .lr(0.004)
                .schedule(Schedule::Cosine)
                .l2(1e-5)
                .augment(Augmentation { shift: 1, flip: true })
                .label_smoothing(0.1)
                .epochs(120usize),
            Self::Small => adam(Arch::Sc)
                .importance(Importance::RandomForest)
                .trees(100usize)
                .standardize(Switch::On)
                .hidden(vec![256, 128])
                .receptive_field(vec![8])
                .density(0.27)
                .activation(Activation::Relu)
                .lr(0.005)
                .schedule(Schedule::Cosine)
                .l2(3e-3)
                .label_smoothing(0.05)
                .batch_size(16usize)
                .epochs(100usize),
        }
    }
}
