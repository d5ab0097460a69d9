//! The engine that runs WGSL kernels on any device that wgpu supports.
//!
//! [`GpuEngine`] is the engine, [`GpuOptions`] its adapter and options, [`adapters`] lists adapters. In data-flow order:
//!
//! - `adapter` and `device` find and open a device and turn its failures into errors;
//! - `quad_lists` puts sparse values in the order of kernels, `pairs` what gradients go through, `tables` makes index lists, `buffers` all buffers and
//!   bind groups;
//! - `data` keeps data sets on the device or streams them;
//! - [`shaders`] and [`uniforms`] are shared by host and shaders: each kernel is one row, a `kernel_spec`; `amounts` has its amount of work,
//!   `kernels` has the pipelines;
//! - `share` says how many invocations share one sum, [`Tuning`] holds all choices for a device,
//!   [`TuningTask`] chooses it by measurement, `tuning_cache` keeps it;
//! - `steps` turns batches into dispatches, `commands` records and submits them;
//! - `profile` times them one by one, with the device's own `timestamps`; [`Probe`] runs single kernels for tests.
//!
//! Activations and deltas are one buffer each, `[neuron][batch]`, a `vec4` holding
//! 4 samples. A submit has many steps; during a call only their metrics are read, every 1,024 steps.

mod adapter;
mod amounts;
mod buffers;
mod commands;
mod data;
mod device;
mod gpu_device;
mod kernel_spec;
mod kernels;
mod memory;
mod options;
mod pairs;
mod probe;
mod profile;
mod quad_lists;
#[doc(hidden)]
pub mod shaders;
mod share;
mod steps;
mod tables;
mod timestamps;
mod tuner;
mod tuning;
mod tuning_cache;
#[doc(hidden)]
pub mod uniforms;
mod workgroups;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use self::buffers::{NetworkBuffers, Seen};
use self::commands::{Dispatch, DispatchSplit};
use self::data::Data;
use self::device::Gpu;
use self::kernels::Kernels;
use self::steps::{Bindings, StepPurpose, Steps};
use self::uniforms::StepUniform;
use super::layout::NetworkLayout;
use super::pace::{SOFTWARE_GPU, SubmitPace, steps_within_call};
use super::{
    Backend, Engine, EngineInfo, EngineSettings, EngineState, Evaluation, StepOutcome, StepPlan, Values,
    check_plan, check_targets,
};
use crate::dataset::Dataset;
use crate::network::{Network, Parameters};
use crate::topology::Topology;
use crate::{Error, Result};

#[doc(hidden)]
pub use adapter::why_none;
pub use adapter::{AdapterReport, adapters};
pub use buffers::Buffer;
pub use gpu_device::GpuDevice;
pub use kernels::Kernel;
pub use options::{AdapterChoice, GpuOptions};
pub use probe::{Probe, ProbeStep};
pub use shaders::KernelKind;
pub use share::{Share, Shares};
pub use tuner::{Budget, Search, TuningTask};
pub use tuning::Tuning;
pub use tuning_cache::TuningSource;

/// Operations per second of a slow GPU.
const SLOW_GPU: f64 = 2e11;

/// A flag that is never set.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Trains and evaluates one network on one device.
pub struct GpuEngine {
    network: Network,
    settings: EngineSettings,
    layout: NetworkLayout,
    tuning: Tuning,
    gpu: Gpu,
    kernels: Kernels,
    buffers: NetworkBuffers,
    bindings: Bindings,
    data: Data,
    pace: SubmitPace,
}

impl GpuEngine {
    /// Opens an adapter and puts the network on it.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] lists the adapters when none fits the options; [`Error::Device`]
    /// names size and limit of a buffer that the adapter cannot hold; settings and
    /// parameters are checked as everywhere.
    pub fn new(
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
        options: &GpuOptions,
    ) -> Result<Self> {
        settings.check()?;
        parameters.check(network)?;
        Self::on(&GpuDevice::open(options)?, network, parameters, settings, options)
    }
}

