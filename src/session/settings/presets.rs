//! Named settings.

use super::values::Switch;
use super::{RunSettings, Settings};
use crate::Setting;
use crate::dataset::{Augmentation, Dataset, Task};
use crate::engine::OptimizerKind;
use crate::importance::{Importance, NumberForm, Order};
use crate::model::Arch;
use crate::named::named;
use crate::network::Activation;
use crate::paper;
use crate::text::grouped;
use crate::training::Schedule;

named! {
    /// Settings of a run under one name; other given settings override them.
    pub enum Preset {
        /// Chosen for the data: `table` for tables; for few pictures `tanner`, with lengths by their number, unless flags
        /// choose the network, the preprocessing or the optimiser; otherwise `none`.
        #[doc(hidden)]
        Auto = "auto",
        /// Only the defaults of each setting.
        #[doc(hidden)]
        None = "none",
        /// The paper's recipe, with common choices for what it does not specify.
        Paper = "paper",
        /// The most accurate recipe found for Fashion-MNIST: pictures, coupled in two dimensions.
        Tanner = "tanner",
        /// Small tables: two hidden layers on standardised features in a random forest's order.
        Small = "small",
        /// Tables of any size: numbers in pieces, two hidden layers, lengths by the number of rows.
        #[doc(hidden)]
        Table = "table",
    }
}

/// What presets need to know of a training set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrainingShape {
    samples: usize,
    features: usize,
    is_picture: bool,
    task: Task,
}

impl TrainingShape {
    /// For validating settings before data are read.
    const UNKNOWN: Self = Self { samples: 1000, features: 10, is_picture: false, task: Task::Classification };

    pub(crate) fn of(train: &Dataset) -> Self {
        let (samples, features) = (train.samples(), train.feature_count());
        let (is_picture, task) = (train.image_shape().is_some(), train.targets().task());
        Self { samples, features, is_picture, task }
    }

    /// Samples of a batch: small for few samples, which need many steps.
    fn batch_size(self) -> usize {
        match self.samples {
            0..2_000 => 32,
            2_000..20_000 => 64,
            20_000..100_000 => 128,
            _ => 256,
        }
    }

    /// Epochs for about this many steps, at least 10 and at most `most`.
    fn epochs(self, steps: usize, most: usize) -> usize {
        (steps * self.batch_size() / self.samples.max(1)).clamp(10, most)
    }

    /// Scaled only, where pieces would need gigabytes.
    fn numbers(self) -> NumberForm {
        let inputs = self.features * (1 + NumberForm::usual_bins(self.samples, self.features));
        if self.samples.saturating_mul(inputs) > MAX_ENCODED {
            NumberForm::Scaled
        } else {
            NumberForm::Piecewise
        }
    }
}

/// Maximum number of values of an encoded training set: 2 GiB.
const MAX_ENCODED: usize = 1 << 29;
/// Steps for a table: more gain little, and cost time.
const TABLE_STEPS: usize = 3_500;
/// Epochs of a table at most: with more, tables of a few hundred rows become less accurate.
const TABLE_EPOCHS: usize = 90;
/// From this number of pictures on, the paper's recipe has enough steps.
const MANY_PICTURES: usize = 20_000;
/// Steps for few pictures.
const PICTURE_STEPS: usize = 6_000;
/// Epochs for few pictures at most.
const PICTURE_EPOCHS: usize = 200;

impl Preset {
    /// Whether its settings follow from the data.
    pub(crate) fn depends_on_data(self) -> bool {
        matches!(self, Self::Auto | Self::Table)
    }

    /// Its settings, for these data if they are known.
    #[must_use]
    pub(crate) fn settings(self, data: Option<TrainingShape>) -> Settings {
        let adam = |arch| Settings::default().arch(arch).optimizer(OptimizerKind::Adam);
        match self {
            // Auto is another preset as soon as the data are known.
            Self::Auto | Self::None => Settings::default(),
            Self::Table => table(data.unwrap_or(TrainingShape::UNKNOWN)),
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

fn table(data: TrainingShape) -> Settings {
    // The weight decay of a prior that counts as much as one sample.
    #[expect(clippy::cast_possible_truncation, reason = "a weight decay needs no more digits")]
    let l2 = (1.0 / data.samples.max(1) as f64).clamp(1e-4, 3e-3) as f32;
    let settings = Settings::default()
        .arch(Arch::Fc)
        .optimizer(OptimizerKind::Adam)
        .importance(Importance::None)
        .numbers(data.numbers())
        .hidden(vec![256, 128])
        .activation(Activation::Relu)
        .dropout(0.3)
        .lr(0.003)
        .schedule(Schedule::Cosine)
        .l2(l2)
        .batch_size(data.batch_size())
        .epochs(data.epochs(TABLE_STEPS, TABLE_EPOCHS));
    match data.task {
        Task::Classification => settings.label_smoothing(0.05),
        // Without classes there is nothing to smooth. Other dropouts and weight decays were better on some tables, worse on others.
        Task::Regression | Task::MultiLabel => settings,
    }
}

impl Settings {
    /// The preset that `auto` stands for, and its settings; `none` until the data are known.
    pub(super) fn automatic_preset(&self, data: Option<TrainingShape>) -> (Preset, Self) {
        match data {
            Some(data) if !data.is_picture => (Preset::Table, Preset::Table.settings(Some(data))),
            Some(data) if data.samples < MANY_PICTURES && !self.chooses_network() => {
                let settings = Preset::Tanner.settings(None);
                // Mirrored, a digit or a letter may be another one.
                let settings = settings.augment(Augmentation { shift: 1, flip: false });
                let (batch, epochs) = (data.batch_size(), data.epochs(PICTURE_STEPS, PICTURE_EPOCHS));
                (Preset::Tanner, settings.batch_size(batch).epochs(epochs))
            }
            _ => (Preset::None, Self::default()),
        }
    }

    /// Whether the network, the preprocessing or the optimiser was chosen: a preset's other half may not fit it.
    fn chooses_network(&self) -> bool {
        let optimiser = [Setting::Optimizer, Setting::Lr, Setting::Init, Setting::Gain];
        let mut training = self.training.given().filter(|setting| optimiser.contains(setting));
        training.next().is_some() || self.architecture.given().chain(self.importance.given()).next().is_some()
    }
}

impl RunSettings {
    /// Says which preset was chosen for the data, unless the user chose otherwise.
    pub(crate) fn preset_line(&self, samples: usize) -> Option<String> {
        if self.typed.preset.preset != Some(Preset::Auto) {
            return None;
        }
        let what = match self.preset {
            Preset::Table => "rows",
            Preset::None if self.typed.chooses_network() => return None,
            _ => "pictures",
        };
        let preset = self.preset;
        let samples = grouped(samples);
        Some(format!(
            "preset: {preset}, for {samples} {what} to train on; `preset` NAME takes another, none no preset"
        ))
    }
}
