//! Computations run on the library's own threads, never on rayon's global pool.

mod common;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use common::pictures::write_pictures;
use tanner::classifier::{Classifier, EngineKind};
use tanner::dataset::table::{Columns, FitOptions, Format, Impute, Limits, ReadOptions, Source, Table};
use tanner::dataset::{Augmentation, Dataset, fingerprint, learn, load_idx_folder, load_idx_training};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{Engine, EngineSettings, Optimizer};
use tanner::importance::{Importance, ImportanceSettings, Preprocessing};
use tanner::inference::Predictor;
use tanner::network::{Architecture, Initialisation, Scheme};
use tanner::session::Reporter;
use tanner::threads::Threads;
use tanner::training::EpochMetrics;

/// Reads, orders, augments, trains and predicts; the result as text, so that it can be compared to the last bit.
fn everything() -> String {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path(), "train", 6000);
    write_pictures(folder.path(), "t10k", 100);
    let splits = load_idx_folder(folder.path()).unwrap();
    let training = load_idx_training(folder.path()).unwrap();
    let pictures = splits.train.head(5000).unwrap();
    let augmented = Augmentation { shift: 2, flip: true }.apply(&pictures, 1, 0).unwrap();
    let mut seen = vec![fingerprint(&augmented), fingerprint(&Dataset::from(training))];

    let rows: String =
        (0..3000).map(|row| format!("{},{},{}\n", row % 7, ["a", "b"][row % 2], row % 3)).collect();
    let columns = Columns::New { label: None, labelled: true, drop: &[], weights: None };
    let source = Source::from_bytes("t.csv", format!("x,kind,label\n,a,1\n{rows}").into_bytes());
    let table = Table::read(source, Format::Csv, &columns, &ReadOptions::default()).unwrap().table;
    let options = FitOptions { impute: Some(Impute::Mean), ..FitOptions::default() };
    seen.push(fingerprint(&learn(table, options, &Limits::default()).unwrap().0));

    for importance in [Importance::Variance, Importance::Pca, Importance::RandomForest] {
        let settings = ImportanceSettings { trees: 4, ..ImportanceSettings::new(importance) };
        let fitted = Preprocessing::fit(&settings, &pictures).unwrap();
        seen.push(fingerprint(&fitted.apply_dataset(pictures.clone()).unwrap()));
    }

    let losses = |epoch: &EpochMetrics| {
        seen.push(format!("{:?}", epoch.train_loss));
        ControlFlow::Continue(())
    };
    let data = pictures.head(500).unwrap();
    let fitted = Classifier::new().hidden([32]).epochs(2).fit(&data, Some(&data), losses).unwrap();
    let predictions = Predictor::new(fitted.model, None).unwrap().predict(data.features()).unwrap();
    seen.push(format!("{:?}", predictions.probabilities()));
    seen.join("\n")
}

#[test]
fn every_pool_has_the_same_results_and_the_global_one_is_never_used() {
    // The only thread of the global pool is busy forever: anything that waited for it would hang.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let (started, is_busy) = mpsc::channel();
    rayon::spawn(move || {
        started.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    is_busy.recv().unwrap();

    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let of_pools = [1, 3].map(|count| Threads::new(Some(count)).unwrap().install(everything));
        done.send((everything(), of_pools)).unwrap();
    });
    let (of_default, of_pools) =
        result.recv_timeout(Duration::from_secs(300)).expect("no work waits for the global pool");
    assert!(of_default == of_pools[0] && of_default == of_pools[1]);
}

#[test]
fn work_that_is_installed_runs_on_all_threads_of_that_pool() {
    let data = Dataset::new(vec![0.5; 2000], 2, vec![0; 1000], 2).unwrap();
    let settings = ImportanceSettings { trees: 64, ..ImportanceSettings::new(Importance::RandomForest) };
    let threads = Threads::new(Some(3)).unwrap();
    assert_eq!(threads.count(), 3);
    let names = Mutex::new(Vec::new());
    let progress = |_: usize| {
        // Long enough for the other threads to take a tree.
        thread::sleep(Duration::from_millis(5));
        names.lock().unwrap().push(thread::current().name().map(str::to_owned));
    };
    threads.install(|| tanner::importance::feature_scores(&settings, &data, &progress)).unwrap();
    let mut names = names.into_inner().unwrap();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, [0, 1, 2].map(|index| Some(format!("tanner-{index}"))));
}

