//! The training loop.

mod rewiring;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt};

use super::options::Due;
use super::{
    Ending, EpochMetrics, EpochSoFar, Observer, Progress, Recipe, Scoring, TrainOptions, Trained,
    TrainingData, TrainingState, best_by,
};
use crate::dataset::Dataset;
use crate::engine::pace::Pace;
use crate::engine::{Engine, Evaluation, StepPlan};
use crate::random::{Purpose, generator};
use crate::{Error, Result};

/// Trains for all epochs of a recipe and measures after each.
///
/// Each epoch takes its training samples in a new order, drawn from the recipe's
/// seed and the epoch alone. `train` is a data set (`&Arc<Dataset>`) or any other
/// [`TrainingData`]; `test` is only used to measure.
///
/// # Errors
/// Settings outside their range; data that do not fit; a device that fails;
/// [`Error::Diverged`] as soon as a loss or a parameter is not finite; whatever
/// an observer returns. Observed epochs remain valid.
pub fn train(
    engine: &mut dyn Engine,
    recipe: &Recipe,
    train: impl TrainingData,
    test: &Arc<Dataset>,
    observers: &mut [&mut dyn Observer],
) -> Result<Vec<EpochMetrics>> {
    let trained = train_with(engine, recipe, train, test, observers, TrainOptions::default())?;
    Ok(trained.history)
}

/// As [`train`], optionally from a state, and until the options end it.
///
/// # Errors
/// As [`train`]; when the state to resume from does not fit the recipe, the data or the engine.
pub fn train_with(
    engine: &mut dyn Engine,
    recipe: &Recipe,
    mut train: impl TrainingData,
    test: &Arc<Dataset>,
    observers: &mut [&mut dyn Observer],
    mut options: TrainOptions<'_>,
) -> Result<Trained> {
    recipe.check()?;
    let pace = Pace::new(engine.steps_per_call(), engine.steps_per_call());
    let state = options.resume_from.take();
    let mut run = ActiveRun {
        engine,
        recipe,
        observers,
        history: Vec::new(),
        due: Due::new(options.checkpoint_every),
        last_saved: None,
        options,
        pace,
    };
    let mut so_far = EpochSoFar::default();
    run.record_regions()?;
    if let Some(state) = state {
        state.check(recipe)?;
        run.restore(&state)?;
        (run.history, so_far) = (state.history, state.so_far);
        run.last_saved = Some((run.history.len(), so_far.steps));
    }
    let ending = run.epochs(&mut train, test, so_far)?;
    Ok(Trained { history: run.history, ending })
}

/// A run in progress.
struct ActiveRun<'a, 'o> {
    engine: &'a mut dyn Engine,
    recipe: &'a Recipe,
    observers: &'a mut [&'o mut dyn Observer],
    history: Vec<EpochMetrics>,
    /// Options that end the run early; the state to resume from is taken out.
    options: TrainOptions<'a>,
    due: Due,
    /// Complete epochs and steps of the last state that observers received.
    last_saved: Option<(usize, usize)>,
    pace: Pace,
}

/// When an epoch and its steps began, in this process.
#[derive(Clone, Copy)]
struct EpochClock {
    epoch: Instant,
    steps: Instant,
}

impl EpochClock {
    /// The sums, with the time until now added.
    fn applied_to(self, so_far: &EpochSoFar) -> EpochSoFar {
        EpochSoFar {
            seconds: so_far.seconds + self.epoch.elapsed().as_secs_f64(),
            seconds_steps: so_far.seconds_steps + self.steps.elapsed().as_secs_f64(),
            ..*so_far
        }
    }
}

