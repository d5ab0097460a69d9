//! The forward pass of one sample, on one thread, for the lowest latency.
//!
//! A single sample cannot share weights with others: the time goes into reading weights. So tiles are
//! stored dense from a lower density on than in training, where every multiplication with padding is paid
//! for 32 samples, and each input is repeated four times, so that a micro-block is multiplied with
//! its inputs slot by slot.

use pulp::{Arch, Simd};

use super::elementary::{activate, mul_add};
use super::flush::Flushing;
use super::simd::{Kernel, dispatch};
use crate::network::{Activation, Network, Parameters};
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TilePolicy, TiledLayer};
use crate::{Error, Result};

/// Runs a network forward on one sample at a time, without dropout.
///
/// ```
/// use tanner::engine::cpu::SingleSample;
/// use tanner::network::{Architecture, Initialisation, Scheme};
///
/// # fn main() -> tanner::Result<()> {
/// let network = Architecture::paper(784, 10).build(0)?;
/// let parameters = Initialisation { scheme: Scheme::Glorot, gain: 4.0 }.draw(&network, 0)?;
/// let mut forward = SingleSample::new(&network, &parameters)?;
/// let logits = forward.logits(&[0.5; 784])?;
/// assert_eq!(logits.len(), 10);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SingleSample {
    arch: Arch,
    layers: Vec<PackedLayer>,
    inputs: usize,
    /// Inputs and outputs of the current layer, alternately: `[neuron]`.
    x: Vec<f32>,
    y: Vec<f32>,
    /// The inputs of the current layer, four times each: `[quad of a block][16]`.
    repeated: Vec<Slots>,
}

/// The slots of a micro-block, on their own cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Slots([f32; MICRO_BLOCK]);

#[derive(Clone, Debug)]
struct PackedLayer {
    tiled: TiledLayer,
    dense: Vec<Slots>,
    sparse: Vec<f32>,
    biases: Vec<f32>,
    activation: Activation,
    /// First quad of each input block among the repeated inputs, then their number.
    first_quad: Vec<usize>,
}

impl SingleSample {
    /// Which tiles are stored dense: a sparse edge costs about as much as 5 slots of a micro-block.
    #[doc(hidden)]
    pub const TILES: TilePolicy = TilePolicy::dense_from(0.2).listing_blocks();

    /// Packs a network with its parameters.
    ///
    /// # Errors
    /// When the parameters do not fit the network.
    pub fn new(network: &Network, parameters: &Parameters) -> Result<Self> {
        Self::with_instructions(network, parameters, Arch::new())
    }

    /// As [`SingleSample::new`], with the given vector instructions.
    ///
    /// # Errors
    /// As [`SingleSample::new`].
    #[doc(hidden)]
    pub fn with_instructions(network: &Network, parameters: &Parameters, arch: Arch) -> Result<Self> {
        parameters.check(network)?;
        let layers = network.layers().iter().zip(&parameters.layers).map(|(layer, given)| {
            let tiled = TiledLayer::pack(&layer.topology, Self::TILES);
            let slots = tiled.pack_values(&given.weights);
            let (dense, sparse) = slots.split_at(tiled.dense_slots());
            let mut first_quad = vec![0];
            for block in 0..tiled.inputs().len() {
                first_quad.push(first_quad[block] + tiled.inputs().block(block).len().div_ceil(QUAD));
            }
            PackedLayer {
                dense: dense.as_chunks().0.iter().copied().map(Slots).collect(),
                sparse: sparse.to_vec(),
                biases: given.biases.clone(),
                activation: layer.activation,
                first_quad,
                tiled,
            }
        });
        let layers: Vec<PackedLayer> = layers.collect();
        Ok(Self {
            arch,
            layers,
            inputs: network.inputs(),
            x: Vec::new(),
            y: Vec::new(),
            repeated: Vec::new(),
        })
    }

    /// The network's outputs before softmax, one for each class.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there is not one feature for each input of the network.
    pub fn logits(&mut self, features: &[f32]) -> Result<&[f32]> {
        if features.len() != self.inputs {
            let (given, inputs) = (features.len(), self.inputs);
            return Err(Error::Dataset(format!(
                "a sample of {given} features, but the network takes {inputs}"
            )));
        }
        self.x.clear();
        self.x.extend_from_slice(features);
        let _flushing = Flushing::start();
        for layer in &self.layers {
            let (x, y, repeated) = (&self.x, &mut self.y, &mut self.repeated);
            dispatch(self.arch, Forward { layer, x, y, repeated });
            std::mem::swap(&mut self.x, &mut self.y);
        }
        Ok(&self.x)
    }
}

struct Forward<'a> {
    layer: &'a PackedLayer,
    x: &'a [f32],
    y: &'a mut Vec<f32>,
    repeated: &'a mut Vec<Slots>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) {
        // All vector units have fused multiplications; without one they would be calls.
        match S::F32_LANES {
            1 => self.forward::<S, false>(simd),
            _ => self.forward::<S, true>(simd),
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn forward<S: Simd, const FUSED: bool>(self, simd: S) {
        let Self { layer, x, y, repeated } = self;
        y.clear();
        y.extend_from_slice(&layer.biases);
        layer.repeat(x, repeated);
        for tile in layer.tiled.dense_tiles() {
            layer.add_dense::<FUSED>(tile, repeated, y);
        }
        layer.add_listed(simd, repeated, y);
        layer.add_sparse::<FUSED>(x, y);
        activate::<FUSED>(layer.activation, y);
    }
}

