use super::*;
use crate::engine::reference::ReferenceEngine;
use crate::importance::{Importance, ImportanceSettings, Preprocessing};
use crate::model::ArchitectureRecord;
use crate::network::{Activation, Architecture, Connectivity};
use crate::training::Recipe;

/// Four inputs and four hidden neurons; input 0 determines the class, and hidden neuron 0 passes it on.
fn model() -> TrainedModel {
    let architecture = Architecture {
        inputs: 4,
        hidden: vec![4],
        classes: 2,
        connectivity: Connectivity::FullyConnected,
        activation: Activation::Sigmoid,
        keep_probability: 1.0,
        reaches_all: false,
    };
    let network = architecture.build(0).unwrap();
    let mut parameters = Recipe::default().initialisation.draw(&network, 0).unwrap();
    for layer in &mut parameters.layers {
        layer.weights.fill(0.0);
    }
    // Hidden 0 = sigmoid(8 x0); the other neurons repeat noise, with little effect on the logits.
    parameters.layers[0].weights[0] = 8.0;
    (1..4).for_each(|neuron| parameters.layers[0].weights[5 * neuron] = 1.0);
    parameters.layers[1].weights = vec![-4.0, 0.0, 0.0, 0.0, 4.0, 0.1, 0.01, 0.001];
    parameters.layers[1].biases = vec![2.0, -2.0];
    let data = data();
    let preprocessing = Preprocessing::fit(&ImportanceSettings::new(Importance::None), &data).unwrap();
    TrainedModel::new(network, parameters, preprocessing, ArchitectureRecord::new(&architecture, 0)).unwrap()
}

fn data() -> Arc<Dataset> {
    let sample = |k: u32| {
        let noise = |step: u32| f32::from(u16::try_from(k * step % 11).unwrap()) / 11.0 - 0.5;
        [if k.is_multiple_of(2) { -1.0 } else { 1.0 }, noise(3), noise(5), noise(7)]
    };
    let features = (0..60).flat_map(sample).collect();
    Arc::new(Dataset::new(features, 4, (0..60).map(|k| k % 2).collect(), 2).unwrap())
}

fn measured(silence: Silence, forest: Option<&mut Forest<'_>>) -> Vec<LayerImportance> {
    let (model, data) = (model(), data());
    let settings = Recipe::default().engine_settings();
    let options = LayerImportanceOptions { blocks: Some(4), silence, settings, threads: Some(1) };
    let mut engine = ReferenceEngine::new(model.network(), model.parameters(), settings).unwrap();
    let layers = layer_importance(&model, &data, &data, &options, &mut engine, forest, &mut |_| {}).unwrap();
    // The engine's values are the model's again.
    assert_eq!(engine.parameters().unwrap(), *model.parameters());
    layers
}

#[test]
fn only_the_needed_block_costs_accuracy() {
    for silence in [Silence::Zero, Silence::Mean] {
        let layers = measured(silence, None);
        assert_eq!(layers.iter().map(|layer| layer.layer).collect::<Vec<_>>(), [0, 1]);
        for layer in layers {
            // Without its block 0 the network calls every sample the same class.
            assert_eq!(layer.blocks[0].accuracy_lost, 0.5, "{layer:?}");
            assert!(layer.blocks[0].loss_added > 0.5, "{layer:?}");
            assert!(layer.blocks[1..].iter().all(|block| block.accuracy_lost == 0.0), "{layer:?}");
            assert!(layer.blocks.iter().all(|block| block.gini.is_none()));
            assert!(layer.gini_agreement.is_none());
        }
    }
    // A mean keeps the next sums where they are, 0 does not.
    let [mean, zero] =
        [Silence::Mean, Silence::Zero].map(|silence| measured(silence, None)[1].blocks[1].loss_added);
    assert!(mean.abs() < zero.abs() / 2.0, "mean {mean}, zero {zero}");
}

