//! Whether a trained network says more than its most frequent class.

use super::Session;
use super::settings::{Preset, RunSettings};
use crate::Result;
use crate::dataset::{Dataset, Targets, Task};
use crate::engine::cpu::CpuEngine;
use crate::engine::{EngineSettings, Optimizer};
use crate::inference::Predictions;
use crate::model::TrainedModel;
use crate::training::{Metric, Recorder};

/// Share of samples from which on a network gives nearly always the same answer.
const NEARLY_ALL: f64 = 0.98;
/// With fewer samples, one answer for all of them may be right by chance.
const FEW: usize = 10;

/// The samples of the most frequent class, and those of the most frequent answer.
struct Verdict {
    majority: (String, f64),
    /// Only if it is given for nearly all samples.
    answer: Option<(String, f64)>,
    accuracy: f64,
}

/// One answer for all training samples, and its score.
pub(super) enum OneAnswer {
    /// The most frequent class, and its share.
    Class(usize, f64),
    /// The mean, and its root mean squared error.
    Mean(f64),
}

impl OneAnswer {
    /// The best one for these samples; none of several labels and numbers, and if samples count differently.
    pub(super) fn of(train: &Dataset) -> Option<Self> {
        let (targets, samples) = (train.targets(), train.samples() as f64);
        match targets.task() {
            _ if train.weights().is_some() => None,
            Task::Classification => {
                let (class, rows) = most_frequent(train.labels(), targets.outputs());
                Some(Self::Class(class, rows as f64 / samples))
            }
            Task::Regression if targets.outputs() == 1 => Some(Self::Mean(deviation(targets))),
            _ => None,
        }
    }
}

impl Session<'_> {
    /// Warns of a network that is no better on its training samples than one answer for all of them.
    pub(super) fn warn_of_training(&self, settings: &RunSettings, recorder: &Recorder, one: OneAnswer) {
        let Some(last) = recorder.history().last() else { return };
        let (model, score) = (recorder.model(), last.train_accuracy);
        let comparison = match one {
            OneAnswer::Class(class, share) if share < 1.0 && score <= share => format!(
                "answering {:?} is right in {:.2} % of the training samples, the network in {:.2} %",
                model.class_names()[class],
                100.0 * share,
                100.0 * score
            ),
            OneAnswer::Mean(error) if error > 0.0 && score >= error => format!(
                "answering the mean of the training samples has an RMSE of {} on them, the network one of {}",
                Metric::Rmse.shown(error),
                Metric::Rmse.shown(score)
            ),
            _ => return,
        };
        let remedy = remedy(settings, model.data().image_shape.is_some());
        self.warn(format!("nothing learned: always {comparison} in the last epoch; {remedy}"));
    }

    /// Warns of a network that gives one answer for nearly all samples, or is no better than one that does.
    /// Returns what may help.
    pub(super) fn warn_of_verdict(
        &self,
        settings: &RunSettings,
        recorder: &Recorder,
        test: &Dataset,
    ) -> Option<&'static str> {
        let last = recorder.history().last()?;
        let model = recorder.model();
        match last.metric {
            Metric::Accuracy => {}
            Metric::Rmse => return self.warn_of_mean(settings, recorder, test),
            Metric::SubsetAccuracy => return None,
        }
        let names = model.class_names();
        let (class, rows) = most_frequent(test.labels(), names.len());
        let share = rows as f64 / test.samples() as f64;
        // A network that nearly always gives one answer is right for that class, and for few other samples.
        if last.test_accuracy > share + (1.0 - NEARLY_ALL) {
            return None;
        }
        // The run is complete: what cannot be computed now is not reported.
        let answers = answers(model, test).ok()?;
        let (answer, times) = most_frequent(&answers, names.len());
        let times = times as f64 / test.samples() as f64;
        let verdict = Verdict {
            majority: (names[class].clone(), share),
            answer: (times >= NEARLY_ALL && test.samples() >= FEW).then(|| (names[answer].clone(), times)),
            accuracy: last.test_accuracy,
        };
        let line = verdict.line(&settings.scored_on().to_string())?;
        if share >= 1.0 {
            self.warn(line);
            return None;
        }
        let remedy = remedy(settings, model.data().image_shape.is_some());
        self.warn(format!("{line}; {remedy}"));
        Some(remedy)
    }
}

