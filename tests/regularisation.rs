//! Regularisation on the engines without a GPU: the same masks, the same groups, repeatable steps.

mod common;

use common::{all_penalties, edge_layers, layer, random_data, random_parameters, small_network};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::cpu::drop_connect::drop_connect;
use tanner::engine::cpu::group_norm::group_factor;
use tanner::engine::layout::{NetworkLayout, PackedValues};
use tanner::engine::reference::group_norm::group_factors;
use tanner::engine::reference::{self, LayerValues, Matrix, run_forward};
use tanner::engine::{Engine, EngineSettings, Optimizer, StepPlan};
use tanner::network::drop_connect::{ConnectionMask, NO_CONNECTION, connection_numbers};
use tanner::network::{Activation, Network};
use tanner::tiles::TilePolicy;

const POLICIES: [TilePolicy; 3] =
    [TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE, TilePolicy::dense_from(0.5)];

/// Every edge layer with a second one on top, and the small network.
fn networks() -> Vec<(&'static str, Network)> {
    let mut networks = vec![("small", small_network(Activation::Tanh, 1.0))];
    for (name, topology) in edge_layers() {
        let top = tanner::topology::fully_connected(topology.outputs().width(), 2).unwrap();
        let layers = vec![layer(&topology, Activation::Tanh, 1.0), layer(&top, Activation::Identity, 1.0)];
        networks.push((name, Network::new(layers).unwrap()));
    }
    networks
}

#[test]
fn the_cpu_and_the_reference_have_the_same_masks() {
    for (name, network) in networks() {
        let parameters = random_parameters(&network, 3);
        for (policy, drop) in POLICIES.into_iter().flat_map(|policy| [(policy, 0.25), (policy, 0.9)]) {
            let layout = NetworkLayout::new(&network, policy);
            let mask = ConnectionMask::new(8, 9, drop);
            let (values, connections) = (layout.pack(&parameters), layout.connections(&network));
            let mut masked = PackedValues {
                dense: vec![f32::NAN; values.dense.len()],
                sparse: vec![f32::NAN; values.sparse.len()],
            };
            drop_connect(mask, &connections.dense, &values.dense, &mut masked.dense);
            drop_connect(mask, &connections.sparse, &values.sparse, &mut masked.sparse);
            // Packing the unpacked shows that padding is still 0.
            assert_eq!(layout.pack(&layout.unpack(&masked)), masked, "{name}, {policy:?}");
            let factors = reference::drop_connect::connection_factors(&network, mask);
            let masked = layout.unpack(&masked);
            for (index, (masked, plain)) in masked.layers.iter().zip(&parameters.layers).enumerate() {
                assert_eq!(masked.biases, plain.biases, "{name}, layer {index}");
                for (edge, factor) in factors[index].iter().enumerate() {
                    let expected = f64::from(plain.weights[edge]) * factor;
                    let got = f64::from(masked.weights[edge]);
                    // The one rounding of the product.
                    let bound = f64::from(f32::EPSILON) * expected.abs();
                    assert!((got - expected).abs() <= bound, "{name}, layer {index}, edge {edge}");
                    assert_eq!(got == 0.0, *factor == 0.0, "{name}, layer {index}, edge {edge}");
                }
            }
        }
    }
}

#[test]
fn every_hidden_connection_has_its_own_number_and_logits_have_none() {
    let network = small_network(Activation::Tanh, 1.0);
    let edges: Vec<usize> = network.layers().iter().map(|layer| layer.topology.edges()).collect();
    let numbers: Vec<Vec<u32>> = (0..3).map(|layer| connection_numbers(&network, layer).collect()).collect();
    // By their ends, whatever other edges there are: 10 inputs in the first layer, 12 in the second.
    let first = network.layers()[0].topology.edge_ends().map(|(output, input)| 10 * output + input);
    let second = network.layers()[1].topology.edge_ends().map(|(output, input)| 120 + 12 * output + input);
    assert!(numbers[0].iter().map(|number| *number as usize).eq(first));
    assert!(numbers[1].iter().map(|number| *number as usize).eq(second));
    assert!(numbers[2].iter().all(|number| *number == NO_CONNECTION));
    let mask = ConnectionMask::new(1, 2, 0.5);
    let factors = reference::drop_connect::connection_factors(&network, mask);
    let lengths: Vec<usize> = factors.iter().map(Vec::len).collect();
    assert_eq!(lengths, edges);
    assert!(factors[2].iter().all(|factor| *factor == 1.0), "logits");
    for factors in &factors[..2] {
        assert!(factors.iter().all(|factor| *factor == 0.0 || *factor == 2.0));
        assert!(factors.contains(&0.0) && factors.contains(&2.0));
    }
    let shorter = factors[1].len().min(factors[0].len());
    assert_ne!(factors[0][..shorter], factors[1][..shorter], "layers have the same mask");
}

