//! Networks in two dimensions, networks of equal size, and predictions averaged over views.

use std::fs;

use serde_json::Value;
use tanner::model::TrainedModel;
use tanner::topology::Topology;

use crate::support::{folder_with_data, refused, tanner};

/// A network over the small pictures, 4 x 4 pixels.
const NETWORK: &str = "--data data --arch sc2d --grid 4x4,2x2x4 --fan-in 8,12 --activation relu --batch-size 10 --backend cpu --threads 2";

fn done(folder: &std::path::Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout + &outcome.stderr
}

fn json(folder: &std::path::Path, line: &str) -> Value {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn a_network_in_two_dimensions_lives_as_any_other() {
    let folder = folder_with_data();
    let path = folder.path();
    let said = done(path, &format!("{NETWORK} --epochs 4 --out run"));
    // 16 x 8 and 16 x 12 weights, 16 x 3 of the logits, and the biases.
    assert!(said.contains("network: sc2d with 403 parameters"), "{said}");
    let config: Value = serde_json::from_slice(&fs::read(path.join("run/config.json")).unwrap()).unwrap();
    let architecture = &config["architecture"];
    assert_eq!((&architecture["picture"], &architecture["grain"]), (&"4x4".into(), &"4".into()));
    assert_eq!(architecture["grids"], serde_json::json!(["4x4", "2x2x4"]));
    assert_eq!((&config["order"], &config["importance"]), (&"place".into(), &"none".into()));
    for line in [
        "eval --model run --data data",
        "inspect --model run",
        "export --model run --onnx m.onnx --csr csr",
        "prune --model run --data data --method magnitude --sparsity 0.5 --out pruned",
        "train --from run --data data --epochs 1 --backend cpu --out further",
        "train --resume run --epochs 5",
        "train --config run --epochs 2 --out again",
        "report run further --out page.html",
    ] {
        done(path, line);
    }
    // Single edges, a window, other importances, other engines.
    for flags in ["--grain 1", "--falloff window --reach 4", "--importance variance", "--backend reference"] {
        let line = format!("{NETWORK} --epochs 1 {flags}")
            .replace("--backend cpu --threads 2 --epochs 1 --backend", "--epochs 1 --backend");
        done(path, &line);
    }
    // The default has three layers of the picture's size.
    let said = done(path, "--data data --arch sc2d --epochs 1 --backend cpu");
    assert!(said.contains("network: sc2d with "), "{said}");
}

#[test]
fn important_pixels_draw_the_edges_of_the_first_layer() {
    let folder = folder_with_data();
    let path = folder.path();
    let line = format!("{NETWORK} --grain 1 --epochs 2 --importance variance");
    for (name, flags) in [("plain", ""), ("drawn", "--importance-power 4"), ("zero", "--importance-power 0")]
    {
        done(path, &format!("{line} {flags} --out {name}"));
    }
    done(path, "train --config drawn --out again");
    let graph = |name: &str, layer: usize| {
        let model = TrainedModel::load(path.join(name).join("model.safetensors")).unwrap();
        Topology::clone(&model.network().layers()[layer].topology)
    };
    assert_eq!(graph("plain", 0), graph("zero", 0));
    assert_ne!(graph("plain", 0), graph("drawn", 0));
    assert_eq!(graph("plain", 1), graph("drawn", 1));
    assert_eq!(graph("drawn", 0), graph("again", 0));
    // Edges went to pixels of much variance.
    let model = TrainedModel::load(path.join("plain/model.safetensors")).unwrap();
    let importance = model.preprocessing().position_importance();
    let degrees = |name| (0..16).map(move |input| graph(name, 0).out_degree(input) as f64);
    let pull =
        |name| degrees(name).zip(&importance).map(|(degree, importance)| degree * importance).sum::<f64>();
    assert!(pull("drawn") > 1.1 * pull("plain"), "{} {}", pull("drawn"), pull("plain"));
    let config = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(path.join(name).join("config.json")).unwrap()).unwrap()
    };
    assert_eq!(config("drawn")["architecture"]["importance_power"], 4.0);
    assert_eq!(config("zero")["architecture"].get("importance_power"), None);
}

