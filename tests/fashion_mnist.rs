//! Tests on all 70,000 pictures of Fashion-MNIST. The folder `data/fashion-mnist` is in the repository, not in the
//! package: without it the tests show as ignored, with the reason, and with `TANNER_REQUIRE_DATA=1` that is a failure.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use libtest_mimic::{Arguments, Completion, Trial};
use sha2::{Digest, Sha256};
use tanner::dataset::{DataSplits, load_idx_folder};
use tanner::importance::{Importance, ImportanceSettings, Preprocessing, Transform};
use tanner::threads::Threads;

const TESTS: [(&str, fn()); 5] = [
    ("shipped_files_have_the_sums_that_are_recorded", shipped_files_have_the_sums_that_are_recorded),
    ("it_has_its_shapes_and_class_counts", it_has_its_shapes_and_class_counts),
    ("leading_eigenvalues", leading_eigenvalues),
    ("columns_have_mean_0_and_the_explained_variance", columns_have_mean_0_and_the_explained_variance),
    ("same_bits_with_one_thread_and_with_two", same_bits_with_one_thread_and_with_two),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_there = folder().exists();
    if !is_there && std::env::var_os("TANNER_REQUIRE_DATA").is_some_and(|value| value == "1") {
        eprintln!("{} is not there, and TANNER_REQUIRE_DATA=1 asks for it", folder().display());
        return ExitCode::FAILURE;
    }
    let trial = |(name, run): (&str, fn())| {
        Trial::ignorable_test(name, move || {
            if !is_there {
                return Ok(Completion::ignored_with("needs data/fashion-mnist of the repository"));
            }
            run();
            Ok(Completion::Completed)
        })
    };
    libtest_mimic::run(&arguments, TESTS.map(trial).into()).exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fashion-mnist")
}

/// The data and their PCA in descending order, computed once for all tests.
fn fashion() -> &'static (DataSplits, Preprocessing) {
    static FASHION: OnceLock<(DataSplits, Preprocessing)> = OnceLock::new();
    FASHION.get_or_init(|| {
        let splits = load_idx_folder(folder()).unwrap();
        let fitted = fit(&splits);
        (splits, fitted)
    })
}

fn fit(splits: &DataSplits) -> Preprocessing {
    Preprocessing::fit(&ImportanceSettings::new(Importance::Pca), &splits.train).unwrap()
}

fn parts(preprocessing: &Preprocessing) -> (&[f32], &[f32], &[f32]) {
    match preprocessing.transform() {
        Transform::Rotation { mean, rotation, explained_variance } => (mean, rotation, explained_variance),
        other => panic!("PCA made {other:?}"),
    }
}

fn shipped_files_have_the_sums_that_are_recorded() {
    let sums = fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4);
    for line in sums.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let file = fs::File::open(folder().join(format!("{name}.gz"))).unwrap();
        let mut content = Vec::new();
        GzDecoder::new(file).read_to_end(&mut content).unwrap();
        let found: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected, "{name}");
    }
}

fn it_has_its_shapes_and_class_counts() {
    let splits = &fashion().0;
    for (set, samples) in [(&splits.train, 60_000), (&splits.test, 10_000)] {
        assert_eq!((set.samples(), set.feature_count(), set.class_count()), (samples, 784, 10));
        assert_eq!(set.image_shape(), Some([28, 28]));
        let mut counts = [0; 10];
        set.labels().iter().for_each(|&label| counts[label as usize] += 1);
        assert_eq!(counts, [samples / 10; 10]);
        assert!(set.features().iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(set.features().contains(&1.0));
    }
    assert_eq!(splits.train.labels()[..5], [9, 0, 0, 3, 0]);
}

fn leading_eigenvalues() {
    let (_, fitted) = fashion();
    let (_, _, variances) = parts(fitted);
    for (found, expected) in variances.iter().zip([19.809, 12.112, 4.106, 3.382, 2.625]) {
        assert!((found - expected).abs() <= 1e-3, "{found} instead of {expected}");
    }
    assert_eq!(fitted.input_features(), 784);
    assert_eq!(fitted.output_features(), 784);
    assert_eq!(fitted.number_count(), 614_656 + 784 + 784);
}

/// Mean and variance (divisor n) of each column, in f64.
fn column_moments(values: &[f32], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (values.len() / columns) as f64;
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows);
    }
    let mut variances = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for ((variance, &value), mean) in variances.iter_mut().zip(row).zip(&means) {
            *variance += (f64::from(value) - mean).powi(2) / rows;
        }
    }
    (means, variances)
}

fn columns_have_mean_0_and_the_explained_variance() {
    let (splits, fitted) = fashion();
    let (_, _, expected) = parts(fitted);
    let (means, variances) = column_moments(&fitted.apply(splits.train.features()).unwrap(), 784);
    // The variances add up to the trace; rounding is relative to that sum.
    let trace: f32 = expected.iter().sum();
    let bound = f64::from(trace * f32::EPSILON);
    for component in 0..784 {
        let error = (variances[component] - f64::from(expected[component])).abs();
        assert!(error <= bound, "component {component}: variance off by {error}, bound {bound}");
        let mean = means[component].abs();
        assert!(mean <= 1e-6, "component {component}: mean {mean}");
    }
}

fn same_bits_with_one_thread_and_with_two() {
    let (splits, fitted) = fashion();
    let run = |threads| {
        let pool = Threads::new(Some(threads)).unwrap();
        pool.install(|| {
            let again = fit(splits);
            let train = again.apply(splits.train.features()).unwrap();
            let test = again.apply(splits.test.features()).unwrap();
            (again, bits(&train), bits(&test))
        })
    };
    let (one, one_train, one_test) = run(1);
    let (two, two_train, two_test) = run(2);
    for fit in [&one, &two] {
        let ((mean, rotation, variances), (m, r, v)) = (parts(fitted), parts(fit));
        assert!(bits(mean) == bits(m) && bits(rotation) == bits(r) && bits(variances) == bits(v));
    }
    assert!(one_train == two_train && one_test == two_test);
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
