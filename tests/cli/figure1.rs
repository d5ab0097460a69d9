//! `tanner figure1`: three pictures of a layer, or one and a note.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{SMALL, folder_with_data, refused, tanner};

const DEMONSTRATION: &str = "figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2";

fn names(folder: &std::path::Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_small_layer_is_drawn_three_times_and_repeats() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), &format!("{DEMONSTRATION} --out first"));
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 3), "{outcome:?}");
    let first = folder.path().join("first");
    let files = ["figure1-dots.png", "figure1.png", "figure1.svg"];
    assert_eq!(names(&first), files.map(str::to_owned).into());
    let drawn = fs::read_to_string(first.join("figure1.svg")).unwrap();
    assert_eq!(drawn.matches("<line").count(), 8 * (4 + 5 + 3 + 2));
    assert!(drawn.contains("Layer 1 of 2: spatially coupled, 4 blocks"));
    assert_eq!(tanner(folder.path(), &format!("{DEMONSTRATION} --out again")).code, Some(0));
    for file in files {
        assert!(
            fs::read(first.join(file)).unwrap() == fs::read(folder.path().join("again").join(file)).unwrap()
        );
    }
    assert_eq!(tanner(folder.path(), &format!("{DEMONSTRATION} --seed 1 --out other")).code, Some(0));
    assert!(drawn != fs::read_to_string(folder.path().join("other/figure1.svg")).unwrap());
}

#[test]
fn a_saved_model_shows_its_own_layers() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let line = "figure1 --model run/model.safetensors --out drawn --layer";
    for (layer, title, lines) in
        [(2, "Layer 2 of 3: spatially coupled, 2 blocks", 80), (3, "Layer 3 of 3: fully connected", 48)]
    {
        assert_eq!(tanner(folder.path(), &format!("{line} {layer}")).code, Some(0));
        let drawn = fs::read_to_string(folder.path().join("drawn/figure1.svg")).unwrap();
        assert_eq!((drawn.contains(title), drawn.matches("<line").count()), (true, lines), "{layer}");
    }
    for (line, part) in [
        (format!("{line} 4"), "--layer: 4 is invalid, it must be 1 to 3"),
        (format!("{line} 0"), "--layer: 0 is invalid"),
        (format!("{line} 1 --block 2"), "--block: 2 is invalid, it must be 0 to 1"),
        ("figure1 --model none".into(), "none: "),
        ("figure1 --inputs 4 --hidden 4 --blocks 8".into(), "cannot cut 4 neurons into 8 blocks"),
        ("figure1 --inputs 0".into(), "--inputs: 0 is invalid"),
        ("figure1 --inputs 1000000000000".into(), "GiB are free: take fewer --inputs or --classes"),
        ("inspect --classes 18446744073709551615".into(), "GiB are free: take fewer --inputs or --classes"),
    ] {
        refused(folder.path(), &line, 1, &[part]);
    }
}

#[test]
fn a_large_layer_such_as_the_default_is_shown_in_dots() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), "figure1 --out large");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, "picture large/figure1-dots.png: a pixel for each possible weight\n");
    let limit = "note: dots only, 41,650 weights are too many to draw as lines, the limit is 2,000;";
    assert!(outcome.stderr.starts_with(limit), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1);
    assert_eq!(names(&folder.path().join("large")), ["figure1-dots.png".to_owned()].into());
}

#[test]
fn pictures_of_another_layer_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tanner(folder.path(), &format!("{DEMONSTRATION} --out drawn")).code, Some(0));
    fs::write(folder.path().join("drawn/notes.txt"), "mine").unwrap();
    let outcome = tanner(folder.path(), "figure1 --out drawn");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("removed drawn/figure1.svg, which showed another layer"), "{outcome:?}");
    let left = ["figure1-dots.png", "notes.txt"].map(str::to_owned);
    assert_eq!(names(&folder.path().join("drawn")), left.into());
}