#[test]
fn the_forest_sees_each_layers_outputs_and_its_importances_are_summed_by_block() {
    let expected = data();
    let mut seen = Vec::new();
    let mut forest = |outputs: &LayerOutputs<'_>| {
        assert_eq!((outputs.labels, outputs.classes), (expected.labels(), 2));
        match outputs.layer {
            0 => assert_eq!(outputs.values, expected.features()),
            _ => {
                for (row, sample) in outputs.values.chunks(4).zip(expected.features().chunks(4)) {
                    let sigmoid = 1.0 / (1.0 + (-8.0 * sample[0]).exp());
                    assert!((row[0] - sigmoid).abs() <= 1e-6, "{row:?}");
                }
            }
        }
        seen.push(outputs.layer);
        Ok(vec![0.4, 0.3, 0.2, 0.1])
    };
    let (model, data) = (model(), data());
    let settings = Recipe::default().engine_settings();
    let options =
        LayerImportanceOptions { blocks: Some(2), silence: Silence::Mean, settings, threads: Some(1) };
    let mut engine = ReferenceEngine::new(model.network(), model.parameters(), settings).unwrap();
    let forest: &mut Forest<'_> = &mut forest;
    let layers =
        layer_importance(&model, &data, &data, &options, &mut engine, Some(forest), &mut |_| {}).unwrap();
    for layer in &layers {
        let gini: Vec<f64> = layer.blocks.iter().map(|block| block.gini.unwrap()).collect();
        assert!((gini[0] - 0.7).abs() < 1e-12 && (gini[1] - 0.3).abs() < 1e-12, "{gini:?}");
        assert_eq!(layer.gini_agreement.unwrap().rho, 1.0);
    }
    assert_eq!(seen, [0, 1]);
}

fn layer(number: usize, gini: [f64; 5], lost: [f64; 5], order: Order) -> LayerImportance {
    let blocks = (0..5).map(|block| BlockImportance {
        block,
        neurons: 1,
        gini: Some(gini[block]),
        accuracy_lost: lost[block],
        loss_added: 0.0,
    });
    judged(number, blocks.collect(), order)
}

const FALLING: [f64; 5] = [5.0, 4.0, 3.0, 2.0, 1.0];
const RISING: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

#[test]
fn agreement_follows_the_order_of_the_inputs() {
    let falling = layer(1, FALLING, RISING, Order::Descending);
    let rho =
        |layer: &LayerImportance| [layer.gini_agreement, layer.silence_agreement].map(|a| a.unwrap().rho);
    assert_eq!(rho(&falling), [1.0, -1.0]);
    assert_eq!(rho(&layer(1, FALLING, RISING, Order::Ascending)), [-1.0, 1.0]);
    assert_eq!(falling.gini_agreement.unwrap().chance, 1.0 / 120.0);
}

#[test]
fn the_verdict_is_one_plain_sentence() {
    let down = Order::Descending;
    let inputs = layer(0, RISING, RISING, down);
    let good = layer(1, FALLING, FALLING, down);
    let mixed = layer(2, FALLING, RISING, down);
    let bad = layer(3, RISING, [0.0; 5], down);
    assert!(verdict(&[inputs.clone(), good.clone()]).starts_with("This supports the claim"));
    let part = verdict(&[good.clone(), mixed]);
    assert!(part.starts_with("This supports only in part") && part.contains("3 of 4"), "{part}");
    assert!(part.ends_with("not hidden layer 2 by silencing."), "{part}");
    assert!(verdict(&[inputs.clone(), bad]).starts_with("This contradicts the claim"));
    let weak = layer(1, [2.0, 1.0, 3.0, 1.0, 1.0], [2.0, 1.0, 3.0, 1.0, 1.0], down);
    assert!(verdict(&[weak]).starts_with("This does not support the claim"));
    assert!(verdict(&[inputs]).contains("no hidden layer"));
}
