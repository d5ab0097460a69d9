//! What is said of the data before training, of the result after it, and what is warned about.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, tanner};

/// Flags of a small network that learns little, on the CPU.
const NET: &str = "--arch fc --hidden 4 --activation relu --standardize --importance none --epochs 1 --backend cpu --threads 2";

const KINDS: [&str; 3] = ["ash", "elm", "oak"];

/// A table with this header and row, by the number of the row.
fn write(folder: &Path, header: &str, rows: usize, row: impl Fn(usize) -> String) {
    let mut text = format!("{header}\n");
    (0..rows).for_each(|number| writeln!(text, "{}", row(number)).unwrap());
    fs::write(folder.join("t.csv"), text).unwrap();
}

/// A number without order.
fn noise(row: usize) -> usize {
    row * 37 % 101
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

fn trained(folder: &Path, flags: &str) -> String {
    let _ = fs::remove_dir_all(folder.join("run"));
    run(folder, &format!("t.csv {NET} {flags} --out run")).stderr
}

fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("warning: ")).collect()
}

#[test]
fn one_block_says_what_is_learned_from_what() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row = |row: usize| {
        let colour = ["red", "blue"][noise(row) % 2];
        format!("{row},{}.5,{colour},{},x", noise(row), KINDS[[0, 0, 1, 2][noise(row) % 4]])
    };
    write(folder, ",size,colour,kind,extra", 200, row);
    let said = trained(folder, "--label kind --drop extra --test 0.25");
    for line in [
        "table: 200 rows (150 training, 50 test), header",
        "features: 1 number, 1 text of 2 categories -> 3 inputs",
        "label: \"kind\", named; 3 classes: \"ash\" 101 (50.5 %), \"elm\" 50 (25.0 %), \"oak\" 49 (24.5 %)",
        "ignored: \"column 0\" (it has no name and numbers the rows), \"extra\" (dropped)",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert!(warnings(&said).iter().all(|line| line.contains("learned: always")), "{said}");
    let config: Value = serde_json::from_slice(&fs::read(folder.join("run/config.json")).unwrap()).unwrap();
    let facts = &config["data_facts"];
    assert_eq!((&facts["train_rows"], &facts["scored_rows"]), (&150.into(), &50.into()));
    assert_eq!((&facts["texts"], &facts["inputs"]), (&1.into(), &3.into()));
    assert_eq!((&facts["label"], &facts["label_chosen"]), (&"kind".into(), &"named".into()));
    assert_eq!(facts["classes"][0]["name"], "ash");
    assert_eq!(facts["ignored"][0]["column"], "column 0");
    // The same file without the index: its network has the same inputs.
    assert_eq!(run(folder, "eval --model run --data t.csv --backend cpu").code, Some(0));
    write(folder, "size,colour,y", 60, |row| format!("{},{},{}", noise(row), KINDS[noise(row) % 3], row % 2));
    let said = trained(folder, "");
    assert!(
        said.contains(
            "label: \"y\", chosen by its name (--label names another); 2 classes: 0 30 (50.0 %), 1 30"
        ),
        "{said}"
    );
    write(folder, "kind,size,n", 60, |row| format!("{},{},{}", KINDS[noise(row) % 3], noise(row), row % 4));
    let said = trained(folder, "--quiet");
    assert!(
        said.contains("the label was guessed: the last column, \"n\"; ")
            && said.contains("here \"kind\": if it does, give --label kind\n"),
        "{said}"
    );
    assert!(!trained(folder, "--quiet --label n").contains("guessed"));
    write(folder, "size,kind", 60, |row| format!("{},{}", noise(row), row % 7));
    let said = trained(folder, "");
    assert!(
        said.contains(
            "label: \"kind\", guessed as the last column (--label names another); 7 classes: 0 9 (15.0 %)"
        ),
        "{said}"
    );
    assert!(said.contains("(15.0 %) and 2 more\n") || said.contains("(13.3 %) and 2 more\n"), "{said}");
}

