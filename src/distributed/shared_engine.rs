//! An engine that trains on its rank's part of every batch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Link, sum};
use crate::dataset::Dataset;
use crate::engine::{
    BatchPart, Engine, EngineInfo, EngineState, Errors, Evaluation, PartGradients, StepOutcome, StepPlan,
    Values,
};
use crate::network::{Network, Parameters};
use crate::topology::Topology;
use crate::{Error, Result};

/// A flag that is never set.
static NEVER: AtomicBool = AtomicBool::new(false);
/// Numbers of each step whose sums are its outcome: loss, right samples, squared and absolute errors.
const OUTCOME: usize = 4;

/// An engine, and the ranks with which it shares every batch and every evaluation.
///
/// All ranks must make the same calls with the same data and settings. If one is told to stop, or fails, no rank makes the next update.
pub struct SharedEngine {
    engine: Box<dyn Engine>,
    link: Box<dyn Link>,
    /// Samples in one batch of all ranks.
    batch_size: usize,
    /// The data of the last evaluation, and this rank's part of them.
    own: Option<(Arc<Dataset>, Option<Arc<Dataset>>)>,
}

/// What a rank says of a step besides its gradients.
#[derive(Clone, Copy, PartialEq)]
enum Status {
    Fine,
    Stops,
    Fails,
}

impl SharedEngine {
    /// Joins an engine to the others'.
    #[must_use]
    pub fn new(engine: Box<dyn Engine>, link: Box<dyn Link>, batch_size: usize) -> Self {
        Self { engine, link, batch_size, own: None }
    }

    /// This rank's range of `count` samples; ranges of different ranks differ by one sample at most.
    fn part(&self, count: usize) -> Range<usize> {
        let (rank, size) = (self.link.rank(), self.link.size());
        rank * count / size..(rank + 1) * count / size
    }

    /// One step; `None` if a rank stops before its update.
    fn step(
        &mut self,
        data: &Arc<Dataset>,
        samples: &[u32],
        (learning_rate, step): (f64, u64),
        stop: &AtomicBool,
    ) -> Result<Option<[f64; OUTCOME]>> {
        let own = self.part(samples.len());
        let part = BatchPart { samples: &samples[own.clone()], first: own.start, batch: samples.len(), step };
        let stops = stop.load(Ordering::Relaxed);
        let (mine, failure) =
            match if stops { Err(None) } else { self.engine.gradients(data, &part).map_err(Some) } {
                Ok(gradients) => (gradients, None),
                Err(failure) => (self.nothing()?, failure),
            };
        let status = match (stops, &failure) {
            (_, Some(_)) => Status::Fails,
            (true, None) => Status::Stops,
            (false, None) => Status::Fine,
        };
        let outcome = [mine.loss, f64::from(mine.correct), mine.errors.squared, mine.errors.absolute];
        let summed = self.sum(mine.values, status)?;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Some(gradients) = summed else { return Ok(None) };
        self.engine.apply(&gradients, learning_rate, step)?;
        Ok(Some(outcome))
    }

    /// Gradients of no samples.
    fn nothing(&mut self) -> Result<PartGradients> {
        let count = self.engine.network().map_or(0, Network::parameter_count);
        let values = match self.engine.state()?.parameters {
            Values::Single(_) => Values::Single(vec![0.0; count]),
            Values::Double(_) => Values::Double(vec![0.0; count]),
        };
        Ok(PartGradients { values, loss: 0.0, correct: 0, errors: Errors::default() })
    }

    /// The sum of the gradients over all ranks; `None` if one stops. A last number says whether all are fine.
    fn sum(&mut self, values: Values, status: Status) -> Result<Option<Values>> {
        let size = self.link.size();
        let code = match status {
            Status::Fine => 0,
            Status::Stops => 1,
            Status::Fails => size + 1,
        };
        let (values, code) = match values {
            Values::Single(mut values) => {
                values.push(code as f32);
                sum(&mut *self.link, &mut values)?;
                let code = f64::from(values.pop().unwrap_or_default());
                (Values::Single(values), code)
            }
            Values::Double(mut values) => {
                values.push(code as f64);
                sum(&mut *self.link, &mut values)?;
                let code = values.pop().unwrap_or_default();
                (Values::Double(values), code)
            }
        };
        if code > size as f64 {
            // The rank that failed has its own error.
            return if status == Status::Fails {
                Ok(None)
            } else {
                Err(Error::OtherRun("another rank failed".into()))
            };
        }
        Ok((code == 0.0).then_some(values))
    }

