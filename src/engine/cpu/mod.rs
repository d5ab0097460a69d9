//! The CPU engine: float32, all cores, vectors along the batch.
//!
//! A batch is cut into chunks of [`LANES`] samples. Each chunk runs forward and backward as one task. Then the packed values
//! are updated in disjoint pieces, each summed over all chunks; a large batch is summed in groups of chunks. Threads
//! synchronise twice per group, and results do not depend on their number. Each kernel has its own file, with the stem of its
//! reference twin, and is compiled for several vector instruction sets, one of which is chosen at run time.

mod activations;
#[doc(hidden)]
pub mod backward_input;
#[doc(hidden)]
pub mod backward_weight;
#[doc(hidden)]
pub mod drop_connect;
#[doc(hidden)]
pub mod elementary;
mod flush;
#[doc(hidden)]
pub mod forward;
#[doc(hidden)]
pub mod gather;
#[doc(hidden)]
pub mod group_norm;
mod pass;
#[doc(hidden)]
pub mod penalty;
mod profile;
mod recorder;
mod regulariser;
mod row;
#[doc(hidden)]
pub mod separable_loss;
mod simd;
mod single_sample;
#[doc(hidden)]
pub mod softmax_cross_entropy;
mod step;
pub mod update;
mod weighted_sums;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pulp::Arch;
use rayon::prelude::*;

use crate::Result;
use crate::dataset::Dataset;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::engine::pace::{SLOW_CORES, steps_within_call};
use crate::engine::{
    Backend, BatchPart, Engine, EngineInfo, EngineSettings, EngineState, Evaluation, PartGradients,
    StepOutcome, StepPlan, Values, check_gradients, check_plan, check_targets,
};
use crate::network::{Network, Parameters};
use crate::threads::Threads;
use crate::tiles::TilePolicy;
use crate::topology::Topology;

use backward_weight::Strip;
use pass::{Pass, Totals};
use recorder::{NoRecorder, StageRecorder};
use regulariser::Regulariser;
use simd::{KernelRun, NEVER};

pub use row::{Chunk, LANES, Row};
pub use simd::available as available_instructions;
pub use single_sample::SingleSample;

/// Tiles from this density on are stored dense. Below it, multiplying by padding costs more than index lists.
pub const DENSE_FROM: f64 = 0.6;

/// The CPU engine.
pub struct CpuEngine {
    network: Network,
    policy: TilePolicy,
    layout: NetworkLayout,
    settings: EngineSettings,
    arch: Arch,
    threads: Threads,
    values: PackedValues,
    /// The optimiser's state: one set of values for each of its state values per parameter.
    state: Vec<PackedValues>,
    /// Gradients of the finished groups of a batch; empty until a batch has more than one group.
    sums: PackedValues,
    /// Rows of each micro-block and each sparse value.
    micro_block_rows: Vec<[u32; 3]>,
    strips: Vec<Strip>,
    sparse_rows: Vec<[u32; 2]>,
    regulariser: Regulariser,
    /// Buffers for the chunks of a group.
    chunks: Vec<Chunk>,
}

impl CpuEngine {
    /// Takes a network and its initial parameters; `threads` defaults to all cores.
    ///
    /// # Errors
    /// When the parameters do not fit, a setting is outside its range, or threads cannot be started.
    pub fn new(
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
        threads: Option<usize>,
    ) -> Result<Self> {
        Self::with_tiles(
            network,
            parameters,
            settings,
            threads,
            TilePolicy::dense_from(DENSE_FROM).listing_blocks(),
        )
    }

    /// As [`CpuEngine::new`], with a policy for which tiles are stored dense.
    ///
    /// # Errors
    /// As [`CpuEngine::new`].
    #[doc(hidden)]
    pub fn with_tiles(
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
        threads: Option<usize>,
        policy: TilePolicy,
    ) -> Result<Self> {
        settings.check()?;
        parameters.check(network)?;
        let layout = NetworkLayout::new(network, policy);
        let mut engine = Self {
            network: network.clone(),
            policy,
            settings,
            arch: Arch::new(),
            threads: Threads::new(threads)?,
            values: PackedValues::default(),
            state: Vec::new(),
            sums: PackedValues::default(),
            micro_block_rows: layout.micro_block_rows(),
            strips: strips(&layout),
            sparse_rows: layout.sparse_rows(),
            regulariser: Regulariser::new(network, &layout, settings),
            chunks: Vec::new(),
            layout,
        };
        engine.set_parameters(parameters)?;
        Ok(engine)
    }

    /// Packs a network and makes its tables; the caller sets the values.
    fn pack_network(&mut self, network: Network) {
        // The data of the old graphs are freed first, so that both are never in memory together.
        self.release();
        self.network = network;
        self.layout = NetworkLayout::new(&self.network, self.policy);
        self.micro_block_rows = self.layout.micro_block_rows();
        self.strips = strips(&self.layout);
        self.sparse_rows = self.layout.sparse_rows();
        self.regulariser = Regulariser::new(&self.network, &self.layout, self.settings);
    }

    /// Frees everything that depends on the edges, except the graphs.
    fn release(&mut self) {
        (self.values, self.sums, self.state) = Default::default();
        (self.layout, self.micro_block_rows, self.strips, self.sparse_rows) = Default::default();
        self.regulariser.release();
    }

    fn pass<'a, R: StageRecorder>(
        &'a self,
        data: &'a Dataset,
        step: Option<u64>,
        stop: &'a AtomicBool,
        recorder: &'a R,
    ) -> Pass<'a, R> {
        let masked = step.and_then(|_| self.regulariser.masked());
        Pass {
            network: &self.network,
            layout: &self.layout,
            values: masked.unwrap_or(&self.values),
            kernels: KernelRun { arch: self.arch, stop },
            data,
            loss: self.settings.loss,
            training: step.map(|step| pass::Training {
                seed: self.settings.seed,
                step,
                label_smoothing: self.settings.label_smoothing,
            }),
            recorder,
        }
    }
}

