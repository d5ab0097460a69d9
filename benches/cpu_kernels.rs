//! Single kernels of the CPU engine, on the shapes of the paper's networks, on one thread.
//!
//! `cargo bench --bench cpu_kernels`; a filter such as `backward_weight` or `sc` runs part of them.
//! A batch is 128 samples: four chunks.

use divan::{Bencher, counter::ItemsCount};
use tanner::engine::cpu::backward_input::backward_input;
use tanner::engine::cpu::backward_weight::{Strip, backward_weight_dense, backward_weight_sparse};
use tanner::engine::cpu::forward::{Epilogue, LayerSlices, forward};
use tanner::engine::cpu::update::ValuesMut;
use tanner::engine::cpu::{Chunk, DENSE_FROM, LANES, Row, available_instructions};
use tanner::engine::layout::{NetworkLayout, PackedValues};
use tanner::engine::{Optimizer, UpdateRule};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Network, Scheme};
use tanner::tiles::{MICRO_BLOCK, QUAD, TilePolicy};
use tanner::topology::DegreeDistribution;

const ARCHS: [&str; 3] = ["sc", "rsp", "fc"];
const CHUNKS: usize = 128 / LANES;

fn main() {
    divan::main();
}

/// One of the paper's networks with something in every buffer.
struct Setting {
    network: Network,
    layout: NetworkLayout,
    values: PackedValues,
    chunks: Vec<Chunk>,
}

impl Setting {
    fn new(arch: &str) -> Self {
        let mut architecture = Architecture::paper(784, 10);
        architecture.connectivity = match arch {
            "rsp" => Connectivity::RandomSparse { degrees: vec![DegreeDistribution::Regular(53)] },
            "fc" => Connectivity::FullyConnected,
            _ => architecture.connectivity,
        };
        let network = architecture.build(0).expect("the paper's network");
        let layout = NetworkLayout::new(&network, TilePolicy::dense_from(DENSE_FROM));
        let start = Initialisation { scheme: Scheme::Glorot, gain: 4.0 };
        let values = layout.pack(&start.draw(&network, 0).expect("a usual initialisation"));
        let value = |k: usize| (k.wrapping_mul(2_654_435_761) % 1000) as f32 / 1000.0;
        let row = |k: usize| Row(std::array::from_fn(|lane| value(k * LANES + lane)));
        let rows = layout.rows() + QUAD - 1;
        let fill = |chunk: usize| Chunk {
            activations: (0..rows).map(|k| row(k + chunk * rows)).collect(),
            deltas: (0..rows).map(|k| row(k + (chunk + 9) * rows)).collect(),
        };
        Self { network, layout, values, chunks: (0..CHUNKS).map(fill).collect() }
    }

    fn slices(&self, index: usize) -> LayerSlices<'_> {
        let (layer, place) = (&self.layout.layers()[index], &self.layout.places()[index]);
        LayerSlices {
            dense: &self.values.dense[place.micro_block as usize * MICRO_BLOCK..][..layer.dense_slots()],
            sparse: &self.values.sparse[place.sparse as usize..][..layer.sparse().input.len()],
            biases: &self.values.sparse[place.bias as usize..][..layer.outputs().width()],
        }
    }
}

fn instructions() -> pulp::Arch {
    *available_instructions().last().expect("there is always one")
}

/// All layers of the network, forward, over a batch.
#[divan::bench(args = ARCHS)]
fn forward_all(bencher: Bencher<'_, '_>, arch: &str) {
    let mut setting = Setting::new(arch);
    let epilogue = Epilogue { activation: Activation::Sigmoid, dropout: None };
    let edges: usize = setting.network.layers().iter().map(|layer| layer.topology.edges()).sum();
    let mut chunks = std::mem::take(&mut setting.chunks);
    bencher.counter(ItemsCount::new(edges * 128)).bench_local(|| {
        for chunk in &mut chunks {
            for (index, layer) in setting.layout.layers().iter().enumerate() {
                let place = &setting.layout.places()[index];
                let (x, y) = chunk.activations.split_at_mut(place.output_row as usize);
                forward(
                    instructions(),
                    layer,
                    setting.slices(index),
                    epilogue,
                    &x[place.input_row as usize..],
                    y,
                );
            }
        }
    });
}

/// All layers but the first, backward, over a batch.
#[divan::bench(args = ARCHS)]
fn backward_input_all(bencher: Bencher<'_, '_>, arch: &str) {
    let mut setting = Setting::new(arch);
    let epilogue = Epilogue { activation: Activation::Sigmoid, dropout: None };
    let edges: usize = setting.network.layers()[1..].iter().map(|layer| layer.topology.edges()).sum();
    let mut chunks = std::mem::take(&mut setting.chunks);
    bencher.counter(ItemsCount::new(edges * 128)).bench_local(|| {
        for chunk in &mut chunks {
            for (index, layer) in setting.layout.layers().iter().enumerate().skip(1).rev() {
                let place = &setting.layout.places()[index];
                let inputs = place.input_row as usize..place.output_row as usize;
                let (below, delta) = chunk.deltas.split_at_mut(inputs.end);
                let (y, below) = (&chunk.activations[inputs.clone()], &mut below[inputs]);
                backward_input(instructions(), layer, setting.slices(index), epilogue, delta, y, below);
            }
        }
    });
}

fn rule() -> UpdateRule {
    Optimizer::Momentum { momentum: 0.9, nesterov: false }.rule(1e-9, 0, 5e-5)
}

/// Gradients and update of all values in dense tiles over a batch.
#[divan::bench(args = ["sc", "fc"])]
fn backward_weight_dense_all(bencher: Bencher<'_, '_>, arch: &str) {
    let mut setting = Setting::new(arch);
    let blocks = setting.layout.micro_block_rows();
    let mut momenta = vec![0.0; setting.layout.dense_len()];
    let layers = setting.layout.layers().iter().zip(setting.layout.places());
    let strips = layers.flat_map(|(layer, place)| Strip::all(layer, place.micro_block as usize));
    let strips: Vec<Strip> = strips.collect();
    let slots = setting.layout.dense_len() * 128;
    bencher.counter(ItemsCount::new(slots)).bench_local(|| {
        let values =
            ValuesMut { values: &mut setting.values.dense, state: [&mut momenta, &mut []], sums: &mut [] };
        for (strip, values) in strips.iter().zip(values.split(strips.iter().map(Strip::values))) {
            backward_weight_dense(
                instructions(),
                Some(&rule()),
                None,
                &setting.chunks,
                &blocks,
                *strip,
                values,
            );
        }
    });
}

/// Gradients and update of all sparse edges and biases over a batch.
#[divan::bench(args = ["sc", "rsp"])]
fn backward_weight_sparse_all(bencher: Bencher<'_, '_>, arch: &str) {
    let mut setting = Setting::new(arch);
    let rows = setting.layout.sparse_rows();
    let mut momenta = vec![0.0; rows.len()];
    let biases = setting.layout.first_bias();
    bencher.counter(ItemsCount::new(rows.len() * 128)).bench_local(|| {
        let values =
            ValuesMut { values: &mut setting.values.sparse, state: [&mut momenta, &mut []], sums: &mut [] };
        backward_weight_sparse(instructions(), Some(&rule()), None, &setting.chunks, &rows, biases, values);
    });
}
