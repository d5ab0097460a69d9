//! Tables of columns and arrays in memory.

use tanner::dataset::table::{
    Array, FitOptions, Impute, Limits, MemoryCells, MemoryColumn, ReadOptions, Table, TableEncoding,
};
use tanner::dataset::{DataRecord, EncodedSamples, KnownTargets, Targets, Task};

use super::{assert_says, learned};

fn column(name: &str, cells: MemoryCells) -> MemoryColumn {
    MemoryColumn { name: name.into(), cells }
}

fn texts(cells: &[&str]) -> MemoryCells {
    MemoryCells::Texts(cells.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect())
}

fn classes(labels: &[u32]) -> KnownTargets {
    let targets = Targets::Classes { labels: labels.to_vec(), count: 2 };
    KnownTargets { targets, names: vec!["no".into(), "yes".into()], weights: None }
}

fn of_columns(columns: &[MemoryColumn], known: Option<&TableEncoding>) -> tanner::Result<Table> {
    Table::of_columns(columns.to_vec(), known, &ReadOptions::default())
}

fn features_of(record: &DataRecord, table: Table) -> EncodedSamples<Vec<f32>> {
    record.features(table, record.encoding.as_ref().unwrap(), &Limits::default()).unwrap()
}

/// Four rows: a number, a colour, a boolean, a time that float32 does not hold, and a price with a unit.
fn columns() -> [MemoryColumn; 5] {
    [
        column("age", MemoryCells::Numbers(vec![3.25, 4.0, 5.5, 61.0])),
        column("colour", texts(&["red", "dark, blue", "red", "a \"b\""])),
        column("ready", texts(&["True", "False", "False", "True"])),
        column("time", MemoryCells::Numbers(vec![1.7e12, 1.7e12 + 1.0, 1.7e12 + 2.0, 1.7e12 + 3.0])),
        column("price", texts(&["5 kg", "6.5 kg", "7 kg", "8 kg"])),
    ]
}

#[test]
fn columns_become_the_features_of_the_same_file() {
    let (samples, record) = learned(
        "age,colour,ready,time,price,label\n3.25,red,True,1700000000000,5 kg,no\n4,\"dark, blue\",False,1700000000001,6.5 kg,yes\n\
         5.5,red,False,1700000000002,7 kg,no\n61,\"a \"\"b\"\"\",True,1700000000003,8 kg,yes\n",
    );
    let table = of_columns(&columns(), None).unwrap();
    let (own, of_memory) =
        DataRecord::learn_known(table, classes(&[0, 1, 0, 1]), FitOptions::default(), None).unwrap();
    assert_eq!(own.features(), samples.features());
    assert_eq!(own.labels(), samples.labels());
    let (file, memory) = (record.encoding.unwrap(), of_memory.encoding.clone().unwrap());
    assert_eq!(memory.columns, file.columns);
    assert_eq!((of_memory.class_names, of_memory.feature_names), (record.class_names, record.feature_names));
    assert!(memory.columns[3].offset.is_some() && memory.columns[4].unit.is_some());
}

#[test]
fn a_known_table_finds_its_columns_by_their_names() {
    let table = of_columns(&columns(), None).unwrap();
    let (samples, record) =
        DataRecord::learn_known(table, classes(&[0, 1, 0, 1]), FitOptions::default(), None).unwrap();
    let encoding = record.encoding.clone().unwrap();
    let mut others = columns().to_vec();
    others.reverse();
    others.push(column("further", texts(&["", "", "", ""])));
    let features = features_of(&record, of_columns(&others, Some(&encoding)).unwrap());
    assert_eq!(features.samples, samples.features());
    assert!(features.unseen.is_empty());

    others[3] = column("colour", texts(&["red", "green", "red", "red"]));
    let unseen = features_of(&record, of_columns(&others, Some(&encoding)).unwrap()).unseen;
    assert_eq!((unseen[0].column.as_str(), unseen[0].rows), ("colour", 1));

    others[4] = column("years", MemoryCells::Numbers(vec![1.0; 4]));
    let missing = of_columns(&others, Some(&encoding)).unwrap_err().to_string();
    assert_says(&missing, &["\"age\" is missing", "\"years\""]);
    others[4] = column("age", texts(&["3", "old", "5", "6"]));
    let wrong = of_columns(&others, Some(&encoding)).unwrap_err().to_string();
    assert_says(&wrong, &["row 1", "\"old\"", "age"]);
}