#[test]
fn columns_that_number_or_name_the_rows_are_named_with_the_command_that_drops_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row = |row: usize| {
        format!(
            "{},{},{},u{row},{}",
            row + 1000,
            noise(row) * 7919 % 100_003,
            noise(row),
            KINDS[noise(row * row) % 3]
        )
    };
    write(folder, "Row Number,CustomerId,size,code,kind", 60, row);
    let said = trained(folder, "--quiet");
    let expected = "columns \"Row Number\", \"CustomerId\", \"code\" differ from row to row";
    assert!(
        said.contains(expected) && said.contains("leave it out with --drop 'Row Number,CustomerId,code'\n"),
        "{said}"
    );
    let said = trained(folder, "--quiet --drop code");
    assert!(said.contains("leave it out with --drop 'code,Row Number,CustomerId'\n"), "{said}");
    // A column of distinct measurements, one that rises in part of a sorted table, and few rows are no identifiers.
    let row = |row: usize| format!("{},{}.25,{},{}", row / 3, row, row * row, KINDS[noise(row) % 3]);
    write(folder, "age,size,area,kind", 60, row);
    let said = trained(folder, "--quiet");
    assert!(!said.contains("differ"), "{said}");
    write(folder, "id,size,kind", 10, |row| format!("{row},{},{}", noise(row), KINDS[row % 2]));
    assert!(!trained(folder, "--quiet --test 4").contains("differ"));
}

#[test]
fn an_index_without_a_name_is_left_out_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (header, index) in [("size,kind,", 2), ("size,kind,Unnamed: 2", 2)] {
        write(folder, header, 90, |row| format!("{},{},{}", noise(row), KINDS[noise(row) % 3], row));
        let said = trained(folder, "");
        assert!(said.contains("features: 1 number -> 1 input\n"), "{said}");
        assert!(said.contains("label: \"kind\", guessed as the last column"), "{said}");
        let name = header
            .rsplit(',')
            .next()
            .filter(|name| !name.is_empty())
            .map_or(format!("column {index}"), str::to_owned);
        assert!(
            said.contains(&format!("ignored: {name:?} (it has no name and numbers the rows)\n")),
            "{said}"
        );
    }
    // Mixed rows, and an empty column behind the label.
    write(folder, ",size,kind,", 90, |row| {
        format!("{},{},{},", row * 37 % 97, noise(row), KINDS[noise(row) % 3])
    });
    let said = trained(folder, "--label kind");
    assert!(said.contains("ignored: \"column 0\" (it has no name and numbers the rows), \"column 3\" (it has no name and is empty)"), "{said}");
    // What has a name is kept, and so is what has values of its own.
    write(folder, ",size,kind", 90, |row| format!("{},{},{}", row % 5, noise(row), KINDS[noise(row) % 3]));
    let said = trained(folder, "");
    assert!(!said.contains("ignored"), "{said}");
    assert!(
        said.contains(
            "\"column 0\" had no name in the file: if it is an index, leave it out with --drop 'column 0'\n"
        ),
        "{said}"
    );
    // Years follow each other, too.
    write(folder, "year,size,kind", 90, |row| {
        format!("{},{},{}", 1900 + row, noise(row), KINDS[noise(row) % 3])
    });
    assert!(!trained(folder, "--quiet").contains("differ"));
}

#[test]
fn a_column_that_is_the_label_in_other_words_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row = |row: usize| {
        let kind = noise(row) % 3;
        format!("{},{kind},{},{}", noise(row * row), ["no", "yes", "maybe"][kind], KINDS[kind])
    };
    write(folder, "size,code,told me,kind", 80, row);
    let said = trained(folder, "--quiet");
    let expected = "the label follows from columns \"code\", \"told me\" alone";
    assert!(said.contains(expected) && said.contains("leave it out with --drop 'code,told me'\n"), "{said}");
    // Two numbers of one class separate the classes in an ordinary way, and ten rows prove nothing.
    let row = |row: usize| format!("{},{}", noise(row) % 4, KINDS[noise(row) % 4 / 2]);
    write(folder, "size,kind", 80, row);
    assert!(!trained(folder, "--quiet").contains("follows"));
    write(folder, "size,code,kind", 14, |row| format!("{},{},{}", noise(row), row % 2, KINDS[row % 2]));
    assert!(!trained(folder, "--quiet --test 4").contains("follows"));
}

