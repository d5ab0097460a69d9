//! What each stage of a training step computes and moves, independent of the engine.
//!
//! Multiply-adds are those of weighted sums and of gradients, one for each edge
//! and sample; activations, sums of biases and updates are not counted. Bytes
//! count everything that the stage touches once, as if repeated reads
//! came from a cache: weights as packed, index lists, activations,
//! deltas, state. Descriptions of tiles and factors of the group lasso, a few
//! bytes for thousands of weights, are skipped.

use serde::{Deserialize, Serialize};

use crate::engine::EngineSettings;
use crate::engine::layout::NetworkLayout;
use crate::engine::profile::Stage;
use crate::tiles::{MICRO_BLOCK, QUAD, TiledLayer};

/// Bytes of a value, of a sample's number, of a label, and of an entry of an index list.
const WORD: u64 = 4;
/// Bytes that say where a micro-block's neurons are, and which of its values are edges.
const MICRO_BLOCK_ENDS: u64 = 3 * WORD;
/// Bytes that say which neurons a sparse value connects.
const SPARSE_ENDS: u64 = 2 * WORD;

/// The work of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Multiply-adds at edges.
    pub multiply_adds: u64,
    /// Multiply-adds at stored values: as many, and those with the padding of dense tiles.
    pub stored_multiply_adds: u64,
    /// Minimum bytes to read.
    pub bytes_read: u64,
    /// Minimum bytes to write.
    pub bytes_written: u64,
}

impl Work {
    /// The work of a stage for a full batch.
    ///
    /// # Panics
    /// If the network does not have the stage's layer.
    #[must_use]
    pub fn of(stage: Stage, layout: &NetworkLayout, settings: &EngineSettings) -> Self {
        StepWork { layout, settings, batch: settings.batch_size as u64 }.work(stage)
    }

    fn plus(self, other: Self) -> Self {
        Self {
            multiply_adds: self.multiply_adds + other.multiply_adds,
            stored_multiply_adds: self.stored_multiply_adds + other.stored_multiply_adds,
            bytes_read: self.bytes_read + other.bytes_read,
            bytes_written: self.bytes_written + other.bytes_written,
        }
    }

    /// Floating-point operations, two for each multiply-add at an edge.
    #[must_use]
    pub fn flops(&self) -> u64 {
        2 * self.multiply_adds
    }

    /// Bytes read and written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes_read + self.bytes_written
    }
}

/// The storage of one layer.
#[derive(Clone, Copy)]
struct Stored {
    edges: u64,
    slots: u64,
    sparse: u64,
}

impl Stored {
    fn of(layer: &TiledLayer) -> Self {
        let count = |number: usize| number as u64;
        let sparse = count(layer.sparse().input.len());
        Self { edges: count(layer.edges()), slots: count(layer.slots()), sparse }
    }
}

struct StepWork<'a> {
    layout: &'a NetworkLayout,
    settings: &'a EngineSettings,
    batch: u64,
}

