//! The same pictures are the same to a model, whatever file they come from.

use std::fs;
use std::path::Path;

use crate::support::tanner;

const SIDE: usize = 4;
const PIXELS: usize = SIDE * SIDE;
const PICTURES: usize = 60;
const NET: &str = "--arch fc --hidden 8 --activation relu --importance none --epochs 6 --lr 0.1 --batch-size 8 --backend cpu --threads 2";

/// Pictures of three classes: the brightest row is the class.
fn pictures() -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..PICTURES).map(|k| u8::try_from(k % 3).unwrap()).collect();
    let pixel = |(k, place): (usize, usize)| {
        let noise = u8::try_from((k * 37 + place * 101) % 90).unwrap();
        if place / SIDE == k % 3 { 255 - noise } else { noise }
    };
    ((0..PICTURES).flat_map(|k| (0..PIXELS).map(move |place| (k, place))).map(pixel).collect(), labels)
}

fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// The pictures in every format, in a folder.
fn write(folder: &Path) {
    let (pixels, labels) = pictures();
    let floats: Vec<f32> = pixels.iter().map(|pixel| f32::from(*pixel)).collect();
    let bytes_of = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
    put("bytes.npy", npy("|u1", &format!("{PICTURES}, {SIDE}, {SIDE}"), &pixels));
    put("flat.npy", npy("|u1", &format!("{PICTURES}, {PIXELS}"), &pixels));
    put("floats.npy", npy("<f4", &format!("{PICTURES}, {SIDE}, {SIDE}"), &bytes_of(&floats)));
    let unit: Vec<f32> = floats.iter().map(|value| value / 255.0).collect();
    put("unit.npy", npy("<f4", &format!("{PICTURES}, {SIDE}, {SIDE}"), &bytes_of(&unit)));
    put("y.npy", npy("|u1", &format!("{PICTURES},"), &labels));
    let text = |values: &[f32]| {
        let row = |row: &[f32]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n";
        values.chunks(PIXELS).map(row).collect::<String>().into_bytes()
    };
    put("bytes.csv", text(&floats));
    let rows = floats.chunks(PIXELS).zip(&labels);
    let row = |(row, label): (&[f32], &u8)| {
        row.iter().map(|value| format!("{value},")).collect::<String>() + &format!("{label}\n")
    };
    put("labelled.csv", rows.map(row).collect::<String>().into_bytes());
    put("unit.csv", text(&unit));
    let numbers = |numbers: &[usize]| {
        numbers.iter().flat_map(|n| u32::try_from(*n).unwrap().to_be_bytes()).collect::<Vec<u8>>()
    };
    let images = [vec![0, 0, 8, 3], numbers(&[PICTURES, SIDE, SIDE]), pixels].concat();
    let labels = [vec![0, 0, 8, 1], numbers(&[PICTURES]), labels].concat();
    fs::create_dir(folder.join("idx")).unwrap();
    for part in ["train", "t10k"] {
        put(&format!("idx/{part}-images-idx3-ubyte"), images.clone());
        put(&format!("idx/{part}-labels-idx1-ubyte"), labels.clone());
    }
}

fn run(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    assert!(!outcome.stderr.contains("is their unit another"), "{line}: {outcome:?}");
    outcome.stdout
}

#[test]
fn a_model_of_pictures_predicts_the_same_from_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder);
    let inputs = [
        "bytes.npy",
        "flat.npy",
        "floats.npy",
        "unit.npy",
        "bytes.csv",
        "unit.csv",
        "idx/t10k-images-idx3-ubyte",
    ];
    for (name, data) in [
        ("idx-run", "--data idx"),
        ("bytes-run", "--data bytes.npy --labels y.npy"),
        ("flat-run", "--data flat.npy --labels y.npy --picture 4x4"),
        ("floats-run", "--data floats.npy --labels y.npy"),
        ("unit-run", "--data unit.npy --labels y.npy"),
        ("csv-run", "--data labelled.csv --picture 4x4"),
    ] {
        run(folder, &format!("{data} {NET} --out {name}"));
        let expected = run(folder, &format!("predict --model {name} {}", inputs[0]));
        let right =
            expected.lines().skip(1).enumerate().filter(|(k, line)| line.starts_with(&format!("{},", k % 3)));
        assert!(right.count() > PICTURES * 9 / 10, "{name}: {expected}");
        for input in &inputs[1..] {
            assert_eq!(run(folder, &format!("predict --model {name} {input}")), expected, "{name}, {input}");
        }
    }
}

