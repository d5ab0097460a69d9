//! Kinds of importance from flag to model file, the ranking as a table, and the cache.

use std::fs;

use crate::support::{SMALL, TEST, folder_with_data, refused, tanner};

#[test]
fn runs_of_every_kind_are_named_after_it_and_can_be_evaluated() {
    for (flags, name, standardised) in [
        ("--rf --trees 5", "rf-desc", true),
        ("--importance rf --trees 5 --order asc --standardize off", "rf-asc", false),
        ("--importance variance", "variance-desc", true),
        ("--importance random --order asc", "random-asc", true),
        ("--importance none --standardize on", "none-desc", true),
        ("--pca --standardize", "pca-desc", true),
    ] {
        let folder = folder_with_data();
        let outcome = tanner(folder.path(), &format!("{SMALL} {flags}"));
        assert_eq!(outcome.code, Some(0), "{flags}: {outcome:?}");
        let run = fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
        let (kind, order) = name.split_once('-').unwrap();
        let run_name = run.file_name().unwrap().to_str().unwrap();
        assert!(
            run_name.contains("-data-sc-") && run_name.contains(&format!("-{kind}-")),
            "{flags}: {run:?}"
        );
        assert_eq!(run_name.contains("-asc-"), order == "asc", "{flags}: {run:?}");
        let json = |file| -> serde_json::Value {
            serde_json::from_slice(&fs::read(run.join(file)).unwrap()).unwrap()
        };
        let config = json("config.json");
        assert_eq!((&config["importance"], &config["order"]), (&kind.into(), &order.into()), "{flags}");
        assert_eq!(config["standardize"], standardised, "{flags}");

        let correct = json("summary.json")["test_accuracy"].as_f64().unwrap() * f64::from(TEST);
        let model = run.join("model.safetensors");
        let eval =
            tanner(folder.path(), &format!("eval --data data --backend cpu --model {}", model.display()));
        let score = format!("({} of {TEST})", correct.round());
        assert!(eval.stderr.contains(&score), "{flags}: {eval:?}, not {score}");
        let inspect = tanner(folder.path(), &format!("inspect --model {}", model.display()));
        let numbers = if standardised { 32 } else { 0 } + if kind == "pca" { 288 } else { 0 };
        let line = format!(
            "preprocessing {kind} {order}{}: {numbers} more numbers",
            if standardised { ", standardised" } else { "" }
        );
        assert!(inspect.stderr.contains(&line), "{flags}: no {line:?} in {}", inspect.stderr);
    }
}

#[test]
fn the_second_run_reads_the_forest_from_the_cache() {
    let folder = folder_with_data();
    let run = |name: &str, flags: &str| {
        let outcome = tanner(folder.path(), &format!("{SMALL} --rf --trees 7 {flags} --out {name}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let cached = outcome.stderr.lines().any(|line| line == "importance read from cache");
        let fitted = outcome.stderr.contains("importance: random forest of 7 trees on 60 samples in ");
        assert_ne!(cached, fitted, "{outcome:?}");
        (cached, fs::read(folder.path().join(name).join("model.safetensors")).unwrap())
    };
    let (cached, first) = run("a", "");
    assert!(!cached);
    let (cached, second) = run("b", "");
    assert!(cached && first == second, "the cache changed the model");
    assert!(run("c", "--order asc").0);
    assert!(!run("d", "--seed 1").0);
    let cache = folder.path().join("cache");
    for file in fs::read_dir(&cache).unwrap() {
        fs::write(file.unwrap().path(), "damaged").unwrap();
    }
    let (cached, again) = run("e", "");
    assert!(!cached && first == again);
    assert!(run("f", "").0);
}

#[test]
fn the_ranking_is_a_table_and_a_picture() {
    let folder = folder_with_data();
    let line = "importance --data data --rf --trees 20 --seed 2 --threads 2";
    let outcome = tanner(folder.path(), &format!("{line} --out ranking.csv"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout, "ranking ranking.csv\npicture ranking.png\n");
    let table = fs::read_to_string(folder.path().join("ranking.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines.len(), lines[0]), (17, "rank,feature,importance"));
    let rows: Vec<Vec<f64>> =
        lines[1..].iter().map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert!(rows.iter().zip(1..).all(|(row, rank)| row[0] == f64::from(rank)), "{table}");
    assert!(rows.is_sorted_by(|a, b| a[2] >= b[2]), "{table}");
    let mut features: Vec<f64> = rows.iter().map(|row| row[1]).collect();
    features.sort_by(f64::total_cmp);
    assert_eq!(features, (0..16).map(f64::from).collect::<Vec<_>>());
    assert!((rows.iter().map(|row| row[2]).sum::<f64>() - 1.0).abs() <= 1e-9, "{table}");
    // The last row of a picture is noise for every class.
    assert!(rows[..4].iter().all(|row| row[1] < 12.0), "{table}");
    assert!(image::open(folder.path().join("ranking.png")).unwrap().width() > 100);

    let outcome = tanner(folder.path(), line);
    assert_eq!((outcome.code, outcome.stdout), (Some(0), table));
    // Test samples rank nothing.
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        fs::remove_file(folder.path().join("data").join(name)).unwrap();
    }
    let limited = tanner(folder.path(), "importance --data data --importance variance --train-limit 12");
    assert_eq!(limited.code, Some(0), "{limited:?}");
    assert_eq!(limited.stdout.lines().count(), 17);
}

#[test]
fn meaningless_settings_are_refused() {
    let folder = folder_with_data();
    for (line, part) in [
        ("--rf --trees 0", "--trees: 0 is invalid"),
        ("--pca --trees 5", "--trees: cannot be used with --importance pca, only with rf"),
        ("--importance variance --trees 5", "--trees: cannot be used with --importance variance"),
        ("--trees 5", "--trees: cannot be used with --importance pca"),
        ("importance --trees 0", "--trees: 0 is invalid"),
        ("importance --importance random --trees 5", "--trees: cannot be used with --importance random"),
        ("importance --data data --threads 0", "--threads: 0 is invalid"),
        ("importance --data none", "--data: data set: folder none does not exist"),
        ("importance --data data --train-limit 61", "--train-limit: data set: the first 61 samples"),
    ] {
        refused(folder.path(), line, 1, &[part]);
    }
    for (line, part) in [
        ("--pca --rf", "cannot be used with"),
        ("--rf --importance none", "cannot be used with"),
        ("--rf --importance rf", "cannot be used with"),
        ("--importance gini", "[possible values: pca, rf, variance, random, none]"),
        ("--standardize maybe", "[possible values: on, off]"),
        ("--rf --trees -1", "--trees: -1 is invalid"),
        ("importance --importance pca", "[possible values: rf, variance, random]"),
        ("--rf importance", "--rf must come after the subcommand importance"),
    ] {
        refused(folder.path(), line, 2, &[part]);
    }
    let below = "importance --data data --importance variance --out data/train-labels-idx1-ubyte/a.csv";
    refused(folder.path(), below, 1, &["--out: ", "there is no folder"]);
    let there = "importance --data data --importance variance --out data/train-labels-idx1-ubyte";
    refused(folder.path(), there, 1, &["--out: ", "already exists"]);
    let picture = "importance --data data --importance variance --out ranking.png";
    refused(folder.path(), picture, 1, &["--out: ", "name a .csv file"]);
    #[cfg(target_os = "linux")]
    {
        let nowhere = "importance --data data --importance variance --out /proc/x.csv";
        refused(folder.path(), nowhere, 1, &["--out: /proc: No such file or directory"]);
    }
}