impl ActiveRun<'_, '_> {
    /// Runs epoch by epoch; the first one may already be partly done.
    fn epochs(
        &mut self,
        train: &mut impl TrainingData,
        test: &Arc<Dataset>,
        mut so_far: EpochSoFar,
    ) -> Result<Ending> {
        loop {
            let epoch = self.history.len();
            if self.is_out_of_patience() {
                return Ok(Ending::OutOfPatience);
            }
            if epoch >= self.recipe.epochs {
                return Ok(Ending::Completed);
            }
            if self.stop_requested() {
                return self.stopped(&so_far);
            }
            let begin = Instant::now();
            while !train.is_ready(epoch) {
                if self.stop_requested() {
                    return self.stopped(&so_far);
                }
                thread::sleep(Duration::from_millis(2));
            }
            let samples = train.epoch(epoch)?;
            if !self.rewire(&samples, &mut so_far)? {
                return self.stopped(&so_far);
            }
            let clock = EpochClock { epoch: begin, steps: Instant::now() };
            if !self.steps(&samples, clock, &mut so_far)? {
                return self.stopped(&clock.applied_to(&so_far));
            }
            drop(samples);
            let Some(tested) = self.scores(test)? else {
                return self.stopped(&clock.applied_to(&so_far));
            };
            self.end_epoch(tested, clock, &std::mem::take(&mut so_far))?;
            if self.due.after_epochs(self.history.len()) {
                self.save_state(&so_far)?;
            }
        }
    }

    /// The learning rate of the current epoch.
    fn learning_rate(&self) -> f64 {
        let Recipe { schedule, learning_rate, epochs, .. } = self.recipe;
        schedule.learning_rate(*learning_rate, self.history.len(), *epochs)
    }

    /// The remaining steps of the epoch, as many per call as the engine prefers; `false` if a stop was requested.
    fn steps(&mut self, data: &Arc<Dataset>, clock: EpochClock, so_far: &mut EpochSoFar) -> Result<bool> {
        let (recipe, epoch) = (self.recipe, self.history.len());
        let order = permutation(data.samples(), recipe.seed, epoch)?;
        let steps = order.len().div_ceil(recipe.batch_size);
        let learning_rate = self.learning_rate();
        let mut rest = rest(&order, so_far, recipe.batch_size)?;
        while !rest.is_empty() {
            let call = rest.len().min(recipe.batch_size.saturating_mul(self.pace.steps()));
            let samples = rest.split_off(..call).unwrap_or_default();
            let (before, begin) = (so_far.steps, Instant::now());
            let first_step = (epoch * steps + before) as u64;
            let plan = StepPlan { samples, learning_rate, first_step };
            let outcomes = match self.options.stop {
                Some(stop) => self.engine.train_unless(data, &plan, stop),
                None => self.engine.train(data, &plan),
            };
            for outcome in outcomes? {
                so_far.add(&outcome);
                if !outcome.loss.is_finite() {
                    return Err(diverged(
                        recipe,
                        &format!(
                            "the loss of step {} of {steps} in epoch {} is {}",
                            so_far.steps,
                            epoch + 1,
                            outcome.loss
                        ),
                    ));
                }
            }
            self.pace.took(so_far.steps - before, begin.elapsed());
            let progress = progress(so_far, epoch, self.options.scoring);
            for observer in self.observers.iter_mut() {
                observer.batches_trained(&progress);
            }
            if self.stop_requested() {
                return Ok(false);
            }
            if self.due.after_steps(so_far.steps - before) {
                self.save_state(&clock.applied_to(so_far))?;
            }
        }
        Ok(true)
    }

    /// Scores the network; `None` if a stop was requested.
    fn scores(&mut self, test: &Arc<Dataset>) -> Result<Option<Evaluation>> {
        match self.options.stop {
            Some(stop) => self.engine.evaluate_unless(test, stop),
            None => self.engine.evaluate(test).map(Some),
        }
    }

