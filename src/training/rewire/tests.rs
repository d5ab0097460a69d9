use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::snapshot::Largest;
use super::*;
use crate::engine::reference::gather::{gather, gather_targets};
use crate::engine::reference::{LayerValues, ReferenceEngine, loss_and_gradients};
use crate::engine::{LossRule, Values};
use crate::network::{Activation, Layer as NetworkLayer, LayerParameters, Parameters};
use crate::topology::{
    Coupled2d, Falloff, Grain, Link, Partition, SpatiallyCoupled, Topology, fully_connected,
};

static NEVER: AtomicBool = AtomicBool::new(false);
const RULES: [Rewire; 3] = [Rewire::Set, Rewire::Rigl, Rewire::Percolate];

fn rng(seed: u64) -> ChaCha8Rng {
    generator(seed, Purpose::Permutation(9))
}

fn planar() -> Coupled2d {
    Coupled2d {
        inputs: "8x6".parse().unwrap(),
        outputs: "4x6x2".parse().unwrap(),
        fan_in: 8.0,
        reach: 2.0,
        falloff: Falloff::Gauss,
        grain: Grain::MicroBlocks,
        picture: [8, 6],
        importance: Vec::new(),
    }
}

fn network(topologies: Vec<Topology>) -> Network {
    let last = topologies.len() - 1;
    let layer = |(index, topology): (usize, Topology)| NetworkLayer {
        topology: Arc::new(topology),
        activation: if index == last { Activation::Identity } else { Activation::Tanh },
        keep_probability: 1.0,
    };
    Network::new(topologies.into_iter().enumerate().map(layer).collect()).unwrap()
}

/// A network of micro-blocks in two dimensions, a band of blocks and logits, with the regions of all layers.
fn mixed() -> (Network, Vec<Region>) {
    let band = SpatiallyCoupled {
        inputs: 48,
        outputs: 30,
        blocks: 5,
        receptive_field: 2,
        degrees: vec![3, 5, 4, 2, 2],
    };
    let topologies = vec![
        planar().build(&mut rng(1)).unwrap(),
        band.build(&mut rng(2)).unwrap(),
        fully_connected(30, 4).unwrap(),
    ];
    let network = network(topologies);
    let mut regions: Vec<Region> = network.layers().iter().map(|layer| Region::of(&layer.topology)).collect();
    regions[0] = Region::planar(&planar());
    (network, regions)
}