#[test]
fn numbers_of_a_column_of_texts_are_texts() {
    let both = |cells| [column("size", cells), column("x", MemoryCells::Numbers(vec![0.0, 1.0, 2.0]))];
    let table = of_columns(&both(texts(&["1", "2", "large"])), None).unwrap();
    let (_, record) =
        DataRecord::learn_known(table, classes(&[0, 1, 0]), FitOptions::default(), None).unwrap();
    let encoding = record.encoding.clone().unwrap();
    let numbers = both(MemoryCells::Numbers(vec![2.0, 1.0, 1.0]));
    let features = features_of(&record, of_columns(&numbers, Some(&encoding)).unwrap());
    assert_eq!(features.samples, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0]);
}

#[test]
fn declared_categories_are_no_numbers() {
    let codes = ["101", "", " 7 ", "101", " "];
    let cells = || codes.iter().map(|code| (!code.is_empty()).then(|| (*code).to_owned())).collect();
    let both =
        |cells| [column("code", cells), column("x", MemoryCells::Numbers(vec![0.0, 1.0, 2.0, 3.0, 4.0]))];
    let table = of_columns(&both(MemoryCells::Categories(cells())), None).unwrap();
    let fit = FitOptions { impute: Some(Impute::Zero), ..FitOptions::default() };
    let (samples, record) = DataRecord::learn_known(table, classes(&[0, 1, 0, 1, 0]), fit, None).unwrap();
    let expected = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 2.0, 0.0, 1.0, 3.0, 0.0, 0.0, 4.0];
    assert_eq!(samples.features(), expected);
    let encoding = record.encoding.clone().unwrap();
    assert_eq!(encoding.columns[0].categories, Some(vec!["7".into(), "101".into()]));
    // The same when it is known, however they are given.
    for cells in [MemoryCells::Categories(cells()), MemoryCells::Texts(cells())] {
        let features = features_of(&record, of_columns(&both(cells), Some(&encoding)).unwrap());
        assert_eq!(features.samples, expected);
        assert!(features.unseen.is_empty());
    }
    let others =
        MemoryCells::Categories(["5", "5", "5", "5", "7"].map(|code| Some(code.to_owned())).to_vec());
    let unseen = features_of(&record, of_columns(&both(others), Some(&encoding)).unwrap()).unseen;
    assert_eq!((unseen[0].column.as_str(), unseen[0].rows), ("code", 4));

    // Texts are numbers if they are written so, and categories are, too, where training had numbers.
    let table = of_columns(&both(MemoryCells::Texts(cells())), None).unwrap();
    let (samples, record) = DataRecord::learn_known(table, classes(&[0, 1, 0, 1, 0]), fit, None).unwrap();
    assert_eq!(samples.features()[..4], [101.0, 0.0, 0.0, 1.0]);
    let encoding = record.encoding.clone().unwrap();
    let features =
        features_of(&record, of_columns(&both(MemoryCells::Categories(cells())), Some(&encoding)).unwrap());
    assert_eq!(features.samples, samples.features());
}

#[test]
fn arrays_are_taken_as_they_are_and_float64_keeps_its_differences() {
    let far = [1.7e12, 1.0, 1.7e12 + 1.0, 2.0];
    let names = ["time".to_owned(), "x".to_owned()];
    let table = Table::of_array(Array::Float64(&far), 2, Some(&names), None).unwrap();
    let (samples, record) =
        DataRecord::learn_known(table, classes(&[0, 1]), FitOptions::default(), None).unwrap();
    assert_eq!(samples.features(), [-1.0, 1.0, 0.0, 2.0], "the middle, a whole number, is subtracted");
    let encoding = record.encoding.clone().unwrap();
    let single = Array::Float32(vec![1.7e12, 1.0]);
    let known = Table::of_array(single, 2, None, Some(&encoding)).unwrap();
    assert!(features_of(&record, known).samples[0].abs() < 131_072.0);

    let values = vec![0.5, 1.7e12, 3.0, 1.6e12];
    let table = Table::of_array(Array::Float32(values.clone()), 2, None, None).unwrap();
    let (samples, record) =
        DataRecord::learn_known(table, classes(&[0, 1]), FitOptions::default(), None).unwrap();
    assert_eq!(samples.features(), values);
    assert!(record.feature_names.is_empty());
    let bytes = Table::of_array(Array::Bytes(&[0, 255, 7, 9]), 2, None, None).unwrap();
    let (samples, _) = DataRecord::learn_known(bytes, classes(&[0, 1]), FitOptions::default(), None).unwrap();
    assert_eq!(samples.features(), [0.0, 255.0, 7.0, 9.0]);
}