impl StepWork<'_> {
    fn work(&self, stage: Stage) -> Work {
        match stage {
            Stage::MaskDense => mask(self.layout.dense_len() as u64),
            Stage::MaskSparse => mask(self.layout.sparse_len() as u64),
            Stage::Mask => self.work(Stage::MaskDense).plus(self.work(Stage::MaskSparse)),
            Stage::Gather => {
                let features = self.rows(self.first().inputs().width() as u64);
                moved(features + WORD * self.batch, features)
            }
            Stage::Forward(layer) => self.forward(&self.layout.layers()[layer]),
            Stage::Loss => {
                let logits = self.rows(self.last().outputs().width() as u64);
                moved(logits + 2 * WORD * self.batch, logits)
            }
            Stage::LogitsAndLoss => {
                let (last, loss) = (self.layout.layers().len() - 1, self.work(Stage::Loss));
                // The logits have just been written.
                let logits = self.rows(self.last().outputs().width() as u64);
                self.work(Stage::Forward(last)).plus(moved(loss.bytes_read - logits, loss.bytes_written))
            }
            Stage::BackwardInput(layer) => self.backward_input(&self.layout.layers()[layer]),
            Stage::GroupFactors => {
                let (layer, inputs) = (Stored::of(self.first()), self.first().inputs().width() as u64);
                let read = 2 * WORD * layer.edges + WORD * (inputs + 1);
                sums(1, layer.edges, layer.edges, moved(read, WORD * inputs))
            }
            Stage::UpdateDense => self.update_dense(),
            Stage::UpdateSparse => self.update_sparse(),
            Stage::Update => self.update_dense().plus(self.update_sparse()),
        }
    }

    fn forward(&self, layer: &TiledLayer) -> Work {
        let (stored, outputs) = (Stored::of(layer), layer.outputs().width() as u64);
        let [inputs, _] = joined(layer, Storage::Any);
        let lists = WORD * (outputs + 1 + stored.sparse);
        let read = self.rows(inputs) + WORD * (stored.slots + outputs) + lists;
        sums(self.batch, stored.edges, stored.slots, moved(read, self.rows(outputs)))
    }

    /// Also reads the activations below, for their slopes.
    fn backward_input(&self, layer: &TiledLayer) -> Work {
        let (stored, inputs) = (Stored::of(layer), layer.inputs().width() as u64);
        let [_, outputs] = joined(layer, Storage::Any);
        let lists = WORD * (inputs + 1 + 2 * stored.sparse);
        let read = self.rows(outputs + inputs) + WORD * stored.slots + lists;
        sums(self.batch, stored.edges, stored.slots, moved(read, self.rows(inputs)))
    }

    fn update_dense(&self) -> Work {
        let layers = self.layout.layers().iter();
        let edges = layers.clone().map(Stored::of).map(|layer| layer.edges - layer.sparse).sum();
        let rows = layers.flat_map(|layer| joined(layer, Storage::Dense)).sum();
        let slots = self.layout.dense_len() as u64;
        let ends = MICRO_BLOCK_ENDS * slots / MICRO_BLOCK as u64;
        sums(self.batch, edges, slots, self.updated(slots, ends + self.rows(rows)))
    }

    /// Also sums the deltas of all neurons for their biases.
    fn update_sparse(&self) -> Work {
        let inputs: u64 = self.layout.layers().iter().map(|layer| joined(layer, Storage::Sparse)[0]).sum();
        let (edges, values) = (self.layout.first_bias() as u64, self.layout.sparse_len() as u64);
        let rows = inputs + (values - edges);
        sums(self.batch, edges, edges, self.updated(values, SPARSE_ENDS * values + self.rows(rows)))
    }

    /// Values with their state, read and written, and other bytes that are read.
    fn updated(&self, values: u64, others: u64) -> Work {
        let kept = WORD * values * (1 + self.settings.optimizer.state_count() as u64);
        let numbers = if self.settings.drop_connect > 0.0 { WORD * values } else { 0 };
        moved(kept + numbers + others, kept)
    }

    /// Bytes of this many neurons of every sample.
    fn rows(&self, neurons: u64) -> u64 {
        WORD * neurons * self.batch
    }

    fn first(&self) -> &TiledLayer {
        &self.layout.layers()[0]
    }

    fn last(&self) -> &TiledLayer {
        &self.layout.layers()[self.layout.layers().len() - 1]
    }
}

fn moved(bytes_read: u64, bytes_written: u64) -> Work {
    Work { bytes_read, bytes_written, ..Work::default() }
}

fn sums(times: u64, edges: u64, slots: u64, moved: Work) -> Work {
    Work { multiply_adds: times * edges, stored_multiply_adds: times * slots, ..moved }
}

/// A value and the number of its connection for each value that is written.
fn mask(values: u64) -> Work {
    moved(2 * WORD * values, WORD * values)
}

