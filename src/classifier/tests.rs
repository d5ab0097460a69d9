use std::ops::ControlFlow;

use super::*;
use crate::inference::{Predictor, Scores};
use crate::model::TrainedModel;
use crate::topology::Partition;
use crate::training::Ending;

/// 90 samples of 5 features in 3 classes; features 1 and 3 tell them apart.
fn data() -> Dataset {
    let features = (0u16..90 * 5).map(|k| {
        let (class, noise) = (k / 5 % 3, f32::from(k * 37 % 101) / 101.0);
        noise + if k % 5 == class + 1 { 2.0 } else { 0.0 }
    });
    Dataset::new(features.collect(), 5, (0..90).map(|sample| sample % 3).collect(), 3).unwrap()
}

fn small() -> Classifier {
    Classifier::new().activation(Activation::Relu).epochs(20).batch_size(10).engine(EngineKind::Cpu)
}

fn keep_training(_: &EpochMetrics) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn fitted(classifier: &Classifier) -> TrainedRun {
    classifier.fit(&data(), Some(&data()), keep_training).unwrap()
}

#[test]
fn a_fitted_model_predicts_what_its_history_says() {
    let mut seen = Vec::new();
    let run = small()
        .fit(&data(), Some(&data()), |epoch| {
            seen.push(epoch.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, run.history);
    assert_eq!((run.history.len(), run.model.epochs_trained(), run.ending), (20, 20, Ending::Completed));
    assert!(run.folder.is_none() && run.summary.is_some());
    let last = run.history.last().unwrap();
    assert!(last.test_accuracy > 0.9, "{last:?}");
    let predictions = Predictor::new(run.model, None).unwrap().predict(data().features()).unwrap();
    let scores = Scores::new(&predictions, data().labels()).unwrap();
    assert_eq!(scores.accuracy, last.test_accuracy);
}

#[test]
fn a_callback_stops_the_run_and_its_epochs_are_kept() {
    let stop_at_3 = |epoch: &EpochMetrics| {
        if epoch.epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let run = small().fit(&data(), Some(&data()), stop_at_3).unwrap();
    assert_eq!(run.ending, Ending::Stopped { epochs: 3, steps: 0 });
    assert_eq!((run.history.len(), run.model.epochs_trained(), run.epochs_planned), (3, 3, 20));
    assert!(run.summary.is_none());
    // The schedule covers all epochs, so the model is that of a longer run.
    let whole = fitted(&small());
    assert_eq!(
        run.history[..3].iter().map(|e| e.train_loss).collect::<Vec<_>>(),
        whole.history[..3].iter().map(|e| e.train_loss).collect::<Vec<_>>()
    );
}

#[test]
fn without_a_test_set_a_fifth_is_held_out() {
    let run = small().epochs(1).fit(&data(), None, keep_training).unwrap();
    let summary = run.summary.unwrap();
    assert_eq!((summary.train_samples, summary.test_samples), (72, 18));
    let validated = small().epochs(5).validation(Holdout::Count(30)).patience(1);
    let run = validated.fit(&data(), None, keep_training).unwrap();
    assert_eq!(run.summary.unwrap().test_samples, 30);
    assert!(run.model.held_out().is_some());
}

#[test]
fn setters_do_not_undo_one_another_whatever_their_order() {
    let one = Classifier::new()
        .epochs(3)
        .learning_rate(0.01)
        .activation(Activation::Relu)
        .hidden([24])
        .density(0.4);
    let other = Classifier::new()
        .density(0.4)
        .hidden([24])
        .activation(Activation::Relu)
        .learning_rate(0.01)
        .epochs(3);
    assert_eq!(one.settings(), other.settings());
    let resolved = one.settings().resolve().unwrap();
    assert_eq!((resolved.recipe.epochs, resolved.recipe.learning_rate), (3, 0.01));
    // ReLU has its own gain, whichever is set first.
    assert_eq!(resolved.recipe.initialisation.gain, Activation::Relu.usual_gain());
    let preset = Classifier::preset(Preset::Small).epochs(3).settings().resolve().unwrap();
    assert_eq!((preset.recipe.epochs, preset.recipe.batch_size), (3, 16));
}

#[test]
fn custom_names_and_graphs_are_kept_by_the_model() {
    // A ring: output o sees the inputs o and o + 1.
    let edges: Vec<(u32, u32)> = (0..5).flat_map(|o| [(o, o), ((o + 1) % 5, o)]).collect();
    let whole = || Partition::whole(5).unwrap();
    let ring = Topology::from_edges(whole(), whole(), &edges).unwrap();
    assert_eq!(ring.edges(), 10);
    let classifier = small().topologies(vec![ring.clone(), ring.clone()]).class_names(["x", "y", "z"]);
    let run = fitted(&classifier.feature_names(["a", "b", "c", "d", "e"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    run.model.save(&path).unwrap();
    let read = TrainedModel::load(&path).unwrap();
    assert_eq!(read.record().arch, Arch::Custom);
    assert_eq!(read.network().widths(), [5, 5, 5, 3]);
    assert_eq!(*read.network().layers()[1].topology, ring);
    assert_eq!(read.parameters(), run.model.parameters());
    assert_eq!(read.class_names(), ["x", "y", "z"]);
    assert_eq!(read.data().feature_names[4], "e");
}

#[test]
fn impossible_values_are_refused() {
    let refused = |classifier: Classifier| classifier.fit(&data(), None, keep_training).unwrap_err();
    let setting = |classifier: Classifier| match refused(classifier) {
        Error::Setting { setting, .. } => setting,
        other => panic!("{other}"),
    };
    assert_eq!(setting(small().density(0.0)), Setting::Density);
    assert_eq!(setting(small().epochs(0)), Setting::Epochs);
    assert_eq!(setting(small().dropout(1.0)), Setting::Dropout);
    assert_eq!(setting(small().patience(3)), Setting::Patience);
    assert_eq!(setting(small().arch(Arch::Rsp).density(0.2)), Setting::Density);
    assert_eq!(setting(small().optimizer(OptimizerKind::Adam).momentum(0.5)), Setting::Momentum);
    assert!(refused(small().topologies(Vec::new())).to_string().contains("no topology"));
    let wrong = Topology::from_edges(Partition::whole(4).unwrap(), Partition::whole(2).unwrap(), &[(0, 0)]);
    assert!(refused(small().topologies(vec![wrong.unwrap()])).to_string().contains("network of 4 inputs"));
    assert!(matches!(refused(small().class_names(["x"])), Error::Dataset(_)));
    let other = Dataset::new(vec![0.0; 8], 4, vec![0, 1], 2).unwrap();
    assert!(matches!(small().fit(&data(), Some(&other), keep_training), Err(Error::Dataset(_))));
}

#[test]
fn engines_and_widths_can_be_chosen() {
    let history = |classifier: Classifier| fitted(&classifier.epochs(2)).history;
    let cpu = history(small().hidden([9]).engine(EngineKind::CpuThreads(1)));
    let reference = history(small().hidden([9]).engine(EngineKind::Reference));
    let difference = (cpu[1].test_loss - reference[1].test_loss).abs();
    assert!(difference > 0.0 && difference < 1e-4, "{difference}");
    let linear = fitted(&small().hidden([])).model;
    assert_eq!(linear.network().parameter_count(), 5 * 3 + 3);
    let dense = Classifier::with(Settings::default()).arch(Arch::Fc).hidden([7]).epochs(1).batch_size(10);
    assert_eq!(fitted(&dense).model.network().parameter_count(), 6 * 7 + 8 * 3);
}

#[test]
fn a_run_folder_has_the_same_files_as_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = fitted(&small().epochs(2).run_folder(&path));
    assert_eq!(run.folder.as_deref(), Some(&*path));
    for file in ["config.json", "metrics.jsonl", "model.safetensors", "best.safetensors", "summary.json"] {
        assert!(path.join(file).is_file(), "{file}");
    }
    assert_eq!(
        TrainedModel::load(path.join("model.safetensors").as_path()).unwrap().parameters(),
        run.model.parameters()
    );
}

/// To the bits of an uninterrupted run, and only with the data in memory.
#[test]
fn a_stopped_run_resumes_with_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, stopped] =
        ["whole", "stopped"].map(|name| small().epochs(6).run_folder(folder.path().join(name)));
    let stop_at_3 = |epoch: &EpochMetrics| {
        if epoch.epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let whole = fitted(&whole);
    assert_eq!(stopped.fit(&data(), Some(&data()), stop_at_3).unwrap().history.len(), 3);

    let path = folder.path().join("stopped");
    let config = std::fs::read_to_string(path.join("config.json")).unwrap();
    assert!(config.contains("<samples in memory>") && !config.contains("fashion"), "{config}");
    let refused = Session::new(&Silent).resume(&path, None).unwrap_err();
    assert!(
        matches!(&refused, Error::OtherRun(reason) if reason.contains("Classifier::resume")),
        "{refused}"
    );
    let other = data().head(80).unwrap();
    assert!(matches!(stopped.resume(&other, Some(&data()), keep_training), Err(Error::OtherRun(_))));
    assert!(matches!(
        stopped.clone().seed(1).resume(&data(), Some(&data()), keep_training),
        Err(Error::OtherRun(_))
    ));

    let run = stopped.resume(&data(), Some(&data()), keep_training).unwrap();
    assert_eq!((run.ending, run.history.len()), (Ending::Completed, 6));
    assert_eq!(run.model.to_bytes().unwrap(), whole.model.to_bytes().unwrap());
    let again = stopped.resume(&data(), Some(&data()), keep_training).unwrap();
    assert_eq!((again.epochs_planned, again.model.to_bytes().unwrap()), (6, run.model.to_bytes().unwrap()));
    assert!(matches!(
        small().resume(&data(), None, keep_training),
        Err(Error::Setting { setting: Setting::Out, .. })
    ));
}

/// As with `--preset` on the command line: a choice removes what the lower layer says of the old one.
#[test]
fn setters_override_presets_and_defaults() {
    let recipe = |classifier: Classifier| classifier.asked().resolve().unwrap().recipe;
    let momentum = recipe(Classifier::preset(Preset::Small).optimizer(OptimizerKind::Momentum));
    assert_eq!((momentum.learning_rate, momentum.epochs), (0.1, 100));
    for classifier in [Classifier::new(), Classifier::preset(Preset::Small)] {
        // These samples are not pictures.
        for arch in Arch::drawable().filter(|arch| *arch != Arch::Sc2d) {
            fitted(&classifier.clone().arch(arch).importance(Importance::Variance).epochs(1));
        }
    }
    let parameters = |classifier: Classifier| fitted(&classifier.epochs(1)).model.network().parameter_count();
    assert_eq!(parameters(Classifier::new().arch(Arch::Sc)), parameters(Classifier::new()));
    let short = Settings::from_toml("rf = true").unwrap();
    fitted(&Classifier::with(short).hidden([8]).blocks([2]).importance(Importance::Variance).epochs(1));
    let elsewhere =
        Settings::from_toml("data = \"nowhere.csv\"\ntest = 0.5\nhidden = 8\nblocks = 1").unwrap();
    fitted(&Classifier::with(elsewhere).epochs(1));
}
