//! Settings from files, of this version and older ones.

use super::super::*;
use super::typed;

#[test]
fn files_are_read_and_their_errors_are_named() {
    let text = "lr = 1e-3\nhidden = [784, 400]\ndegrees = [[1, 2], [3]]\npca = true\nbatch_size = 64\ndrop = [\"a\", \"b\"]\n\
                standardize = true\nvalidation = 0.1\ncheckpoint-every = 3\nlabel = -1\nepochs = \"5\"\ntest = 0.5";
    let expected = "--lr 0.001 --hidden 784,400 --degrees 1,2/3 --pca --batch-size 64 --drop a,b --standardize on \
                    --validation 0.1 --checkpoint-every 3 --label -1 --epochs 5 --test 0.5";
    assert_eq!(Settings::from_toml(text).unwrap(), typed(expected));
    assert_eq!(Settings::from_toml("# nothing").unwrap(), Settings::default());
    assert_eq!(Settings::from_toml("drop = \"a,b\"").unwrap(), typed("--drop a,b"));
    for (text, part) in [
        ("lr = 1\nlr = 2", "line 2: "),
        ("a = \n", "line 1: "),
        ("[training]\nlr = 1", "\"training\" is not a setting"),
        ("[hidden]\nlr = 1", "hidden: a table is not a value"),
        ("degrees = [[1, [2]]]", "degrees: a list of lists of lists"),
        ("epochs = 2020-01-01", "epochs: "),
        ("epoch = 3", "\"epoch\" is not a setting; did you mean \"epochs\"?"),
        ("xyzzy = 3", "keys are the flags of"),
        ("pca = 1", "pca: "),
        ("lr = true", "line 1: lr: true is not a number: write one such as 0.1"),
        ("# c\nepochs = \"ten\"", "line 2: epochs: \"ten\" is not a whole number"),
        ("epochs = 1.5", "epochs: 1.5 is not a whole number"),
        ("epochs = -3", "epochs: -3 is invalid, it must be a whole number, at least 1"),
        ("seed = -3", "seed: -3 is invalid, it must be a whole number, at least 0"),
        ("epochs = true", "epochs: true is not a whole number"),
        ("batch_size = \"\"", "line 1: batch-size: \"\" is not a whole number"),
        ("pca = 3", "pca: 3 is invalid, it must be true or false"),
        ("hidden = 1.5", "hidden: \"1.5\" is not a whole number; write 8 or 8,8,4"),
        ("arch = 3", "arch: \"3\" is not one of sc, rsp"),
        ("activation = true", "activation: \"on\" is not one of"),
        ("lr = nan", "lr: nan, inf or nothing is not a value"),
        ("standardize = 3", "standardize: \"3\" is not one of on, off"),
        ("config = \"x\"", "\"config\" is not a setting"),
        ("arch = \"cs\"", "arch: \"cs\" is not one of sc, rsp"),
        ("preset = \"nope\"", "preset: \"nope\" is not one of auto, none, paper, tanner, small, table"),
        ("density = 0.5\ndegrees = 5", "cannot be used with"),
        ("pca = true\nimportance = \"rf\"", "cannot be used with"),
        ("from = \"m\"\narch = \"sc\"", "cannot be used with"),
        ("\"a\\nb\" = 1", "is not a setting"),
    ] {
        let message = Settings::from_toml(text).unwrap_err();
        assert!(message.contains(part) && !message.contains('\n'), "{text:?}: {message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.toml");
    std::fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    let message = Settings::read(&path).unwrap_err().to_string();
    assert!(message.contains("1048577 bytes, a settings file has 1048576 at most"), "{message}");
    assert!(matches!(Settings::read("/nowhere.toml"), Err(Error::Io { .. })));
}

/// The `config.json` of version 0.1, for pictures and for a table, still yield their runs.
#[test]
fn older_records_of_runs_are_read() {
    let config = r#"{"data": "t.csv", "table": {"label": "y", "labels": null, "header": null, "delimiter": "\t",
        "drop": ["a", "b"], "max_categories": 5, "impute": "median", "test": "0.25"}, "train_samples": 3,
        "test_samples": 2, "train_limit": 100, "validation": "10", "importance": "rf", "order": "desc",
        "standardize": false, "trees": 7, "seed": 4, "from": null,
        "architecture": {"arch": "sc", "inputs": 9, "hidden": [20, 20], "classes": 2, "blocks": [4],
        "receptive_fields": [2], "degrees": [[4, 3, 2, 1]], "activation": "relu", "keep_probability": 0.75, "seed": 4},
        "recipe": {"epochs": 60, "batch_size": 128, "learning_rate": 0.002, "schedule": "cosine",
        "optimizer": {"name": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, "l2": 0.00001, "l1": 0.0,
        "l1_input": null, "l_half": 0.0, "weight_elimination": 0.0, "group_lasso": 0.0, "label_smoothing": 0.1,
        "drop_connect": 0.0, "initialisation": {"scheme": "glorot", "gain": 1.4142135}, "seed": 4},
        "augmentation": {"shift": 1, "flip": true}, "patience": 3, "tanner_version": "0.1.0", "command": ["tanner"],
        "backend": "cpu", "adapter": "2 threads, AVX2"}"#;
    let read = Settings::from_config(&serde_json::from_str(config).unwrap()).unwrap();
    let expected = typed(
        "--data t.csv --label y --drop a,b --delimiter tab --max-categories 5 --impute median --test 0.25 \
         --train-limit 100 --validation 10 --importance rf --order desc --standardize off --trees 7 --arch sc \
         --hidden 20,20 --blocks 4 --receptive-field 2 --degrees 4,3,2,1 --activation relu --dropout 0.25 --epochs 60 \
         --batch-size 128 --optimizer adam --lr 0.002 --adam-beta1 0.9 --adam-beta2 0.999 --adam-epsilon 1e-8 \
         --schedule cosine --l2 1e-5 --label-smoothing 0.1 --init glorot --augment shift=1,flip --seed 4 --patience 3",
    );
    assert_eq!(read, expected);
    for (config, part) in [("{}", "not the config.json of a run"), ("[]", "not the config.json of a run")] {
        let message = Settings::from_config(&serde_json::from_str(config).unwrap()).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}

/// They are not accepted as text by other settings.
#[test]
fn true_and_false_are_values_of_switches_alone() {
    for key in ["out", "tensorboard", "data", "label", "drop", "adapter", "test", "lr", "epochs"] {
        let refused = Settings::from_toml(&format!("{key} = true")).unwrap_err();
        assert!(refused.starts_with(&format!("line 1: {key}: ")), "{refused}");
    }
    let on = Settings::from_toml("standardize = true").unwrap();
    assert_eq!(on, Settings::from_toml("standardize = \"on\"").unwrap());
    assert!(Settings::from_toml("pca = false\nimportance = \"rf\"").unwrap().resolve().is_ok());
    assert!(Settings::from_toml("pca = true\nimportance = \"rf\"").is_err());
    let twice = Settings::from_toml("batch-size = 4\nbatch_size = 8").unwrap_err();
    assert!(twice.contains("twice"), "{twice}");
}

#[test]
fn a_duplicate_key_in_json_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, "{\"settings\": {\"lr\": 0.1, \"epochs\": 3, \"lr\": 0.2}}").unwrap();
    let message = Settings::read(&path).unwrap_err().to_string();
    assert!(message.contains("\"lr\" appears twice at line 1"), "{message}");
    std::fs::write(
        &path,
        "{\"settings\": {\"lr\": 0.1, \"hidden\": \"8\", \"pca\": true}, \"x\": [null, -1]}",
    )
    .unwrap();
    assert_eq!(Settings::read(&path).unwrap(), typed("--lr 0.1 --hidden 8 --pca"));
}

#[test]
fn graphs_from_files_replace_the_settings_that_they_decide() {
    let drawn = "arch = \"rsp\"\nhidden = [20]\ndegree = 3\nactivation = \"relu\"\ndropout = 0.5";
    let drawn = Settings::from_toml(drawn).unwrap();
    let files = Settings::from_toml("edges = [\"a.npz\", \"b c.npz\"]").unwrap();
    assert_eq!(files, Settings::from_toml("edges = \"a.npz, b c.npz\"").unwrap());
    assert_eq!(files.to_flags(), ["--edges=a.npz,b c.npz"]);
    let over = files.clone().over(drawn.clone());
    assert_eq!(over.given(), [Setting::Edges, Setting::Activation, Setting::Dropout]);
    assert!(over.resolve().is_ok());
    assert_eq!(drawn.clone().over(files.clone()), drawn);
    let error = files.or(drawn).resolve().unwrap_err().to_string();
    assert_eq!(error, "arch: cannot be used with `edges`, whose graphs decide it");
    assert!(Settings::from_toml("edges = \"a.npz,\"").unwrap_err().contains("names no files"));
}
