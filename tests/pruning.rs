//! Pruning removes exactly what it reports: compared with the reference engine, and through the file.

mod common;

use std::sync::Arc;

use common::{layer, random_data, random_parameters, small_network, values};
use rand::RngExt;
use tanner::dataset::{Dataset, Holdout};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::{LayerValues, Matrix, run_forward};
use tanner::engine::{Engine, EngineSettings, StepPlan};
use tanner::experiments::prune::{
    BlockSearch, BlockSearchOptions, Compacted, PruneData, PrunePoint, Pruning, StartEngine, Until,
    WeightGoal, compact,
};
use tanner::experiments::silence::silence;
use tanner::importance::{Importance, ImportanceSettings, Preprocessing};
use tanner::model::{ArchitectureRecord, PruneMethod, TrainedModel};
use tanner::network::{Activation, Architecture, Connectivity, Network, Parameters};
use tanner::topology::fully_connected;
use tanner::training::{Observer, Recipe};

const EPSILON: f64 = f32::EPSILON as f64;

fn forward(network: &Network, parameters: &Parameters, x: &Matrix) -> Vec<Matrix> {
    let values: Vec<_> = parameters.layers.iter().map(LayerValues::from).collect();
    run_forward(network, &values, x, None).into_iter().map(|result| result.y).collect()
}

/// How far the logits may move when every bias is rounded to float32 once:
/// no activation is steeper than 1.
fn rounding_bound(network: &Network, parameters: &Parameters) -> Vec<f64> {
    let mut below = vec![0.0; network.inputs()];
    for (layer, values) in network.layers().iter().zip(&parameters.layers) {
        let topology = &layer.topology;
        let moved = |output: usize| {
            let edges = topology.row(output);
            let carried: f64 = edges
                .map(|edge| {
                    f64::from(values.weights[edge]).abs() * below[topology.edge_inputs()[edge] as usize]
                })
                .sum();
            carried + EPSILON * f64::from(values.biases[output]).abs()
        };
        below = (0..topology.outputs().width()).map(moved).collect();
    }
    below.iter().map(|bound| bound + 1e-12).collect()
}

fn assert_same_logits(left: &Compacted, expected: &Matrix, x: &Matrix) {
    let got = forward(&left.network, &left.parameters, x).pop().unwrap();
    let bound = rounding_bound(&left.network, &left.parameters);
    assert_eq!(got.rows(), expected.rows());
    for (logit, bound) in bound.iter().enumerate() {
        for (got, expected) in got.row(logit).iter().zip(expected.row(logit)) {
            let error = (got - expected).abs();
            assert!(error <= *bound, "logit {logit}: got {got}, expected {expected}, bound {bound:e}");
        }
    }
}

/// Random samples, `[feature][sample]`.
fn samples(features: usize, count: usize, seed: u64) -> Matrix {
    let values = values(&mut common::rng(seed), features * count);
    Matrix::from_values(count, values.into_iter().map(f64::from).collect())
}

fn zeroed(parameters: &Parameters, keep: &[Vec<bool>]) -> Parameters {
    let mut zeroed = parameters.clone();
    for (layer, keep) in zeroed.layers.iter_mut().zip(keep) {
        layer.weights.iter_mut().zip(keep).filter(|(_, keep)| !**keep).for_each(|(weight, _)| *weight = 0.0);
    }
    zeroed
}

#[test]
fn the_pruned_network_computes_the_same_as_one_with_zeros() {
    let mut narrower = 0;
    for activation in Activation::ALL {
        for seed in 0..40 {
            let network = small_network(activation, 1.0);
            let parameters = random_parameters(&network, seed);
            // From few missing edges to few remaining ones.
            let share = 0.15 + 0.7 * (seed as f64 / 40.0);
            let mut rng = common::rng(1000 + seed);
            let mut mark = |layer: &tanner::network::Layer| -> Vec<bool> {
                (0..layer.topology.edges()).map(|_| rng.random_bool(share)).collect()
            };
            let keep: Vec<Vec<bool>> = network.layers().iter().map(&mut mark).collect();
            let marked = keep.iter().flatten().filter(|kept| **kept).count();
            let left = match compact(&network, &parameters, keep.clone()) {
                Ok(left) => left,
                Err(error) => {
                    assert!(
                        error.to_string().contains("would keep nothing that reaches the logits"),
                        "{error}"
                    );
                    continue;
                }
            };
            let edges: usize = left.network.layers().iter().map(|layer| layer.topology.edges()).sum();
            assert!(edges <= marked);
            narrower += usize::from(left.network.widths() != network.widths());
            let x = samples(network.inputs(), 7, seed);
            let expected = forward(&network, &zeroed(&parameters, &keep), &x).pop().unwrap();
            assert_same_logits(&left, &expected, &x);
        }
    }
    assert!(narrower > 40, "only {narrower} networks became narrower, so little was tested");
}