impl Session<'_> {
    /// Warns of a network that is no better than the mean of the samples it is scored on.
    fn warn_of_mean(
        &self,
        settings: &RunSettings,
        recorder: &Recorder,
        test: &Dataset,
    ) -> Option<&'static str> {
        let last = recorder.history().last()?;
        let of_mean = recorder.model().scoring().scale * deviation(test.targets());
        // Values that are all the same have no variance to explain.
        if last.test_accuracy < of_mean || of_mean <= 0.0 {
            return None;
        }
        let remedy = remedy(settings, recorder.model().data().image_shape.is_some());
        self.warn(format!(
            "nothing learned: always answering the mean of the {} samples has an RMSE of {} on them, the network one of {} (R2 is not above 0); {remedy}",
            settings.scored_on(),
            Metric::Rmse.shown(of_mean),
            Metric::Rmse.shown(last.test_accuracy),
        ));
        Some(remedy)
    }
}

/// The root of the mean squared difference of targets from their means.
fn deviation(targets: &Targets) -> f64 {
    let (values, count) = (targets.values(), targets.outputs());
    let of_target = |target: usize| {
        let values = || values.iter().skip(target).step_by(count).map(|value| f64::from(*value));
        let mean = values().sum::<f64>() / targets.samples() as f64;
        values().map(|value| (value - mean).powi(2)).sum::<f64>()
    };
    ((0..count).map(of_target).sum::<f64>() / values.len() as f64).sqrt()
}

impl Verdict {
    fn line(&self, on: &str) -> Option<String> {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let (class, share) = (&self.majority.0, percent(self.majority.1));
        let accuracy = percent(self.accuracy);
        if self.majority.1 >= 1.0 {
            return Some(format!(
                "all {on} samples are of class {class:?}: the accuracy says nothing of the other classes"
            ));
        }
        let answers = self.answer.as_ref().map(|(answer, times)| match *times >= 1.0 {
            true => format!("answers {answer:?} for all of them"),
            false => format!("answers {answer:?} for {} of them", percent(*times)),
        });
        if self.accuracy <= self.majority.1 {
            let answers = answers.map_or_else(String::new, |answers| format!(" (it {answers})"));
            return Some(format!(
                "nothing learned: always answering {class:?} is right in {share} of the {on} samples, the network in {accuracy}{answers}"
            ));
        }
        let answers = answers?;
        Some(format!(
            "hardly anything learned: always answering {class:?} is right in {share} of the {on} samples, the network in {accuracy}: it {answers}"
        ))
    }
}

/// What may help: a recipe that the run did not have, otherwise other settings.
fn remedy(settings: &RunSettings, is_picture: bool) -> &'static str {
    match is_picture {
        true if settings.preset != Preset::Tanner => {
            "more epochs or another recipe may help: `preset` tanner is for pictures"
        }
        false if ![Preset::Small, Preset::Table].contains(&settings.preset) => {
            "more epochs or another recipe may help: `preset` table is for tables"
        }
        _ => "more `epochs`, another `lr` or features that say more about the label may help",
    }
}

/// The answer for each sample of preprocessed data, computed on the CPU.
fn answers(model: &TrainedModel, data: &Dataset) -> Result<Vec<u32>> {
    // Nothing is trained, so any settings will do.
    let settings = EngineSettings::new(Optimizer::Sgd, 1, 0);
    let engine = CpuEngine::new(model.network(), model.parameters(), settings, None)?;
    Ok(Predictions::new(engine.logits(data)?, model.network().classes())?.labels())
}

/// The most frequent class, the first of equals, and how often it occurs.
fn most_frequent(labels: &[u32], classes: usize) -> (usize, usize) {
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|label| counts[*label as usize] += 1);
    let (class, count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count).unwrap_or((0, &0));
    (class, *count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equally_frequent_classes_counts() {
        assert_eq!(most_frequent(&[2, 1, 1, 2, 0], 4), (1, 2));
        assert_eq!(most_frequent(&[3], 4), (3, 1));
    }

    #[test]
    fn a_network_is_blamed_if_it_has_one_answer_or_is_no_better_than_one() {
        let line = |share, answer: Option<f64>, accuracy| {
            let answer = answer.map(|times| ("no".to_owned(), times));
            Verdict { majority: ("no".into(), share), answer, accuracy }.line("test")
        };
        let nothing = line(0.9, Some(1.0), 0.9).unwrap();
        assert!(
            nothing.starts_with(
                "nothing learned: always answering \"no\" is right in 90.00 % of the test samples"
            )
        );
        assert!(nothing.ends_with("the network in 90.00 % (it answers \"no\" for all of them)"), "{nothing}");
        assert!(line(0.9, None, 0.89).unwrap().ends_with("the network in 89.00 %"));
        let hardly = line(0.9, Some(0.99), 0.905).unwrap();
        assert!(hardly.starts_with("hardly anything") && hardly.ends_with("for 99.00 % of them"), "{hardly}");
        assert_eq!(line(0.9, None, 0.91), None);
        assert!(
            line(1.0, Some(1.0), 1.0)
                .unwrap()
                .starts_with("all test samples are of class \"no\": the accuracy")
        );
    }
}
