//! Kernels one at a time, for tests and measurements.

use std::sync::Arc;

use super::buffers::Tensor;
use super::kernels::Kernel;
use super::steps::{Purpose, Steps};
use super::{GpuEngine, commands, outcome};
use crate::dataset::Dataset;
use crate::engine::layout::NetworkLayout;
use crate::engine::{StepOutcome, StepPlan, check_plan};
use crate::{Error, Result};

/// Fills and reads an engine's buffers and runs single kernels, with the pipelines,
/// bind groups and uniforms of the engine itself.
pub struct Probe<'a> {
    engine: &'a mut GpuEngine,
}

/// The step that a probed kernel believes to be in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeStep {
    /// Samples of the batch, at most the engine's batch size.
    pub samples: usize,
    /// Number of the step; keys dropout and Adam's correction.
    pub step: u64,
    /// Step length; none in evaluation, which has no dropout and writes no deltas.
    pub learning_rate: Option<f64>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(engine: &'a mut GpuEngine) -> Self {
        Self { engine }
    }

    /// Where the values of neurons and edges stand.
    pub fn layout(&self) -> &NetworkLayout {
        &self.engine.layout
    }

    /// Values in one row of activations or deltas: the batch size, rounded up to a multiple of 4.
    pub fn row_len(&self) -> usize {
        4 * self.engine.buffers.constants.stride as usize
    }

    /// Sends samples for [`Kernel::Gather`] and [`Kernel::SoftmaxCrossEntropy`].
    ///
    /// # Errors
    /// When the data do not fit, or more samples are given than one batch holds.
    pub fn load(&mut self, data: &Arc<Dataset>, samples: &[u32]) -> Result<()> {
        let plan = StepPlan { samples, learning_rate: 0.0, first_step: 0 };
        check_plan(&self.engine.network, data, &plan)?;
        self.check_batch(samples.len())?;
        let engine = &mut *self.engine;
        engine.data.select(&engine.gpu, &engine.buffers, &engine.kernels, data)?;
        engine.data.upload(&engine.gpu, &engine.buffers, samples)
    }

    /// Fills a tensor from its start; sparse values in the order of the layout.
    ///
    /// # Errors
    /// When there are more values than places, or of sparse values not all of them.
    pub fn write(&mut self, tensor: Tensor, values: &[f32]) -> Result<()> {
        let (len, gpu, buffers) = (self.len(tensor), &self.engine.gpu, &self.engine.buffers);
        if values.len() > len || (is_sparse(tensor) && values.len() != len) {
            return Err(gpu.error(format!("{} values do not fit the {len} of {tensor:?}", values.len())));
        }
        let ordered = is_sparse(tensor).then(|| buffers.order.ordered(values, 0.0));
        let values = ordered.as_deref().unwrap_or(values);
        gpu.queue.write_buffer(buffers.tensor(tensor), 0, bytemuck::cast_slice(values));
        gpu.check()
    }

    /// Reads a tensor; sparse values in the order of the layout.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read(&mut self, tensor: Tensor) -> Result<Vec<f32>> {
        let buffers = &self.engine.buffers;
        let len = buffers.tensor_len(tensor);
        let values: Vec<f32> = commands::read(&self.engine.gpu, buffers.tensor(tensor), len)?;
        Ok(if is_sparse(tensor) { buffers.order.unordered(&values) } else { values })
    }

    /// Number of values of a tensor; 0 for one that the settings have no use for.
    pub fn len(&self, tensor: Tensor) -> usize {
        let buffers = &self.engine.buffers;
        let len = buffers.tensor_len(tensor);
        // Empty places do not count.
        if is_sparse(tensor) { len / buffers.order.len() * self.engine.layout.sparse_len() } else { len }
    }

    /// Runs one kernel and waits for it.
    ///
    /// # Errors
    /// When there is no such layer, the batch is too large, or the kernel reads data and none were loaded.
    pub fn run(&mut self, kernel: Kernel, step: ProbeStep) -> Result<()> {
        let layers = self.engine.network.layers().len();
        if let Kernel::Forward(layer) | Kernel::BackwardInput(layer) = kernel {
            let first = usize::from(kernel == Kernel::BackwardInput(layer));
            if !(first..layers).contains(&layer) {
                return Err(Error::Network(format!("{kernel:?} is impossible, there are {layers} layers")));
            }
        }
        self.check_batch(step.samples)?;
        let purpose = step.learning_rate.map_or(Purpose::Evaluation, |learning_rate| Purpose::Training {
            learning_rate,
            first_step: step.step,
        });
        let engine = &*self.engine;
        let steps = Steps::new(&engine.network, &engine.settings, step.samples, purpose, 0);
        steps.upload(&engine.gpu, &engine.buffers)?;
        let dispatch = engine.dispatch(kernel, (0, &steps.steps[0]))?;
        let submission = commands::submit(&engine.gpu, &[dispatch])?;
        engine.gpu.wait(Some(submission))
    }

    /// What the last [`Kernel::SoftmaxCrossEntropy`], over so many samples, saw.
    ///
    /// # Errors
    /// When the device fails, or the batch is too large.
    pub fn metric(&mut self, samples: usize) -> Result<StepOutcome> {
        self.check_batch(samples)?;
        let seen = self.engine.buffers.read_metrics(&self.engine.gpu, &[samples])?;
        Ok(outcome(samples, seen[0]))
    }

    /// Takes the device away, as a driver reset or an unplugged card would.
    pub fn lose_device(&mut self) {
        self.engine.gpu.device.destroy();
    }

    fn check_batch(&self, samples: usize) -> Result<()> {
        let limit = self.engine.settings.batch_size;
        if samples == 0 || samples > limit {
            return Err(Error::Dataset(format!(
                "a batch of {samples} is impossible, it must be 1 to {limit}"
            )));
        }
        Ok(())
    }
}

fn is_sparse(tensor: Tensor) -> bool {
    matches!(tensor, Tensor::Sparse | Tensor::SparseState | Tensor::MaskedSparse)
}