#[test]
fn impossible_two_dimensional_settings_are_refused() {
    let folder = folder_with_data();
    let path = folder.path();
    let row = |k: u32| format!("{},{},{},{},{}\n", k % 5, k % 7, k % 3, k % 2, ["a", "b"][(k % 2) as usize]);
    fs::write(path.join("t.csv"), "p,q,r,s,class\n".to_owned() + &(0..80).map(row).collect::<String>())
        .unwrap();
    let with = |flags: &str| format!("{NETWORK} --epochs 1 {flags}");
    for (line, part) in [
        (with("--pca"), "--importance: pca cannot be used with --arch sc2d"),
        (with("--order asc"), "--order: asc cannot be used with --arch sc2d"),
        (with("--hidden 16"), "--hidden: cannot be used with --arch sc2d"),
        (with("--degree 3"), "--degree: cannot be used with --arch sc2d"),
        (
            with("--grid 3x4 --grain 4").replace("--grid 4x4,2x2x4 --fan-in 8,12", "--fan-in 8"),
            "the grid of the outputs is 3x4",
        ),
        (with("--importance-power 1"), "--importance-power: needs --importance rf, variance or random"),
        (with("--importance rf --importance-power 9"), "--importance-power: 9 is invalid, it must be 0 to 8"),
        ("--data data --arch rsp --importance-power 1".into(), "--importance-power: cannot be used"),
        (
            "inspect --arch sc2d --importance-power 1".into(),
            "--importance-power: the importance of the inputs is",
        ),
        ("--data data --arch sc --reach 2".into(), "--reach: cannot be used with --arch sc"),
        (
            "--data data --arch sc2d --fan-in 40 --epochs 1".into(),
            "--fan-in: layer 1: a fan-in of 40 is invalid, it must be 4 to 16",
        ),
        ("--data data --arch sc2d --fan-in 4,4 --reach 1,2,3".into(), "2 values for 3 hidden layers"),
        (
            "--data data --arch sc2d --falloff window --reach 0.5 --fan-in 4 --grain 1".into(),
            "sees 1 inputs in its window",
        ),
        ("--data data --order place --pca".into(), "--order: place cannot be used"),
    ] {
        let outcome = tanner(path, &line);
        assert!(outcome.code == Some(1) && outcome.stderr.contains(part), "{line}: {outcome:?}");
    }
    let outcome = tanner(path, "--data data --arch sc2d --grid 4x");
    assert!(
        outcome.code == Some(2) && outcome.stderr.contains("is not a grid: write ROWSxCOLUMNS"),
        "{outcome:?}"
    );
    // A table needs --picture.
    let outcome = tanner(path, "--data t.csv --arch sc2d --epochs 1 --backend cpu");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("--picture"), "{outcome:?}");
    let outcome = tanner(path, "--data t.csv --picture 3x3 --epochs 1");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("--picture: "), "{outcome:?}");
    done(path, "--data t.csv --picture 2x2 --arch sc2d --fan-in 4 --epochs 1 --backend cpu --out pictures");
    done(path, "predict --model pictures t.csv");
}

#[test]
fn networks_get_the_requested_size() {
    let folder = folder_with_data();
    let path = folder.path();
    for inputs in [64, 784, 1024] {
        for arch in ["sc", "sc2d", "rsp", "fc", "narrow", "band"] {
            let line = format!("inspect --json --arch {arch} --inputs {inputs} --parameters 100000");
            let parameters = json(path, &line)["parameters"].as_f64().unwrap();
            assert!((parameters - 100_000.0).abs() <= 1000.0, "{line}: {parameters}");
        }
    }
    for line in [
        "--arch sc --inputs 13 --classes 3",
        "--arch band --inputs 13 --classes 3",
        "--arch sc --inputs 61 --classes 2",
    ] {
        let parameters =
            json(path, &format!("inspect --json {line} --parameters 100000"))["parameters"].as_f64().unwrap();
        assert!((99_000.0..=100_000.0).contains(&parameters), "{line}: {parameters}");
    }
    for seed in 0..20 {
        let line =
            format!("inspect --json --arch rsp --hidden 784,784,784 --parameters 220020 --seed {seed}");
        let parameters = json(path, &line)["parameters"].as_u64().unwrap();
        assert!((219_500..=220_020).contains(&parameters), "{line}: {parameters}");
    }
    for (flags, part) in [
        ("--arch fc --hidden none --parameters 5000", "--hidden: must not be none with --parameters"),
        ("--arch fc --parameters 700", "--parameters: a budget of 700 parameters is impossible"),
    ] {
        refused(path, &format!("inspect {flags}"), 1, &[part]);
    }
    let outcome = tanner(path, "inspect --arch fc --hidden 9,9,9 --inputs 3072 --parameters 5000");
    assert!(
        outcome.stderr.contains("5,000 --parameters were requested, these layers can have at most 3,113"),
        "{outcome:?}"
    );
    refused(path, "inspect --parameters 100000 --degree 3 --arch rsp", 1, &["cannot be used with"]);
    refused(
        path,
        "inspect --parameters 100 --arch sc",
        1,
        &["--parameters: 100 is out of range: these layers can have "],
    );
}