impl PackedLayer {
    /// Writes every input four times, quad by quad of every block; values beyond a block are 0.
    #[inline(always)]
    fn repeat(&self, x: &[f32], repeated: &mut Vec<Slots>) {
        repeated.clear();
        for block in 0..self.tiled.inputs().len() {
            let (quads, rest) = x[self.tiled.inputs().block(block)].as_chunks::<QUAD>();
            let repeat = |quad: &[f32; QUAD]| Slots(std::array::from_fn(|slot| quad[slot / QUAD]));
            repeated.extend(quads.iter().map(repeat));
            if !rest.is_empty() {
                repeated
                    .push(Slots(std::array::from_fn(|slot| rest.get(slot / QUAD).copied().unwrap_or(0.0))));
            }
        }
    }

    /// Adds one dense tile to its outputs, two rows of micro-blocks at a time.
    #[inline(always)]
    fn add_dense<const FUSED: bool>(&self, tile: &DenseTile, repeated: &[Slots], y: &mut [f32]) {
        let block = tile.input_block as usize;
        let x = &repeated[self.first_quad[block]..self.first_quad[block + 1]];
        let y = &mut y[self.tiled.outputs().block(tile.output_block as usize)];
        let count = tile.output_quads as usize * x.len();
        let rows = self.dense[tile.first as usize..][..count].chunks(2 * x.len());
        for (y, rows) in y.chunks_mut(2 * QUAD).zip(rows) {
            let (above, below) = rows.split_at(x.len());
            let mut sums = [[0.0; MICRO_BLOCK]; 2];
            if below.is_empty() {
                for (weights, x) in above.iter().zip(x) {
                    add_products::<FUSED>(&mut sums[0], weights, x);
                }
            } else {
                for ((above, below), x) in above.iter().zip(below).zip(x) {
                    add_products::<FUSED>(&mut sums[0], above, x);
                    add_products::<FUSED>(&mut sums[1], below, x);
                }
            }
            for (j, y) in y.iter_mut().enumerate() {
                let sums = &sums[j / QUAD];
                *y += (0..QUAD).map(|k| sums[QUAD * k + j % QUAD]).sum::<f32>();
            }
        }
    }

    /// Adds the listed micro-blocks of every output quad, in two chains of additions.
    #[inline(always)]
    fn add_listed<S: Simd>(&self, simd: S, repeated: &[Slots], y: &mut [f32]) {
        let lists = self.tiled.listed();
        for (bounds, y) in lists.row_start.windows(2).zip(y.as_chunks_mut::<QUAD>().0) {
            let blocks = bounds[0] as usize..bounds[1] as usize;
            let (inputs, last) = lists.input[blocks.clone()].as_chunks::<2>();
            let (weights, last_weights) = self.dense[blocks].as_chunks::<2>();
            let mut sums = [[simd.splat_f32s(0.0); MICRO_BLOCK]; 2];
            for (inputs, weights) in inputs.iter().zip(weights) {
                for k in 0..2 {
                    add_vectors(simd, &mut sums[k], &weights[k], &repeated[inputs[k] as usize]);
                }
            }
            for (input, weights) in last.iter().zip(last_weights) {
                add_vectors(simd, &mut sums[0], weights, &repeated[*input as usize]);
            }
            let mut all = [0.0; MICRO_BLOCK];
            for (k, all) in S::as_mut_simd_f32s(&mut all).0.iter_mut().enumerate() {
                *all = simd.add_f32s(sums[0][k], sums[1][k]);
            }
            // By halves, as vectors are added.
            let halves: [f32; 2 * QUAD] = std::array::from_fn(|k| all[k] + all[2 * QUAD + k]);
            for (j, y) in y.iter_mut().enumerate() {
                *y += halves[j] + halves[QUAD + j];
            }
        }
    }

    /// Adds the sparse edges of every output, in four chains of additions.
    #[inline(always)]
    fn add_sparse<const FUSED: bool>(&self, x: &[f32], y: &mut [f32]) {
        let lists = self.tiled.sparse();
        if lists.input.is_empty() {
            return;
        }
        for (bounds, y) in lists.row_start.windows(2).zip(y) {
            let edges = bounds[0] as usize..bounds[1] as usize;
            let (inputs, rest) = lists.input[edges.clone()].as_chunks::<4>();
            let (weights, rest_weights) = self.sparse[edges].as_chunks::<4>();
            let mut sums = [0.0; 4];
            for (inputs, weights) in inputs.iter().zip(weights) {
                for k in 0..4 {
                    sums[k] = mul_add::<FUSED>(weights[k], x[inputs[k] as usize], sums[k]);
                }
            }
            for (input, weight) in rest.iter().zip(rest_weights) {
                sums[0] = mul_add::<FUSED>(*weight, x[*input as usize], sums[0]);
            }
            *y += sums.iter().sum::<f32>();
        }
    }
}

/// `sums += weights * x` in as many vectors as a micro-block takes.
#[inline(always)]
fn add_vectors<S: Simd>(
    simd: S,
    sums: &mut [S::f32s; MICRO_BLOCK],
    Slots(weights): &Slots,
    Slots(x): &Slots,
) {
    let (weights, x) = (S::as_simd_f32s(weights).0, S::as_simd_f32s(x).0);
    for k in 0..MICRO_BLOCK / S::F32_LANES {
        sums[k] = simd.mul_add_e_f32s(weights[k], x[k], sums[k]);
    }
}

/// `sums += weights * x`, slot by slot.
#[inline(always)]
fn add_products<const FUSED: bool>(sums: &mut [f32; MICRO_BLOCK], Slots(weights): &Slots, Slots(x): &Slots) {
    for slot in 0..MICRO_BLOCK {
        sums[slot] = mul_add::<FUSED>(weights[slot], x[slot], sums[slot]);
    }
}