/// Logits of a linear network are products of one factor a layer, so their mean over masks is the network without any.
#[test]
fn the_mean_over_masks_is_the_whole_network() {
    let network = small_network(Activation::Identity, 1.0);
    let values: Vec<LayerValues> =
        random_parameters(&network, 4).layers.iter().map(LayerValues::from).collect();
    let x = Matrix::from_values(1, (0..10).map(|k| f64::from(k) / 5.0 - 1.0).collect());
    let logits =
        |values: &[LayerValues]| run_forward(&network, values, &x, None).last().unwrap().y.values().to_vec();
    let whole = logits(&values);
    let steps = 4000;
    let draws: Vec<Vec<f64>> = (0..steps)
        .map(|step| {
            let factors =
                reference::drop_connect::connection_factors(&network, ConnectionMask::new(5, step, 0.3));
            logits(&reference::drop_connect::drop_connect(&values, &factors))
        })
        .collect();
    for (class, whole) in whole.iter().enumerate() {
        let mean = draws.iter().map(|draw| draw[class]).sum::<f64>() / steps as f64;
        let variance = draws.iter().map(|draw| (draw[class] - mean).powi(2)).sum::<f64>() / steps as f64;
        let deviation = (variance / steps as f64).sqrt();
        assert!(deviation > 1e-3, "nothing was dropped");
        assert!((mean - whole).abs() < 5.0 * deviation, "logit {class}: {mean} is not {whole}");
    }
}

#[test]
fn groups_have_the_same_norms_however_they_are_packed() {
    for (name, network) in networks() {
        let mut parameters = random_parameters(&network, 6);
        // The first input's group is all zeros.
        for (_, edge) in network.layers()[0].topology.column(0) {
            parameters.layers[0].weights[edge] = 0.0;
        }
        let topology = &network.layers()[0].topology;
        let weights = LayerValues::from(&parameters.layers[0]).weights;
        let expected = group_factors(topology, &weights, 0.5);
        assert_eq!(expected[0], 0.0);
        for policy in POLICIES {
            let layout = NetworkLayout::new(&network, policy);
            let (groups, values) = (layout.input_groups(&network), layout.pack(&parameters));
            assert_eq!(groups.start.len(), network.inputs() + 1);
            for (input, expected) in expected.iter().enumerate() {
                let got = f64::from(group_factor(&groups, &values, 0.5, input));
                // A sum of squares, two roots, a product and a quotient.
                let bound = (topology.out_degree(input) as f64 + 6.0) * f64::from(f32::EPSILON) * expected;
                assert!((got - expected).abs() <= bound, "{name}, {policy:?}, input {input}: {got}");
            }
        }
    }
}

#[test]
fn regularised_steps_repeat_bit_by_bit_on_any_number_of_threads() {
    let network = small_network(Activation::Tanh, 0.8);
    let (data, parameters) = (random_data(150, 10, 4, 31), random_parameters(&network, 32));
    let run = |threads: usize, cut: usize| {
        let settings = EngineSettings {
            penalties: all_penalties(),
            label_smoothing: 0.1,
            drop_connect: 0.4,
            ..EngineSettings::new(Optimizer::ADAM, 50, 7)
        };
        let mut engine = CpuEngine::new(&network, &parameters, settings, Some(threads)).unwrap();
        let order: Vec<u32> = (0..150).collect();
        let mut losses = Vec::new();
        for (samples, first_step) in [(&order[..cut], 0), (&order[cut..], cut as u64 / 50)] {
            let plan = StepPlan { samples, learning_rate: 0.01, first_step };
            losses.extend(engine.train(&data, &plan).unwrap());
        }
        (losses, engine.evaluate(&data).unwrap(), engine.parameters().unwrap())
    };
    let first = run(1, 150);
    for (threads, cut) in [(1, 150), (2, 150), (5, 150), (2, 50), (1, 100)] {
        assert_eq!(first, run(threads, cut), "{threads} threads, cut at {cut}");
    }
}