#[test]
fn classes_and_test_sets_that_are_too_small_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row =
        |row: usize| format!("{},{},{}", noise(row), row % 7, if row < 2 { "rare" } else { KINDS[row % 2] });
    write(folder, "size,age,kind", 150, row);
    let said = trained(folder, "--quiet");
    assert!(
        said.contains("no test sample of a class") && said.contains("class (training samples) \"rare\" (2)"),
        "{said}"
    );
    assert!(
        said.contains("fewer than 5 samples of a class, too few to learn it: class (samples) \"rare\" (2)\n"),
        "{said}"
    );
    assert!(!said.contains("test sample:") && !said.contains("test samples: each"), "{said}");
    let said = trained(folder, "--quiet --test 10");
    assert!(said.contains("only 10 test samples: each is 10.0 % of the accuracy"), "{said}");
    let said = trained(folder, "--quiet --validation 12");
    assert!(
        said.contains("only 12 validation samples: each is 8.3 %") && said.contains("no validation sample"),
        "{said}"
    );
}

#[test]
fn cells_that_may_not_mean_what_they_say_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let row = |row: usize| {
        let size = if row % 9 == 4 { "-999".to_owned() } else { noise(row).to_string() };
        let sex = ["female", "Male", "male", "Female"][noise(row) % 4];
        let date = format!("2024-{:02}-{:02}", 1 + noise(row) % 5, 1 + noise(row) % 10);
        format!("{size},{},{sex},{date},{}", 90 + noise(row) % 10, ["oak", "Oak", "elm"][noise(row) % 3])
    };
    write(folder, "size,age,sex,day,kind", 100, row);
    let said = trained(folder, "");
    let expected = [
        "column \"size\" holds -999 in 11 rows, its other numbers go from 0 to 100: if it means missing, add --missing usual,-999 --impute median",
        "column \"sex\" holds \"Male\" and \"male\", \"female\" and \"Female\": if they mean the same, spell them alike",
    ];
    for part in expected {
        assert!(warnings(&said).iter().any(|line| line.contains(part)), "{part}: {said}");
    }
    let is_said = |part: &str| warnings(&said).iter().any(|line| line.contains(part));
    assert!(
        is_said("the labels \"oak\" and \"Oak\" are two classes")
            || is_said("the labels \"Oak\" and \"oak\" are two classes"),
        "{said}"
    );
    assert!(!is_said("\"age\"") && !is_said("\"day\""), "{said}");
    // Too many days for the rows; the advice makes the number a missing value.
    let row = |row: usize| {
        let size = if row % 9 == 4 { "-999".to_owned() } else { noise(row).to_string() };
        format!("{size},2024-{:02}-{:02},{}", 1 + row % 5, 1 + row % 8, ["oak", "elm"][noise(row) % 2])
    };
    write(folder, "size,day,kind", 50, row);
    let said = trained(folder, "--missing usual,-999 --impute median");
    assert!(
        said.contains("column \"day\" holds ") && said.contains("leave the column out with --drop day"),
        "{said}"
    );
    assert!(!said.contains("-999"), "{said}");
}

#[test]
fn the_labels_of_an_archive_may_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let array = |shape: &str, data: &[u8]| {
        let header =
            format!("{:117}\n", format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}"));
        [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), data].concat()
    };
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.join("t.npz")).unwrap());
    let bytes: Vec<u8> = (0..120).map(|at| u8::try_from(at * 37 % 101).unwrap()).collect();
    let kinds: Vec<u8> = (0..60).map(|at| at % 3).collect();
    for (name, array) in [
        ("x.npy", array("60, 2", &bytes)),
        ("sort.npy", array("60,", &kinds)),
        ("other.npy", array("60,", &bytes[..60])),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &array).unwrap();
    }
    zip.finish().unwrap();
    let said = run(folder, &format!("t.npz --labels sort {NET} --out run")).stderr;
    assert!(said.contains("3 classes"), "{said}");
    let outcome = tanner(folder, &format!("t.npz --labels gone.npy {NET} --out again"));
    assert!(outcome.code == Some(1) && outcome.stderr.contains("gone.npy: No such file"), "{outcome:?}");
}