#[test]
fn keeping_all_edges_leaves_the_network_unchanged() {
    let wide = layer(&fully_connected(6, 8).unwrap(), Activation::Tanh, 0.8);
    let network = Network::new(vec![wide, layer(&fully_connected(8, 3).unwrap(), Activation::Identity, 1.0)]);
    let network = network.unwrap();
    let parameters = random_parameters(&network, 1);
    let keep = network.layers().iter().map(|layer| vec![true; layer.topology.edges()]).collect();
    let left = compact(&network, &parameters, keep).unwrap();
    assert_eq!((&left.parameters, &left.kept), (&parameters, &vec![(0..8).collect()]));
    for (old, new) in network.layers().iter().zip(left.network.layers()) {
        assert_eq!(old.topology, new.topology);
        assert_eq!(old.keep_probability, new.keep_probability);
    }
}

#[test]
fn a_layer_with_nothing_left_is_refused_by_name() {
    let network = small_network(Activation::Sigmoid, 1.0);
    let parameters = random_parameters(&network, 1);
    for empty in 0..3 {
        let keep =
            |(index, layer): (usize, &tanner::network::Layer)| vec![index != empty; layer.topology.edges()];
        let keep = network.layers().iter().enumerate().map(keep).collect();
        let message = compact(&network, &parameters, keep).unwrap_err().to_string();
        assert!(message.contains("hidden layer"), "{message}");
    }
}

/// Marks all edges except those of these neurons of a layer of neurons.
fn without(network: &Network, layer: usize, neurons: &[usize]) -> Vec<Vec<bool>> {
    let mut keep: Vec<Vec<bool>> =
        network.layers().iter().map(|layer| vec![true; layer.topology.edges()]).collect();
    for neuron in neurons {
        network.layers()[layer].topology.column(*neuron).for_each(|(_, edge)| keep[layer][edge] = false);
    }
    keep
}

/// With equal samples, activations are constant, so compensation by means is exact.
#[test]
fn compensation_is_exact_where_activations_are_constant() {
    for activation in Activation::ALL {
        let network = small_network(activation, 1.0);
        let parameters = random_parameters(&network, 3);
        let one = samples(network.inputs(), 1, 5);
        let outputs = forward(&network, &parameters, &one);
        for layer in 0..3 {
            let activations = if layer == 0 { &one } else { &outputs[layer - 1] };
            let width = activations.rows();
            let block: Vec<usize> = (width - 3..width).collect();
            let means: Vec<f64> = (0..width).map(|neuron| activations.row(neuron)[0]).collect();
            let silenced = silence(&network, &parameters, layer, block.iter().copied(), Some(&means));
            let left = compact(&network, &silenced, without(&network, layer, &block)).unwrap();
            assert!(left.network.parameter_count() < network.parameter_count());
            assert_same_logits(&left, &outputs[2], &one);
        }
    }
}

