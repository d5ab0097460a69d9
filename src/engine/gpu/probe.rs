//! Kernels one at a time, for tests and measurements.

use std::sync::Arc;

use super::buffers::Buffer;
use super::kernels::{Kernel, Layers};
use super::steps::{StepPurpose, Steps};
use super::{GpuEngine, buffers, commands, outcome};
use crate::dataset::Dataset;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::engine::{StepOutcome, StepPlan, check_plan};
use crate::{Error, Result};

/// Fills and reads an engine's buffers and runs single kernels, with the pipelines,
/// bind groups and uniforms of the engine itself.
pub struct Probe<'a> {
    engine: &'a mut GpuEngine,
}

/// The step of a probed kernel.
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

    /// The places of the values of neurons and edges.
    pub fn layout(&self) -> &NetworkLayout {
        &self.engine.layout
    }

    /// Values in one row of activations or deltas: the batch size, rounded up to a multiple of 4.
    pub fn row_len(&self) -> usize {
        4 * self.engine.buffers.constants.stride as usize
    }

    /// Sends samples for [`KernelKind::Gather`](super::shaders::KernelKind::Gather).
    ///
    /// # Errors
    /// When the data do not fit, or more samples are given than one batch holds.
    pub fn load(&mut self, data: &Arc<Dataset>, samples: &[u32]) -> Result<()> {
        let plan = StepPlan { samples, learning_rate: 0.0, first_step: 0 };
        check_plan(&self.engine.network, data, self.engine.settings.loss, &plan)?;
        self.check_batch(samples.len())?;
        let engine = &mut *self.engine;
        engine.data.select(&engine.gpu, &engine.buffers, &engine.kernels, data)?;
        engine.data.upload(&engine.gpu, &engine.buffers, samples)
    }

    /// Fills a buffer of numbers from its start.
    ///
    /// # Errors
    /// When there are more values than places.
    pub fn write(&mut self, buffer: Buffer, values: &[f32]) -> Result<()> {
        let (len, gpu) = (self.len(buffer), &self.engine.gpu);
        if values.len() > len {
            return Err(gpu.error(format!("{} values do not fit the {len} of {buffer:?}", values.len())));
        }
        gpu.queue.write_buffer(self.engine.buffers.of(buffer), 0, bytemuck::cast_slice(values));
        gpu.check()
    }

    /// Reads a buffer of numbers.
    ///
    /// # Errors
    /// When the device fails.
    pub fn read(&mut self, buffer: Buffer) -> Result<Vec<f32>> {
        commands::read(&self.engine.gpu, self.engine.buffers.of(buffer), self.len(buffer))
    }

    /// Number of values of a buffer of numbers; 0 for unused ones, and for lists.
    pub fn len(&self, buffer: Buffer) -> usize {
        let GpuEngine { settings, buffers, .. } = &*self.engine;
        buffers::len_of(settings, &buffers.constants, buffer)
    }

    /// Writes [`Buffer::Values`], [`Buffer::Masked`] or [`Buffer::State`], of which there may be several, one after another.
    ///
    /// # Errors
    /// As [`Probe::write`].
    pub fn write_packed(&mut self, buffer: Buffer, packed: &[PackedValues]) -> Result<()> {
        let order = &self.engine.buffers.order;
        let ordered = packed.iter().flat_map(|values| order.ordered(&values.dense, &values.sparse, 0.0));
        let ordered: Vec<f32> = ordered.collect();
        self.write(buffer, &ordered)
    }

    /// The inverse of [`Probe::write_packed`].
    ///
    /// # Errors
    /// When the device fails.
    pub fn read_packed(&mut self, buffer: Buffer) -> Result<Vec<PackedValues>> {
        let values = self.read(buffer)?;
        let order = &self.engine.buffers.order;
        Ok(values.chunks(order.len()).map(|values| order.unordered(values.to_vec())).collect())
    }

    /// Runs one kernel and waits for it.
    ///
    /// # Errors
    /// When there is no such layer, the batch is too large, or the kernel reads data and none were loaded.
    pub fn run(&mut self, kernel: Kernel, step: ProbeStep) -> Result<()> {
        let layers = self.engine.network.layers().len();
        let first = usize::from(kernel.kind.spec().layers == Layers::Inputs);
        if !(first..layers).contains(&kernel.layer) {
            return Err(Error::Network(format!("{kernel:?} is impossible, there are {layers} layers")));
        }
        self.check_batch(step.samples)?;
        let purpose = step.learning_rate.map_or(StepPurpose::Evaluation, |learning_rate| {
            StepPurpose::Training { learning_rate, first_step: step.step }
        });
        let engine = &*self.engine;
        let steps = Steps::new(&engine.network, &engine.settings, step.samples, purpose, 0);
        steps.upload(&engine.gpu, &engine.buffers)?;
        let dispatch = engine.dispatch(kernel, (0, &steps.steps[0]))?;
        let submission = commands::submit(&engine.gpu, &[dispatch])?;
        engine.gpu.wait(Some(submission))
    }

    /// What the last loss kernel returned over this many samples.
    ///
    /// # Errors
    /// When the device fails, or the batch is too large.
    pub fn metric(&mut self, samples: usize) -> Result<StepOutcome> {
        self.check_batch(samples)?;
        let seen = self.engine.buffers.read_metrics(&self.engine.gpu, &[samples])?;
        Ok(outcome(samples, seen[0]))
    }

    /// Cuts each dispatch of every step into about this number of submits from now on; 0 for none.
    pub fn cut_submits(&mut self, parts: usize) {
        self.engine.pace.fix_parts(parts);
    }

    /// Loses the device, like a driver reset or an unplugged card.
    pub fn lose_device(&mut self) {
        self.engine.gpu.device.destroy();
    }

    fn check_batch(&self, samples: usize) -> Result<()> {
        let limit = self.engine.settings.batch_size;
        if samples == 0 || samples > limit {
            return Err(Error::Dataset(format!("a batch of {samples} is invalid, it must be 1 to {limit}")));
        }
        Ok(())
    }
}
