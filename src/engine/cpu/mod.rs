//! The CPU engine: float32, all cores, vectors along the batch.
//!
//! A batch is cut into chunks of [`LANES`] samples. Chunks run forward and
//! backward on their own, one task each; then the packed values are updated in
//! disjoint pieces, each summed over all chunks (a large batch: over group after
//! group of them). Two meetings of the threads a group, and no result depends on
//! their number. Kernels have one file each, with
//! the stem of their reference twin, and are compiled for several vector
//! instruction sets, chosen at run time.

mod activations;
#[doc(hidden)]
pub mod backward_input;
#[doc(hidden)]
pub mod backward_weight;
#[doc(hidden)]
pub mod drop_connect;
#[doc(hidden)]
pub mod elementary;
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
mod simd;
mod single_sample;
#[doc(hidden)]
pub mod softmax_cross_entropy;
pub mod update;
mod weighted_sums;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pulp::Arch;
use rayon::prelude::*;

use crate::Result;
use crate::dataset::Dataset;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::engine::pace::{SLOW_CORES, steps_within_call};
use crate::engine::profile::Stage;
use crate::engine::{
    Backend, Engine, EngineInfo, EngineSettings, EngineState, Evaluation, MAX_STATES, StepOutcome, StepPlan,
    UpdateRule, check_data, check_plan,
};
use crate::network::{Network, Parameters};
use crate::threads::Threads;
use crate::tiles::TilePolicy;

use backward_weight::{CHUNKS_TOGETHER, Strip, backward_weight_dense, backward_weight_sparse};
use pass::{Pass, Totals};
use recorder::{Recorder, Silent};
use regulariser::Regulariser;
use update::ValuesMut;

pub use row::{Chunk, LANES, Row};
pub use simd::available as available_instructions;
pub use single_sample::SingleSample;

/// Tiles from this density on are stored dense: below, the multiplications with
/// padding cost more than the index lists.
pub const DENSE_FROM: f64 = 0.6;

/// Sparse values that one task updates.
const PIECE: usize = 1024;

/// The CPU engine.
pub struct CpuEngine {
    network: Network,
    layout: NetworkLayout,
    settings: EngineSettings,
    arch: Arch,
    threads: Threads,
    values: PackedValues,
    /// The optimiser's state, as many values for each parameter as it has.
    state: Vec<PackedValues>,
    /// Gradients of the groups of a batch that were there already; empty until a batch has more than one.
    sums: PackedValues,
    /// Rows of each micro-block and each sparse value.
    micro_block_rows: Vec<[u32; 3]>,
    strips: Vec<Strip>,
    sparse_rows: Vec<[u32; 2]>,
    regulariser: Regulariser,
    /// Room for the chunks of a group.
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
        Self::with_tiles(network, parameters, settings, threads, TilePolicy { dense_from: DENSE_FROM })
    }

    /// As [`CpuEngine::new`], with a say in which tiles are stored dense.
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

    fn pass<'a, R: Recorder>(&'a self, data: &'a Dataset, step: Option<u64>, recorder: &'a R) -> Pass<'a, R> {
        let masked = step.and_then(|_| self.regulariser.masked());
        Pass {
            network: &self.network,
            layout: &self.layout,
            values: masked.unwrap_or(&self.values),
            arch: self.arch,
            data,
            training: step.map(|step| pass::Training {
                seed: self.settings.seed,
                step,
                label_smoothing: self.settings.label_smoothing,
            }),
            recorder,
        }
    }

    /// One step; runs on the threads of the caller's pool.
    ///
    /// A large batch goes through forward and backward group by group, so that what the gradients read is still in the
    /// cache; the result does not depend on the size of the groups.
    fn step<R: Recorder>(
        &mut self,
        data: &Dataset,
        samples: &[u32],
        learning_rate: f64,
        step: u64,
        recorder: &R,
    ) -> StepOutcome {
        if self.regulariser.prepares() {
            self.regulariser.prepare(step, &self.values, recorder);
        }
        let group = self.group();
        if samples.len() > group && self.sums == PackedValues::default() {
            self.sums = self.layout.zeros();
        }
        let rule = self.settings.rule(learning_rate, step);
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut totals = Totals::default();
        for first in (0..samples.len()).step_by(group) {
            let part = &samples[first..samples.len().min(first + group)];
            let needed = part.len().div_ceil(LANES);
            while chunks.len() < needed {
                chunks.push(Chunk::new(self.layout.rows()));
            }
            let used = &mut chunks[..needed];
            let pass = self.pass(data, Some(step), recorder);
            let tasks = part.par_chunks(LANES).zip(used.par_iter_mut()).enumerate();
            let run = |(index, (part, chunk)): (usize, (&[u32], &mut Chunk))| {
                pass.run(first + index * LANES, part, samples.len(), chunk)
            };
            let parts: Vec<Totals> = tasks.map(run).collect();
            totals = parts.iter().fold(totals, |sum, part| sum + *part);
            let is_last = first + part.len() == samples.len();
            self.update(is_last.then_some(&rule), used, recorder);
        }
        self.chunks = chunks;
        let count = u32::try_from(samples.len()).expect("a batch fits u32");
        StepOutcome { loss: totals.loss / samples.len() as f64, correct: totals.correct, samples: count }
    }

    /// Samples that go through forward and backward before their gradients are summed: enough for all threads, and
    /// for reading and writing the sums to be little beside reading the chunks.
    fn group(&self) -> usize {
        let sums = size_of::<f32>() * (self.layout.dense_len() + self.layout.sparse_len());
        let chunks = CHUNKS_TOGETHER * 2 * size_of::<Row>() * self.layout.rows();
        let times = self.threads.count().div_ceil(4).max((3 * sums).div_ceil(chunks));
        times * CHUNKS_TOGETHER * LANES
    }

    /// Sums the gradients of some chunks and, with a rule, moves every value by one step; pieces of them in parallel.
    fn update<R: Recorder>(&mut self, rule: Option<&UpdateRule>, chunks: &[Chunk], recorder: &R) {
        let mut dense_state: [&mut [f32]; MAX_STATES] = Default::default();
        let mut sparse_state: [&mut [f32]; MAX_STATES] = Default::default();
        for (index, state) in self.state.iter_mut().enumerate() {
            (dense_state[index], sparse_state[index]) = (&mut state.dense, &mut state.sparse);
        }
        let (arch, biases) = (self.arch, self.layout.first_bias());
        let [dense_part, sparse_part] =
            self.regulariser.regularisations().map_or([None; 2], |two| two.map(Some));
        let dense =
            ValuesMut { values: &mut self.values.dense, state: dense_state, sums: &mut self.sums.dense };
        let sparse =
            ValuesMut { values: &mut self.values.sparse, state: sparse_state, sums: &mut self.sums.sparse };
        let (blocks, rows) = (&self.micro_block_rows, &self.sparse_rows);
        let strips: Vec<_> =
            self.strips.iter().zip(dense.split(self.strips.iter().map(Strip::values))).collect();
        let count = sparse.values.len();
        let pieces = sparse.split((0..count).step_by(PIECE).map(|start| PIECE.min(count - start)));
        let pieces: Vec<_> = (0..).step_by(PIECE).zip(pieces).collect();
        rayon::join(
            || {
                strips.into_par_iter().for_each(|(strip, values)| {
                    recorder.time(Stage::UpdateDense, || {
                        backward_weight_dense(arch, rule, dense_part, chunks, blocks, *strip, values);
                    });
                });
            },
            || {
                pieces.into_par_iter().for_each(|(start, values)| {
                    let rows = &rows[start..][..values.values.len()];
                    let biases = biases.saturating_sub(start);
                    let part = sparse_part.map(|part| part.from(start));
                    recorder.time(Stage::UpdateSparse, || {
                        backward_weight_sparse(arch, rule, part, chunks, rows, biases, values);
                    });
                });
            },
        );
    }
}

