//! Corrupted model files: each is refused in one line or is a valid model, and
//! none makes the reader allocate more than its bound.

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use tanner::importance::{
    Importance, NumberEncoding, NumberForm, Order, Preprocessing, Standardisation, Transform,
};
use tanner::model::{ArchitectureRecord, TrainedModel, format};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Layer, Network, Scheme};
use tanner::topology::{Partition, Topology};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Bytes that reading may allocate for each byte of a file, and for any file.
const PER_BYTE: usize = 64;
const FREE: usize = 1 << 20;

/// Memory is counted for the whole process, so tests here run one after another.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a file; returns the reason for a refusal, or `None` for a model.
fn refusal(bytes: &[u8]) -> Option<String> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let read = TrainedModel::from_bytes(bytes);
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= PER_BYTE * bytes.len() + FREE, "{peak} bytes allocated for a file of {}", bytes.len());
    match read {
        Ok(model) => {
            assert!(model.parameters().all_finite());
            model.parameters().check(model.network()).unwrap();
            let written = model.to_bytes().unwrap();
            let again = TrainedModel::from_bytes(&written).unwrap();
            assert_eq!(again.to_bytes().unwrap(), written);
            None
        }
        Err(error) => {
            let reason = error.to_string();
            assert!(reason.len() < 2_000 && !reason.contains(char::is_control), "{reason:?}");
            Some(reason)
        }
    }
}

fn model(inputs: usize, connectivity: Connectivity, preprocessing: Preprocessing) -> TrainedModel {
    let architecture = Architecture {
        inputs,
        hidden: vec![8, 4],
        classes: 3,
        connectivity,
        activation: Activation::Sigmoid,
        keep_probability: 0.9,
        reaches_all: false,
    };
    let network = architecture.build(1).unwrap();
    let parameters = Initialisation { scheme: Scheme::Glorot, gain: 4.0 }.draw(&network, 1).unwrap();
    TrainedModel::new(network, parameters, preprocessing, ArchitectureRecord::new(&architecture, 1)).unwrap()
}

fn coupled() -> Connectivity {
    Connectivity::SpatiallyCoupled { blocks: vec![2], receptive_fields: vec![2], degrees: vec![vec![2, 1]] }
}

fn raw(features: usize) -> Preprocessing {
    let transform = Transform::Identity { features };
    Preprocessing::from_parts(Importance::None, Order::Descending, None, transform).unwrap()
}

/// Two numbers as six features.
fn numbers() -> Preprocessing {
    let parts = [vec![0.5; 6], vec![2.0; 6], vec![-1.0; 6], vec![1.0; 6]];
    let encoding = NumberEncoding::from_parts(NumberForm::Piecewise, vec![0, 0, 0, 1, 1, 1], parts).unwrap();
    raw(6).with_numbers(encoding).unwrap()
}

/// Files of each kind: encoded, rotated, reordered, raw; sparse and fully connected.
fn files() -> Vec<Vec<u8>> {
    let rotation = Transform::Rotation {
        mean: vec![0.5; 6],
        rotation: (0..36u8).map(f32::from).collect(),
        explained_variance: vec![6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
    };
    let rotation = Preprocessing::from_parts(Importance::Pca, Order::Descending, None, rotation).unwrap();
    let permutation = Transform::Permutation { order: vec![3, 1, 2, 0, 5, 4], importance: vec![1.0; 6] };
    let standardisation = Standardisation::from_parts(vec![0.5; 6], vec![2.0; 6]).unwrap();
    let permutation = Preprocessing::from_parts(
        Importance::Variance,
        Order::Descending,
        Some(standardisation),
        permutation,
    )
    .unwrap();
    let models = [
        model(6, coupled(), rotation),
        model(6, coupled(), permutation),
        model(6, coupled(), raw(6)),
        model(6, Connectivity::FullyConnected, raw(6)),
        model(6, coupled(), numbers()),
    ];
    models.iter().map(|model| model.to_bytes().unwrap()).collect()
}

/// A file with another header, with the right length.
fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// The header of a file and what follows it.
fn apart(bytes: &[u8]) -> (String, &[u8]) {
    let length = usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap();
    (String::from_utf8(bytes[8..8 + length].to_vec()).unwrap(), &bytes[8 + length..])
}

/// The file with the first of `from` in its header replaced.
fn edited(bytes: &[u8], from: &str, to: &str) -> String {
    let (header, data) = apart(bytes);
    assert!(header.contains(from), "{header} has no {from}");
    refusal(&with_header(&header.replacen(from, to, 1), data)).unwrap_or_else(|| "accepted".into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn flipped_bits_are_refused_or_harmless(
        file in 0..4usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8), 1..4),
        in_header in any::<bool>(),
    ) {
        let _alone = alone();
        let mut bytes = files().swap_remove(file);
        let range = if in_header { apart(&bytes).0.len() + 8 } else { bytes.len() };
        flips.iter().for_each(|(at, bit)| bytes[at.index(range)] ^= 1u8 << bit);
        refusal(&bytes);
    }

    #[test]
    fn numbers_spliced_into_the_header_are_refused_or_harmless(
        file in 0..4usize,
        which in any::<prop::sample::Index>(),
        number in prop_oneof![
            any::<u64>(), 0..20u64, Just(u64::from(u32::MAX)), Just((1 << 30) - 1), Just(u64::MAX), Just(1 << 53)
        ],
    ) {
        let _alone = alone();
        let bytes = files().swap_remove(file);
        let (header, data) = apart(&bytes);
        let digit = |at: &usize| header.as_bytes()[*at].is_ascii_digit();
        let starts: Vec<usize> =
            (1..header.len()).filter(|at| digit(at) && !digit(&(at - 1))).collect();
        let start = starts[which.index(starts.len())];
        let end = (start..header.len()).find(|at| !digit(at)).unwrap();
        refusal(&with_header(&format!("{}{number}{}", &header[..start], &header[end..]), data));
    }

    #[test]
    fn spliced_indices_are_refused_or_harmless(
        file in 0..4usize,
        at in any::<prop::sample::Index>(),
        value in prop_oneof![any::<u32>(), 0..20u32, Just(u32::MAX), Just((1 << 30) - 1), Just(f32::NAN.to_bits())],
    ) {
        let _alone = alone();
        let mut bytes = files().swap_remove(file);
        let start = apart(&bytes).0.len() + 8;
        let at = start + 4 * at.index((bytes.len() - start) / 4);
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        refusal(&bytes);
    }
}