#[test]
fn activations_are_those_of_the_reference_whatever_the_threads() {
    let network = small_network(Activation::Sigmoid, 0.5);
    let parameters = random_parameters(&network, 8);
    // More than one task of 2048 samples, and a last chunk that is not full.
    let data = random_data(4500, 10, 4, 3);
    let columns: Vec<u32> = (0..4500).collect();
    let x = tanner::engine::reference::gather::gather(&data, &columns);
    let outputs = forward(&network, &parameters, &x);
    let settings = Recipe::default().engine_settings();
    let engine = CpuEngine::new(&network, &parameters, settings, Some(3)).unwrap();
    let alone = CpuEngine::new(&network, &parameters, settings, Some(1)).unwrap();
    let means = engine.mean_activations(&data).unwrap();
    assert_eq!(means, alone.mean_activations(&data).unwrap());
    assert_eq!(means.iter().map(Vec::len).collect::<Vec<_>>(), [10, 12, 9, 4]);
    for layer in 0..=3 {
        let expected = if layer == 0 { &x } else { &outputs[layer - 1] };
        let got = engine.activations(&data, layer).unwrap();
        assert_eq!(got, alone.activations(&data, layer).unwrap());
        let width = expected.rows();
        for neuron in 0..width {
            // Sums of at most 12 products of values up to 2 or so.
            for (sample, expected) in expected.row(neuron).iter().enumerate() {
                let error = (f64::from(got[sample * width + neuron]) - expected).abs();
                assert!(error <= 1e-5, "layer {layer}, neuron {neuron}, sample {sample}: {error:e}");
            }
            let mean = expected.row(neuron).iter().sum::<f64>() / 4500.0;
            assert!((means[layer][neuron] - mean).abs() <= 1e-5, "layer {layer}, neuron {neuron}");
        }
    }
    assert!(engine.activations(&data, 4).is_err());
}

/// A slightly trained model, with its data.
fn trained(connectivity: Connectivity) -> (TrainedModel, PruneData) {
    let architecture = Architecture {
        inputs: 12,
        hidden: vec![16, 16],
        classes: 3,
        connectivity,
        activation: Activation::Sigmoid,
        keep_probability: 1.0,
        reaches_all: false,
    };
    let data = random_data(1200, 12, 3, 11);
    let (rest, validation) = data.holdout(Holdout::Count(300), 0).unwrap();
    let network = architecture.build(1).unwrap();
    let recipe = recipe(1);
    let start = recipe.initialisation.draw(&network, 1).unwrap();
    let settings = EngineSettings { batch_size: 20, ..recipe.engine_settings() };
    let mut engine = CpuEngine::new(&network, &start, settings, Some(1)).unwrap();
    let rest = Arc::new(rest);
    let order: Vec<u32> = (0u32..).take(rest.samples()).collect();
    for epoch in 0..60 {
        engine
            .train(&rest, &StepPlan { samples: &order, learning_rate: 0.05, first_step: 45 * epoch })
            .unwrap();
    }
    let preprocessing = Preprocessing::fit(&ImportanceSettings::new(Importance::None), &rest).unwrap();
    let record = ArchitectureRecord::new(&architecture, 1);
    let model = TrainedModel::new(network, engine.parameters().unwrap(), preprocessing, record).unwrap();
    (model, PruneData { rest, validation: Arc::new(validation), test: random_data(400, 12, 3, 12) })
}

fn recipe(epochs: usize) -> Recipe {
    Recipe { epochs, batch_size: 20, learning_rate: 0.05, ..Recipe::default() }
}

fn coupled() -> Connectivity {
    Connectivity::SpatiallyCoupled {
        blocks: vec![4],
        receptive_fields: vec![2],
        degrees: vec![vec![4, 6, 4, 2]],
    }
}

fn start<'a>(threads: usize) -> StartEngine<'a> {
    Box::new(move |network, parameters, settings| {
        Ok(Box::new(CpuEngine::new(network, parameters, settings, Some(threads))?))
    })
}

fn pruning<'a>(model: &TrainedModel, data: &PruneData, threads: usize) -> Pruning<'a> {
    let settings = recipe(1).engine_settings();
    Pruning::new(model, data.clone(), settings, Some(threads), start(threads), Box::new(|_| {})).unwrap()
}

const OPTIONS: BlockSearchOptions =
    BlockSearchOptions { blocks: None, inputs: false, compensate: true, until: Until::Drop(0.05) };

fn search(
    model: &TrainedModel,
    data: &PruneData,
    options: BlockSearchOptions,
    threads: usize,
) -> Vec<PrunePoint> {
    let mut pruning = pruning(model, data, threads);
    BlockSearch::new(model.network(), options).unwrap().run(&mut pruning).unwrap();
    pruning.curve().to_vec()
}