impl fmt::Debug for CpuEngine {
    /// Shows what it runs on and not its values, which are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuEngine").field("info", &self.info()).finish_non_exhaustive()
    }
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
        check_plan(&self.network, data, plan)?;
        // All steps in one visit to the pool: its threads would fall asleep between two visits.
        let threads = self.threads.clone();
        Ok(threads.install(|| {
            let batches = (plan.first_step..).zip(plan.samples.chunks(self.settings.batch_size));
            batches
                .map(|(step, samples)| self.step(data, samples, plan.learning_rate, step, &Silent))
                .collect()
        }))
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        let whole = self.evaluate_unless(data, &AtomicBool::new(false))?;
        Ok(whole.expect("nothing stops it"))
    }

    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        check_data(&self.network, data)?;
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        let pass = self.pass(data, None, &Silent);
        let parts: Option<Vec<Totals>> = self.threads.install(|| {
            let room = || Chunk::new(self.layout.rows());
            let run = |chunk: &mut Chunk, part: &[u32]| {
                (!stop.load(Ordering::Relaxed)).then(|| pass.run(0, part, part.len(), chunk))
            };
            samples.par_chunks(LANES).map_init(room, run).collect()
        });
        let Some(parts) = parts else { return Ok(None) };
        let totals = parts.iter().fold(Totals::default(), |sum, part| sum + *part);
        Ok(Some(Evaluation {
            loss: totals.loss / data.samples() as f64,
            correct: totals.correct as usize,
            samples: data.samples(),
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
        let memories: Vec<_> = self.state.iter().map(|memory| self.layout.unpack(memory)).collect();
        let state = EngineState::of_single(&self.layout.unpack(&self.values), &memories);
        Ok(EngineState { optimizer_start: self.settings.optimizer_start, ..state })
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        let (parameters, memories) = state.to_single(&self.network, &self.settings.optimizer)?;
        self.set_parameters(&parameters)?;
        self.state = memories.iter().map(|memory| self.layout.pack(memory)).collect();
        self.settings.optimizer_start = state.optimizer_start;
        Ok(())
    }
}
