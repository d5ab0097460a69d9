//! Numbers whose differences float32 cannot hold.

use tanner::dataset::table::{
    Columns, FitOptions, Format, Impute, LabelNeed, Limits, ReadOptions, Source, Table, Tables,
};
use tanner::dataset::{DataRecord, Dataset, learn};
use zip::CompressionMethod;

use crate::arrays::{npy, npz};
use crate::{NEW, csv, learned};

const FAR: f64 = FAR_WHOLE as f64;
const FAR_WHOLE: i64 = 1_700_000_000_123;

fn read(format: Format, bytes: Vec<u8>, columns: &Columns<'_>) -> Tables {
    Table::read(Source::from_bytes("t", bytes), format, columns, &ReadOptions::default()).unwrap()
}

fn learn_all(table: Table) -> (Dataset, DataRecord) {
    learn(table, FitOptions::default(), &Limits::default()).unwrap()
}

fn differences(features: &[f32]) -> Vec<f32> {
    features.iter().map(|feature| feature - features[0]).collect()
}

#[test]
fn differences_of_far_numbers_survive_in_every_format() {
    let near: [u16; 8] = [0, 1, 2, 5, 7, 3, 1, 900];
    let expected: Vec<f32> = near.iter().map(|value| f32::from(*value)).collect();
    let text: String =
        near.iter().enumerate().map(|(k, v)| format!("{},{}\n", FAR + f64::from(*v), k % 2)).collect();
    let (by_text, record) = learned(format!("time,label\n{text}"));
    assert_eq!(differences(by_text.features()), expected);
    let column = &record.encoding.as_ref().unwrap().columns[0];
    assert_eq!(column.range, Some([FAR, FAR + 900.0]));
    let offset = column.offset.unwrap();
    assert_eq!(offset, FAR + 450.0);

    let floats: Vec<u8> = near.iter().flat_map(|value| (FAR + f64::from(*value)).to_le_bytes()).collect();
    let whole: Vec<u8> =
        near.iter().flat_map(|value| (FAR_WHOLE + i64::from(*value)).to_le_bytes()).collect();
    let y = npy("|u1", "(8,)", &[0, 1, 0, 1, 0, 1, 0, 1]);
    for (kind, bytes) in [("<f8", floats), ("<i8", whole)] {
        let x = npy(kind, "(8, 1)", &bytes);
        // The arrays to test on are measured with the offset of training.
        let few = npy("<f8", "(2, 1)", &[FAR + 1.0, FAR - 20.0].map(f64::to_le_bytes).concat());
        let arrays = [
            ("x_train", x),
            ("y_train", y.clone()),
            ("x_test", few),
            ("y_test", npy("|u1", "(2,)", &[1, 0])),
        ];
        let Tables { table, test, .. } = read(Format::Npz, npz(&arrays, CompressionMethod::Stored), &NEW);
        let (data, record) = learn_all(table);
        assert_eq!(data.features(), by_text.features(), "{kind}");
        let test = record.samples(test.unwrap(), &Limits::default()).unwrap().samples;
        assert_eq!(test.features(), [data.features()[1], data.features()[0] - 20.0]);
    }
    // A later table has the offset of training, whatever its numbers; rows that are given one by one, too.
    let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
    let later = csv(format!("label,time\n1,{}\n0,5\n", FAR + 2.0), &columns).unwrap();
    let later = record.samples(later, &Limits::default()).unwrap().samples;
    assert_eq!(later.features(), [by_text.features()[2], (5.0 - offset).to_string().parse().unwrap()]);
}

#[test]
fn gaps_are_filled_among_the_differences() {
    let text = format!("time,label\n{},0\n{},1\n,0\n{},1\n", FAR, FAR + 10.0, FAR + 50.0);
    let options = FitOptions { impute: Some(Impute::Median), ..FitOptions::default() };
    let (data, _) = learn(csv(text, &NEW).unwrap(), options, &Limits::default()).unwrap();
    assert_eq!(differences(data.features()), [0.0, 10.0, 10.0, 50.0]);
}

/// Ordinary tables are read as ever, to the last bit, and their models say nothing of offsets.
#[test]
fn other_numbers_stay_as_they_are() {
    let values = ["0.1", "2019", "2020", "16777217", "1e-9", "-3.4e38"];
    let text: String = values.iter().enumerate().map(|(k, v)| format!("{v},2020,7.3,{}\n", k % 2)).collect();
    let (data, record) = learned(format!("a,year,constant,label\n{text}"));
    for (row, value) in values.iter().enumerate() {
        assert_eq!(data.sample(row), [value.parse().unwrap(), 2020.0, 7.3], "{value}");
    }
    assert!(record.encoding.unwrap().columns.iter().all(|column| column.offset.is_none()));
}