#[test]
fn comparisons_are_between_networks_of_one_size() {
    let folder = folder_with_data();
    let path = folder.path();
    let compare = |flags: &str| {
        let mut command = crate::support::command(path);
        let line = format!("compare --seeds 1 --data data --backend cpu --with --epochs=1 {flags}");
        let runs = ["--run", "sc=--hidden=32,32 --blocks=4", "--run", "fc=--arch=fc --hidden=32,32"];
        let output = command.args(line.split_whitespace()).args(runs).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        let text =
            fs::read_to_string(path.join(flags.split(' ').nth(1).unwrap()).join("comparison.json")).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        (json, stderr)
    };
    let sizes = |json: &Value| -> Vec<f64> {
        let entries = json["configurations"].as_array().unwrap();
        entries.iter().map(|entry| entry["runs"][0]["parameters"].as_f64().unwrap()).collect()
    };
    let (json, stderr) = compare("--out matched");
    let matched = sizes(&json);
    assert!((matched[0] - matched[1]).abs() <= 0.02 * matched[0], "{matched:?}");
    assert!(stderr.contains("fc gets ") && stderr.contains("--match-parameters off keeps them"), "{stderr}");
    let (json, stderr) = compare("--out own --match-parameters off");
    let own = sizes(&json);
    assert!(own[1] > 2.0 * own[0], "{own:?}");
    assert!(
        stderr.contains("warning: fc has ") && stderr.contains("scores differ for that alone"),
        "{stderr}"
    );
    // The smallest sc network of these layers is larger.
    let (json, stderr) = compare("--out small --match-parameters 150");
    let small = sizes(&json);
    assert!(small[0] > 153.0 && (120.0..=150.0).contains(&small[1]), "{small:?}");
    assert!(stderr.contains("warning: sc gets ") && stderr.contains("the nearest to 150"), "{stderr}");
    let (json, _) = compare("--out count --match-parameters 400");
    assert!(sizes(&json).iter().all(|size| (size - 400.0).abs() <= 8.0), "{:?}", sizes(&json));
}

