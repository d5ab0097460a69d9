//! Permutation importance (Breiman, 2001): how much worse a model predicts if the values of a column are shuffled among the
//! samples.
//!
//! A column is one of the raw table: the features of its categories move together. For pictures and arrays it is a feature.

use rand::RngExt;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::MeanDeviation;
use crate::dataset::Dataset;
use crate::inference::{Predictor, TaskScores};
use crate::model::TrainedModel;
use crate::random::{Purpose, generator};
use crate::training::Metric;
use crate::{Error, Result};

/// More repetitions than anybody waits for.
const MAX_REPEATS: usize = 10_000;

/// The importance of each column for a model's predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct PermutationImportance {
    /// How often each column was shuffled.
    pub repeats: usize,
    /// Seed of the shuffles.
    pub seed: u64,
    /// Number of samples.
    pub samples: usize,
    /// What the model is scored by.
    pub metric: Metric,
    /// The score without shuffling.
    pub score: f64,
    /// The mean cross-entropy in nats without shuffling; of numbers the mean absolute error.
    pub loss: f64,
    /// The column without which the score is worst first, ties by the loss.
    pub columns: Vec<ColumnImportance>,
}

/// The importance of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnImportance {
    /// Name of the column, or its place.
    pub name: String,
    /// Number of features that it becomes.
    pub features: usize,
    /// How much worse the score is with shuffling: the drop of an accuracy or the rise of the RMSE, above 0 if the column is
    /// of use.
    pub worse: MeanDeviation,
    /// The loss with shuffling, less that without it.
    pub loss_rise: MeanDeviation,
}

/// The name of the loss beside a metric.
fn loss_name(metric: Metric) -> &'static str {
    if metric == Metric::Rmse { "mae" } else { "log_loss" }
}

impl Serialize for PermutationImportance {
    /// Scores and losses have the names of the metric: `accuracy` and `accuracy_drop`, `rmse` and `rmse_rise`.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("repeats", &self.repeats)?;
        fields.serialize_entry("seed", &self.seed)?;
        fields.serialize_entry("samples", &self.samples)?;
        fields.serialize_entry(self.metric.name(), &self.score)?;
        fields.serialize_entry(loss_name(self.metric), &self.loss)?;
        let columns: Vec<_> = self.columns.iter().map(|column| NamedColumn(self.metric, column)).collect();
        fields.serialize_entry("columns", &columns)?;
        fields.end()
    }
}

/// A column with the metric that names its numbers.
struct NamedColumn<'a>(Metric, &'a ColumnImportance);

impl Serialize for NamedColumn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self(metric, column) = self;
        let mut fields = serializer.serialize_map(Some(4))?;
        fields.serialize_entry("name", &column.name)?;
        fields.serialize_entry("features", &column.features)?;
        let way = if metric.lower_is_better() { "rise" } else { "drop" };
        fields.serialize_entry(&format!("{metric}_{way}"), &column.worse)?;
        fields.serialize_entry(&format!("{}_rise", loss_name(*metric)), &column.loss_rise)?;
        fields.end()
    }
}

/// Name and number of features of each column of a model's data.
fn columns(model: &TrainedModel) -> Vec<(String, usize)> {
    let record = model.data();
    if let Some(encoding) = &record.encoding {
        return encoding.columns.iter().map(|column| (column.name.clone(), column.width())).collect();
    }
    let name = |feature: usize| match record.image_shape {
        Some([_, columns]) => format!("pixel {},{}", feature / columns, feature % columns),
        None => record.feature_names.get(feature).cloned().unwrap_or_else(|| feature.to_string()),
    };
    (0..model.preprocessing().input_features()).map(|feature| (name(feature), 1)).collect()
}