#[doc(hidden)]
impl GpuEngine {
    /// As [`GpuEngine::new`], on an open device; the adapter in the options is ignored.
    ///
    /// # Errors
    /// As [`GpuEngine::new`], except those of choosing an adapter.
    pub fn on(
        device: &GpuDevice,
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
        options: &GpuOptions,
    ) -> Result<Self> {
        settings.check()?;
        parameters.check(network)?;
        let gpu = device.gpu().clone();
        let layout = NetworkLayout::new(network, options.tiles.listing_blocks());
        let tuning = Tuning::of(options, network, settings.batch_size, &gpu);
        let kernels = device.kernels(&tuning.shares, options.runtime_checks, settings.loss)?;
        let buffers = NetworkBuffers::new(&gpu, network, &layout, &settings, &tuning.shares)?;
        let bindings = Bindings::new(&gpu, &buffers, &kernels, &settings)?;
        let data = Data::new(&gpu, &buffers, settings.batch_size, options.resident_limit);
        buffers.write_values(&gpu, &layout.pack(parameters))?;
        let pace = SubmitPace::new(network, settings.batch_size, speed_of(&gpu));
        Ok(Self {
            network: network.clone(),
            settings,
            layout,
            tuning,
            gpu,
            kernels,
            buffers,
            bindings,
            data,
            pace,
        })
    }