#[test]
fn edges_are_near_whatever_shape_the_picture_has() {
    let folder = folder_with_data();
    let path = folder.path();
    let far = "edges are longer than 3 times the --reach";
    for inputs in [128, 61, 784, 12, 1] {
        let outcome = tanner(path, &format!("inspect --arch sc2d --inputs {inputs}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(!outcome.stderr.contains(far), "{inputs}: {outcome:?}");
    }
    done(path, "inspect --arch sc2d --picture 12x66");
    refused(path, "inspect --arch sc2d --picture 12x66 --inputs 3", 2, &["cannot be used with"]);
    // 61 pixels in a line: the usual fan-in of 40 needs a wider reach than small pictures have.
    let reach = json(path, "inspect --json --arch sc2d --inputs 61");
    let distance = reach["receptive_fields"][0]["mean_distance"].as_f64().unwrap();
    assert!(distance < 16.0, "{distance}");
    let outcome = tanner(path, "inspect --arch sc2d --grain 1 --reach 0.5,2.74,0.5");
    let warns = |part| outcome.stderr.contains(part);
    assert!(warns(far) && warns("% of layer 1") && warns("% of layer 3") && !warns("layer 2"), "{outcome:?}");
    // Windows are as wide as their fan-in needs.
    done(path, "inspect --arch sc2d --falloff window");
    let line = "inspect --arch sc2d --falloff window --reach 1";
    refused(
        path,
        line,
        1,
        &[
            "--reach: layer 1: a fan-in of 40 is impossible with a reach of 1",
            "a reach of 6.00 shows it enough",
        ],
    );
    done(path, &line.replace("--reach 1", "--reach 6,8,12"));
}

#[test]
fn shared_settings_are_refused_in_a_configuration() {
    let folder = folder_with_data();
    fs::write(folder.path().join("p.toml"), "[[configuration]]\nname = \"a\"\npicture = \"2x2\"\n").unwrap();
    let line = "compare p.toml --data data --seeds 1 --out out";
    refused(folder.path(), line, 1, &["a: --picture applies to all runs: give it once"]);
}

#[test]
fn predictions_are_averaged_over_views() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --epochs 4 --out run"));
    let plain = json(path, "eval --model run --data data --json");
    assert!(plain.get("averaged").is_none());
    let averaged = json(path, "eval --model run --data data --json --average shift=1,flip");
    assert_eq!(averaged["averaged"]["views"], 10);
    assert_eq!(averaged["score"], plain["score"]);
    assert!(averaged["averaged"]["score_loss"].as_f64().unwrap() > 0.0);
    // A view that is the picture itself changes nothing.
    let flip = json(path, "eval --model run --data data --json --average flip");
    assert_eq!(flip["averaged"]["views"], 2);
    let table = done(path, "eval --model run --data data --average flip");
    assert!(
        table.contains("averaged_accuracy_percent") && table.contains("averaged over 2 views"),
        "{table}"
    );
    let images = "predict --model run data/t10k-images-idx3-ubyte";
    let probabilities = |line: &str| -> Vec<Vec<f64>> {
        let rows = done(path, line);
        rows.lines()
            .skip(1)
            .map(|line| line.split(',').skip(1).map(|text| text.parse().unwrap()).collect())
            .collect()
    };
    let (one, both) = (probabilities(images), probabilities(&format!("{images} --average flip")));
    assert!(one != both && both.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-5));
    let outcome = tanner(path, "eval --model run --data data --average shift=4");
    assert!(
        outcome.code == Some(1) && outcome.stderr.contains("--average: a shift of 4 is invalid"),
        "{outcome:?}"
    );
    let row = |k: u32| format!("{},{},{}\n", k % 5, k % 7, ["a", "b"][(k % 2) as usize]);
    fs::write(path.join("t.csv"), "p,q,class\n".to_owned() + &(0..80).map(row).collect::<String>()).unwrap();
    done(path, "--data t.csv --preset small --epochs 1 --backend cpu --out table");
    refused(
        path,
        "predict --model table t.csv --average flip",
        1,
        &["--average: the model was not trained on pictures"],
    );
}

#[test]
fn inspect_shows_receptive_fields() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --epochs 1 --out run"));
    let said = done(path, "inspect --model run --out drawn");
    assert!(said.contains("pixels_seen") && said.contains("receptive_fields.png"), "{said}");
    for file in ["connectivity.png", "receptive_fields.png"] {
        assert!(fs::read(path.join("drawn").join(file)).unwrap().starts_with(b"\x89PNG"), "{file}");
    }
    let layers = json(path, "inspect --model run --json")["receptive_fields"].clone();
    // Whole patches: 8 of 16 pixels, then whatever two or three of four patches see together.
    assert_eq!(layers[0]["pixels_seen"], 8.0);
    assert!(layers[1]["pixels_seen"].as_f64().unwrap() >= 8.0, "{layers}");
    for layer in [0, 1] {
        let [mean, largest] =
            ["mean_distance", "largest_distance"].map(|key| layers[layer][key].as_f64().unwrap());
        assert!(mean > 0.5 && mean < largest && largest <= 3.0 * 2f64.sqrt(), "{layers}");
    }
    // The same graphs from a file have no places, but see the same pixels where the inputs are the same.
    done(path, "export --model run --csr csr");
    let flags = "--importance none --order place --epochs 1 --backend cpu --out again";
    done(path, &format!("--data data --edges csr {flags}"));
    let again = json(path, "inspect --model again --json")["receptive_fields"].clone();
    assert_eq!(again[0]["pixels_seen"], 8.0);
    assert_eq!(again[1]["pixels_seen"], layers[1]["pixels_seen"]);
    assert!(again[0]["mean_distance"].is_null());
    // Principal components are not pixels.
    done(path, "--data data --hidden 16 --blocks 2 --degrees 4 --pca --epochs 1 --backend cpu --out pca");
    let pca = json(path, "inspect --model pca --json --out pca-drawn");
    assert!(pca["receptive_fields"].is_null() && !path.join("pca-drawn/receptive_fields.png").exists());
    // A network that was only drawn.
    let drawn = json(path, "inspect --arch sc2d --json");
    assert_eq!(drawn["receptive_fields"][0]["pixels_seen"], 40.0);
}

