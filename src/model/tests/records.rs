//! What a model keeps besides the numbers: how it was pruned, which samples it has not seen, its data.

use super::*;

/// A model without one hidden neuron; another one, without inputs, became a bias.
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
    // The widths of the architecture are still checked.
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

/// The small model with all records of its data: 6 raw features, 3 classes.
fn with_data() -> TrainedModel {
    use crate::dataset::table::{CellRules, ColumnEncoding, Impute, LabelPlace, TableEncoding, Unit};
    let column = |name: &str, position, categories: Option<[&str; 2]>| ColumnEncoding {
        name: name.into(),
        position,
        fill: categories.is_none().then_some(1.5),
        offset: categories.is_none().then_some(1e9),
        range: categories.is_none().then_some([1e9 - 2.0, 1e9 + 3.0]),
        categories: categories.map(|list| list.map(String::from).to_vec()),
        unit: categories.is_none().then(|| Unit { before: "$".into(), behind: String::new() }),
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
        more_labels: Vec::new(),
        weights: None,
        file_columns: 6,
        impute: Some(Impute::Mean),
        cells: Some(CellRules { decimal_comma: true, thousands: true, missing: Some(vec!["none".into()]) }),
    };
    let data = DataRecord {
        task: crate::dataset::Task::Classification,
        targets: Vec::new(),
        class_names: ["x", "y", "z"].map(String::from).to_vec(),
        feature_names: encoding.feature_names(),
        image_shape: Some([2, 3]),
        pixel_scale: Some(255.0),
        encoding: Some(encoding),
        test: Some(HeldOut { holdout: Holdout::Share(0.2), seed: 7, of: 100 }),
        table: Some("0123456789abcdef".into()),
    };
    let mut model = small();
    model.set_data(data).unwrap();
    model
}

#[test]
fn the_data_record_survives_the_file() {
    let written = with_data();
    let bytes = written.to_bytes().unwrap();
    let read = TrainedModel::from_bytes(&bytes).unwrap();
    assert_eq!(read.data(), written.data());
    assert_eq!(read.to_bytes().unwrap(), bytes);
    // Without a record, nothing is written.
    tampered(|header, _| assert!(!header.contains("\"data\""), "{header}"));
}

#[test]
fn data_that_do_not_fit_the_model_are_refused() {
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
        ("\"pixel_scale\":255.0", "\"pixel_scale\":-1.0", "a scale of pixels of -1"),
        ("\"ash\",\"oak\"]", "\"oak\",\"oak\"]", "twice the same"),
        ("\"ash\",\"oak\"]", "\"oak\"]", "an encoding of 5 features"),
        ("\"position\":3", "\"position\":2", "place 2 is used twice"),
        ("\"position\":3", "\"position\":6", "place 6 is used twice or beyond"),
        ("\"file_columns\":6", "\"file_columns\":99999999999", "columns of 99999999999"),
        ("\"fill\":1.5", "\"fill\":1e39", "number out of range"),
        ("[999999998.0,1000000003.0]", "[5.0,4.0]", "an impossible range"),
        ("\"impute\":\"mean\"", "\"impute\":\"mode\"", "is not one of"),
        ("\"of\":100", "\"of\":1", "holding out 0.2 of 1 samples is impossible"),
        ("\"named\":true", "\"named\":true,\"more\":1", "unknown field"),
    ] {
        let message = edited(from, to);
        assert!(message.contains(part), "{to}: {message:?} does not say {part:?}");
    }
}

#[test]
fn edges_move_as_they_were_drawn_by_the_importance_of_the_inputs() {
    let grid = "4x4".parse().unwrap();
    let preprocessing = permutation(16, Importance::RandomForest);
    let of_input = preprocessing.position_importance();
    let architecture = Architecture {
        inputs: 16,
        hidden: vec![16, 16],
        classes: 3,
        connectivity: Connectivity::Coupled2d {
            picture: grid,
            grids: vec![grid],
            fan_in: vec![4.0],
            reach: vec![1.0, 2.0],
            falloff: Falloff::Gauss,
            grain: Grain::Edges,
            importance: InputImportance { power: 2.0, of_input },
        },
        activation: Activation::Relu,
        keep_probability: 1.0,
        reaches_all: false,
    };
    let offered = |region: &Region| {
        let mut all = Vec::new();
        (0..16)
            .for_each(|output| region.free(output, [].into_iter(), |link, weight| all.push((link, weight))));
        all
    };
    let regions = model(&architecture, preprocessing, 1).regions();
    for (index, region) in regions[..2].iter().enumerate() {
        let layer = architecture.planar_layer(index).unwrap();
        assert_eq!(layer.importance.is_empty(), index > 0);
        assert_eq!(offered(region), offered(&Region::planar(&layer)));
    }
}
