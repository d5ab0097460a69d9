//! Compares PCA with its definition: known eigenvalues, orthonormal axes, variances of the outputs.

mod common;

use std::sync::OnceLock;

use common::pictures::few_pictures;
use proptest::prelude::*;
use tanner::Error;
use tanner::dataset::{DataSplits, Dataset, load_idx_folder};
use tanner::importance::{Importance, ImportanceSettings, Order, Preprocessing, Transform};

/// A fit with the usual settings of its kind.
fn fit(importance: Importance, order: Order, train: &Dataset) -> tanner::Result<Preprocessing> {
    Preprocessing::fit(&ImportanceSettings { order, ..ImportanceSettings::new(importance) }, train)
}

/// A few hundred pictures of Fashion-MNIST and their PCA in descending order, computed once for all tests.
fn fashion() -> &'static (DataSplits, Preprocessing) {
    static FASHION: OnceLock<(DataSplits, Preprocessing)> = OnceLock::new();
    FASHION.get_or_init(|| {
        let splits = load_idx_folder(few_pictures()).unwrap();
        let fitted = fit(Importance::Pca, Order::Descending, &splits.train).unwrap();
        (splits, fitted)
    })
}

fn parts(preprocessing: &Preprocessing) -> (&[f32], &[f32], &[f32]) {
    match preprocessing.transform() {
        Transform::Rotation { mean, rotation, explained_variance } => (mean, rotation, explained_variance),
        other => panic!("PCA made {other:?}"),
    }
}

/// Products of the rotation's rows with each other, in f64, must be those of orthonormal vectors.
#[track_caller]
fn assert_orthonormal(rotation: &[f32], features: usize) {
    let rotation: Vec<f64> = rotation.iter().map(|&value| f64::from(value)).collect();
    let rows: Vec<&[f64]> = rotation.chunks_exact(features).collect();
    for (i, a) in rows.iter().enumerate() {
        for (j, b) in rows[..=i].iter().enumerate() {
            let dot: f64 = a.iter().zip(*b).map(|(x, y)| x * y).sum();
            let error = (dot - if i == j { 1.0 } else { 0.0 }).abs();
            assert!(error <= ORTHONORMAL_BOUND, "components {i} and {j}: product {dot}");
        }
    }
}

/// Rounding two unit vectors to f32 moves their product by at most `EPSILON / 2` for each of
/// them; the decomposition in f64 adds far less.
const ORTHONORMAL_BOUND: f64 = f32::EPSILON as f64 + 1e-12;

#[test]
fn components_are_orthonormal_with_fixed_signs() {
    let (_, rotation, _) = parts(&fashion().1);
    assert_orthonormal(rotation, 784);
    for (component, loadings) in rotation.chunks_exact(784).enumerate() {
        let largest = loadings.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
        assert!(largest > 0.0, "component {component}: largest loading {largest}");
    }
}

#[test]
fn ascending_is_the_exact_reverse_of_descending() {
    let (splits, descending) = fashion();
    let ascending = fit(Importance::Pca, Order::Ascending, &splits.train).unwrap();
    let (mean, rotation, variances) = parts(descending);
    let (asc_mean, asc_rotation, asc_variances) = parts(&ascending);
    assert_eq!(mean, asc_mean);
    assert!(variances.iter().eq(asc_variances.iter().rev()));
    assert!(rotation.chunks_exact(784).eq(asc_rotation.chunks_exact(784).rev()));
    assert_eq!((ascending.importance(), ascending.order()), (Importance::Pca, Order::Ascending));
}