    /// This rank's part of the data of an evaluation; none if there are fewer samples than ranks.
    fn own_part(&mut self, data: &Arc<Dataset>) -> Option<Arc<Dataset>> {
        if let Some((of, own)) = &self.own
            && Arc::ptr_eq(of, data)
        {
            return own.clone();
        }
        let range = self.part(data.samples());
        let own = (!range.is_empty()).then(|| Arc::new(data.of_range(range)));
        self.own = Some((Arc::clone(data), own.clone()));
        own
    }
}

impl Engine for SharedEngine {
    fn info(&self) -> EngineInfo {
        let EngineInfo { backend, adapter } = self.engine.info();
        EngineInfo {
            backend,
            adapter: format!("{adapter}, rank {} of {}", self.link.rank(), self.link.size()),
        }
    }

    fn steps_per_call(&self) -> usize {
        self.engine.steps_per_call()
    }

    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Vec<StepOutcome>> {
        self.train_unless(data, plan, &NEVER)
    }

    fn train_unless(
        &mut self,
        data: &Arc<Dataset>,
        plan: &StepPlan<'_>,
        stop: &AtomicBool,
    ) -> Result<Vec<StepOutcome>> {
        if self.link.size() == 1 {
            return self.engine.train_unless(data, plan, stop);
        }
        let mut sums = Vec::new();
        for (step, samples) in (plan.first_step..).zip(plan.samples.chunks(self.batch_size)) {
            match self.step(data, samples, (plan.learning_rate, step), stop)? {
                Some(outcome) => sums.extend(outcome),
                None => break,
            }
        }
        // Every rank has made as many steps.
        sum(&mut *self.link, &mut sums)?;
        let batches = plan.samples.chunks(self.batch_size).zip(sums.as_chunks::<OUTCOME>().0);
        Ok(batches
            .map(|(batch, [loss, correct, squared, absolute])| StepOutcome {
                loss: loss / batch.len() as f64,
                correct: whole(*correct),
                samples: u32::try_from(batch.len()).expect("a batch fits u32"),
                errors: Errors { squared: *squared, absolute: *absolute },
            })
            .collect())
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        let whole = self.evaluate_unless(data, &NEVER)?;
        whole.ok_or_else(|| Error::OtherRun("another rank stopped".into()))
    }

    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        if self.link.size() == 1 {
            return self.engine.evaluate_unless(data, stop);
        }
        let own = self.own_part(data);
        let evaluated = own.map(|own| self.engine.evaluate_unless(&own, stop)).transpose();
        let mut sums = [0.0; OUTCOME + 2];
        match &evaluated {
            Ok(Some(Some(part))) => {
                let loss = part.loss * part.samples as f64;
                let numbers = [loss, part.correct as f64, part.errors.squared, part.errors.absolute];
                sums[..OUTCOME].copy_from_slice(&numbers);
            }
            Ok(None) => {}
            Ok(Some(None)) => sums[OUTCOME] = 1.0,
            Err(_) => sums[OUTCOME + 1] = 1.0,
        }
        sum(&mut *self.link, &mut sums)?;
        evaluated?;
        let [loss, correct, squared, absolute, stopped, failed] = sums;
        if failed > 0.0 {
            return Err(Error::OtherRun("another rank failed".into()));
        }
        Ok((stopped == 0.0).then(|| Evaluation {
            loss: loss / data.samples() as f64,
            correct: whole(correct) as usize,
            samples: data.samples(),
            errors: Errors { squared, absolute },
        }))
    }

    fn parameters(&mut self) -> Result<Parameters> {
        self.engine.parameters()
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        self.engine.set_parameters(parameters)
    }

    fn state(&mut self) -> Result<EngineState> {
        self.engine.state()
    }

    fn take_state(&mut self) -> Result<EngineState> {
        self.engine.take_state()
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        self.engine.restore(state)
    }

    fn network(&self) -> Option<&Network> {
        self.engine.network()
    }

    fn rewire(&mut self, graphs: &[Arc<Topology>], state: EngineState) -> Result<()> {
        self.engine.rewire(graphs, state)
    }
}

/// A number of samples that was summed as float64.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of samples")]
fn whole(count: f64) -> u32 {
    count as u32
}