/// Which edges of a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    Dense,
    Sparse,
    Any,
}

/// How many inputs and how many outputs of a layer have an edge of this kind.
fn joined(layer: &TiledLayer, kind: Storage) -> [u64; 2] {
    let mut sides = [vec![false; layer.inputs().width()], vec![false; layer.outputs().width()]];
    if kind != Storage::Sparse {
        for block in layer.micro_blocks() {
            for lane in (0..MICRO_BLOCK).filter(|lane| block.mask >> lane & 1 == 1) {
                sides[0][block.input as usize + lane / QUAD] = true;
                sides[1][block.output as usize + lane % QUAD] = true;
            }
        }
    }
    if kind != Storage::Dense {
        for (output, bounds) in layer.sparse().row_start.windows(2).enumerate() {
            for input in &layer.sparse().input[bounds[0] as usize..bounds[1] as usize] {
                sides[0][*input as usize] = true;
                sides[1][output] = true;
            }
        }
    }
    sides.map(|side| side.iter().filter(|joined| **joined).count() as u64)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Optimizer, Penalties};
    use crate::network::{Activation, Layer, Network};
    use crate::tiles::TilePolicy;
    use crate::topology::{Partition, Topology};

    /// Inputs in blocks of 3 and 2, outputs in one of 4, then 4 to 2.
    ///
    /// The first tile of layer 0 has 10 of 12 edges: dense, one micro-block whose fourth input is padding.
    /// Its second tile has the one edge 3 -> 1: sparse; input 4 has none. Layer 1 has every edge: one
    /// micro-block whose last two outputs are padding.
    fn layout() -> NetworkLayout {
        let targets = [vec![0, 1, 2, 3], vec![0, 1, 2], vec![1, 2, 3], vec![1], vec![]];
        let inputs = Partition::from_bounds([0, 3, 5]).unwrap();
        let first = Topology::from_targets(inputs, Partition::whole(4).unwrap(), &targets).unwrap();
        let second = crate::topology::fully_connected(4, 2).unwrap();
        let layer =
            |topology, activation| Layer { topology: Arc::new(topology), activation, keep_probability: 1.0 };
        let layers = vec![layer(first, Activation::Tanh), layer(second, Activation::Identity)];
        NetworkLayout::new(&Network::new(layers).unwrap(), TilePolicy::dense_from(0.5))
    }

    fn work(stage: Stage, settings: &EngineSettings) -> [u64; 4] {
        let Work { multiply_adds, stored_multiply_adds, bytes_read, bytes_written } =
            Work::of(stage, &layout(), settings);
        [multiply_adds, stored_multiply_adds, bytes_read, bytes_written]
    }

    /// Counted by hand: batch 8, so a row of one neuron has 32 bytes.
    #[test]
    fn every_stage_is_counted_by_hand() {
        let momentum = Optimizer::Momentum { momentum: 0.9, nesterov: false };
        let settings = EngineSettings::new(momentum, 8, 0);
        let layout = layout();
        assert_eq!((layout.dense_len(), layout.sparse_len()), (32, 1 + 6));
        // 5 features; 8 sample numbers.
        assert_eq!(work(Stage::Gather, &settings), [0, 0, 5 * 32 + 32, 5 * 32]);
        // 11 edges, 16 + 1 stored. 4 inputs with an edge; weights, 4 biases; 5 starts, 1 input; 4 outputs.
        let read = 4 * 32 + 4 * (17 + 4) + 4 * (5 + 1);
        assert_eq!(work(Stage::Forward(0), &settings), [8 * 11, 8 * 17, read, 4 * 32]);
        // 8 edges, 16 stored.
        let read = 4 * 32 + 4 * (16 + 2) + 4 * 3;
        assert_eq!(work(Stage::Forward(1), &settings), [8 * 8, 8 * 16, read, 2 * 32]);
        // 2 logits; labels and sample numbers.
        assert_eq!(work(Stage::Loss, &settings), [0, 0, 2 * 32 + 64, 2 * 32]);
        // The layer's and the loss's, but that the logits are not read.
        let read = 4 * 32 + 4 * (16 + 2) + 4 * 3 + 64;
        assert_eq!(work(Stage::LogitsAndLoss, &settings), [8 * 8, 8 * 16, read, 2 * 2 * 32]);
        // Deltas of 2 outputs, activations of 4 inputs.
        let read = 6 * 32 + 4 * 16 + 4 * 5;
        assert_eq!(work(Stage::BackwardInput(1), &settings), [8 * 8, 8 * 16, read, 4 * 32]);
        // 10 + 8 edges; values and momenta of 32 slots; 2 micro-blocks; 3 + 4 and 4 + 2 neurons.
        let read = 2 * 4 * 32 + 2 * 12 + 13 * 32;
        assert_eq!(work(Stage::UpdateDense, &settings), [8 * 18, 8 * 32, read, 2 * 4 * 32]);
        // 1 edge and 6 biases; input 3, and the deltas of 6 neurons.
        let read = 2 * 4 * 7 + 8 * 7 + 7 * 32;
        assert_eq!(work(Stage::UpdateSparse, &settings), [8, 8, read, 2 * 4 * 7]);
        let both = work(Stage::UpdateDense, &settings);
        let sum: Vec<u64> =
            both.iter().zip(work(Stage::UpdateSparse, &settings)).map(|(a, b)| a + b).collect();
        assert_eq!(work(Stage::Update, &settings).to_vec(), sum);
    }

    #[test]
    fn regularisation_and_state_add_what_they_read() {
        let penalties = Penalties { group_lasso: 0.1, ..Penalties::default() };
        let plain = EngineSettings::new(Optimizer::ADAM, 8, 0);
        let settings = EngineSettings { penalties, drop_connect: 0.5, ..plain };
        assert_eq!(work(Stage::MaskDense, &settings), [0, 0, 8 * 32, 4 * 32]);
        assert_eq!(work(Stage::MaskSparse, &settings), [0, 0, 8 * 7, 4 * 7]);
        assert_eq!(work(Stage::Mask, &settings), [0, 0, 8 * 39, 4 * 39]);
        // 11 squares; a weight and its place each; 6 starts; 5 factors. Once a step, not once a sample.
        assert_eq!(work(Stage::GroupFactors, &settings), [11, 11, 8 * 11 + 4 * 6, 4 * 5]);
        // Adam has two states.
        assert_eq!(work(Stage::UpdateSparse, &plain)[3], 3 * 4 * 7);
        let numbers = work(Stage::UpdateSparse, &settings)[2] - work(Stage::UpdateSparse, &plain)[2];
        assert_eq!(numbers, 4 * 7);
    }

    /// 216,090 edges forward and for gradients, 174,440 backward: the figures of docs/performance.md.
    #[test]
    fn the_papers_step_has_its_known_multiply_adds() {
        let network = crate::network::Architecture::paper(784, 10).build(0).unwrap();
        let settings = EngineSettings::new(Optimizer::Sgd, 128, 0);
        for policy in [TilePolicy::dense_from(0.6), TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE] {
            let layout = NetworkLayout::new(&network, policy);
            let stages = Stage::of_training_step(6, &settings);
            let works: Vec<Work> = stages.iter().map(|stage| Work::of(*stage, &layout, &settings)).collect();
            let useful: u64 = works.iter().map(|work| work.multiply_adds).sum();
            assert_eq!(useful, 128 * (2 * 216_090 + 174_440));
            let stored: u64 = works.iter().map(|work| work.stored_multiply_adds).sum();
            assert_eq!(stored == useful, policy == TilePolicy::ALL_SPARSE, "padding under {policy:?}");
        }
    }
}