/// The plain command learns what can be learned: the recipe fits the data.
#[test]
fn small_tables_and_few_pictures_are_learned_without_flags() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "len,wid,kind", 150, |row| {
        format!("{}.{},{},{}", 10 * (row % 3), noise(row), noise(row) % 7, KINDS[row % 3])
    });
    let mut pixels = Vec::new();
    for picture in 0..300 {
        pixels.extend((0..36).map(|place| {
            let noise = u8::try_from(noise(picture + 7 * place)).unwrap();
            if place / 9 == picture % 4 { 255 - noise } else { noise }
        }));
    }
    let labels: Vec<u8> = (0..300).map(|picture| u8::try_from(picture % 4).unwrap()).collect();
    fs::create_dir(folder.join("idx")).unwrap();
    for part in ["train", "t10k"] {
        let put = |name: &str, header: &[u8], data: &[u8]| {
            fs::write(folder.join("idx").join(format!("{part}-{name}")), [header, data].concat()).unwrap();
        };
        put("images-idx3-ubyte", &[0, 0, 8, 3, 0, 0, 1, 44, 0, 0, 0, 6, 0, 0, 0, 6], &pixels);
        put("labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 1, 44], &labels);
    }
    for (data, preset) in [("t.csv", "preset: table"), ("idx", "preset: tanner")] {
        let outcome = run(folder, &format!("{data} --epochs 20 --backend cpu --out {data}-run"));
        assert!(
            outcome.stderr.contains(preset) && !outcome.stderr.contains("nothing learned"),
            "{outcome:?}"
        );
        let summary: Value =
            serde_json::from_slice(&fs::read(folder.join(format!("{data}-run/summary.json"))).unwrap())
                .unwrap();
        let accuracy = summary["test_accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.9, "{data}: {summary}");
    }
}

/// Labels of EMNIST's letters begin at 1.
#[test]
fn classes_without_pictures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("letters")).unwrap();
    let labels: Vec<u8> = (0..60).map(|picture| 1 + picture % 3).collect();
    let pixels: Vec<u8> = (0..60 * 16).map(|place| u8::try_from(noise(place)).unwrap()).collect();
    for part in ["train", "test"] {
        let put = |name: &str, header: &[u8], data: &[u8]| {
            let path = folder.join("letters").join(format!("emnist-letters-{part}-{name}"));
            fs::write(path, [header, data].concat()).unwrap();
        };
        put("images-idx3-ubyte", &[0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 4], &pixels);
        put("labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 60], &labels);
    }
    let said = run(folder, &format!("letters {NET} --out run")).stderr;
    assert!(said.contains("no sample has 1 of the labels 0 to 3; is a label wrong?"), "{said}");
    assert!(said.contains("label: 3 classes: 1 40 (33.3 %)"), "{said}");
}

#[test]
fn the_block_of_facts_precedes_all_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Few rows of each colour: some occur in test rows only.
    write(folder, "size,colour,kind", 60, |row| {
        format!("{},c{},{}", noise(row), row % 29, ["oak", "Oak"][noise(row) % 2])
    });
    let said = trained(folder, "");
    for warning in ["texts that do not occur in the training rows", "the labels \"oak\" and \"Oak\""] {
        let [warning, label] =
            [warning, "label: \"kind\""].map(|part| said.find(part).unwrap_or_else(|| panic!("{said}")));
        assert!(warning > label, "{said}");
    }
}

/// A few zeros among times keep an offset from saving their differences.
#[test]
fn differences_that_float32_loses_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let table = |zero: &str| {
        write(folder, "time,kind", 120, |row| {
            let time = if row % 20 == 7 {
                zero.to_owned()
            } else {
                (1_700_000_000_000 + 900 * noise(row)).to_string()
            };
            format!("{time},{}", KINDS[row % 3])
        });
    };
    table("0");
    let said = trained(folder, "");
    let part = "column \"time\" holds numbers near 1700000000000 beside others far from them, and differences below 131072 are lost";
    assert!(
        warnings(&said).iter().any(|line| line.contains(part) && line.contains("with --missing")),
        "{said}"
    );
    assert!(!trained(folder, "--missing usual,0 --impute median").contains("are lost"));
    table("1700000000000");
    assert!(!trained(folder, "").contains("are lost"));
}
