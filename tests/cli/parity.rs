//! The command line and [`Classifier`](tanner::Classifier) wrap one session: the same settings, the same model.

use std::fs;
use std::ops::ControlFlow;

use tanner::dataset::load_idx_folder;
use tanner::prelude::*;

use crate::support::{folder_with_data, tanner};

/// Byte for byte, the model file that a command line leaves, and the one of a classifier with its settings.
#[test]
fn the_same_settings_give_the_same_model_bytes() {
    let folder = folder_with_data();
    let data = load_idx_folder(folder.path().join("data").as_path()).unwrap();
    let small = "hidden = [16, 16]\nblocks = 2\ndegrees = [6, 4]\nbatch-size = 10\nepochs = 3";
    for (number, more) in [
        "",
        "optimizer = \"adam\"\nlr = 0.01\ndropout = 0.25\nlabel-smoothing = 0.1",
        "importance = \"rf\"\ntrees = 5\norder = \"asc\"\nl1 = 1e-4\nschedule = \"step:1:0.5\"",
        "augment = \"shift=1,flip\"\nactivation = \"relu\"\nseed = 7",
        "validation = 12\npatience = 2\ndropconnect = 0.2\noptimizer = \"nesterov\"",
        "rewire = \"rigl\"\nrewire-end = 1\noptimizer = \"adam\"",
        "importance = \"none\"\nstandardize = true\ngain = 2\ninit = \"he\"",
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("{small}\nbackend = \"cpu\"\nthreads = 2\n{more}");
        fs::write(folder.path().join("settings.toml"), &text).unwrap();
        let out = format!("run{number}");
        let line = format!("--config settings.toml --data data --out {out}");
        assert_eq!(tanner(folder.path(), &line).code, Some(0), "{more}");

        let settings = Settings::from_toml(&text).unwrap();
        let keep_training = |_: &EpochMetrics| ControlFlow::Continue(());
        let run = Classifier::with(settings).fit(&data.train, Some(&data.test), keep_training).unwrap();
        let path = folder.path().join("classifier.safetensors");
        run.model.save(&path).unwrap();
        let typed = fs::read(folder.path().join(&out).join("model.safetensors")).unwrap();
        assert!(fs::read(&path).unwrap() == typed, "{more}");
    }
}

/// Setters, a file and flags are equivalent.
#[test]
fn setters_match_flags() {
    let classifier = Classifier::with(Settings::default())
        .arch(Arch::Rsp)
        .hidden([20, 10])
        .activation(Activation::Relu)
        .optimizer(OptimizerKind::Adam)
        .learning_rate(0.01)
        .epochs(2)
        .seed(3);
    let text = "arch = \"rsp\"\nhidden = [20, 10]\nactivation = \"relu\"\noptimizer = \"adam\"\nlr = 0.01\nepochs = 2\nseed = 3";
    assert_eq!(*classifier.settings(), Settings::from_toml(text).unwrap());
    let flags = classifier.settings().to_flags();
    assert!(
        flags.contains(&"--hidden=20,10".to_owned()) && flags.contains(&"--lr=0.01".to_owned()),
        "{flags:?}"
    );
}