#[test]
fn test_samples_pass_through_what_was_fitted_on_training_samples() {
    let train = Dataset::new(vec![1.0, 0.0, 3.0, 0.0], 2, vec![0, 1], 2).unwrap();
    let fitted = fit(Importance::Pca, Order::Descending, &train).unwrap();
    let (mean, rotation, variances) = parts(&fitted);
    assert_eq!((mean, rotation, variances), (&[2.0, 0.0][..], &[1.0, 0.0, 0.0, 1.0][..], &[1.0, 0.0][..]));
    // If anything were fitted again on these, their mean would be subtracted.
    let test = Dataset::new(vec![10.0, 5.0, 12.0, 5.0], 2, vec![1, 1], 2).unwrap();
    let applied = fitted.apply_dataset(test).unwrap();
    assert_eq!(applied.features(), [8.0, 5.0, 10.0, 5.0]);
    assert_eq!(applied.labels(), [1, 1]);
}

#[test]
fn fewer_samples_than_features_leave_the_rest_at_variance_0() {
    let features: Vec<f32> = (0..3 * 20_u8).map(|i| f32::from(i.wrapping_mul(37) % 23)).collect();
    let train = Dataset::new(features, 20, vec![0, 1, 1], 2).unwrap();
    let fitted = fit(Importance::Pca, Order::Descending, &train).unwrap();
    let (_, rotation, variances) = parts(&fitted);
    assert!(variances[1] > 1.0, "{variances:?}");
    assert_eq!(variances[2..], [0.0; 18]);
    assert_orthonormal(rotation, 20);
}

#[test]
fn constant_features_are_allowed() {
    let train = Dataset::new(vec![0.1; 12], 3, vec![0, 1, 0, 1], 2).unwrap();
    let fitted = fit(Importance::Pca, Order::Ascending, &train).unwrap();
    assert_eq!(parts(&fitted).2, [0.0; 3]);
    assert_eq!(fitted.apply(&[0.1; 6]).unwrap(), [0.0; 6]);
}

#[test]
fn identity_changes_nothing_and_carries_nothing() {
    let train = Dataset::new(vec![1.0, 2.0, 3.0, 4.0], 2, vec![0, 1], 2).unwrap();
    let train = train.with_image_shape([1, 2]).unwrap();
    let fitted = fit(Importance::None, Order::Descending, &train).unwrap();
    assert_eq!((fitted.input_features(), fitted.output_features(), fitted.number_count()), (2, 2, 0));
    assert_eq!(fitted.apply(train.features()).unwrap(), train.features());
    assert_eq!(fitted.apply_dataset(train.clone()).unwrap(), train);
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: tanner::Result<T>, parts: &[&str]) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Importance(_)), "{error:?}");
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn impossible_fits_are_refused() {
    let one = Dataset::new(vec![1.0, 2.0], 2, vec![0], 2).unwrap();
    let two = Dataset::new(vec![1.0, 2.0, 3.0, 5.0], 2, vec![0, 1], 2).unwrap();
    let huge = Dataset::new(vec![3e38, -3e38], 1, vec![0, 1], 2).unwrap();
    let wide = Dataset::new(vec![0.0; 2 * 16_385], 16_385, vec![0, 1], 2).unwrap();
    assert_refused(fit(Importance::None, Order::Ascending, &two), &["asc", "none", "pca"]);
    assert_refused(fit(Importance::Pca, Order::Descending, &one), &["1 sample", "at least 2"]);
    assert_refused(fit(Importance::Pca, Order::Descending, &huge), &["overflows", "scale"]);
    assert_refused(fit(Importance::Pca, Order::Descending, &wide), &["16385", "16384"]);
    let fitted = fit(Importance::Pca, Order::Descending, &two).unwrap();
    assert_refused(fitted.apply(&[0.0; 3]), &["3 feature values", "multiple of 2"]);
    let other = Dataset::new(vec![0.0; 4], 4, vec![0], 2).unwrap();
    assert_refused(fitted.apply_dataset(other), &["4 features", "2 features"]);
}

