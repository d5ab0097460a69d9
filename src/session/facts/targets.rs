//! The numbers that a run predicts.

use serde::Serialize;

use super::quoted;
use crate::dataset::{DataRecord, Dataset, TargetRecord, Task};
use crate::text::digits;

/// A number that is predicted, over all samples.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TargetFacts {
    name: String,
    least: f32,
    mean: f64,
    greatest: f32,
}

impl TargetFacts {
    pub(super) fn all(record: &DataRecord, sets: [&Dataset; 2]) -> Vec<Self> {
        let of = |(number, target): (usize, &TargetRecord)| {
            let values = || {
                let all = sets.into_iter().map(Dataset::targets);
                all.flat_map(move |set| {
                    set.values().iter().skip(number).step_by(set.outputs().max(1)).copied()
                })
            };
            Self {
                name: target.name.clone(),
                least: values().fold(f32::INFINITY, f32::min),
                mean: values().map(f64::from).sum::<f64>() / values().count() as f64,
                greatest: values().fold(f32::NEG_INFINITY, f32::max),
            }
        };
        record.targets.iter().enumerate().map(of).collect()
    }

    /// The range of a quantity, or how many samples have a label.
    pub(super) fn line(&self, task: Task) -> String {
        let name = quoted(&self.name);
        if task == Task::MultiLabel {
            return format!("{name} ({:.1} %)", 100.0 * self.mean);
        }
        format!("{name} from {} to {}, mean {}", self.least, self.greatest, digits(self.mean, 4))
    }
}
