//! Files and parts that are refused.

use super::*;

#[test]
fn headers_that_contradict_the_file_are_refused() {
    let newer = format!("\"version\":{}", VERSION + 1);
    for (message, part) in [
        (edited(&format!("\"version\":{VERSION}"), &newer), "use a newer one"),
        (edited("tanner-model", "tanner-modem"), "expected \"tanner-model\""),
        (edited("\"sigmoid\"", "\"sigmund\""), "is not one of"),
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
fn invalid_orders_and_standardisations_are_refused() {
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
    let (mean, divisor) = ("preprocessing.feature_mean", "preprocessing.feature_divisor");
    for (message, part) in [
        (with(order, &[5, 4, 3, 2, 1, 1]), "feature 1 appears twice"),
        (with(order, &[5, 4, 3, 2, 1, 6]), "feature 6 of 6 does not exist"),
        (with(order, &[5, 4, 3, 2, 1, u32::MAX]), "does not exist"),
        (with(order, &[1, 0]), "2 features with 6 importances"),
        (with(order, &[]), "0 features"),
        (with(importance, &floats(&[0.0; 5])), "shape [5], expected [6]"),
        (with(importance, &floats(&[6.0, 5.0, 4.0, 3.0, 1.0, 2.0])), "importance 1 at 4 before 2"),
        (with(importance, &floats(&[6.0, 5.0, 4.0, 3.0, 1.0, -1.0])), "importance -1 is invalid"),
        (with(importance, &floats(&[f32::NAN; 6])), "importance NaN is invalid"),
        (with(mean, &floats(&[f32::INFINITY; 6])), "not finite"),
        (with(mean, &floats(&[0.0; 7])), "shape [7], expected [6]"),
        (with(divisor, &floats(&[1.0, 1.0, -0.5, 1.0, 1.0, 1.0])), "feature 2 has the divisor -0.5"),
        (with(divisor, &floats(&[1.0, 0.0, 1.0, 1.0, 1.0, 1.0])), "feature 1 has the divisor 0"),
        (with(divisor, &floats(&[f32::NAN; 6])), "not finite"),
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
fn invalid_encodings_of_numbers_are_refused() {
    let (network, numbers) = (small().network().clone(), numbers(6));
    let (parameters, record) = (small().parameters().clone(), small().record().clone());
    let model = TrainedModel::new(network, parameters, numbers, record).unwrap();
    let with = |tensor: &str, values: &[u8]| {
        let name = format!("preprocessing.number_{tensor}");
        tampered_of(&model, |_, parts| {
            let (_, shape, bytes) = parts.get_mut(&name).unwrap();
            (*shape, *bytes) = (vec![values.len() / 4], values.to_vec());
        })
    };
    let edited = |from: &str, to: &str| {
        tampered_of(&model, |header, _| {
            assert!(header.contains(from), "{header}");
            *header = header.replacen(from, to, 1);
        })
    };
    let indices = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    for (message, part) in [
        (with("source", &indices(&[0, 0, 1, 1, 3, 3])), "feature 3 follows feature 1"),
        (with("source", &indices(&[1, 1, 1, 1, 2, 2])), "no input for the first feature"),
        (with("source", &indices(&[0, 0, 1, 1, 1, 1])), "numbers of 2 features, the header says 3"),
        (with("source", &indices(&[0, 1, 2])), "shape [6], expected [3]"),
        (with("width", &floats(&[0.0; 6])), "width 0 is invalid"),
        (with("offset", &floats(&[f32::NAN; 6])), "not finite"),
        (with("low", &floats(&[9.0; 6])), "lower bound 9 is above"),
        (edited("\"numbers\":\"piecewise\",", ""), "shape [6], expected [3]"),
        (edited("\"numbers\":\"piecewise\"", "\"numbers\":\"pieces\""), "pieces"),
    ] {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    assert_eq!(edited("\"piecewise\"", "\"scaled\""), "accepted");
}

#[test]
fn files_of_version_1_are_read() {
    let message = tampered(|header, _| {
        *header = header.replacen(&format!("\"version\":{VERSION}"), "\"version\":1", 1);
        *header = header.replacen("\"standardized\":false,", "", 1);
        assert!(header.contains("\"version\":1") && !header.contains("standardized"), "{header}");
    });
    assert_eq!(message, "accepted");
}

/// They hold deviations, to which 0.001 is added; written again, they keep those divisors.
#[test]
fn files_of_version_3_keep_their_divisors() {
    let bytes = rewritten(&small_forest(), |header, tensors| {
        *header = header.replacen("\"version\":4", "\"version\":3", 1);
        let divisor = tensors.remove("preprocessing.feature_divisor").unwrap();
        tensors.insert("preprocessing.feature_deviation".into(), divisor);
    });
    let divisors = |model: &TrainedModel| model.preprocessing.standardisation().unwrap().divisor().to_vec();
    let old = TrainedModel::decode(&bytes).unwrap();
    let expected: Vec<f32> = divisors(&small_forest()).iter().map(|deviation| deviation + 1e-3).collect();
    assert_eq!(divisors(&old), expected);
    assert_same(&TrainedModel::decode(&old.to_bytes().unwrap()).unwrap(), &old);
    let negative = rewritten(&old, |header, tensors| {
        *header = header.replacen("\"version\":4", "\"version\":3", 1);
        let (kind, shape, _) = tensors.remove("preprocessing.feature_divisor").unwrap();
        let bytes = [-1.0f32; 6].iter().flat_map(|value| value.to_le_bytes()).collect();
        tensors.insert("preprocessing.feature_deviation".into(), (kind, shape, bytes));
    });
    let message = TrainedModel::decode(&negative).unwrap_err();
    assert!(message.contains("feature 0 has the negative deviation -1"), "{message}");
}

#[test]
fn files_of_another_kind_are_distinguished() {
    let of = |bytes: &[u8]| TrainedModel::decode(bytes).unwrap_err();
    assert!(of(b"").contains("truncated"), "{}", of(b""));
    assert!(of(b"{\"json\": \"but no model\"}").contains("not a safetensors file"));
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