#[test]
fn truncated_and_extended_files_are_refused() {
    let _alone = alone();
    for bytes in files() {
        assert_eq!(refusal(&bytes), None);
        for end in 0..bytes.len() {
            assert!(refusal(&bytes[..end]).is_some(), "{end} of {}", bytes.len());
        }
        assert!(refusal(&[&bytes[..], &[0]].concat()).is_some());
    }
}

#[test]
fn invalid_containers_are_refused() {
    let _alone = alone();
    let bytes = &files()[0];
    let (header, data) = apart(bytes);
    let twice = header.replacen(
        '{',
        "{\"layers.0.biases\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},",
        1,
    );
    let metadata = header.replacen('{', "{\"__metadata__\":{},", 1);
    let ours = header.replacen("\"tanner\":", "\"tanner\":\"{}\",\"tanner\":", 1);
    for (file, part) in [
        (with_header(&twice, data), "tensor layers.0.biases appears twice"),
        (with_header(&metadata, data), "the metadata appear twice"),
        (with_header(&ours, data), "the metadata hold tanner twice"),
        (with_header(&header.replacen("\"dtype\":", "\"strides\":[1],\"dtype\":", 1), data), "unknown field"),
        (with_header(&header.replacen("F32", "F99", 1), data), "unknown variant"),
        (with_header(&header, &data[4..]), "the header says"),
        (with_header("[]", &[]), "invalid type"),
        (with_header(&"[".repeat(100_000), &[]), "not a safetensors file"),
        (with_header(&format!("{{\"a\":{}", "[".repeat(100_000)), &[]), "not a safetensors file"),
        (
            with_header(&format!("{{\"__metadata__\":{{\"a\":{}", "[".repeat(100_000)), &[]),
            "not a safetensors file",
        ),
        (u64::MAX.to_le_bytes().to_vec(), "its header would have 18446744073709551615 bytes"),
        ((format::MAX_HEADER as u64 + 1).to_le_bytes().to_vec(), "2 to 16777216 are possible"),
        (vec![0; 100], "would have 0 bytes"),
        ((format::MAX_HEADER as u64).to_le_bytes().to_vec(), "truncated"),
    ] {
        let reason = refusal(&file).expect(part);
        assert!(reason.contains(part), "{reason:?} does not say {part:?}");
    }
}

#[test]
fn offsets_with_gaps_and_overlaps_are_refused() {
    let _alone = alone();
    let bytes = &files()[0];
    let (header, _) = apart(bytes);
    let first = header.find("\"data_offsets\":[0,").unwrap();
    let end: String = header[first + 18..].chars().take_while(char::is_ascii_digit).collect();
    let right = format!("\"data_offsets\":[0,{end}]");
    let end: usize = end.parse().unwrap();
    for wrong in [[4, end], [0, end - 4], [0, end + 4], [end, 0], [0, 0], [usize::MAX, usize::MAX]] {
        let reason = edited(bytes, &right, &format!("\"data_offsets\":[{},{}]", wrong[0], wrong[1]));
        assert!(reason.contains("damaged") || reason.contains("the header says"), "{reason}");
    }
    let shape = edited(bytes, "\"shape\":[", "\"shape\":[18446744073709551615,2,");
    assert!(shape.contains("do not fill"), "{shape}");
}