/// Shuffles one column after the other, `repeats` times each, and predicts the samples again. Each column has a random
/// stream of its own, so it does not depend on the others. `progress` is called after each column with their number so far and
/// in all; it returns whether to go on.
///
/// # Errors
/// [`Error::Dataset`] when `repeats` is 0 or above 10,000, or the samples do not fit the model; [`Error::Plan`] when
/// stopped.
pub fn permutation_importance(
    predictor: &Predictor,
    samples: &Dataset,
    (repeats, seed): (usize, u64),
    progress: &dyn Fn(usize, usize) -> bool,
) -> Result<PermutationImportance> {
    if !(1..=MAX_REPEATS).contains(&repeats) {
        return Err(Error::Dataset(format!(
            "{repeats} repetitions of a permutation are invalid, it must be 1 to {MAX_REPEATS}"
        )));
    }
    let data = predictor.model().data();
    let metric = Metric::of_task(data.task);
    let scores = |features: &[f32]| {
        let scores = TaskScores::new(&predictor.predict(features)?, samples.targets(), &data.targets);
        scores.map(|scores| scores.score_and_loss())
    };
    let (usual, usual_loss) = scores(samples.features())?;
    let (columns, width) = (columns(predictor.model()), samples.feature_count());
    let mut features = samples.features().to_vec();
    let mut order: Vec<usize> = (0..samples.samples()).collect();
    let (mut measured, mut first) = (Vec::with_capacity(columns.len()), 0);
    for (index, (name, own)) in columns.iter().enumerate() {
        let mut rng = generator(seed, Purpose::ColumnShuffle(u32::try_from(index).unwrap_or(u32::MAX)));
        let (mut drops, mut rises) = (Vec::with_capacity(repeats), Vec::with_capacity(repeats));
        for _ in 0..repeats {
            for last in (1..order.len()).rev() {
                order.swap(last, rng.random_range(0..=last));
            }
            for (to, from) in features.chunks_mut(width).zip(&order) {
                to[first..first + own].copy_from_slice(&samples.sample(*from)[first..first + own]);
            }
            let (shuffled, loss) = scores(&features)?;
            drops.push(metric.goodness(usual) - metric.goodness(shuffled));
            rises.push(loss - usual_loss);
        }
        for (sample, to) in features.chunks_mut(width).enumerate() {
            to[first..first + own].copy_from_slice(&samples.sample(sample)[first..first + own]);
        }
        first += own;
        let of = |numbers: &[f64]| MeanDeviation::of(numbers).expect("at least one repetition");
        let (worse, loss_rise) = (of(&drops), of(&rises));
        measured.push(ColumnImportance { name: name.clone(), features: *own, worse, loss_rise });
        if !progress(index + 1, columns.len()) {
            return Err(Error::Plan("the permutation importance was interrupted".into()));
        }
    }
    measured.sort_by(|one, other| {
        let larger = |one: &MeanDeviation, other: &MeanDeviation| other.mean.total_cmp(&one.mean);
        larger(&one.worse, &other.worse).then_with(|| larger(&one.loss_rise, &other.loss_rise))
    });
    Ok(PermutationImportance {
        repeats,
        seed,
        samples: samples.samples(),
        metric,
        score: usual,
        loss: usual_loss,
        columns: measured,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::DataRecord;
    use crate::dataset::table::{ColumnEncoding, TableEncoding};
    use crate::importance::{Importance, ImportanceSettings, Preprocessing};
    use crate::model::ArchitectureRecord;
    use crate::network::{Activation, Architecture, Connectivity};
    use crate::training::Recipe;

    /// Five features: a number that tells nothing, and a column of 4 categories, of which the first two are class 0.
    fn data() -> Dataset {
        let sample = |k: u16| {
            let mut features = [f32::from(k * 7 % 11), 0.0, 0.0, 0.0, 0.0];
            features[1 + usize::from(k % 4)] = 1.0;
            features
        };
        let labels = (0..80).map(|k| u32::from(k % 4 >= 2)).collect();
        Dataset::new((0..80).flat_map(sample).collect(), 5, labels, 2).unwrap()
    }

    /// Without a hidden layer, right for every sample by its category alone.
    fn model(encoding: bool) -> TrainedModel {
        let architecture = Architecture {
            inputs: 5,
            hidden: Vec::new(),
            classes: 2,
            connectivity: Connectivity::FullyConnected,
            activation: Activation::Identity,
            keep_probability: 1.0,
            reaches_all: false,
        };
        let network = architecture.build(0).unwrap();
        let mut parameters = Recipe::default().initialisation.draw(&network, 0).unwrap();
        parameters.layers[0].weights = vec![0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0];
        parameters.layers[0].biases = vec![0.0, 0.0];
        let preprocessing = Preprocessing::fit(&ImportanceSettings::new(Importance::None), &data()).unwrap();
        let record = ArchitectureRecord::new(&architecture, 0);
        let mut model = TrainedModel::new(network, parameters, preprocessing, record).unwrap();
        if encoding {
            let mut table = TableEncoding::of_columns(2);
            table.named = true;
            table.columns[0].name = "noise".into();
            let categories = Some(["a", "b", "c", "d"].map(String::from).to_vec());
            table.columns[1] = ColumnEncoding { name: "kind".into(), categories, ..table.columns[1].clone() };
            let feature_names = table.feature_names();
            model
                .set_data(DataRecord { encoding: Some(table), feature_names, ..DataRecord::default() })
                .unwrap();
        }
        model
    }

    fn importance(encoding: bool, settings: (usize, u64)) -> PermutationImportance {
        let predictor = Predictor::new(model(encoding), Some(1)).unwrap();
        permutation_importance(&predictor, &data(), settings, &|_, _| true).unwrap()
    }

    #[test]
    fn features_of_a_column_are_shuffled_together() {
        let found = importance(true, (20, 0));
        let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, found.score), (vec!["kind", "noise"], 1.0));
        let [kind, noise] = &found.columns[..] else { panic!("two columns") };
        assert_eq!((kind.features, noise.features), (4, 1));
        // A shuffled category is that of another sample, never none or two, and half of them are of the other class.
        assert!((kind.worse.mean - 0.5).abs() < 0.05, "{kind:?}");
        assert!(kind.worse.deviation.unwrap() > 0.0 && kind.worse.count == 20);
        let wrong_less_right = (1.0 + 2f64.exp()).ln() - (1.0 + (-2f64).exp()).ln();
        assert!((kind.loss_rise.mean - wrong_less_right * kind.worse.mean).abs() < 1e-6, "{kind:?}");
        assert_eq!((noise.worse.mean, noise.loss_rise.mean), (0.0, 0.0));
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["accuracy"], 1.0);
        assert!(json["log_loss"].is_number() && json["columns"][0]["accuracy_drop"]["count"] == 20, "{json}");
    }

    #[test]
    fn features_without_columns_are_shuffled_alone_and_the_seed_repeats() {
        let found = importance(false, (3, 7));
        assert_eq!(found.columns.len(), 5);
        assert_eq!(found.columns.last().unwrap().name, "0");
        assert_eq!(found, importance(false, (3, 7)));
        assert_ne!(found, importance(false, (3, 8)));
        assert_eq!(importance(false, (1, 0)).columns[0].worse.deviation, None);
    }

    #[test]
    fn invalid_numbers_of_repetitions_are_refused() {
        let predictor = Predictor::new(model(false), Some(1)).unwrap();
        for repeats in [0, MAX_REPEATS + 1] {
            let refused = permutation_importance(&predictor, &data(), (repeats, 0), &|_, _| true);
            assert!(refused.unwrap_err().to_string().contains("it must be 1 to 10000"), "{repeats}");
        }
    }
}
