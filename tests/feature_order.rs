//! Compares orders of raw features and standardising with numbers computed by hand.

use tanner::Error;
use tanner::dataset::{Dataset, Pictures};
use tanner::importance::cache::{self, ScoreSource};
use tanner::importance::{
    Importance, ImportanceSettings, Order, Preprocessing, Standardisation, Transform, feature_scores, ranking,
};
use tanner::threads::Threads;

const KINDS: [Importance; 3] = [Importance::RandomForest, Importance::Variance, Importance::Random];

/// 12 samples of 5 features; the class is the number of the sample modulo 3.
fn data() -> Dataset {
    let columns: [fn(u8) -> f32; 5] = [
        |k| f32::from(k % 3 * 2),
        |_| 7.0,
        |k| f32::from(k % 6 * 2) * 0.5,
        |k| f32::from(k % 6 * 2) * 0.5,
        |k| f32::from(k % 2),
    ];
    let features = (0..12).flat_map(|k| columns.map(|column| column(k))).collect();
    Dataset::new(features, 5, (0..12).map(|k| k % 3).collect(), 3).unwrap()
}

fn settings(importance: Importance, order: Order) -> ImportanceSettings {
    ImportanceSettings { order, trees: 10, ..ImportanceSettings::new(importance) }
}

fn fit(importance: Importance, order: Order) -> Preprocessing {
    Preprocessing::fit(&settings(importance, order), &data()).unwrap()
}

fn permutation(preprocessing: &Preprocessing) -> (&[u32], &[f32]) {
    match preprocessing.transform() {
        Transform::Permutation { order, importance } => (order, importance),
        other => panic!("{} made {other:?}", preprocessing.importance()),
    }
}

#[test]
fn variance_orders_by_variance_and_keeps_equal_features_in_their_order() {
    // Values 0, 2, 4: variance 8/3. Values 0 to 5: variance 35/12. Values 0, 1: 1/4.
    let fitted = fit(Importance::Variance, Order::Descending);
    let (order, importance) = permutation(&fitted);
    assert_eq!(order, [2, 3, 0, 4, 1]);
    let expected = [35.0 / 12.0, 35.0 / 12.0, 8.0 / 3.0, 0.25, 0.0];
    for (found, expected) in importance.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6, "{importance:?}");
    }
}

#[test]
fn a_forest_puts_the_telling_features_first() {
    // The class is k % 3: feature 0 determines it, features 2 and 3 do in several cuts, 1 and 4 do not.
    let fitted = fit(Importance::RandomForest, Order::Descending);
    let (order, importance) = permutation(&fitted);
    assert_eq!((order[0], order[4]), (0, 1));
    assert!(importance[0] > 0.3 && importance[4] == 0.0, "{importance:?}");
    assert!((importance.iter().sum::<f32>() - 1.0).abs() <= 1e-6, "{importance:?}");
}

#[test]
fn ascending_is_exactly_the_reverse_of_descending() {
    for kind in KINDS {
        let (descending, ascending) = (fit(kind, Order::Descending), fit(kind, Order::Ascending));
        let ((order, importance), (reversed, falling)) = (permutation(&descending), permutation(&ascending));
        assert!(order.iter().eq(reversed.iter().rev()), "{kind}: {order:?}, {reversed:?}");
        assert!(importance.iter().eq(falling.iter().rev()), "{kind}: {importance:?}, {falling:?}");
    }
    assert_eq!(ranking(&[1.0, 3.0, 1.0, 2.0], Order::Descending).unwrap(), [1, 3, 0, 2]);
    assert_eq!(ranking(&[1.0, 3.0, 1.0, 2.0], Order::Ascending).unwrap(), [2, 0, 3, 1]);
}

#[test]
fn chance_depends_on_the_seed_alone() {
    let order = |seed| {
        let settings = ImportanceSettings { seed, ..ImportanceSettings::new(Importance::Random) };
        let train = Dataset::new((0..200_u8).map(f32::from).collect(), 100, vec![0, 1], 2).unwrap();
        permutation(&Preprocessing::fit(&settings, &train).unwrap()).0.to_vec()
    };
    assert_eq!(order(3), order(3));
    assert_ne!(order(3), order(4));
    let mut sorted = order(3);
    assert_ne!(sorted, (0..100).collect::<Vec<u32>>());
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
}