#[test]
fn a_model_of_pictures_is_scored_and_trained_further_on_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder);
    let files = ["--data idx", "--data bytes.npy --labels y.npy", "--data unit.npy --labels y.npy"];
    for (number, data) in files.iter().enumerate() {
        run(folder, &format!("{data} {NET} --out run{number}"));
        let predicted = run(folder, &format!("predict --model run{number} bytes.npy --label-only"));
        let right =
            predicted.lines().skip(1).enumerate().filter(|(k, line)| *line == (k % 3).to_string()).count();
        let expected = format!("{:.2}\t{right}\t{PICTURES}\t", 100.0 * right as f64 / PICTURES as f64);
        // Of its own file, a model of an array is scored on the rows that were held out.
        for other in
            files.iter().enumerate().filter(|(other, _)| *other == 0 || number == 0).map(|(_, other)| other)
        {
            let scores = run(folder, &format!("eval --model run{number} {other}"));
            assert!(scores.contains(&expected), "{data}, {other}: {expected} {scores}");
        }
        run(folder, &format!("train --from run{number} --data idx --epochs 1 --out more{number}"));
    }
    // Labels that the model does not know are refused, but predictions need none.
    fs::write(folder.join("z.npy"), npy("|u1", &format!("{PICTURES},"), &[5, 6, 7].repeat(PICTURES / 3)))
        .unwrap();
    run(folder, &format!("--data bytes.npy --labels z.npy {NET} --out other"));
    let outcome = tanner(folder, "eval --model other --data idx");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("label 0 is not a class"), "{outcome:?}");
}

#[test]
fn pixels_in_two_units_or_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder);
    run(folder, &format!("--data idx {NET} --out run"));
    let row = |value: &str| vec![value; PIXELS].join(",") + "\n";
    for (rows, part) in [
        (row("256.5"), "pixels up to 256.5, but the model takes pixels from 0 to 1 or from 0 to 255"),
        (row("0.5").repeat(9000) + &row("200"), "pixels up to 200 behind rows with pixels from 0 to 1"),
    ] {
        fs::write(folder.join("odd.csv"), rows).unwrap();
        let outcome = tanner(folder, "predict --model run odd.csv --out p.csv");
        assert!(outcome.code == Some(1) && outcome.stderr.contains(part), "{outcome:?}");
    }
}

#[test]
fn a_table_in_another_unit_gets_a_warning_with_both_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let table = |unit: f64| {
        let row = |k: usize| format!("{},{},{}\n", (150 + k % 40) as f64 * unit, k % 7, ["a", "b"][k % 2]);
        "height,visits,label\n".to_owned() + &(0..60).map(row).collect::<String>()
    };
    fs::write(folder.join("cm.csv"), table(1.0)).unwrap();
    fs::write(folder.join("mm.csv"), table(10.0)).unwrap();
    run(folder, &format!("--data cm.csv {NET} --out run"));
    run(folder, "predict --model run cm.csv --out same.csv");
    for line in ["predict --model run mm.csv --out p.csv", "eval --model run --data mm.csv"] {
        let outcome = tanner(folder, line);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let part = "is their unit another? \"height\" 1500 to 1890, in training 150 to 189";
        assert!(outcome.stderr.contains(part), "{line}: {outcome:?}");
    }
}