#[test]
fn the_search_keeps_its_budget_and_repeats_itself() {
    let (model, data) = trained(coupled());
    let curve = search(&model, &data, OPTIONS, 1);
    assert!(curve[0].validation_accuracy > 0.8, "the model learned too little to test with: {:?}", curve[0]);
    assert!(curve.len() > 2, "nothing was removed: {curve:?}");
    let least = curve[0].validation_correct as f64 - 0.05 * 300.0;
    for pair in curve.windows(2) {
        assert!(pair[1].parameters < pair[0].parameters && pair[1].edges < pair[0].edges);
        assert!(pair[1].validation_correct as f64 >= least, "{:?} is beyond the budget", pair[1]);
    }
    assert_eq!(curve, search(&model, &data, OPTIONS, 3));
    let smallest = |until| search(&model, &data, BlockSearchOptions { until, ..OPTIONS }, 1).pop().unwrap();
    assert!(smallest(Until::Drop(0.6)).parameters < smallest(Until::Drop(0.0)).parameters);
}

#[test]
fn the_search_reaches_a_size_or_says_that_it_cannot() {
    let (model, data) = trained(coupled());
    let all = model.network().parameter_count();
    let to = |target| BlockSearchOptions { until: Until::Parameters(target), ..OPTIONS };
    let curve = search(&model, &data, to(all / 2), 1);
    let [.., before, last] = &curve[..] else { panic!("{curve:?}") };
    assert!(last.parameters <= all / 2 && before.parameters > all / 2);
    let mut pruning = pruning(&model, &data, 1);
    let error = BlockSearch::new(model.network(), to(5)).unwrap().run(&mut pruning).unwrap_err().to_string();
    assert!(error.starts_with("target: 5 parameters cannot be reached"), "{error}");
    assert!(
        pruning.network().widths()[1..3].iter().all(|width| *width <= 4),
        "{:?}",
        pruning.network().widths()
    );
}

/// A last block that nothing reads costs nothing, and one that matters stays under a budget of 0.
#[test]
fn free_blocks_are_dropped_and_inputs_only_on_request() {
    let (model, data) = trained(Connectivity::FullyConnected);
    let network = model.network();
    let mut parameters = model.parameters().clone();
    // Inputs 9..12 are noise to the labels; hidden neurons 12..16 of layer 1 and 8..16 of layer 2 are cut off.
    for (layer, neurons) in [(0, 9..12), (1, 12..16), (2, 8..16)] {
        parameters = silence(network, &parameters, layer, neurons, None);
    }
    let mut model = model.clone();
    model.set_parameters(parameters, 0).unwrap();
    let none = BlockSearchOptions { blocks: Some(4), until: Until::Drop(0.0), ..OPTIONS };
    let kept = search(&model, &data, none, 1);
    let hidden = &kept.last().unwrap().hidden;
    assert!(hidden[0] <= 12 && hidden[1] <= 8, "{kept:?}");
    assert!(kept.iter().all(|point| !point.step.contains("input")));
    assert!(kept.iter().all(|point| point.validation_correct >= kept[0].validation_correct));
    let with_inputs = search(&model, &data, BlockSearchOptions { inputs: true, ..none }, 1);
    assert!(with_inputs.iter().any(|point| point.step == "the input layer block 3"), "{with_inputs:?}");
    let message = BlockSearch::new(network, OPTIONS).unwrap_err().to_string();
    assert!(message.contains("this network has no blocks"), "{message}");
}

#[test]
fn the_pruned_file_is_smaller_and_scores_as_reported() {
    let (mut model, data) = trained(coupled());
    model.set_parameters(model.parameters().clone(), 60).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["before", "after", "twice"].map(|name| folder.path().join(name));
    model.save(&paths[0]).unwrap();
    let mut first = pruning(&model, &data, 1);
    let mut search = BlockSearch::new(model.network(), OPTIONS).unwrap();
    search.run(&mut first).unwrap();
    first.fine_tune(&recipe(3), &mut Quiet).unwrap();
    search.run(&mut first).unwrap();
    let (pruned, curve) = first.finish(&model, PruneMethod::Blocks).unwrap();
    pruned.save(&paths[1]).unwrap();
    let read = TrainedModel::load(&paths[1]).unwrap();
    let sizes = [0, 1].map(|k| std::fs::metadata(&paths[k]).unwrap().len());
    assert!(sizes[1] < sizes[0], "{sizes:?}");
    let settings = recipe(1).engine_settings();
    let mut engine = CpuEngine::new(read.network(), read.parameters(), settings, Some(1)).unwrap();
    let last = curve.last().unwrap();
    assert_eq!(engine.evaluate(&data.validation).unwrap().correct, last.validation_correct);
    assert_eq!(engine.evaluate(&data.test).unwrap().accuracy(), last.test_accuracy);
    assert_eq!(read.network().parameter_count(), last.parameters);
    let record = read.record().pruned.as_ref().unwrap();
    assert_eq!(
        (&record.hidden_before, record.methods.as_slice()),
        (&vec![16, 16], &[PruneMethod::Blocks][..])
    );
    assert!(read.epochs_trained() >= 60 && read.epochs_trained() <= 63);

    let mut second = pruning(&read, &data, 1);
    second.remove_small_weights(&WeightGoal::Sparsity(0.3), 1, 1).unwrap();
    let (twice, _) = second.finish(&read, PruneMethod::Magnitude).unwrap();
    twice.save(&paths[2]).unwrap();
    let record = TrainedModel::load(&paths[2]).unwrap().record().pruned.clone().unwrap();
    assert_eq!(record.methods, [PruneMethod::Blocks, PruneMethod::Magnitude]);
    assert_eq!(record.hidden_before, [16, 16]);
}