fn parameters(network: &Network, seed: u64) -> Parameters {
    let mut rng = rng(seed);
    let values = (0..network.parameter_count()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Values::Single(values).into_layered(network)
}

fn data(features: usize) -> Dataset {
    let mut rng = rng(7);
    let values = (0..20 * features).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    Dataset::new(values, features, (0..20).map(|sample| sample % 4).collect(), 4).unwrap()
}

/// The moves of a rule for a network.
fn moves(
    rule: Rewire,
    (network, regions): (&Network, &[Region]),
    parameters: &Parameters,
    (fraction, seed): (f64, u64),
) -> Vec<Moves> {
    let data = data(network.inputs());
    let batch = GradientBatch {
        data: &data,
        samples: &[3, 1, 17, 4, 5, 9],
        loss: LossRule::CROSS_ENTROPY,
        label_smoothing: 0.1,
    };
    let snapshot = Snapshot { network, parameters, regions, fraction, batch, stop: &NEVER };
    rule.rule().unwrap().moves(&snapshot, &mut rng(seed))
}

/// The sum of |weight| of each link.
fn sizes(topology: &Topology, grain: Grain, weights: &[f64]) -> Vec<(f64, Link)> {
    let group_size = grain.group_size();
    let of = |link: Link| {
        let ends = topology.edge_ends().zip(weights);
        let inside = ends.filter(|((output, input), _)| {
            (output / group_size, input / group_size) == (link.0 as usize, link.1 as usize)
        });
        (inside.map(|(_, weight)| weight.abs()).sum(), link)
    };
    topology.links(grain).map(of).collect()
}

#[test]
fn the_fraction_falls_along_a_cosine_and_ends() {
    let rewiring = Rewiring { every: 3, end: 0.6, ..Rewiring::new(Rewire::Set) };
    let due: Vec<usize> = (0..40).filter(|epoch| rewiring.fraction_at(*epoch, 40).is_some()).collect();
    assert_eq!(due, [3, 6, 9, 12, 15, 18, 21]);
    // Half of the fraction half-way, (1 + cos(pi / 4)) / 2 of it after a quarter.
    assert!((rewiring.fraction_at(12, 40).unwrap() - 0.15).abs() < 1e-12);
    assert!((rewiring.fraction_at(6, 40).unwrap() - 0.3 * 0.853_553_390_593).abs() < 1e-9);
    assert_eq!(Rewiring::new(Rewire::Set).fraction_at(0, 40), None);
    assert_eq!(Rewiring::new(Rewire::Set).fraction_at(30, 40), None);
    assert!(Rewiring::new(Rewire::Set).fraction_at(29, 40).is_some());
}

#[test]
fn the_largest_are_found_in_little_room() {
    let mut rng = rng(3);
    for count in [0, 1, 7, 100, 5000] {
        let keys: Vec<(f64, Link)> =
            (0..2000).map(|link| (f64::from(rng.random_range(0..300u32)), (link / 50, link % 50))).collect();
        let mut largest = Largest::new(count);
        keys.iter().for_each(|(key, link)| largest.offer(*key, *link));
        let mut sorted = keys;
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let expected: Vec<Link> = sorted.into_iter().take(count).map(|(_, link)| link).collect();
        assert_eq!(largest.links(), expected);
    }
}

/// Every rule adds as many links as it removes, at free places within the region. It removes the smallest ones, leaves the
/// logits alone, and makes the same moves for the same seed.
#[test]
fn every_rule_moves_the_smallest_links_to_free_places_of_the_region() {
    let (network, regions) = mixed();
    let parameters = parameters(&network, 4);
    let values: Vec<LayerValues> = parameters.layers.iter().map(LayerValues::from).collect();
    for rule in RULES {
        let run = |seed| moves(rule, (&network, &regions), &parameters, (0.3, seed));
        let first = run(0);
        assert_eq!(first, run(0), "{rule}");
        assert_eq!(first == run(1), rule == Rewire::Rigl, "{rule}: chance");
        assert_eq!(first[2], Moves::default(), "{rule}: logits");
        for (index, Moves { dropped, added }) in first.into_iter().enumerate().take(2) {
            let (topology, region) = (&network.layers()[index].topology, &regions[index]);
            let grain = region.grain();
            assert_eq!(grain, [Grain::MicroBlocks, Grain::Edges][index]);
            let mut sizes = sizes(topology, grain, &values[index].weights);
            let count = sizes.len() * 3 / 10;
            // Percolation drops links of disconnected neurons first.
            let dead = if rule == Rewire::Percolate { dropped.len() - count } else { 0 };
            assert_eq!((dropped.len(), added.len()), (dead + count, dead + count), "{rule}, layer {index}");
            sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
            let smallest: Vec<Link> = sizes.into_iter().take(count).map(|(_, link)| link).collect();
            assert_eq!(dropped[dead..], smallest, "{rule}, layer {index}");
            let mut free = HashSet::new();
            for output in 0..topology.groups(grain)[0] {
                region.free(output, topology.joined(grain, output), |link, _| free.extend([link]));
            }
            assert!(added.iter().all(|link| free.remove(link)), "{rule}, layer {index}");
            let edited = topology.edit(Edit { grain, dropped, added }).unwrap();
            assert_eq!((edited.topology.edges(), edited.topology.grain()), (topology.edges(), grain));
        }
    }
}

/// Compares with the gradients of the fully connected network whose other weights are 0.
#[test]
fn rigl_adds_where_the_gradient_is_largest() {
    let (network, regions) = mixed();
    let parameters = parameters(&network, 5);
    let widths = network.widths();
    let dense = widths.windows(2).map(|pair| fully_connected(pair[0], pair[1]).unwrap());
    let dense = self::network(dense.collect());
    let filled = |(layer, values): (&NetworkLayer, LayerValues)| {
        let topology = &layer.topology;
        let mut weights = vec![0.0; topology.dense_edges()];
        for ((output, input), weight) in topology.edge_ends().zip(&values.weights) {
            weights[output * topology.inputs().width() + input] = *weight;
        }
        LayerValues { weights, biases: values.biases }
    };
    let values: Vec<LayerValues> =
        network.layers().iter().zip(parameters.layers.iter().map(LayerValues::from)).map(filled).collect();
    let (data, samples) = (data(network.inputs()), [3, 1, 17, 4, 5, 9]);
    let (x, targets) = (gather(&data, &samples), gather_targets(&data, &samples));
    let (_, gradients) =
        loss_and_gradients(&dense, &values, &x, &targets, (LossRule::CROSS_ENTROPY, 0.1), None);
    let found = moves(Rewire::Rigl, (&network, &regions), &parameters, (0.2, 0));
    for (index, Moves { added, .. }) in found.into_iter().enumerate().take(2) {
        let (topology, region) = (&network.layers()[index].topology, &regions[index]);
        let (grain, group_size) = (region.grain(), region.grain().group_size());
        let size = |(output, input): Link| {
            let lane = |lane: usize| {
                let output = output as usize * group_size + lane / group_size;
                let input = input as usize * group_size + lane % group_size;
                gradients[index].weights[output * topology.inputs().width() + input].abs()
            };
            (0..group_size * group_size).map(lane).sum::<f64>()
        };
        let mut free = Vec::new();
        for output in 0..topology.groups(grain)[0] {
            region.free(output, topology.joined(grain, output), |link, _| free.push((size(link), link)));
        }
        free.sort_by(|a, b| b.0.total_cmp(&a.0));
        // All are far enough apart that rounding cannot change their order.
        assert!(free.windows(2).take(added.len() + 1).all(|pair| pair[0].0 > pair[1].0 * (1.0 + 1e-9)));
        let expected: Vec<Link> = free.iter().take(added.len()).map(|(_, link)| *link).collect();
        assert_eq!(added, expected, "layer {index}");
    }
}

/// Draws follow the law: near and far places of a layer are drawn in proportion to their weights.
#[test]
fn draws_follow_the_weights_of_the_region() {
    let layer = Coupled2d { fan_in: 4.0, grain: Grain::Edges, reach: 1.5, ..planar() };
    let topology = layer.build(&mut rng(1)).unwrap();
    let region = Region::planar(&layer);
    let network = network(vec![topology, fully_connected(48, 4).unwrap()]);
    let regions = [region.clone(), Region::of(&network.layers()[1].topology)];
    let topology = &network.layers()[0].topology;
    let mut weights = Vec::new();
    for output in 0..48 {
        region
            .free(output, topology.joined(Grain::Edges, output), |link, weight| weights.push((link, weight)));
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight.exp()).sum();
    let near: BTreeSet<Link> = weights.iter().filter(|place| place.1 > -0.7).map(|place| place.0).collect();
    let expected: f64 = weights.iter().filter(|place| place.1 > -0.7).map(|place| place.1.exp()).sum::<f64>();
    let parameters = parameters(&network, 6);
    // Drawing one edge at a time follows the weights exactly.
    let draws = 4000u32;
    let fraction = 1.5 / topology.edges() as f64;
    let found = (0..u64::from(draws)).filter(|seed| {
        let moves = moves(Rewire::Set, (&network, &regions), &parameters, (fraction, *seed));
        assert_eq!(moves[0].added.len(), 1);
        near.contains(&moves[0].added[0])
    });
    let (share, expected) = (found.count() as f64 / f64::from(draws), expected / total);
    let deviation = (expected * (1.0 - expected) / f64::from(draws)).sqrt();
    assert!((share - expected).abs() < 4.0 * deviation, "{share} {expected}");
}

/// A stop request ends a choice, and then nothing has moved.
#[test]
fn a_choice_that_is_stopped_changes_nothing() {
    let (network, regions) = mixed();
    let (data, order) = (data(network.inputs()), [3, 1, 17, 4, 5, 9]);
    let recipe = Recipe { batch_size: 4, ..Recipe::default() };
    let layers = network.layers().iter().map(|layer| LayerParameters {
        weights: vec![0.5; layer.topology.edges()],
        biases: vec![0.0; layer.topology.outputs().width()],
    });
    let parameters = Parameters { layers: layers.collect() };
    for rule in RULES {
        let mut engine = ReferenceEngine::new(&network, &parameters, recipe.engine_settings()).unwrap();
        let before = engine.state().unwrap();
        let run = |engine: &mut ReferenceEngine, stop: bool| {
            let (rewiring, stop) = (Rewiring::new(rule), AtomicBool::new(stop));
            rewire(engine, (&rewiring, &recipe), &regions, (1, 0.3), (&data, &order), &stop).unwrap()
        };
        assert_eq!(run(&mut engine, true), None, "{rule}");
        assert_eq!(engine.state().unwrap(), before, "{rule}");
        assert!(run(&mut engine, false).is_some_and(|moved| moved > 0), "{rule}");
        assert!(engine.state().unwrap() != before, "{rule}");
    }
}

/// Three inputs, two layers of four neurons, two logits. No input reaches neuron 3 of the first layer. Its neuron 0 reaches only
/// neuron 3 of the second layer, which reaches no logit.
#[test]
fn percolation_takes_edges_from_disconnected_neurons() {
    let whole = |width| Partition::whole(width).unwrap();
    let edges = |inputs, outputs, edges: &[(u32, u32)]| {
        Topology::from_edges(whole(inputs), whole(outputs), edges).unwrap()
    };
    let network = network(vec![
        edges(3, 4, &[(0, 0), (1, 0), (1, 1), (2, 2)]),
        edges(4, 4, &[(0, 3), (1, 0), (2, 1), (3, 0), (1, 2)]),
        edges(4, 2, &[(0, 0), (1, 0), (2, 1)]),
    ]);
    let regions: Vec<Region> = network.layers().iter().map(|layer| Region::of(&layer.topology)).collect();
    let parameters = parameters(&network, 8);
    // The fraction is too small to drop any of the smallest weights.
    let found = moves(Rewire::Percolate, (&network, &regions), &parameters, (0.01, 1));
    let set = |links: &[(u32, u32)]| links.iter().copied().collect::<BTreeSet<Link>>();
    let dropped: Vec<BTreeSet<Link>> = found.iter().map(|moves| set(&moves.dropped)).collect();
    // Links are (output, input).
    assert_eq!(dropped, [set(&[(0, 0), (0, 1)]), set(&[(3, 0), (0, 3)]), set(&[])]);
    assert!(found[0].added.iter().all(|link| [1, 2].contains(&link.0)), "{:?}", found[0].added);
    let lives = |link: &Link| [0, 1, 2].contains(&link.0) && [1, 2].contains(&link.1);
    assert!(found[1].added.len() == 2 && found[1].added.iter().all(lives), "{:?}", found[1].added);
}

/// If there are fewer free places than edges to move, only as many edges move.
#[test]
fn a_full_region_moves_what_it_has_room_for() {
    let all_but_two: Vec<(u32, u32)> =
        (0..16).map(|place| (place / 4, place % 4)).filter(|edge| ![(0, 3), (2, 1)].contains(edge)).collect();
    let whole = || Partition::whole(4).unwrap();
    let nearly_full = Topology::from_edges(whole(), whole(), &all_but_two).unwrap();
    let network = network(vec![nearly_full, fully_connected(4, 4).unwrap()]);
    let regions: Vec<Region> = network.layers().iter().map(|layer| Region::of(&layer.topology)).collect();
    let parameters = parameters(&network, 9);
    for rule in RULES {
        let found = moves(rule, (&network, &regions), &parameters, (0.9, 1));
        let added: BTreeSet<Link> = found[0].added.iter().copied().collect();
        assert_eq!((found[0].dropped.len(), added), (2, BTreeSet::from([(3, 0), (1, 2)])), "{rule}");
        assert_eq!(found[1], Moves::default(), "{rule}");
    }
}
