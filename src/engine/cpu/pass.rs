//! One chunk's way through the network: gather, forward, loss and, in training, backward.

use std::ops::{Add, Range};

use super::backward_input::backward_input;
use super::flush::Flushing;
use super::forward::{Epilogue, LayerSlices, Mask, forward};
use super::gather::gather;
use super::recorder::StageRecorder;
use super::row::{Chunk, LANES};
use super::separable_loss::separable_loss;
use super::simd::KernelRun;
use super::softmax_cross_entropy::{ChunkLoss, softmax_cross_entropy};
use crate::dataset::{Dataset, Targets};
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::engine::profile::Stage;
use crate::engine::{Errors, LossRule};
use crate::network::Network;
use crate::network::dropout::DropoutKey;
use crate::tiles::MICRO_BLOCK;

/// The common state of all chunks of a batch.
pub(super) struct Pass<'a, R> {
    pub(super) network: &'a Network,
    pub(super) layout: &'a NetworkLayout,
    pub(super) values: &'a PackedValues,
    /// Once its flag is true, chunks end early.
    pub(super) kernels: KernelRun<'a>,
    pub(super) data: &'a Dataset,
    pub(super) loss: LossRule,
    /// If present, dropout and backward run.
    pub(super) training: Option<Training>,
    pub(super) recorder: &'a R,
}

/// Parameters of a training step that an evaluation lacks: the key of dropout masks, label smoothing.
pub(super) struct Training {
    pub(super) seed: u64,
    pub(super) step: u64,
    pub(super) label_smoothing: f32,
}

/// Sums over samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) loss: f64,
    pub(super) correct: u32,
    pub(super) errors: Errors,
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            loss: self.loss + other.loss,
            correct: self.correct + other.correct,
            errors: self.errors + other.errors,
        }
    }
}

impl<R: StageRecorder> Pass<'_, R> {
    /// Runs the samples of one chunk, which start at `column` of a batch of `batch` samples; `None` when stopped.
    pub(super) fn run(
        &self,
        column: usize,
        samples: &[u32],
        batch: usize,
        chunk: &mut Chunk,
    ) -> Option<Totals> {
        let _flushing = Flushing::start();
        self.run_forward(column, samples, chunk);
        if self.is_stopped() {
            return None;
        }
        let loss = self.recorder.time(Stage::Loss, || self.loss(samples, batch, chunk));
        if self.training.is_some() {
            self.run_backward(column, chunk);
        }
        (!self.is_stopped()).then_some(Totals { loss: loss.sum, correct: loss.correct, errors: loss.errors })
    }

    /// The loss of one chunk, and the deltas of its logits.
    fn loss(&self, samples: &[u32], batch: usize, chunk: &mut Chunk) -> ChunkLoss {
        let logits = self.logit_rows();
        let (logits, delta) = (&chunk.activations[logits.clone()], &mut chunk.deltas[logits]);
        let (arch, scale) = (self.kernels.arch, 1.0 / batch as f32);
        let mut weights = [1.0; LANES];
        if let Some(all) = self.data.weights() {
            weights.iter_mut().zip(samples).for_each(|(weight, sample)| *weight = all[*sample as usize]);
        }
        let weights = &weights[..samples.len()];
        match self.data.targets() {
            Targets::Classes { labels: all, .. } => {
                let mut labels = [0; LANES];
                labels.iter_mut().zip(samples).for_each(|(label, sample)| *label = all[*sample as usize]);
                let labels = &labels[..samples.len()];
                let smoothing = self.training.as_ref().map_or(0.0, |training| training.label_smoothing);
                softmax_cross_entropy(arch, logits, (labels, weights), smoothing, scale, delta)
            }
            Targets::Numbers { .. } => {
                let mut targets: [&[f32]; LANES] = [&[]; LANES];
                let of = targets.iter_mut().zip(samples);
                of.for_each(|(target, sample)| *target = self.data.target(*sample as usize));
                let targets = &targets[..samples.len()];
                separable_loss(arch, logits, (targets, weights), self.loss, scale, delta)
            }
        }
    }

    /// Whether the chunk ended early, so that its content is invalid.
    fn is_stopped(&self) -> bool {
        self.kernels.is_stopped()
    }

    /// Fills the activations of one chunk, whose samples start at `column` of their batch, up to the logits.
    pub(super) fn run_forward(&self, column: usize, samples: &[u32], chunk: &mut Chunk) {
        debug_assert!(samples.len() <= LANES, "a chunk holds at most one sample a lane");
        self.recorder.time(Stage::Gather, || {
            gather(self.data, samples, &mut chunk.activations[..self.network.inputs()]);
        });
        for (index, layer) in self.layout.layers().iter().enumerate() {
            let place = &self.layout.places()[index];
            let (x, y) = chunk.activations.split_at_mut(place.output_row as usize);
            let epilogue = self.epilogue(index, column);
            let values = self.layer_values(index);
            self.recorder.time(Stage::Forward(index), || {
                forward(self.kernels, layer, values, epilogue, &x[place.input_row as usize..], y);
            });
        }
    }

    /// The rows of the logits.
    pub(super) fn logit_rows(&self) -> Range<usize> {
        self.layout.rows() - self.network.classes()..self.layout.rows()
    }

    /// Carries the deltas of the logits back to the first layer's outputs.
    fn run_backward(&self, column: usize, chunk: &mut Chunk) {
        for (index, layer) in self.layout.layers().iter().enumerate().skip(1).rev() {
            let place = &self.layout.places()[index];
            let inputs = place.input_row as usize..place.output_row as usize;
            let (below, delta) = chunk.deltas.split_at_mut(inputs.end);
            let (y, below) = (&chunk.activations[inputs.clone()], &mut below[inputs]);
            let epilogue = self.epilogue(index - 1, column);
            self.recorder.time(Stage::BackwardInput(index), || {
                backward_input(self.kernels, layer, self.layer_values(index), epilogue, delta, y, below);
            });
        }
    }

    fn epilogue(&self, index: usize, column: usize) -> Epilogue {
        let layer = &self.network.layers()[index];
        let place = |index: usize| u32::try_from(index).expect("layers and batches fit u32");
        let dropout = self.training.as_ref().filter(|_| layer.keep_probability < 1.0).map(|training| Mask {
            key: DropoutKey::new(training.seed, training.step, place(index)),
            keep_probability: layer.keep_probability,
            first_column: place(column),
        });
        Epilogue { activation: layer.activation, dropout }
    }

    fn layer_values(&self, index: usize) -> LayerSlices<'_> {
        let (layer, place) = (&self.layout.layers()[index], &self.layout.places()[index]);
        LayerSlices {
            dense: &self.values.dense[place.micro_block as usize * MICRO_BLOCK..][..layer.dense_slots()],
            sparse: &self.values.sparse[place.sparse as usize..][..layer.sparse().input.len()],
            biases: &self.values.sparse[place.bias as usize..][..layer.outputs().width()],
        }
    }
}
