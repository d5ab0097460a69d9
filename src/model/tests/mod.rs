//! Models and the bytes of their files.

mod records;
mod refusals;

use std::collections::HashMap;

use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::format::{METADATA_KEY, VERSION};
use super::*;
use crate::dataset::Holdout;
use crate::importance::{Importance, NumberEncoding, NumberForm, Order, Standardisation, Transform};
use crate::network::{Activation, Architecture, Connectivity, Initialisation, InputImportance, Scheme};
use crate::topology::{DegreeDistribution, Falloff, Grain, Region};

/// A preprocessing that is not a real rotation, but has its form.
fn rotation(features: usize, order: Order) -> Preprocessing {
    let value = |k: usize| (k as f32 * 0.37).sin();
    let mut explained_variance: Vec<f32> = (0..features).map(|k| (features - k) as f32).collect();
    if order == Order::Ascending {
        explained_variance.reverse();
    }
    let transform = Transform::Rotation {
        mean: (0..features).map(value).collect(),
        rotation: (0..features * features).map(value).collect(),
        explained_variance,
    };
    Preprocessing::from_parts(Importance::Pca, order, None, transform).unwrap()
}

/// Features backwards, standardised.
fn permutation(features: usize, importance: Importance) -> Preprocessing {
    let value = |k: usize| (k as f32 * 0.37).cos();
    let mean = (0..features).map(value).collect();
    let divisor = (0..features).map(|k| value(k).abs()).collect();
    let transform = Transform::Permutation {
        order: (0..u32::try_from(features).unwrap()).rev().collect(),
        importance: (0..features).map(|k| 1.0 / (k + 1) as f32).collect(),
    };
    let standardisation = Standardisation::from_parts(mean, divisor).unwrap();
    Preprocessing::from_parts(importance, Order::Descending, Some(standardisation), transform).unwrap()
}

/// As [`permutation`], behind an encoding of half as many numbers.
fn numbers(features: usize) -> Preprocessing {
    let value = |k: usize| (k as f32 * 0.37).sin();
    let list = |of: fn(f32) -> f32| (0..features).map(|k| of(value(k))).collect::<Vec<f32>>();
    let source = (0..u32::try_from(features).unwrap()).map(|k| k / 2).collect();
    let parts = [list(|v| v), list(|v| v.abs() + 0.1), list(|v| v - 1.0), list(|v| v + 1.0)];
    let encoding = NumberEncoding::from_parts(NumberForm::Piecewise, source, parts).unwrap();
    permutation(features, Importance::Variance).with_numbers(encoding).unwrap()
}

fn model(architecture: &Architecture, preprocessing: Preprocessing, seed: u64) -> TrainedModel {
    let network = architecture.build(seed).unwrap();
    let initialisation = Initialisation { scheme: Scheme::Glorot, gain: 4.0 };
    let mut parameters = initialisation.draw(&network, seed).unwrap();
    // Biases start at 0, which would hide a mix-up.
    for (index, layer) in parameters.layers.iter_mut().enumerate() {
        layer.biases.iter_mut().enumerate().for_each(|(k, bias)| *bias = (k + 10 * index) as f32 + 0.1);
    }
    TrainedModel::new(network, parameters, preprocessing, ArchitectureRecord::new(architecture, seed))
        .unwrap()
}

fn small() -> TrainedModel {
    let architecture = Architecture {
        inputs: 6,
        hidden: vec![8, 4],
        classes: 3,
        connectivity: Connectivity::SpatiallyCoupled {
            blocks: vec![2],
            receptive_fields: vec![2],
            degrees: vec![vec![2, 1]],
        },
        activation: Activation::Sigmoid,
        keep_probability: 0.9,
        reaches_all: false,
    };
    model(&architecture, rotation(6, Order::Descending), 1)
}

fn assert_same(read: &TrainedModel, written: &TrainedModel) {
    assert_eq!(read.parameters, written.parameters);
    assert_eq!(read.preprocessing, written.preprocessing);
    assert_eq!(read.record, written.record);
    assert_eq!(read.epochs_trained, written.epochs_trained);
    assert_eq!(read.held_out, written.held_out);
    assert_eq!(read.network.layers().len(), written.network.layers().len());
    for (read, written) in read.network.layers().iter().zip(written.network.layers()) {
        assert_eq!(read.topology, written.topology);
        assert_eq!(read.activation, written.activation);
        assert_eq!(read.keep_probability, written.keep_probability);
    }
}