#[test]
fn damaged_parts_are_refused() {
    use Importance::Pca;
    use Order::{Ascending, Descending};
    let rotation = |mean: &[f32], rotation: &[f32], explained_variance: &[f32]| Transform::Rotation {
        mean: mean.to_vec(),
        rotation: rotation.to_vec(),
        explained_variance: explained_variance.to_vec(),
    };
    let unit = [1.0, 0.0, 0.0, 1.0];
    let good = || rotation(&[0.5, 0.5], &unit, &[2.0, 1.0]);
    let fitted = Preprocessing::from_parts(Pca, Descending, None, good()).unwrap();
    assert_eq!(fitted.transform(), &good());
    let refused = |importance, order, transform, parts: &[&str]| {
        assert_refused(Preprocessing::from_parts(importance, order, None, transform), parts);
    };
    refused(Importance::None, Descending, good(), &["rotation", "none"]);
    refused(Pca, Descending, Transform::Identity { features: 2 }, &["identity", "pca"]);
    refused(Importance::None, Descending, Transform::Identity { features: 0 }, &["0 features"]);
    refused(Importance::None, Ascending, Transform::Identity { features: 2 }, &["asc"]);
    refused(Pca, Ascending, good(), &["variance 2", "before 1", "asc"]);
    refused(Pca, Descending, rotation(&[], &[], &[]), &["0 components", "0 features"]);
    refused(Pca, Descending, rotation(&[0.0], &[1.0, 0.0], &[2.0, 1.0]), &["2 components", "1 features"]);
    refused(Pca, Descending, rotation(&[0.5, 0.5], &unit[1..], &[2.0, 1.0]), &["3 numbers"]);
    refused(Pca, Descending, rotation(&[0.5, f32::NAN], &unit, &[2.0, 1.0]), &["not finite"]);
    refused(Pca, Descending, rotation(&[0.5, 0.5], &unit, &[2.0, -1.0]), &["component 1", "negative"]);
}

#[test]
fn names_are_the_same_in_text_and_in_files() {
    for importance in [
        Importance::None,
        Importance::Pca,
        Importance::RandomForest,
        Importance::Random,
        Importance::Variance,
    ] {
        assert_eq!(importance.to_string().parse::<Importance>().unwrap(), importance);
        assert_eq!(serde_json::to_string(&importance).unwrap(), format!("\"{importance}\""));
    }
    for order in Order::ALL {
        assert_eq!(order.to_string().parse::<Order>().unwrap(), order);
        assert_eq!(serde_json::to_string(&order).unwrap(), format!("\"{order}\""));
    }
    assert_eq!((Importance::Pca.name(), Order::Ascending.name()), ("pca", "asc"));
    assert_eq!(Importance::RandomForest.name(), "rf");
    let unknown = |error: Error| matches!(error, Error::UnknownName { .. }).then(|| error.to_string());
    let message = unknown("rf2".parse::<Importance>().unwrap_err());
    assert_eq!(message.as_deref(), Some("\"rf2\" is not one of pca, rf, variance, random, none"));
    let message = unknown("up".parse::<Order>().unwrap_err());
    assert_eq!(message.as_deref(), Some("\"up\" is not one of desc, asc, place"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Rotating keeps the distance of any two samples, whatever it was fitted on.
    #[test]
    fn rotation_keeps_distances(
        (features, values) in (1..8_usize, 2..30_usize).prop_flat_map(|(features, samples)| {
            (Just(features), prop::collection::vec(-1.0_f32..1.0, features * samples))
        })
    ) {
        let samples = values.len() / features;
        let train = Dataset::new(values, features, vec![0; samples], 2).unwrap();
        let fitted = fit(Importance::Pca, Order::Descending, &train).unwrap();
        let rotated = fitted.apply_dataset(train.clone()).unwrap();
        let distance = |set: &Dataset| {
            let pairs = set.sample(0).iter().zip(set.sample(samples - 1));
            pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
        };
        let error = (distance(&train) - distance(&rotated)).abs();
        prop_assert!(error <= 1e-5, "{error}");
    }
}