/// As many pixels in another shape are other pictures.
#[test]
fn pictures_of_another_shape_than_the_models_are_refused() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --epochs 1 --out run"));
    fs::create_dir(path.join("flat")).unwrap();
    for file in fs::read_dir(path.join("data")).unwrap() {
        let file = file.unwrap();
        let mut bytes = fs::read(file.path()).unwrap();
        if file.file_name().to_string_lossy().contains("images") {
            (bytes[11], bytes[15]) = (2, 8);
        }
        fs::write(path.join("flat").join(file.file_name()), bytes).unwrap();
    }
    let parts = ["pictures of 2 x 8 pixels, the model was trained on 4 x 4"];
    for line in [
        "eval --model run --data flat",
        "predict --model run flat/t10k-images-idx3-ubyte",
        "train --from run --data flat --epochs 1 --backend cpu",
        "prune --model run --data flat --method magnitude --sparsity 0.5 --out pruned",
    ] {
        refused(path, line, 1, &parts);
    }
    // A table has the shape that its training gave it.
    let rows: String =
        (0..40).map(|row| format!("{},{},1,{},{}\n", row % 7, row % 5, row % 3, row % 2)).collect();
    fs::write(path.join("t.csv"), rows).unwrap();
    done(path, "--data t.csv --picture 2x2 --arch sc2d --fan-in 4 --epochs 1 --backend cpu --out table");
    refused(
        path,
        "eval --model table --data t.csv --picture 4x1",
        1,
        &["--picture: the model has that of its training"],
    );
    let three = ["--picture: 2x2x2 has three sides, a picture has two"];
    refused(path, "--data t.csv --picture 2x2x2 --arch sc2d --epochs 1", 1, &three);
    refused(path, "--data t.csv --picture 3x3 --epochs 1", 1, &["3x3 are 9 pixels, the table has 4 columns"]);
}

/// What changes nothing is said, or refused.
#[test]
fn settings_without_an_effect_are_named() {
    let folder = folder_with_data();
    let path = folder.path();
    let said = done(path, &format!("{NETWORK} --epochs 1 --importance variance"));
    assert!(said.contains("--importance variance changes nothing with --arch sc2d"), "{said}");
    let said = done(path, &format!("{NETWORK} --epochs 1 --importance variance --importance-power 1"));
    assert!(!said.contains("changes nothing"), "{said}");
    let off = format!("{NETWORK} --epochs 1 --rewire off --rewire-fraction 0.2");
    refused(path, &off, 1, &["--rewire-fraction: cannot be used with --rewire off"]);
    refused(path, &format!("{NETWORK} --fan-in 1e300"), 2, &["1e300 is invalid, the limit is"]);
    let narrow_view = "--data data --arch sc2d --grid 4x4 --fan-in 12 --reach 0.01 --epochs 1 --backend cpu";
    let said = done(path, &narrow_view.replace("--fan-in 12", "--fan-in 8"));
    assert!(said.contains("edges are longer than 3 times the --reach"), "{said}");
}

/// A preset says that it mirrors pictures, unless the augmentation was chosen.
#[test]
fn a_preset_that_mirrors_pictures_says_so() {
    let folder = folder_with_data();
    let line = "--data data --preset tanner --grid 4x4 --fan-in 8 --epochs 1 --backend cpu";
    let note = "the preset also trains on mirrored pictures";
    let said = done(folder.path(), &format!("{line} --out a"));
    assert!(said.contains(note) && said.contains("--augment shift=1"), "{said}");
    let said = done(folder.path(), &format!("{line} --augment shift=1,flip --out b"));
    assert!(!said.contains(note), "{said}");
}