#[test]
fn pictures_of_bytes_are_scaled() {
    let table = Table::of_array(Array::Bytes(&[0, 255, 51, 102]), 2, None, None).unwrap();
    let picture = Some("1x2".parse().unwrap());
    let (samples, record) =
        DataRecord::learn_known(table, classes(&[0, 1]), FitOptions::default(), picture).unwrap();
    assert_eq!(samples.features(), [0.0, 1.0, 0.2, 0.4]);
    assert_eq!((record.image_shape, record.pixel_scale), (Some([1, 2]), Some(255.0)));
}

#[test]
fn impossible_tables_are_refused_by_place() {
    let refused = |values: &[f64], width: usize| {
        Table::of_array(Array::Float64(values), width, None, None).unwrap_err().to_string()
    };
    assert_says(&refused(&[1.0, 2.0, 3.0, f64::INFINITY], 2), &["row 1", "column 1", "infinite"]);
    assert_says(&refused(&[1.0, -1e39, 3.0, 4.0], 2), &["row 0", "column 1", "too large for float32"]);
    assert_says(&refused(&[], 2), &["at least 1 row"]);
    assert_says(&refused(&[1.0, 2.0, 3.0], 2), &["3 values of 2 columns"]);
    let uneven =
        [column("a", MemoryCells::Numbers(vec![1.0])), column("b", MemoryCells::Numbers(vec![1.0, 2.0]))];
    assert_says(&of_columns(&uneven, None).unwrap_err().to_string(), &["\"b\" has 2 cells", "1"]);

    let missing = || Table::of_array(Array::Float64(&[1.0, f64::NAN, 3.0, 4.0]), 2, None, None).unwrap();
    let learn = |fit| DataRecord::learn_known(missing(), classes(&[0, 1]), fit, None);
    let message = learn(FitOptions::default()).unwrap_err().to_string();
    assert_says(&message, &["row 0", "column 1", "missing", "`impute`"]);
    let filled = learn(FitOptions { impute: Some(Impute::Mean), ..FitOptions::default() }).unwrap().0;
    assert_eq!(filled.features(), [1.0, 4.0, 3.0, 4.0]);
}

#[test]
fn numbers_to_predict_may_be_constant_and_weighted() {
    let table = Table::of_array(Array::Float32(vec![1.0, 2.0]), 1, None, None).unwrap();
    let targets = Targets::Numbers { task: Task::Regression, values: vec![4.0, 8.0], count: 1 };
    let known = KnownTargets { targets, names: vec!["y".into()], weights: Some(vec![3.0, 1.0]) };
    let (samples, record) = DataRecord::learn_known(table, known, FitOptions::default(), None).unwrap();
    assert_eq!((samples.target(1), samples.weights()), (&[8.0][..], Some(&[3.0, 1.0][..])));
    assert_eq!((record.targets[0].name.as_str(), record.targets[0].mean), ("y", 5.0));
}

#[test]
fn texts_that_would_be_no_line_or_a_header_of_a_file_are_read() {
    let fit = FitOptions { impute: Some(Impute::Zero), ..FitOptions::default() };
    for (name, cells, expected) in [
        ("c", ["", "a", "b"], [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]),
        ("c", ["b", "c", "b"], [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        ("", ["a", "b", "a"], [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        (" ", ["a", "", "b"], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
        ("row", ["a", "b", "a"], [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        ("two\nlines", ["a", "b", "a"], [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
    ] {
        let columns = [column(name, texts(&cells))];
        let table = of_columns(&columns, None).unwrap();
        let (samples, record) = DataRecord::learn_known(table, classes(&[0, 1, 0]), fit, None).unwrap();
        assert_eq!(samples.features(), expected, "{name:?} {cells:?}");
        let encoding = record.encoding.clone().unwrap();
        assert_eq!(encoding.columns[0].name, name);
        // Row by row, too.
        for (row, cell) in cells.iter().enumerate() {
            let one = [column(name, texts(&[cell]))];
            let features = features_of(&record, of_columns(&one, Some(&encoding)).unwrap()).samples;
            assert_eq!(features, expected[2 * row..2 * row + 2], "{name:?} {cell:?}");
        }
    }
    let all_missing = of_columns(&[column("c", texts(&["", "", ""]))], None).unwrap();
    let fit = FitOptions { impute: Some(Impute::Mean), ..fit };
    let refused = DataRecord::learn_known(all_missing, classes(&[0, 1, 0]), fit, None).unwrap_err();
    assert_says(&refused.to_string(), &["\"c\" has no value in any training row"]);
}