    /// The choices for the device; with the same choices, a run has the same bits.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// Access to single kernels and buffers.
    pub fn probe(&mut self) -> Probe<'_> {
        Probe::new(self)
    }

    fn dispatch(&self, kernel: Kernel, step: (usize, &StepUniform)) -> Result<Dispatch<'_>> {
        let dispatch = self.bindings.dispatch(&self.buffers, &self.kernels, &self.data, kernel, step);
        dispatch.ok_or_else(|| Error::Dataset(format!("{kernel:?} reads data, and none were given")))
    }

    /// Runs steps over all samples, or until `stop` is true before a submit; returns the outcome of each.
    fn run(
        &mut self,
        data: &Arc<Dataset>,
        samples: &[u32],
        purpose: StepPurpose,
        stop: &AtomicBool,
    ) -> Result<Vec<Seen>> {
        self.data.select(&self.gpu, &self.buffers, &self.kernels, data)?;
        let layers = self.network.layers().len();
        let kernels = match purpose {
            StepPurpose::Training { .. } => Kernel::training_step(layers, &self.settings),
            StepPurpose::Evaluation => Kernel::evaluation_step(layers, &self.settings),
        };
        // Sizes of the batches whose metrics are still on the device.
        let (mut seen, mut there) = (Vec::new(), Vec::new());
        let (mut before, mut rest) = (None, samples);
        self.pace.begin();
        while !rest.is_empty() && !stop.load(Ordering::Relaxed) {
            let count = self.pace.steps(self.data.steps_per_submit(&self.buffers));
            let (samples, behind) = rest.split_at(rest.len().min(count * self.settings.batch_size));
            rest = behind;
            if there.len() + count > self.buffers.metric_slots {
                seen.extend(self.buffers.read_metrics(&self.gpu, &there)?);
                there.clear();
                // All is done, so the time of the last submit can no longer be measured.
                before = None;
                self.pace.begin();
            }
            let now = purpose.after((seen.len() + there.len()) as u64);
            let steps = Steps::new(&self.network, &self.settings, samples.len(), now, there.len());
            let count = steps.steps.len();
            there.extend(samples.chunks(self.settings.batch_size).map(<[u32]>::len));
            let cut = self.pace.parts().map(|count| DispatchSplit { count, unit: self.bindings.unit });
            let send = |gpu: &Gpu, dispatches: &[Dispatch<'_>]| commands::submit_cut(gpu, dispatches, cut);
            let submission = self.submit(samples, &steps, &kernels, send)?;
            // Two submits in flight keep the device busy; more would pile up staging memory.
            if let Some((submission, count)) = before.replace((submission, count)) {
                self.gpu.wait(Some(submission))?;
                self.pace.took(count, Instant::now());
            }
        }
        seen.extend(self.buffers.read_metrics(&self.gpu, &there)?);
        Ok(seen)
    }

    /// Uploads one submit's samples and uniforms, and submits its kernels with `send`.
    fn submit(
        &mut self,
        samples: &[u32],
        steps: &Steps,
        kernels: &[Kernel],
        send: impl FnOnce(&Gpu, &[Dispatch<'_>]) -> Result<wgpu::SubmissionIndex>,
    ) -> Result<wgpu::SubmissionIndex> {
        self.data.upload(&self.gpu, &self.buffers, samples)?;
        steps.upload(&self.gpu, &self.buffers)?;
        let mut dispatches = Vec::with_capacity(steps.steps.len() * kernels.len());
        for step in steps.steps.iter().enumerate() {
            for kernel in kernels {
                dispatches.push(self.dispatch(*kernel, step)?);
            }
        }
        send(&self.gpu, &dispatches)
    }
}

/// Minimum operations per second of a device of this kind.
fn speed_of(gpu: &Gpu) -> f64 {
    if gpu.is_hardware { SLOW_GPU } else { SOFTWARE_GPU }
}

/// The outcome of a step over this many samples.
fn outcome(samples: usize, seen: Seen) -> StepOutcome {
    StepOutcome {
        loss: seen.loss / samples as f64,
        correct: seen.correct,
        samples: crate::tiles::index_of(samples),
        errors: seen.errors,
    }
}

impl fmt::Debug for GpuEngine {
    /// Shows the device, not the many values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuEngine").field("info", &self.info()).finish_non_exhaustive()
    }
}

impl Engine for GpuEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo { backend: Backend::Gpu, adapter: self.gpu.adapter.clone() }
    }

    fn steps_per_call(&self) -> usize {
        let most = self.buffers.metric_slots;
        steps_within_call(most, &self.network, self.settings.batch_size, speed_of(&self.gpu))
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
        check_plan(&self.network, data, self.settings.loss, plan)?;
        let purpose =
            StepPurpose::Training { learning_rate: plan.learning_rate, first_step: plan.first_step };
        let seen = self.run(data, plan.samples, purpose, stop)?;
        let batches = plan.samples.chunks(self.settings.batch_size).zip(seen);
        Ok(batches.map(|(batch, seen)| outcome(batch.len(), seen)).collect())
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        let whole = self.evaluate_unless(data, &NEVER)?;
        Ok(whole.expect("nothing stops it"))
    }

    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        check_targets(&self.network, data, self.settings.loss)?;
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        let seen = self.run(data, &samples, StepPurpose::Evaluation, stop)?;
        if seen.len() < samples.len().div_ceil(self.settings.batch_size) {
            return Ok(None);
        }
        Ok(Some(Seen::evaluation(&seen, data.samples())))
    }

    fn parameters(&mut self) -> Result<Parameters> {
        Ok(self.layout.unpack(&self.buffers.read_values(&self.gpu)?))
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        parameters.check(&self.network)?;
        self.buffers.write_values(&self.gpu, &self.layout.pack(parameters))
    }

    fn state(&mut self) -> Result<EngineState> {
        let memories = self.buffers.read_memories(&self.gpu, self.settings.optimizer.state_count())?;
        let flat = |memory| Values::of_single(&self.layout.unpack(&memory));
        let optimizer = memories.into_iter().map(flat).collect();
        let parameters = Values::of_single(&self.parameters()?);
        Ok(EngineState { parameters, optimizer, optimizer_start: self.settings.optimizer_start })
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        let (parameters, memories) = state.to_single(&self.network, &self.settings.optimizer)?;
        self.buffers.write_values(&self.gpu, &self.layout.pack(&parameters))?;
        let memories: Vec<_> = memories.iter().map(|memory| self.layout.pack(memory)).collect();
        self.settings.optimizer_start = state.optimizer_start;
        self.buffers.write_memories(&self.gpu, &memories)
    }

    fn network(&self) -> Option<&Network> {
        Some(&self.network)
    }

    fn rewire(&mut self, graphs: &[Arc<Topology>], state: EngineState) -> Result<()> {
        let network = self.network.over(graphs)?;
        state.check(&network, &self.settings.optimizer, true)?;
        // Frees the old buffers first, so that both are never on the device together.
        self.buffers.free();
        (self.layout, self.network) = (NetworkLayout::default(), network);
        self.layout = NetworkLayout::new(&self.network, self.tuning.tiles.listing_blocks());
        self.buffers =
            NetworkBuffers::new(&self.gpu, &self.network, &self.layout, &self.settings, &self.tuning.shares)?;
        self.bindings = Bindings::new(&self.gpu, &self.buffers, &self.kernels, &self.settings)?;
        self.data.bind_again(&self.gpu, &self.buffers, &self.kernels)?;
        self.restore(&state)
    }
}