impl fmt::Debug for CpuEngine {
    /// Shows the device, not the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuEngine").field("info", &self.info()).finish_non_exhaustive()
    }
}

/// Locks the buffers; a panic cannot leave them in an invalid state.
fn lock(rooms: &Mutex<Vec<Chunk>>) -> MutexGuard<'_, Vec<Chunk>> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All micro-blocks of a network, in order.
fn strips(layout: &NetworkLayout) -> Vec<Strip> {
    let layers = layout.layers().iter().zip(layout.places());
    layers.flat_map(|(layer, place)| Strip::all(layer, place.micro_block as usize)).collect()
}

impl Engine for CpuEngine {
    fn info(&self) -> EngineInfo {
        let (threads, instructions) = (self.threads.count(), simd::name(self.arch));
        let plural = if threads == 1 { "" } else { "s" };
        EngineInfo { backend: Backend::Cpu, adapter: format!("{threads} thread{plural}, {instructions}") }
    }

    fn steps_per_call(&self) -> usize {
        steps_within_call(8, &self.network, self.settings.batch_size, SLOW_CORES)
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
        // All steps in one visit to the pool: its threads would fall asleep between two visits.
        let threads = self.threads.clone();
        Ok(threads.install(|| {
            let batches = (plan.first_step..).zip(plan.samples.chunks(self.settings.batch_size));
            batches
                .map_while(|(step, samples)| {
                    self.step(data, samples, plan.learning_rate, step, stop, &NoRecorder)
                })
                .collect()
        }))
    }

    fn gradients(&mut self, data: &Arc<Dataset>, part: &BatchPart<'_>) -> Result<PartGradients> {
        part.check(&self.network, data, &self.settings)?;
        let threads = self.threads.clone();
        Ok(threads.install(|| self.gradients_of(data, part)))
    }

    fn apply(&mut self, gradients: &Values, learning_rate: f64, step: u64) -> Result<()> {
        check_gradients(&self.network, gradients, learning_rate, true)?;
        let (threads, rule) = (self.threads.clone(), self.settings.rule(learning_rate, step));
        let gradients = gradients.clone().into_layered(&self.network);
        threads.install(|| self.update_by(&gradients, &rule, step));
        Ok(())
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        let whole = self.evaluate_unless(data, &NEVER)?;
        Ok(whole.expect("nothing stops it"))
    }

    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        check_targets(&self.network, data, self.settings.loss)?;
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        // Reuses the buffers of the training steps, because allocating them takes seconds for a wide network.
        let rooms = Mutex::new(std::mem::take(&mut self.chunks));
        let pass = self.pass(data, None, stop, &NoRecorder);
        let run = |part: &[u32]| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let room = lock(&rooms).pop();
            let mut chunk = room.unwrap_or_else(|| Chunk::new(self.layout.rows()));
            let totals = pass.run(0, part, part.len(), &mut chunk);
            lock(&rooms).push(chunk);
            totals
        };
        let parts: Option<Vec<Totals>> =
            self.threads.install(|| samples.par_chunks(LANES).map(run).collect());
        self.chunks = rooms.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(parts) = parts else { return Ok(None) };
        let totals = parts.iter().fold(Totals::default(), |sum, part| sum + *part);
        Ok(Some(Evaluation {
            loss: totals.loss / data.samples() as f64,
            correct: totals.correct as usize,
            samples: data.samples(),
            errors: totals.errors,
        }))
    }

    fn parameters(&mut self) -> Result<Parameters> {
        Ok(self.layout.unpack(&self.values))
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        parameters.check(&self.network)?;
        self.values = self.layout.pack(parameters);
        self.state = vec![self.layout.zeros(); self.settings.optimizer.state_count()];
        Ok(())
    }

    fn state(&mut self) -> Result<EngineState> {
        let flat = |values: &PackedValues| Values::of_single(&self.layout.unpack(values));
        let (parameters, optimizer) = (flat(&self.values), self.state.iter().map(flat).collect());
        Ok(EngineState { parameters, optimizer, optimizer_start: self.settings.optimizer_start })
    }

    fn take_state(&mut self) -> Result<EngineState> {
        let flat = |values: PackedValues| Values::of_single(&self.layout.unpack(&values));
        let parameters = flat(std::mem::take(&mut self.values));
        let optimizer = std::mem::take(&mut self.state).into_iter().map(flat).collect();
        self.release();
        Ok(EngineState { parameters, optimizer, optimizer_start: self.settings.optimizer_start })
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        let (parameters, memories) = state.to_single(&self.network, &self.settings.optimizer)?;
        self.set_parameters(&parameters)?;
        self.state = memories.iter().map(|memory| self.layout.pack(memory)).collect();
        self.settings.optimizer_start = state.optimizer_start;
        Ok(())
    }

    fn network(&self) -> Option<&Network> {
        Some(&self.network)
    }

    fn rewire(&mut self, graphs: &[Arc<Topology>], state: EngineState) -> Result<()> {
        let network = self.network.over(graphs)?;
        state.check(&network, &self.settings.optimizer, true)?;
        self.pack_network(network);
        let EngineState { parameters, optimizer, optimizer_start } = state;
        // One list after another, so that little is in memory twice.
        self.values = self.layout.pack(&parameters.into_layered(&self.network));
        let pack = |memory: Values| self.layout.pack(&memory.into_layered(&self.network));
        self.state = optimizer.into_iter().map(pack).collect();
        self.settings.optimizer_start = optimizer_start;
        Ok(())
    }
}
