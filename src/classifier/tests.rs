use super::*;
use crate::dataset::Dataset;
use crate::inference::{Predictor, Scores};
use crate::model::Arch;
use crate::topology::Partition;

/// 90 samples of 5 features in 3 classes; features 1 and 3 tell them apart.
fn data() -> Dataset {
    let features = (0u16..90 * 5).map(|k| {
        let (class, noise) = (k / 5 % 3, f32::from(k * 37 % 101) / 101.0);
        noise + if k % 5 == class + 1 { 2.0 } else { 0.0 }
    });
    Dataset::new(features.collect(), 5, (0..90).map(|sample| sample % 3).collect(), 3).unwrap()
}

fn small() -> Classifier {
    Classifier::new().activation(Activation::Relu).epochs(20).batch_size(10)
}

#[test]
fn a_fitted_model_predicts_what_its_history_says() {
    let mut told = Vec::new();
    let fitted = small().fit(&data(), &data(), |epoch| told.push(epoch.clone())).unwrap();
    assert_eq!(told, fitted.history);
    assert_eq!((fitted.history.len(), fitted.model.epochs_trained()), (20, 20));
    let last = fitted.history.last().unwrap();
    assert!(last.test_accuracy > 0.9, "{last:?}");
    let predictions = Predictor::new(fitted.model, None).unwrap().predict(data().features()).unwrap();
    let scores = Scores::new(&predictions, data().labels()).unwrap();
    assert_eq!(scores.accuracy, last.test_accuracy);
}

#[test]
fn graphs_of_ones_own_are_trained_saved_and_read() {
    // A ring: output o sees the inputs o and o + 1.
    let edges: Vec<(u32, u32)> = (0..5).flat_map(|o| [(o, o), ((o + 1) % 5, o)]).collect();
    let whole = || Partition::whole(5).unwrap();
    let ring = Topology::from_edges(whole(), whole(), &edges).unwrap();
    assert_eq!(ring.edges(), 10);
    let fitted = small().topologies(vec![ring.clone(), ring.clone()]).fit(&data(), &data(), |_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fitted.model.save(&path).unwrap();
    let read = TrainedModel::load(&path).unwrap();
    assert_eq!(read.record().arch, Arch::Custom);
    assert_eq!(read.network().widths(), [5, 5, 5, 3]);
    assert_eq!(*read.network().layers()[1].topology, ring);
    assert_eq!(read.parameters(), fitted.model.parameters());
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |classifier: Classifier| classifier.fit(&data(), &data(), |_| {}).unwrap_err().to_string();
    assert!(refused(small().density(0.0)).contains("a density of 0 is impossible"));
    assert!(refused(small().epochs(0)).starts_with("--epochs: 0"));
    assert!(refused(small().topologies(Vec::new())).contains("no topology"));
    assert!(refused(small().dropout(1.0)).contains("keep probability"));
    let wrong = Topology::from_edges(Partition::whole(4).unwrap(), Partition::whole(2).unwrap(), &[(0, 0)]);
    assert!(refused(small().topologies(vec![wrong.unwrap()])).contains("network of 4 inputs"));
}

#[test]
fn engines_and_widths_can_be_chosen() {
    let history =
        |classifier: Classifier| classifier.epochs(2).fit(&data(), &data(), |_| {}).unwrap().history;
    let cpu = history(small().hidden(&[9]).engine(EngineKind::CpuThreads(1)));
    let reference = history(small().hidden(&[9]).engine(EngineKind::Reference));
    let difference = (cpu[1].test_loss - reference[1].test_loss).abs();
    assert!(difference > 0.0 && difference < 1e-4, "{difference}");
    let linear = small().hidden(&[]).fit(&data(), &data(), |_| {}).unwrap().model;
    assert_eq!(linear.network().parameter_count(), 5 * 3 + 3);
    let dense = small().connectivity(Connectivity::FullyConnected).hidden(&[7]).epochs(1);
    assert_eq!(dense.fit(&data(), &data(), |_| {}).unwrap().model.network().parameter_count(), 6 * 7 + 8 * 3);
}