#[test]
fn standardised_values_are_those_worked_out_by_hand() {
    // Feature 0: 1, 3, mean 2, deviation 1. Feature 1: constant. Feature 2: 0, 8, mean 4, deviation 4.
    let train = Dataset::new(vec![1.0, 5.0, 0.0, 3.0, 5.0, 8.0], 3, vec![0, 1], 2).unwrap();
    let train = train.with_image_shape([1, 3]).unwrap();
    let none = ImportanceSettings { standardize: true, ..ImportanceSettings::new(Importance::None) };
    let fitted = Preprocessing::fit(&none, &train).unwrap();
    let standardisation = fitted.standardisation().unwrap();
    assert_eq!(standardisation.mean(), [2.0, 5.0, 4.0]);
    assert_eq!(standardisation.divisor(), [1.0, 1.0, 4.0]);
    let applied = fitted.apply(&[3.0, 5.0, 6.0, 2.0, 5.5, 4.0]).unwrap();
    assert_eq!(applied, [1.0, 0.0, 0.5, 0.0, 0.5, 0.0]);
    // Features keep their places, so a picture stays a picture.
    assert_eq!(fitted.apply_dataset(train.clone()).unwrap().image_shape(), Some([1, 3]));
    assert_eq!(fitted.number_count(), 6);

    // Ordered by variance: feature 2, 0, 1.
    let variance = Preprocessing::fit(&ImportanceSettings::new(Importance::Variance), &train).unwrap();
    let applied = variance.apply(&[3.0, 5.0, 6.0]).unwrap();
    assert_eq!(applied, [0.5, 1.0, 0.0]);
    assert_eq!(variance.apply_dataset(train.clone()).unwrap().image_shape(), None);
    assert_eq!((variance.number_count(), variance.output_features()), (6, 3));
}

/// A unit is a factor; powers of 2 are exact.
#[test]
fn standardised_values_do_not_depend_on_the_unit() {
    let standardised = |unit: f32, offset: f32| {
        let values = [1.0_f32, 4.0, 2.0, 8.0, 3.0].map(|value| (value + offset) * unit).to_vec();
        let train = Dataset::new(values.clone(), 1, vec![0, 1, 0, 1, 0], 2).unwrap();
        let settings = ImportanceSettings { standardize: true, ..ImportanceSettings::new(Importance::None) };
        Preprocessing::fit(&settings, &train).unwrap().apply(&values).unwrap()
    };
    let expected = standardised(1.0, 0.0);
    assert!((expected.iter().map(|x| x * x).sum::<f32>() / 5.0 - 1.0).abs() < 1e-6);
    for exponent in [-100, -40, -10, 10, 40, 100] {
        assert_eq!(standardised(2f32.powi(exponent), 0.0), expected, "2^{exponent}");
    }
    // Constant as far as float32 can tell: what is left are rounding errors, which are not magnified.
    let rounding = |mean: f32| {
        let train = Dataset::new(vec![mean, mean, mean.next_up(), mean], 1, vec![0, 1, 0, 1], 2).unwrap();
        let settings = ImportanceSettings { standardize: true, ..ImportanceSettings::new(Importance::None) };
        Preprocessing::fit(&settings, &train).unwrap().standardisation().unwrap().divisor()[0]
    };
    assert_eq!([1.0, 1e-30, 1e30, 0.1].map(rounding), [1.0; 4]);
}

#[test]
fn without_standardising_values_only_change_places() {
    let settings = ImportanceSettings { standardize: false, ..ImportanceSettings::new(Importance::Variance) };
    let fitted = Preprocessing::fit(&settings, &data()).unwrap();
    assert_eq!(fitted.number_count(), 0);
    let sample = [0.1, -0.0, f32::MAX, 1e-40, 3.0];
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&fitted.apply(&sample).unwrap()), bits(&[f32::MAX, 1e-40, 0.1, 3.0, -0.0]));
}

#[test]
fn pca_of_standardised_features_is_pca_after_standardising() {
    let standardised = ImportanceSettings { standardize: true, ..ImportanceSettings::new(Importance::Pca) };
    let both = Preprocessing::fit(&standardised, &data()).unwrap();
    let first =
        Preprocessing::fit(&ImportanceSettings { importance: Importance::None, ..standardised }, &data());
    let first = first.unwrap();
    let between = first.apply_dataset(data()).unwrap();
    let second = Preprocessing::fit(&ImportanceSettings::new(Importance::Pca), &between).unwrap();
    assert_eq!(both.transform(), second.transform());
    let expected = second.apply(between.features()).unwrap();
    assert_eq!(both.apply(data().features()).unwrap(), expected);
    assert_eq!(both.number_count(), 25 + 5 + 5 + 10);
}

