//! One training step: forward and backward chunk by chunk, then the update.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::backward_weight::{CHUNKS_TOGETHER, Strip, backward_weight_dense, backward_weight_sparse};
use super::flush::Flushing;
use super::pass::Totals;
use super::recorder::{NoRecorder, StageRecorder};
use super::simd::NEVER;
use super::update::ValuesMut;
use super::{Chunk, CpuEngine, LANES, Row};
use crate::dataset::Dataset;
use crate::engine::layout::PackedValues;
use crate::engine::profile::Stage;
use crate::engine::{BatchPart, MAX_STATES, PartGradients, StepOutcome, UpdateRule, Values};
use crate::network::Parameters;

/// Sparse values that one task updates.
pub(super) const PIECE: usize = 1024;

impl CpuEngine {
    /// One step; runs on the threads of the caller's pool. A step that is stopped before its update returns `None` and has
    /// changed nothing.
    ///
    /// A large batch goes through forward and backward group by group, so that what the gradients read is still in the
    /// cache; the result does not depend on the size of the groups.
    pub(super) fn step<R: StageRecorder>(
        &mut self,
        data: &Dataset,
        samples: &[u32],
        learning_rate: f64,
        step: u64,
        stop: &AtomicBool,
        recorder: &R,
    ) -> Option<StepOutcome> {
        let rule = self.settings.rule(learning_rate, step);
        let whole = BatchPart { samples, first: 0, batch: samples.len(), step };
        let totals = self.pass_part(data, &whole, Some(&rule), stop, recorder)?;
        let count = u32::try_from(samples.len()).expect("a batch fits u32");
        Some(StepOutcome {
            loss: totals.loss / samples.len() as f64,
            correct: totals.correct,
            samples: count,
            errors: totals.errors,
        })
    }

    /// Runs a part of a batch forward and backward; with a rule, which needs the whole batch, the update follows, otherwise the gradients
    /// are in the sums. Returns `None` when stopped.
    fn pass_part<R: StageRecorder>(
        &mut self,
        data: &Dataset,
        batch: &BatchPart<'_>,
        rule: Option<&UpdateRule>,
        stop: &AtomicBool,
        recorder: &R,
    ) -> Option<Totals> {
        let (samples, step) = (batch.samples, batch.step);
        self.prepare(step, recorder);
        let group = self.group();
        if rule.is_none() || samples.len() > group {
            self.make_sums();
        }
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut totals = Totals::default();
        for first in (0..samples.len()).step_by(group) {
            let part = &samples[first..samples.len().min(first + group)];
            let needed = part.len().div_ceil(LANES);
            while chunks.len() < needed && !stop.load(Ordering::Relaxed) {
                chunks.push(Chunk::new(self.layout.rows()));
            }
            if chunks.len() < needed {
                self.abandon(chunks);
                return None;
            }
            let used = &mut chunks[..needed];
            let pass = self.pass(data, Some(step), stop, recorder);
            let tasks = part.par_chunks(LANES).zip(used.par_iter_mut()).enumerate();
            let run = |(index, (part, chunk)): (usize, (&[u32], &mut Chunk))| {
                pass.run(batch.first + first + index * LANES, part, batch.batch, chunk)
            };
            let parts: Option<Vec<Totals>> = tasks.map(run).collect();
            let Some(parts) = parts else {
                self.abandon(chunks);
                return None;
            };
            totals = parts.iter().fold(totals, |sum, part| sum + *part);
            let is_last = first + part.len() == samples.len();
            self.update(rule.filter(|_| is_last), used, recorder);
        }
        self.chunks = chunks;
        Some(totals)
    }

    /// Computes what the regularisation of a step needs.
    fn prepare<R: StageRecorder>(&mut self, step: u64, recorder: &R) {
        if self.regulariser.prepares() {
            self.regulariser.prepare(step, &self.values, recorder);
        }
    }

    /// Makes sums of gradients, which begin at 0.
    fn make_sums(&mut self) {
        if self.sums == PackedValues::default() {
            self.sums = self.layout.zeros();
        }
    }

    /// The gradients of a part of a batch; runs on the threads of the caller's pool.
    pub(super) fn gradients_of(&mut self, data: &Dataset, part: &BatchPart<'_>) -> PartGradients {
        let totals = self.pass_part(data, part, None, &NEVER, &NoRecorder).expect("nothing stops it");
        let values = Values::of_single(&self.layout.unpack(&self.sums));
        self.sums.dense.fill(0.0);
        self.sums.sparse.fill(0.0);
        PartGradients { values, loss: totals.loss, correct: totals.correct, errors: totals.errors }
    }

    /// Moves every value by one step along these gradients; runs on the threads of the caller's pool.
    pub(super) fn update_by(&mut self, gradients: &Parameters, rule: &UpdateRule, step: u64) {
        self.prepare(step, &NoRecorder);
        self.sums = self.layout.pack(gradients);
        self.update(Some(rule), &[], &NoRecorder);
    }

    /// Ends a step before its update: keeps its buffers, but no gradients of earlier groups.
    fn abandon(&mut self, chunks: Vec<Chunk>) {
        self.chunks = chunks;
        self.sums = PackedValues::default();
    }

    /// Samples that go through forward and backward before their gradients are summed: enough for all threads, and
    /// for reading and writing the sums to be cheap compared with reading the chunks.
    fn group(&self) -> usize {
        let sums = size_of::<f32>() * (self.layout.dense_len() + self.layout.sparse_len());
        let chunks = CHUNKS_TOGETHER * 2 * size_of::<Row>() * self.layout.rows();
        let times = self.threads.count().div_ceil(4).max((3 * sums).div_ceil(chunks));
        times * CHUNKS_TOGETHER * LANES
    }

    /// Sums the gradients of some chunks and, with a rule, moves every value by one step; pieces of them in parallel.
    fn update<R: StageRecorder>(&mut self, rule: Option<&UpdateRule>, chunks: &[Chunk], recorder: &R) {
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
                    let _flushing = Flushing::start();
                    recorder.time(Stage::UpdateDense, || {
                        backward_weight_dense(arch, rule, dense_part, chunks, blocks, *strip, values);
                    });
                });
            },
            || {
                pieces.into_par_iter().for_each(|(start, values)| {
                    let _flushing = Flushing::start();
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
