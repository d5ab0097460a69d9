//! The training loop.

use std::sync::Arc;
use std::time::Instant;

use rand::{Rng, RngExt};

use super::{EpochMetrics, Recipe, TrainingData};
use crate::dataset::Dataset;
use crate::engine::{Engine, Evaluation, StepOutcome, StepPlan};
use crate::network::Parameters;
use crate::random::{Purpose, generator};
use crate::{Error, Result};

/// What a run tells while it goes on.
pub trait Observer {
    /// Some batches were trained.
    fn batches_trained(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// An epoch ended with these metrics and these parameters.
    ///
    /// # Errors
    /// An error, for example of a full disk, ends the run.
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        let _ = (metrics, parameters);
        Ok(())
    }
}

/// How far the current epoch is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Counted from 1.
    pub epoch: usize,
    /// Samples trained in this epoch.
    pub samples: usize,
    /// Mean loss over them.
    pub loss: f64,
    /// Share of correct ones among them.
    pub accuracy: f64,
}

/// Trains for all epochs of a recipe and measures after each.
///
/// Each epoch takes its training samples in a new order, drawn from the recipe's
/// seed and the epoch alone. `train` is a data set (`&Arc<Dataset>`) or any other
/// [`TrainingData`]; `test` is only ever looked at.
///
/// # Errors
/// Settings outside their range; data that do not fit; a device that fails;
/// [`Error::Diverged`] as soon as a loss or a parameter is not finite; whatever
/// an observer returns. Epochs that were observed stay as they are.
pub fn train(
    engine: &mut dyn Engine,
    recipe: &Recipe,
    mut train: impl TrainingData,
    test: &Arc<Dataset>,
    observers: &mut [&mut dyn Observer],
) -> Result<Vec<EpochMetrics>> {
    recipe.check()?;
    let mut history = Vec::new();
    for epoch in 0..recipe.epochs {
        let started = Instant::now();
        let learning_rate = recipe.schedule.learning_rate(recipe.learning_rate, epoch, recipe.epochs);
        let samples = train.epoch(epoch)?;
        let steps_started = Instant::now();
        let trained = train_epoch(engine, recipe, &samples, epoch, learning_rate, observers)?;
        let seconds_steps = steps_started.elapsed().as_secs_f64();
        drop(samples);
        let tested = engine.evaluate(test)?;
        let metrics = EpochMetrics {
            epoch: epoch + 1,
            train_loss: trained.loss,
            test_loss: tested.loss,
            train_accuracy: trained.accuracy(),
            test_accuracy: tested.accuracy(),
            learning_rate,
            seconds: started.elapsed().as_secs_f64(),
            seconds_steps,
        };
        let parameters = engine.parameters()?;
        if !tested.loss.is_finite() {
            return Err(diverged(format!("the test loss after epoch {} is {}", epoch + 1, tested.loss)));
        }
        if !parameters.all_finite() {
            return Err(diverged(format!("a parameter after epoch {} is not a finite number", epoch + 1)));
        }
        for observer in observers.iter_mut() {
            observer.epoch_ended(&metrics, &parameters)?;
        }
        history.push(metrics);
    }
    Ok(history)
}

/// All steps of one epoch, as many to a call as the engine likes.
fn train_epoch(
    engine: &mut dyn Engine,
    recipe: &Recipe,
    data: &Arc<Dataset>,
    epoch: usize,
    learning_rate: f64,
    observers: &mut [&mut dyn Observer],
) -> Result<Evaluation> {
    let order = permutation(data.samples(), recipe.seed, epoch)?;
    let steps = order.len().div_ceil(recipe.batch_size);
    let mut totals = Totals::default();
    let samples_per_call = recipe.batch_size.saturating_mul(engine.steps_per_call().max(1));
    for samples in order.chunks(samples_per_call) {
        let first_step = (epoch * steps + totals.steps) as u64;
        for outcome in engine.train(data, &StepPlan { samples, learning_rate, first_step })? {
            totals.add(&outcome);
            if !outcome.loss.is_finite() {
                return Err(diverged(format!(
                    "the loss of step {} of {steps} in epoch {} is {}",
                    totals.steps,
                    epoch + 1,
                    outcome.loss
                )));
            }
        }
        let progress = totals.progress(epoch);
        for observer in observers.iter_mut() {
            observer.batches_trained(&progress);
        }
    }
    Ok(totals.evaluation())
}

fn diverged(what: String) -> Error {
    Error::Diverged(format!("{what}; a lower --lr or --gain may help"))
}

/// Sums over batches of different sizes.
#[derive(Default)]
struct Totals {
    loss: f64,
    correct: usize,
    samples: usize,
    steps: usize,
}

impl Totals {
    fn add(&mut self, outcome: &StepOutcome) {
        self.loss += outcome.loss * f64::from(outcome.samples);
        self.correct += outcome.correct as usize;
        self.samples += outcome.samples as usize;
        self.steps += 1;
    }

    fn evaluation(&self) -> Evaluation {
        Evaluation { loss: self.loss / self.samples as f64, correct: self.correct, samples: self.samples }
    }

    fn progress(&self, epoch: usize) -> Progress {
        let so_far = self.evaluation();
        Progress { epoch: epoch + 1, samples: so_far.samples, loss: so_far.loss, accuracy: so_far.accuracy() }
    }
}

/// The order of the samples in one epoch: a shuffle of its own stream.
fn permutation(samples: usize, seed: u64, epoch: usize) -> Result<Vec<u32>> {
    let count = u32::try_from(samples)
        .map_err(|_| Error::Dataset(format!("{samples} samples are too many, the limit is {}", u32::MAX)))?;
    // The recipe was checked: epochs fit u32.
    let stream = u32::try_from(epoch).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..count).collect();
    shuffle(&mut order, &mut generator(seed, Purpose::Permutation(stream)));
    Ok(order)
}

/// Fisher and Yates. What a seed stands for rests on rand's `random_range`; a test pins it.
fn shuffle(order: &mut [u32], rng: &mut impl Rng) {
    for last in (1..order.len()).rev() {
        let pick = rng.random_range(0..=last);
        order.swap(last, pick);
    }
}

#[cfg(test)]
#[path = "trainer_tests.rs"]
mod tests;
