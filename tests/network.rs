//! Consistency of networks, and the scale of initial parameters.

mod common;

use common::{layer, random_parameters, small_network};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Network, Scheme};
use tanner::topology::{DegreeDistribution, fully_connected};

#[test]
fn layers_that_do_not_fit_are_refused() {
    let dense = |inputs, outputs| fully_connected(inputs, outputs).unwrap();
    let hidden = |inputs, outputs| layer(&dense(inputs, outputs), Activation::Relu, 1.0);
    let logits = |inputs, outputs| layer(&dense(inputs, outputs), Activation::Identity, 1.0);
    let refused = |layers, reason: &str| {
        let message = Network::new(layers).unwrap_err().to_string();
        assert!(message.contains(reason), "{message:?} should say {reason:?}");
    };
    assert!(Network::new(vec![hidden(5, 4), logits(4, 2)]).is_ok());
    refused(vec![], "at least 1 layer");
    refused(vec![hidden(5, 4)], "no activation");
    refused(vec![layer(&dense(5, 4), Activation::Identity, 0.5)], "no dropout");
    refused(vec![hidden(5, 4), logits(3, 2)], "layer 1 has 4 outputs, layer 2 has 3 inputs");
    for keep in [0.0, -0.5, 1.5, f32::NAN] {
        refused(vec![layer(&dense(5, 4), Activation::Relu, keep), logits(4, 2)], "keep probability");
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let network = small_network(Activation::Relu, 1.0);
    let good = random_parameters(&network, 0);
    good.check(&network).unwrap();
    let refused = |change: fn(&mut tanner::network::Parameters)| {
        let mut parameters = good.clone();
        change(&mut parameters);
        assert!(parameters.check(&network).is_err());
    };
    refused(|p| p.layers.truncate(2));
    refused(|p| p.layers[1].weights.push(0.0));
    refused(|p| p.layers[2].biases.truncate(1));
}

#[test]
fn architectures_name_the_layer_that_is_impossible() {
    let mut request = Architecture::paper(784, 10);
    request.hidden = vec![784, 100];
    let message = request.build(0).unwrap_err().to_string();
    assert!(message.contains("layer 2: block 0: a degree of 98 is impossible"), "{message}");
    let Connectivity::SpatiallyCoupled { blocks, .. } = &mut request.connectivity else { unreachable!() };
    *blocks = vec![8, 8, 8];
    let message = request.build(0).unwrap_err().to_string();
    assert!(message.contains("3 blocks for 2 hidden layers"), "{message}");
}

#[test]
fn layers_may_differ_and_may_be_missing() {
    let mut request = Architecture::paper(784, 10);
    request.hidden = vec![784, 100];
    request.connectivity = Connectivity::SpatiallyCoupled {
        blocks: vec![8, 5],
        receptive_fields: vec![2, 3],
        degrees: vec![vec![98, 130, 98, 49, 20, 10, 10, 10], vec![7]],
    };
    let network = request.build(0).unwrap();
    assert_eq!(network.layers()[1].topology.edges(), 784 * 7);
    assert_eq!(network.widths(), [784, 784, 100, 10]);
    request.hidden.clear();
    assert_eq!(request.build(0).unwrap().parameter_count(), 7_850);
    request.hidden = vec![50];
    request.connectivity = Connectivity::RandomSparse { degrees: vec![DegreeDistribution::Regular(3)] };
    assert_eq!(request.build(0).unwrap().layers()[0].topology.edges(), 784 * 3);
    request.connectivity = Connectivity::FullyConnected;
    assert_eq!(request.build(0).unwrap().parameter_count(), 784 * 50 + 50 + 500 + 10);
}

#[test]
fn seeds_change_graphs_and_layers_differ() {
    let graph = |seed, layer: usize| {
        Architecture::paper(784, 10).build(seed).unwrap().layers()[layer].topology.clone()
    };
    assert_eq!(graph(0, 0), graph(0, 0));
    assert_ne!(graph(0, 0), graph(1, 0));
    assert_ne!(graph(0, 1), graph(0, 2));
}

/// Weights divided by the scale of their true fans are standard normal.
#[test]
fn initial_weights_have_the_scale_of_their_true_fans() {
    let network = Architecture::paper(784, 10).build(3).unwrap();
    for (scheme, variance) in [
        (Scheme::Glorot, (|fan_in, fan_out| 2.0 / (fan_in + fan_out)) as fn(f64, f64) -> f64),
        (Scheme::He, |fan_in, _| 2.0 / fan_in),
        (Scheme::Lecun, |fan_in, _| 1.0 / fan_in),
    ] {
        let parameters = Initialisation { scheme, gain: 4.0 }.draw(&network, 3).unwrap();
        for (layer, values) in network.layers().iter().zip(&parameters.layers) {
            let topology = &layer.topology;
            let deviation = |(output, input): (usize, usize)| {
                4.0 * variance(topology.in_degree(output) as f64, topology.out_degree(input) as f64).sqrt()
            };
            let standard: Vec<f64> = topology
                .edge_ends()
                .zip(&values.weights)
                .map(|(e, w)| f64::from(*w) / deviation(e))
                .collect();
            let count = standard.len() as f64;
            let mean = standard.iter().sum::<f64>() / count;
            let square = standard.iter().map(|z| z * z).sum::<f64>() / count;
            // 5 standard deviations of the mean and of the mean square of normal draws.
            assert!(mean.abs() < 5.0 / count.sqrt(), "{scheme:?}: mean {mean}");
            assert!((square - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{scheme:?}: mean square {square}");
            assert!(values.biases.iter().all(|bias| *bias == 0.0));
        }
    }
    for gain in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let message =
            Initialisation { scheme: Scheme::Glorot, gain }.draw(&network, 0).unwrap_err().to_string();
        assert!(message.starts_with("gain"), "{message}");
    }
}
