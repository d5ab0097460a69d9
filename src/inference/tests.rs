use std::sync::Arc;

use super::*;
use crate::engine::Engine;
use crate::importance::{Importance, ImportanceSettings, Preprocessing};
use crate::model::ArchitectureRecord;
use crate::network::{Activation, Architecture, Connectivity};
use crate::training::Recipe;

/// 100 samples of 12 features in 3 classes.
fn data() -> Dataset {
    let features = (0u16..100 * 12).map(|k| f32::from(k * 37 % 101) / 50.0 - 1.0).collect();
    Dataset::new(features, 12, (0..100).map(|sample| sample % 3).collect(), 3).unwrap()
}

/// Untrained, of two coupled layers.
fn model(importance: Importance) -> TrainedModel {
    let architecture = Architecture {
        inputs: 12,
        hidden: vec![12, 12],
        classes: 3,
        connectivity: Connectivity::SpatiallyCoupled {
            blocks: vec![3],
            receptive_fields: vec![2],
            degrees: vec![vec![3, 3, 2]],
        },
        activation: Activation::Tanh,
        keep_probability: 1.0,
        reaches_all: false,
    };
    let recipe = Recipe::default();
    let network = architecture.build(3).unwrap();
    let parameters = recipe.initialisation.draw(&network, 3).unwrap();
    let preprocessing = Preprocessing::fit(&ImportanceSettings::new(importance), &data()).unwrap();
    TrainedModel::new(network, parameters, preprocessing, ArchitectureRecord::new(&architecture, 3)).unwrap()
}

/// Loss and accuracy equal those of an engine's evaluation of the same samples.
#[test]
fn predictions_score_as_the_engine_evaluates() {
    for importance in [Importance::None, Importance::Pca, Importance::Variance] {
        let model = model(importance);
        let settings = Recipe::default().engine_settings();
        let mut engine = CpuEngine::new(model.network(), model.parameters(), settings, Some(1)).unwrap();
        let expected = engine.evaluate(&Arc::new(model.prepare(data()).unwrap())).unwrap();
        let predictor = Predictor::new(model, Some(2)).unwrap();
        let predictions = predictor.predict(data().features()).unwrap();
        let scores = Scores::new(&predictions, data().labels()).unwrap();
        assert_eq!((scores.correct, scores.samples), (expected.correct, expected.samples), "{importance}");
        let difference = (scores.log_loss - expected.loss).abs();
        assert!(difference <= 1e-6 * expected.loss, "{importance}: {} {}", scores.log_loss, expected.loss);
    }
}

#[test]
fn a_sample_alone_is_predicted_as_among_others() {
    let predictor = Predictor::new(model(Importance::Variance), Some(2)).unwrap();
    let all = predictor.predict(data().features()).unwrap();
    for sample in [0, 31, 32, 99] {
        let alone = predictor.predict(data().sample(sample)).unwrap();
        assert_eq!(alone.of(0), all.of(sample), "sample {sample}");
        assert_eq!(alone.label(0), all.label(sample));
    }
}

/// More samples than are preprocessed together.
#[test]
fn parts_are_put_together_in_order() {
    let predictor = Predictor::new(model(Importance::None), None).unwrap();
    let few = predictor.predict(data().features()).unwrap();
    let many = predictor.predict(&data().features().repeat(200)).unwrap();
    assert_eq!(many.samples(), 20_000);
    assert!((0..20_000).all(|sample| many.of(sample) == few.of(sample % 100)));
    let mut broken = data().features().repeat(200);
    broken[12 * 9000 + 5] = f32::NAN;
    let message = predictor.predict(&broken).unwrap_err().to_string();
    assert!(message.contains("feature 5 of sample 9000 is NaN"), "{message}");
}

#[test]
fn features_that_do_not_fit_are_refused() {
    let predictor = Predictor::new(model(Importance::Pca), None).unwrap();
    for wrong in [&[][..], &[0.0; 13]] {
        let message = predictor.predict(wrong).unwrap_err().to_string();
        assert!(message.contains("must be a multiple of 12"), "{message}");
    }
}

fn predictions(logits: &[f32]) -> Predictions {
    Predictions::new(logits.to_vec(), 2).unwrap()
}

#[test]
fn scores_by_hand() {
    // ln 3 makes probabilities of 3/4 and 1/4.
    let a = 3f32.ln();
    let found = predictions(&[a, 0.0, a, 0.0, 0.0, a, a, 0.0]);
    let scores = Scores::new(&found, &[0, 1, 1, 0]).unwrap();
    assert_eq!(scores.confusion, [[2, 0], [1, 1]]);
    assert_eq!((scores.correct, scores.accuracy), (3, 0.75));
    let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    let [first, second] = scores.per_class[..] else { panic!("two classes") };
    near(first.precision, 2.0 / 3.0);
    near(first.recall, 1.0);
    near(first.f1, 0.8);
    near(second.precision, 1.0);
    near(second.recall, 0.5);
    near(second.f1, 2.0 / 3.0);
    assert_eq!((first.support, second.support), (2, 2));
    near(scores.macro_f1, (0.8 + 2.0 / 3.0) / 2.0);
    near(scores.log_loss, -(3.0 * 0.75f64.ln() + 0.25f64.ln()) / 4.0);
    // All confidences are 3/4, as is the accuracy.
    near(scores.calibration_error, 0.0);
    near(Scores::new(&found, &[0, 0, 1, 0]).unwrap().calibration_error, 0.25);
}

/// Class 1 has no sample, and is answered once.
#[test]
fn a_class_without_samples_does_not_count() {
    let scores = Scores::new(&predictions(&[1.0, 0.0, 1.0, 0.0, 0.0, 1.0]), &[0, 0, 0]).unwrap();
    assert_eq!((scores.per_class[0].f1, scores.macro_f1), (0.8, 0.8));
    assert_eq!((scores.classes_without_samples(), scores.majority()), (vec![1], (0, 1.0)));
    let equal = Scores::new(&predictions(&[1.0, 0.0, 1.0, 0.0]), &[0, 1]).unwrap();
    assert_eq!((equal.classes_without_samples(), equal.majority()), (vec![], (0, 0.5)));
}

#[test]
fn a_hopeless_sample_has_a_finite_loss() {
    let found = predictions(&[1000.0, -1000.0]);
    assert_eq!(found.of(0), [1.0, 0.0]);
    assert_eq!(Scores::new(&found, &[1]).unwrap().log_loss, 2000.0);
}

#[test]
fn of_equal_logits_the_first_counts() {
    assert_eq!(predictions(&[2.0, 2.0, 1.0, 2.0]).labels(), [0, 1]);
}

#[test]
fn misfits_are_refused() {
    let found = predictions(&[0.0, 1.0]);
    assert!(Scores::new(&found, &[0, 1]).unwrap_err().to_string().contains("2 labels do not fit"));
    assert!(Scores::new(&found, &[2]).unwrap_err().to_string().contains("label 2, but the model knows 2"));
    assert!(
        Predictions::new(vec![0.0, f32::NAN], 2).unwrap_err().to_string().contains("class 1 of sample 0")
    );
    assert!(Predictions::new(vec![0.0; 3], 2).is_err() && Predictions::new(vec![], 2).is_err());
}