#[test]
fn applying_gives_the_same_bits_on_any_number_of_threads() {
    // More samples than one thread takes at a time, of awkward numbers.
    let values: Vec<f32> = (0..1500 * 7_u32).map(|k| (k as f32 * 0.37).sin()).collect();
    let train = Dataset::new(values, 7, (0..1500).map(|k| k % 3).collect(), 3).unwrap();
    for kind in [Importance::RandomForest, Importance::Variance, Importance::None] {
        let settings = ImportanceSettings { standardize: true, trees: 3, ..ImportanceSettings::new(kind) };
        let run = |threads| {
            let pool = Threads::new(Some(threads)).unwrap();
            pool.install(|| {
                let fitted = Preprocessing::fit(&settings, &train).unwrap();
                let applied = fitted.apply(train.features()).unwrap();
                let mut into = vec![f32::NAN; applied.len()];
                fitted.apply_into(train.features(), &mut into).unwrap();
                assert_eq!(applied, into);
                // A sample is the same at any place.
                assert_eq!(fitted.apply(train.sample(1400)).unwrap(), applied[1400 * 7..][..7]);
                (fitted, applied)
            })
        };
        let one = run(1);
        assert_eq!(one, run(2), "{kind}");
        assert_eq!(one, run(5), "{kind}");
    }
}

/// A set of bytes has the scores of the same set of f32, to the last bit, and shares its cache entry.
#[test]
fn pictures_score_as_the_same_features_in_f32() {
    let pixels = (0..3000_u32).map(|k| u8::try_from(k * k % 251 * (k % 5) / 4).unwrap()).collect();
    let labels = (0..300).map(|k| k / 7 % 3).collect();
    let pictures = Pictures::new(pixels, [2, 5], labels, 3).unwrap();
    let dataset = Dataset::from(pictures.clone());
    for kind in KINDS {
        let settings = settings(kind, Order::Descending);
        let folder = tempfile::tempdir().unwrap();
        let (first, source) = cache::scores(&settings, &dataset, Some(folder.path()), &|_| {}).unwrap();
        assert_eq!(source, ScoreSource::Fitted);
        assert!(first.iter().any(|score| *score > 0.0), "{kind}: {first:?}");
        let fitted = feature_scores(&settings, &pictures, &|_| {}).unwrap();
        assert!(first.iter().zip(fitted).all(|(a, b)| a.to_bits() == b.to_bits()), "{kind}");
        let (cached, source) = cache::scores(&settings, &pictures, Some(folder.path()), &|_| {}).unwrap();
        let expected =
            if kind == Importance::RandomForest { ScoreSource::Cache } else { ScoreSource::Fitted };
        assert_eq!((cached, source), (first, expected), "{kind}");
    }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: tanner::Result<T>, part: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Importance(_)), "{error:?}");
    assert!(error.to_string().contains(part), "`{part}` is missing in: {error}");
}

#[test]
fn impossible_fits_and_applications_are_refused() {
    let none = ImportanceSettings { trees: 0, ..settings(Importance::RandomForest, Order::Descending) };
    assert_refused(Preprocessing::fit(&none, &data()), "0 trees");
    let pca = ImportanceSettings::new(Importance::Pca);
    assert_refused(feature_scores(&pca, &data(), &|_| {}), "`pca` has no scores of features");
    let huge = Dataset::new(vec![3e38, -3e38], 1, vec![0, 1], 2).unwrap();
    let variance = settings(Importance::Variance, Order::Descending);
    assert_refused(Preprocessing::fit(&variance, &huge), "variance of feature 0 overflows");
    assert_refused(
        Preprocessing::from_scores(&variance, &data(), &[1.0; 4]),
        "4 scores do not fit 5 features",
    );
    assert_refused(Preprocessing::from_scores(&variance, &data(), &[f64::NAN; 5]), "NaN is invalid");
    assert_refused(Preprocessing::from_scores(&pca, &data(), &[1.0; 5]), "permutation does not belong");
    let fitted = fit(Importance::Variance, Order::Descending);
    assert_refused(fitted.apply(&[0.0; 6]), "multiple of 5");
    assert_refused(fitted.apply_into(&[0.0; 10], &mut [0.0; 5]), "10 feature values");
    assert_refused(Standardisation::from_parts(vec![0.0], vec![]), "1 means and 0 divisors");
    assert_refused(Standardisation::from_parts(vec![0.0; 2], vec![1.0, 0.0]), "feature 1 has the divisor 0");
    let other = Standardisation::from_parts(vec![0.0; 4], vec![1.0; 4]).unwrap();
    let transform = fitted.transform().clone();
    let parts = Preprocessing::from_parts(Importance::Variance, Order::Descending, Some(other), transform);
    assert_refused(parts, "4 features does not fit 5");
}

#[test]
fn settings_survive_json() {
    let settings = ImportanceSettings { seed: 7, ..ImportanceSettings::new(Importance::RandomForest) };
    let json = serde_json::to_string(&settings).unwrap();
    assert_eq!(json, r#"{"importance":"rf","order":"desc","standardize":true,"trees":500,"seed":7}"#);
    assert_eq!(serde_json::from_str::<ImportanceSettings>(&json).unwrap(), settings);
    let standardized = |kind| ImportanceSettings::new(kind).standardize;
    assert!(KINDS.map(standardized).iter().all(|on| *on));
    assert!(!standardized(Importance::Pca) && !standardized(Importance::None));
}