fn architectures() -> impl Strategy<Value = Architecture> {
    let connectivity = prop_oneof![
        (1..=3usize, 1..=3usize, 1..=2usize).prop_map(|(blocks, field, degree)| {
            Connectivity::SpatiallyCoupled {
                blocks: vec![blocks],
                receptive_fields: vec![field.min(blocks)],
                degrees: vec![vec![degree]],
            }
        }),
        (1..=6usize).prop_map(|high| Connectivity::RandomSparse {
            degrees: vec![DegreeDistribution::Uniform(1, high)]
        }),
        Just(Connectivity::FullyConnected),
        Just(Connectivity::Narrow { budget: 100_000 }),
        (1..=3usize, 1..=6usize, 0.01f64..9.0).prop_map(|(blocks, degree, softness)| {
            Connectivity::SoftBand { blocks: vec![blocks], degrees: vec![vec![degree]], softness }
        }),
    ];
    let activation = prop::sample::select(Activation::ALL.to_vec());
    let hidden = prop::collection::vec(6..12usize, 0..4);
    (6..12usize, hidden, 2..5usize, connectivity, activation, 0.05f32..=1.0).prop_map(
        |(inputs, hidden, classes, connectivity, activation, keep_probability)| Architecture {
            inputs,
            hidden,
            classes,
            connectivity,
            activation,
            keep_probability,
            reaches_all: false,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_model_survives_the_file(architecture in architectures(), kind in 0..7, seed in any::<u64>()) {
        let preprocessing = match kind {
            0 => rotation(architecture.inputs, Order::Descending),
            1 => rotation(architecture.inputs, Order::Ascending),
            2 => permutation(architecture.inputs, Importance::RandomForest),
            3 => permutation(architecture.inputs, Importance::Random),
            4 => permutation(architecture.inputs, Importance::Variance),
            5 => numbers(architecture.inputs),
            _ => {
                let features = architecture.inputs;
                let transform = Transform::Identity { features };
                Preprocessing::from_parts(Importance::None, Order::Descending, None, transform).unwrap()
            }
        };
        let written = model(&architecture, preprocessing, seed);
        let bytes = written.to_bytes().unwrap();
        prop_assert_eq!(&bytes, &written.to_bytes().unwrap());
        let read = TrainedModel::decode(&bytes).unwrap();
        assert_same(&read, &written);
        prop_assert_eq!(&bytes, &read.to_bytes().unwrap());
    }

    #[test]
    fn a_changed_byte_never_panics(at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = small().to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let _ = TrainedModel::decode(&bytes);
    }
}

#[test]
fn the_papers_model_stores_its_edges_and_no_more() {
    let model = model(&Architecture::paper(784, 10), rotation(784, Order::Descending), 0);
    let bytes = model.to_bytes().unwrap();
    assert_same(&TrainedModel::decode(&bytes).unwrap(), &model);
    let sparse = 5 * (2 * 41_650 + 784 + 785 + 2 * 9);
    let dense = 7_840 + 10 + 2 * 2;
    let tensors = 4 * (sparse + dense + 784 * 784 + 784 + 784);
    assert!(bytes.len() > tensors && bytes.len() < tensors + 10_000, "{} for {tensors}", bytes.len());
}

#[test]
fn a_truncated_or_extended_model_is_refused() {
    let bytes = small().to_bytes().unwrap();
    for end in 0..bytes.len() {
        assert!(TrainedModel::decode(&bytes[..end]).is_err(), "{end} bytes of {}", bytes.len());
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(TrainedModel::decode(&longer).is_err());
}

/// Type, shape and bytes of each tensor.
type Parts = HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn tampered(change: impl FnOnce(&mut String, &mut Parts)) -> String {
    tampered_of(&small(), change)
}

/// Parses a model's file, lets `change` modify its header and tensors, and writes it again.
fn tampered_of(model: &TrainedModel, change: impl FnOnce(&mut String, &mut Parts)) -> String {
    TrainedModel::decode(&rewritten(model, change)).err().unwrap_or_else(|| "accepted".into())
}

/// The bytes of that file.
fn rewritten(model: &TrainedModel, change: impl FnOnce(&mut String, &mut Parts)) -> Vec<u8> {
    let bytes = model.to_bytes().unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut header = metadata.metadata().as_ref().unwrap()[METADATA_KEY].clone();
    let part = |(name, view): (String, TensorView<'_>)| {
        (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
    };
    let mut tensors: HashMap<_, _> = file.tensors().into_iter().map(part).collect();
    change(&mut header, &mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), header)]);
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn edited(from: &str, to: &str) -> String {
    tampered(|header, _| {
        assert!(header.contains(from), "{header}");
        *header = header.replacen(from, to, 1);
    })
}

#[test]
fn saving_and_loading_name_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut model = small();
    model.set_parameters(model.parameters().clone(), 7).unwrap();
    model.save(&path).unwrap();
    assert_same(&TrainedModel::load(&path).unwrap(), &model);
    std::fs::write(&path, b"nothing").unwrap();
    let message = TrainedModel::load(&path).unwrap_err().to_string();
    assert!(message.contains("model.safetensors: not a usable model file: "), "{message}");
    let missing = TrainedModel::load(folder.path().join("none")).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }));
}
