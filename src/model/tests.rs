use std::collections::HashMap;

use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::format::{METADATA_KEY, VERSION};
use super::*;
use crate::dataset::Holdout;
use crate::importance::{Importance, Order, Standardisation, Transform};
use crate::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};
use crate::topology::DegreeDistribution;

/// A preprocessing that is no real rotation, but has its form.
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
    let deviation = (0..features).map(|k| value(k).abs()).collect();
    let transform = Transform::Permutation {
        order: (0..u32::try_from(features).unwrap()).rev().collect(),
        importance: (0..features).map(|k| 1.0 / (k + 1) as f32).collect(),
    };
    let standardisation = Standardisation::from_parts(mean, deviation).unwrap();
    Preprocessing::from_parts(importance, Order::Descending, Some(standardisation), transform).unwrap()
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
    fn any_model_survives_the_file(architecture in architectures(), kind in 0..6, seed in any::<u64>()) {
        let preprocessing = match kind {
            0 => rotation(architecture.inputs, Order::Descending),
            1 => rotation(architecture.inputs, Order::Ascending),
            2 => permutation(architecture.inputs, Importance::RandomForest),
            3 => permutation(architecture.inputs, Importance::Random),
            4 => permutation(architecture.inputs, Importance::Variance),
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
fn a_model_cut_off_anywhere_or_followed_by_more_is_refused() {
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

/// Takes a model's file apart, lets `change` have its header and tensors, and puts it together again.
fn tampered_of(model: &TrainedModel, change: impl FnOnce(&mut String, &mut Parts)) -> String {
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
    let bytes = safetensors::serialize(views, Some(metadata)).unwrap();
    TrainedModel::decode(&bytes).err().unwrap_or_else(|| "accepted".into())
}

fn edited(from: &str, to: &str) -> String {
    tampered(|header, _| {
        assert!(header.contains(from), "{header}");
        *header = header.replacen(from, to, 1);
    })
}

#[test]
fn headers_that_say_something_else_are_refused() {
    let newer = format!("\"version\":{}", VERSION + 1);
    for (message, part) in [
        (edited(&format!("\"version\":{VERSION}"), &newer), "use a newer one"),
        (edited("tanner-model", "tanner-modem"), "expected \"tanner-model\""),
        (edited("\"sigmoid\"", "\"sigmund\""), "is none of"),
        (edited("\"features\":6", "\"features\":7"), "expected [7]"),
        (edited("\"importance\":\"pca\"", "\"importance\":\"none\""), "tensors, expected"),
        (edited("\"order\":\"desc\"", "\"order\":\"asc\""), "not in order"),
        (edited("\"fully_connected\":false", "\"fully_connected\":true"), "do not connect"),
        (edited("\"keep_probability\":0.9,\"f", "\"keep_probability\":1.5,\"f"), "keep probability of 1.5"),
    ] {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let with = |name: &'static str, values: Vec<u32>| {
        tampered(move |_, tensors| {
            let entry = tensors.get_mut(name).unwrap();
            entry.1 = vec![values.len()];
            entry.2 = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        })
    };
    let floats = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    for (message, part) in [
        (tampered(|_, tensors| drop(tensors.remove("layers.1.biases"))), "layers.1.biases is missing"),
        (with("layers.0.biases", floats(&[0.0; 3])), "shape [3], expected [8]"),
        (with("layers.2.biases", floats(&[0.0, f32::NAN, 0.0])), "not a finite number"),
        (with("layers.0.weights", floats(&[0.0; 5])), "do not fit"),
        (with("layers.0.input_blocks", vec![0, 6, 3]), "strictly increase"),
        (with("layers.0.input_blocks", vec![0, 5]), "reads input 5"),
        (with("layers.0.input_blocks", vec![]), "block bounds"),
        (with("layers.0.input_blocks", vec![0, u32::MAX]), "too wide"),
        (with("layers.0.row_start", vec![0, 1]), "row starts"),
        (with("layers.2.output_blocks", vec![0, 1 << 29]), "expected [536870912]"),
    ] {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    let wrong_type = tampered(|_, tensors| tensors.get_mut("layers.0.weights").unwrap().0 = Dtype::I32);
    assert!(wrong_type.contains("holds I32, expected F32"), "{wrong_type}");
}

/// The small model, its features ordered backwards by a forest.
fn small_forest() -> TrainedModel {
    let small = small();
    let preprocessing = permutation(6, Importance::RandomForest);
    TrainedModel::new(small.network, small.parameters, preprocessing, small.record).unwrap()
}

#[test]
fn orders_and_standardisations_that_are_none_are_refused() {
    let with = |name: &'static str, values: &[u32]| {
        let (count, bytes) = (values.len(), values.iter().flat_map(|v| v.to_le_bytes()).collect());
        tampered_of(&small_forest(), move |_, tensors| {
            let entry = tensors.get_mut(name).unwrap();
            (entry.1, entry.2) = (vec![count], bytes);
        })
    };
    let floats = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let edited = |from: &str, to: &str| {
        tampered_of(&small_forest(), |header, _| {
            assert!(header.contains(from), "{header}");
            *header = header.replacen(from, to, 1);
        })
    };
    let (order, importance) = ("preprocessing.order", "preprocessing.importance");
    let (mean, deviation) = ("preprocessing.feature_mean", "preprocessing.feature_deviation");
    for (message, part) in [
        (with(order, &[5, 4, 3, 2, 1, 1]), "feature 1 comes twice"),
        (with(order, &[5, 4, 3, 2, 1, 6]), "feature 6 of 6 does not exist"),
        (with(order, &[5, 4, 3, 2, 1, u32::MAX]), "does not exist"),
        (with(order, &[1, 0]), "2 features with 6 importances"),
        (with(order, &[]), "0 features"),
        (with(importance, &floats(&[0.0; 5])), "shape [5], expected [6]"),
        (with(importance, &floats(&[6.0, 5.0, 4.0, 3.0, 1.0, 2.0])), "importance 1 at 4 before 2"),
        (with(importance, &floats(&[6.0, 5.0, 4.0, 3.0, 1.0, -1.0])), "importance -1 is impossible"),
        (with(importance, &floats(&[f32::NAN; 6])), "importance NaN is impossible"),
        (with(mean, &floats(&[f32::INFINITY; 6])), "not finite"),
        (with(mean, &floats(&[0.0; 7])), "shape [7], expected [6]"),
        (with(deviation, &floats(&[1.0, 1.0, -0.5, 1.0, 1.0, 1.0])), "feature 2 has the negative deviation"),
        (edited("\"standardized\":true", "\"standardized\":false"), "tensors, expected"),
        (edited("\"importance\":\"rf\"", "\"importance\":\"none\""), "tensors, expected"),
        (edited("\"importance\":\"rf\"", "\"importance\":\"pca\""), "preprocessing.mean is missing"),
        (edited("\"order\":\"desc\"", "\"order\":\"asc\""), "not in order"),
    ] {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    assert_eq!(edited("\"importance\":\"rf\"", "\"importance\":\"variance\""), "accepted");
}

#[test]
fn files_of_version_1_are_read() {
    let message = tampered(|header, _| {
        *header = header.replacen("\"version\":3", "\"version\":1", 1);
        *header = header.replacen("\"standardized\":false,", "", 1);
        assert!(header.contains("\"version\":1") && !header.contains("standardized"), "{header}");
    });
    assert_eq!(message, "accepted");
}

#[test]
fn files_of_another_kind_are_told_apart() {
    let of = |bytes: &[u8]| TrainedModel::decode(bytes).unwrap_err();
    assert!(of(b"").contains("truncated"), "{}", of(b""));
    assert!(of(b"{\"json\": \"but no model\"}").contains("no safetensors file"));
    let data = [0u8; 8];
    let view = TensorView::new(Dtype::F32, vec![2], &data).unwrap();
    let other = safetensors::serialize([("weight", view)], None).unwrap();
    assert!(of(&other).contains("not one that tanner wrote"), "{}", of(&other));
}

#[test]
fn parts_that_do_not_fit_make_no_model() {
    let mut model = small();
    let mut parameters = model.parameters().clone();
    parameters.layers[0].weights[0] = f32::INFINITY;
    assert!(model.set_parameters(parameters.clone(), 1).is_err());
    assert_ne!(model.parameters(), &parameters);
    parameters.layers[0].weights.pop();
    assert!(model.set_parameters(parameters, 1).is_err());
    let contradict = |change: fn(&mut ArchitectureRecord)| {
        let mut record = model.record.clone();
        change(&mut record);
        let parts = (model.network.clone(), model.parameters.clone(), model.preprocessing.clone());
        TrainedModel::new(parts.0, parts.1, parts.2, record).unwrap_err().to_string()
    };
    assert!(contradict(|record| record.hidden[0] += 1).contains("the architecture says"));
    assert!(contradict(|record| record.classes += 1).contains("the architecture says"));
    assert!(contradict(|record| record.keep_probability = 0.25).contains("keep probability"));
    let (network, record) = (model.network.clone(), model.record.clone());
    let other = rotation(5, Order::Descending);
    assert!(TrainedModel::new(network, model.parameters.clone(), other, record).is_err());
}

/// A model of which one hidden neuron was cut off; another one, which no edge enters, became a bias.
fn pruned() -> TrainedModel {
    let model = small();
    let mut keep: Vec<Vec<bool>> =
        model.network.layers().iter().map(|layer| vec![true; layer.topology.edges()]).collect();
    model.network.layers()[2].topology.column(3).for_each(|(_, edge)| keep[2][edge] = false);
    let left = crate::experiments::prune::compact(&model.network, &model.parameters, keep).unwrap();
    model.pruned(left.network, left.parameters, PruneMethod::Blocks).unwrap()
}

#[test]
fn a_pruned_model_says_so_and_survives_the_file() {
    let model = pruned();
    let bytes = model.to_bytes().unwrap();
    assert_same(&TrainedModel::decode(&bytes).unwrap(), &model);
    let record = model.record.pruned.as_ref().unwrap();
    assert_eq!((record.hidden_before.as_slice(), model.record.hidden[1]), (&[8, 4][..], 2));
    assert!(bytes.len() < small().to_bytes().unwrap().len());
}

#[test]
fn records_of_pruning_that_cannot_be_true_are_refused() {
    let model = pruned();
    let refused = |change: fn(&mut PrunedRecord)| {
        let mut record = model.record.clone();
        change(record.pruned.as_mut().unwrap());
        let parts = (model.network.clone(), model.parameters.clone(), model.preprocessing.clone());
        TrainedModel::new(parts.0, parts.1, parts.2, record)
            .err()
            .map_or("accepted".into(), |e| e.to_string())
    };
    assert_eq!(refused(|_| {}), "accepted");
    for (message, part) in [
        (refused(|record| record.methods.clear()), "no method is named"),
        (refused(|record| record.hidden_before.truncate(1)), "do not fit a network of 3 layers"),
        (refused(|record| record.edges_before.push(1)), "do not fit a network of 3 layers"),
        (refused(|record| record.hidden_before[1] = 1), "hidden layer 2 has 2 neurons, 1 before"),
        (refused(|record| record.edges_before[2] = 1), "layer 3 has 6 edges, 1 before"),
        (refused(|record| record.edges_before[0] = 49), "layer 1 has"),
        (refused(|record| record.hidden_before = vec![usize::MAX; 2]), "the limit is 1073741823"),
    ] {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    let (network, parameters) = (model.network.clone(), model.parameters.clone());
    let nothing = small().pruned(small().network, small().parameters, PruneMethod::Magnitude).unwrap_err();
    assert!(nothing.to_string().contains("none was removed"), "{nothing}");
    // The widths of the architecture are checked as ever.
    let unsaid = TrainedModel::new(network, parameters, model.preprocessing.clone(), small().record);
    assert!(unsaid.unwrap_err().to_string().contains("the architecture says"));
}

#[test]
fn the_samples_held_out_travel_with_the_model() {
    let mut model = small();
    let split = HeldOut { holdout: Holdout::Share(0.25), seed: 7, of: 100 };
    model.set_held_out(Some(split)).unwrap();
    let bytes = model.to_bytes().unwrap();
    assert_same(&TrainedModel::decode(&bytes).unwrap(), &model);
    assert!(model.set_held_out(Some(HeldOut { of: 1, ..split })).is_err());
    let impossible = tampered(|header, _| {
        let split = r#""held_out":{"holdout":"100","seed":7,"of":100},"importance""#;
        *header = header.replacen("\"importance\"", split, 1);
    });
    assert!(impossible.contains("holding out 100 of 100"), "{impossible}");
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

/// The small model with all that can be known of its data: 6 raw features, 3 classes.
fn with_data() -> TrainedModel {
    use crate::dataset::table::{ColumnEncoding, Impute, LabelPlace, TableEncoding};
    let column = |name: &str, position, categories: Option<[&str; 2]>| ColumnEncoding {
        name: name.into(),
        position,
        fill: categories.is_none().then_some(1.5),
        categories: categories.map(|list| list.map(String::from).to_vec()),
    };
    let encoding = TableEncoding {
        named: true,
        columns: vec![
            column("size", 0, None),
            column("kind", 3, Some(["a", "b"])),
            column("width", 2, None),
            column("wood", 4, Some(["ash", "oak"])),
        ],
        label: Some(LabelPlace { name: "class".into(), position: Some(1) }),
        file_columns: 6,
        impute: Some(Impute::Mean),
    };
    let data = DataRecord {
        class_names: ["x", "y", "z"].map(String::from).to_vec(),
        feature_names: encoding.feature_names(),
        image_shape: Some([2, 3]),
        encoding: Some(encoding),
        test: Some(HeldOut { holdout: Holdout::Share(0.2), seed: 7, of: 100 }),
        table: Some("0123456789abcdef".into()),
    };
    let mut model = small();
    model.set_data(data).unwrap();
    model
}

#[test]
fn what_is_known_of_the_data_survives_the_file() {
    let written = with_data();
    let bytes = written.to_bytes().unwrap();
    let read = TrainedModel::from_bytes(&bytes).unwrap();
    assert_eq!(read.data(), written.data());
    assert_eq!(read.to_bytes().unwrap(), bytes);
    // Where nothing is known nothing is written.
    tampered(|header, _| assert!(!header.contains("\"data\""), "{header}"));
}

#[test]
fn data_that_are_not_the_models_are_refused() {
    let edited = |from: &str, to: &str| {
        tampered_of(&with_data(), |header, _| {
            assert!(header.contains(from), "{header}");
            *header = header.replacen(from, to, 1);
        })
    };
    for (from, to, part) in [
        ("[\"x\",\"y\",\"z\"]", "[\"x\",\"y\"]", "data: data set: 2 different names for 3 classes"),
        ("[\"x\",\"y\",\"z\"]", "[\"x\",\"y\",\"x\"]", "2 different names for 3 classes"),
        ("\"kind=a\",", "", "5 names for 6 features"),
        ("\"kind=a\"", "\"kind=c\"", "not those of the encoding"),
        ("[2,3]", "[2,4]", "pictures of 2 x 4 pixels"),
        ("[2,3]", "[18446744073709551615,3]", "pictures of"),
        ("\"ash\",\"oak\"]", "\"oak\",\"oak\"]", "twice the same"),
        ("\"ash\",\"oak\"]", "\"oak\"]", "an encoding of 5 features"),
        ("\"position\":3", "\"position\":2", "place 2 is taken twice"),
        ("\"position\":3", "\"position\":6", "place 6 is taken twice or beyond"),
        ("\"file_columns\":6", "\"file_columns\":99999999999", "columns of 99999999999"),
        ("\"fill\":1.5", "\"fill\":1e39", "number out of range"),
        ("\"impute\":\"mean\"", "\"impute\":\"mode\"", "is none of"),
        ("\"of\":100", "\"of\":1", "holding out 0.2 of 1 samples is impossible"),
        ("\"named\":true", "\"named\":true,\"more\":1", "unknown field"),
    ] {
        let message = edited(from, to);
        assert!(message.contains(part), "{to}: {message:?} does not say {part:?}");
    }
}