struct Quiet;
impl Observer for Quiet {}

#[test]
fn magnitude_keeps_exactly_the_largest_and_trains_no_others() {
    let (model, data) = trained(Connectivity::FullyConnected);
    let mut pruning = pruning(&model, &data, 1);
    pruning.remove_small_weights(&WeightGoal::Sparsity(0.5), 1, 1).unwrap();
    let all = |parameters: &Parameters| -> Vec<f32> {
        let mut sizes: Vec<f32> = parameters
            .layers
            .iter()
            .flat_map(|layer| layer.weights.iter().map(|weight| weight.abs()))
            .collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        sizes
    };
    let before = all(model.parameters());
    let kept = all(pruning.parameters());
    // Every neuron of this network keeps edges on both sides, so no edge is removed for another reason.
    assert_eq!(pruning.network().widths(), model.network().widths());
    assert_eq!(kept, before[..before.len() / 2]);
    let topologies: Vec<_> = pruning.network().layers().iter().map(|layer| layer.topology.clone()).collect();
    let accuracy = pruning.curve()[1].validation_accuracy;
    pruning.fine_tune(&recipe(4), &mut Quiet).unwrap();
    let tuned: Vec<_> = pruning.network().layers().iter().map(|layer| layer.topology.clone()).collect();
    assert_eq!(topologies, tuned);
    assert!(pruning.curve()[2].validation_accuracy >= accuracy);
    let message = pruning.remove_small_weights(&WeightGoal::Threshold(1e9), 1, 1).unwrap_err().to_string();
    assert!(message.contains("hidden layer"), "{message}");
}

#[test]
fn a_network_without_hidden_layers_can_be_pruned_too() {
    let logits = layer(&fully_connected(5, 3).unwrap(), Activation::Identity, 1.0);
    let network = Network::new(vec![logits]).unwrap();
    let parameters = random_parameters(&network, 1);
    let left = compact(&network, &parameters, without(&network, 0, &[3, 4])).unwrap();
    assert_eq!((left.network.widths(), left.network.parameter_count()), (vec![5, 3], 9 + 3));
    let message = compact(&network, &parameters, vec![vec![false; 15]]).unwrap_err().to_string();
    assert!(message.contains("layer 1") && message.contains("at least 1 edge"), "{message}");
}

#[test]
fn nothing_removed_makes_no_pruned_model() {
    let (model, data) = trained(coupled());
    let error = pruning(&model, &data, 1).finish(&model, PruneMethod::Blocks).unwrap_err().to_string();
    assert!(error.contains("none was removed"), "{error}");
    let bad =
        BlockSearch::new(model.network(), BlockSearchOptions { until: Until::Drop(f64::NAN), ..OPTIONS });
    assert!(bad.unwrap_err().to_string().starts_with("max-drop: NaN"));
}

/// The data of a pruning are those of its model.
#[test]
fn other_data_are_refused() {
    let (model, mut data) = trained(coupled());
    data.validation = Arc::new(Dataset::new(vec![0.0; 5], 5, vec![0], 3).unwrap());
    let settings = recipe(1).engine_settings();
    let error = Pruning::new(&model, data, settings, Some(1), start(1), Box::new(|_| {})).err().unwrap();
    assert!(error.to_string().contains("5 features"), "{error}");
}