/// Records on which threads the trees of a forest are grown.
#[derive(Default)]
struct Growers(Mutex<HashMap<ThreadId, String>>);

impl Growers {
    fn note(&self) {
        // Long enough for the other threads to take a tree.
        thread::sleep(Duration::from_millis(5));
        let thread = thread::current();
        self.0.lock().unwrap().insert(thread.id(), thread.name().unwrap_or_default().to_owned());
    }

    fn names(self) -> Vec<String> {
        let mut names: Vec<String> = self.0.into_inner().unwrap().into_values().collect();
        names.sort_unstable();
        names
    }
}

impl Reporter for Growers {
    fn forest(&self, grown: Option<usize>, _: usize) {
        if grown.is_some_and(|grown| grown > 0) {
            self.note();
        }
    }
}

#[test]
fn each_run_has_its_own_number_of_threads_and_leaves_those_of_others_alone() {
    let features = (0..400_u16).map(|k| f32::from(k * 37 % 101)).collect();
    let data = Dataset::new(features, 4, (0..100).map(|sample| sample % 2).collect(), 2).unwrap();
    let run = |threads| {
        let growers = Growers::default();
        let classifier =
            Classifier::new().hidden([8]).epochs(1).importance(Importance::RandomForest).trees(64);
        let classifier = classifier.engine(EngineKind::CpuThreads(threads));
        classifier.fit_reporting(&data, None, |_| ControlFlow::Continue(()), &growers).unwrap();
        growers
    };
    let settings = ImportanceSettings { trees: 64, ..ImportanceSettings::new(Importance::RandomForest) };
    let elsewhere = || {
        let growers = Growers::default();
        tanner::importance::feature_scores(&settings, &data, &|_| growers.note()).unwrap();
        growers
    };

    let _entered = Threads::new(Some(3)).unwrap().enter();
    let runs = thread::scope(|scope| {
        // Two runs in sequence, and one at the same time.
        let beside = scope.spawn(|| run(4));
        [run(1), run(2), beside.join().unwrap()]
    });
    let names = |count: usize| (0..count).map(|index| format!("tanner-{index}")).collect::<Vec<_>>();
    for (run, threads) in runs.into_iter().zip([1, 2, 4]) {
        assert_eq!(run.names(), names(threads));
    }
    // This thread is as before the runs, and another thread is unaffected.
    let (here, there) = (elsewhere(), thread::scope(|scope| scope.spawn(elsewhere).join().unwrap()));
    assert!(there.0.lock().unwrap().keys().all(|thread| !here.0.lock().unwrap().contains_key(thread)));
    assert_eq!(here.names(), names(3));
}

#[test]
fn no_pool_has_0_threads() {
    assert!(Threads::new(Some(0)).unwrap_err().to_string().contains("0 is invalid"));
}

#[test]
fn a_boxed_engine_moves_to_another_thread() {
    let network = Architecture::paper(784, 10).build(0).unwrap();
    let parameters = Initialisation { scheme: Scheme::Glorot, gain: 4.0 }.draw(&network, 0).unwrap();
    let settings = EngineSettings::new(Optimizer::Sgd, 8, 0);
    let engines: [Box<dyn Engine>; 2] = [
        Box::new(CpuEngine::new(&network, &parameters, settings, Some(2)).unwrap()),
        Box::new(ReferenceEngine::new(&network, &parameters, settings).unwrap()),
    ];
    for mut engine in engines {
        let moved = thread::spawn(move || engine.parameters().unwrap()).join().unwrap();
        assert_eq!(moved, parameters);
    }
}