    /// Records and reports an epoch.
    fn end_epoch(&mut self, tested: Evaluation, clock: EpochClock, so_far: &EpochSoFar) -> Result<()> {
        let (epoch, learning_rate) = (self.history.len() + 1, self.learning_rate());
        let (trained, seconds_steps) = (so_far.evaluation(), clock.applied_to(so_far).seconds_steps);
        let metrics = EpochMetrics {
            epoch,
            train_loss: trained.loss,
            test_loss: tested.loss,
            train_accuracy: self.options.scoring.of(&trained),
            test_accuracy: self.options.scoring.of(&tested),
            metric: self.options.scoring.metric,
            learning_rate,
            seconds: clock.applied_to(so_far).seconds,
            seconds_steps,
            scored_on: self.options.scored_on,
            edges_moved: so_far.edges_moved,
        };
        let parameters = self.engine.parameters()?;
        if !tested.loss.is_finite() {
            return Err(diverged(
                self.recipe,
                &format!("the test loss after epoch {epoch} is {}", tested.loss),
            ));
        }
        if !parameters.all_finite() {
            return Err(diverged(
                self.recipe,
                &format!("a parameter after epoch {epoch} is not a finite number"),
            ));
        }
        for observer in self.observers.iter_mut() {
            observer.epoch_ended(&metrics, &parameters)?;
        }
        self.history.push(metrics);
        Ok(())
    }

    fn stop_requested(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn is_out_of_patience(&self) -> bool {
        let TrainOptions { patience, patience_on, patience_from, .. } = self.options;
        let best = best_by(&self.history, patience_on);
        let since = best.map(|best| self.history.len().saturating_sub(best.epoch.max(patience_from)));
        patience.zip(since).is_some_and(|(patience, since)| since >= patience)
    }

    fn stopped(&mut self, so_far: &EpochSoFar) -> Result<Ending> {
        self.save_state(so_far)?;
        Ok(Ending::Stopped { epochs: self.history.len(), steps: so_far.steps })
    }

    /// Passes the state to observers for saving, unless they already have it.
    fn save_state(&mut self, so_far: &EpochSoFar) -> Result<()> {
        let here = Some((self.history.len(), so_far.steps));
        if self.last_saved == here {
            return Ok(());
        }
        let engine = self.engine.state()?;
        let state =
            TrainingState { history: self.history.clone(), so_far: *so_far, engine, graphs: self.graphs()? };
        // In the middle of an epoch, the parameters have not been checked yet.
        state.check_itself().map_err(|error| diverged(self.recipe, &error.to_string()))?;
        for observer in self.observers.iter_mut() {
            observer.checkpoint(&state)?;
        }
        self.last_saved = here;
        self.due.made();
        Ok(())
    }
}

/// The samples of the remaining steps.
fn rest<'a>(order: &'a [u32], so_far: &EpochSoFar, batch_size: usize) -> Result<&'a [u32]> {
    let expected = so_far.steps.saturating_mul(batch_size).min(order.len());
    if so_far.samples != expected {
        return Err(Error::Dataset(format!(
            "state of a run: {} steps over {} samples, but with these data they are {expected}",
            so_far.steps, so_far.samples
        )));
    }
    Ok(&order[expected..])
}

fn progress(so_far: &EpochSoFar, epoch: usize, scoring: Scoring) -> Progress {
    let EpochSoFar { samples, .. } = *so_far;
    let means = so_far.evaluation();
    let accuracy = scoring.of(&means);
    Progress { epoch: epoch + 1, samples, loss: means.loss, accuracy, metric: scoring.metric }
}

fn diverged(recipe: &Recipe, what: &str) -> Error {
    Error::Diverged(format!("{what}; {}", recipe.suspects()))
}

/// The order of the samples in one epoch: a shuffle by a separate stream.
fn permutation(samples: usize, seed: u64, epoch: usize) -> Result<Vec<u32>> {
    let count = u32::try_from(samples)
        .map_err(|_| Error::Dataset(format!("{samples} samples are too many, the limit is {}", u32::MAX)))?;
    // The recipe was validated: epochs fit u32.
    let stream = u32::try_from(epoch).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..count).collect();
    shuffle(&mut order, &mut generator(seed, Purpose::Permutation(stream)));
    Ok(order)
}

/// Fisher and Yates. The order of a seed depends on rand's `random_range`; a test pins it.
fn shuffle(order: &mut [u32], rng: &mut impl Rng) {
    for last in (1..order.len()).rev() {
        let pick = rng.random_range(0..=last);
        order.swap(last, pick);
    }
}

#[cfg(test)]
#[path = "trainer_tests.rs"]
mod tests;