#[test]
fn two_tensors_of_the_same_bytes_are_refused() {
    let _alone = alone();
    let bytes = &files()[0];
    let parsed: serde_json::Value = serde_json::from_str(&apart(bytes).0).unwrap();
    let offsets = |name: &str| format!("\"data_offsets\":{}", parsed[name]["data_offsets"]);
    let (one, other) = (offsets("layers.0.input_blocks"), offsets("layers.1.input_blocks"));
    for (from, to) in [(&one, &other), (&other, &one)] {
        let reason = edited(bytes, from, to);
        assert!(reason.contains("the ones before end at"), "{reason}");
    }
}

/// The file with one tensor of four values or fewer replaced, in place.
fn with_values(bytes: &[u8], name: &str, values: &[u32]) -> Option<String> {
    let (header, data) = apart(bytes);
    let header: serde_json::Value = serde_json::from_str(&header).unwrap();
    let start = usize::try_from(header[name]["data_offsets"][0].as_u64().unwrap()).unwrap();
    let mut data = data.to_vec();
    for (index, value) in values.iter().enumerate() {
        data[start + 4 * index..][..4].copy_from_slice(&value.to_le_bytes());
    }
    refusal(&with_header(&apart(bytes).0, &data))
}

#[test]
fn false_widths_are_refused_before_allocation() {
    let _alone = alone();
    let (sparse, full) = (&files()[2], &files()[3]);
    let wide = (1 << 30) - 1;
    for (reason, part) in [
        (with_values(sparse, "layers.0.input_blocks", &[0, 3, wide]), "too many for so few edges"),
        (with_values(sparse, "layers.1.input_blocks", &[0, 3, wide]), "the layer below has 8 outputs"),
        (with_values(sparse, "layers.0.output_blocks", &[0, 3, wide]), "expected [1073741823]"),
        (with_values(full, "layers.0.input_blocks", &[0, wide]), "do not connect"),
        (with_values(full, "layers.0.output_blocks", &[0, wide]), "expected [1073741823]"),
        (with_values(sparse, "layers.0.input_blocks", &[0, 3, u32::MAX]), "too wide"),
        (with_values(sparse, "layers.0.input_blocks", &[0, 3, 3]), "strictly increase, got 3 then 3"),
        (with_values(sparse, "layers.0.inputs", &[u32::MAX]), "4294967295"),
        (with_values(sparse, "layers.0.row_start", &[1]), "row starts"),
        (with_values(sparse, "layers.0.weights", &[f32::INFINITY.to_bits()]), "not a finite number"),
    ] {
        let reason = reason.expect(part);
        assert!(reason.contains(part), "{reason:?} does not say {part:?}");
    }
}

#[test]
fn headers_that_grow_in_memory_stay_within_the_bound() {
    let _alone = alone();
    let bytes = &files()[0];
    let many = |item: &str, count: usize| [item].repeat(count).join(",");
    for (from, to) in [
        ("\\\"hidden\\\":[8,4]", format!("\\\"hidden\\\":[{}]", many("1", 200_000))),
        ("\\\"degrees\\\":[[2,1]]", format!("\\\"degrees\\\":[{}]", many("[]", 200_000))),
        ("\\\"degrees\\\":[[2,1]]", format!("\\\"degrees\\\":[{}]", many("[1]", 200_000))),
        ("\\\"degrees\\\":[[2,1]]", format!("\\\"degree_distributions\\\":[{}]", many("\\\"\\\"", 200_000))),
        ("\"shape\":[", format!("\"shape\":[{},", many("1", 200_000))),
        (
            "{",
            (0..20_000).fold("{".to_owned(), |text, k| {
                text + &format!("\"{k}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}},")
            }),
        ),
    ] {
        edited(bytes, from, &to);
    }
    let epochs = edited(bytes, "\\\"epochs_trained\\\":0", "\\\"epochs_trained\\\":18446744073709551615");
    assert!(epochs.contains("epochs of training, the limit is"), "{epochs}");
}

/// Logits of this many inputs, of which three have an edge.
fn wide(inputs: usize) -> TrainedModel {
    let sides = (Partition::whole(inputs).unwrap(), Partition::whole(3).unwrap());
    let topology = Topology::from_rows(sides.0, sides.1, vec![0, 1, 2, 3], vec![0, 1, 2]).unwrap();
    let layer = Layer { topology: topology.into(), activation: Activation::Identity, keep_probability: 1.0 };
    let network = Network::new(vec![layer]).unwrap();
    let parameters = Initialisation { scheme: Scheme::Glorot, gain: 1.0 }.draw(&network, 1).unwrap();
    let connectivity = Connectivity::FullyConnected;
    let architecture = Architecture { hidden: vec![], connectivity, ..Architecture::paper(inputs, 3) };
    let record = ArchitectureRecord::new(&architecture, 1);
    TrainedModel::new(network, parameters, raw(inputs), record).unwrap()
}

#[test]
fn a_model_that_no_reader_would_take_is_not_written() {
    let _alone = alone();
    assert_eq!(refusal(&wide(1 << 16).to_bytes().unwrap()), None);
    let reason = wide((1 << 16) + 1).to_bytes().unwrap_err().to_string();
    assert!(reason.contains("65537 inputs with 3 edges are too sparse for a file"), "{reason}");
}
