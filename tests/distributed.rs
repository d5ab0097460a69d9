//! Several ranks that train one network, here as threads of one process.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{all_penalties, random_data, random_parameters, small_network};
use tanner::dataset::Dataset;
use tanner::distributed::{Link, SharedEngine, bytes_of_sum, sum};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{Engine, EngineSettings, Evaluation, Optimizer, OptimizerKind, StepOutcome, StepPlan};
use tanner::network::{Activation, Parameters};
use tanner::{Error, Result};

/// The way to and from every other rank.
struct Threads {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
    sent: Arc<Mutex<usize>>,
}

impl Link for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&mut self, partner: usize, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let gone = || Error::OtherRun("a rank is gone".into());
        if !send.is_empty() {
            *self.sent.lock().unwrap() += send.len();
            self.to[partner].send(send.to_vec()).map_err(|_| gone())?;
        }
        if !receive.is_empty() {
            receive.copy_from_slice(&self.from[partner].recv().map_err(|_| gone())?);
        }
        Ok(())
    }
}

/// Runs every rank on its own thread; the results are in the order of the ranks.
fn ranks<T: Send>(size: usize, run: impl Fn(Box<Threads>) -> T + Sync) -> Vec<T> {
    let mut to: Vec<Vec<Sender<Vec<u8>>>> = (0..size).map(|_| Vec::new()).collect();
    let mut from: Vec<Vec<Receiver<Vec<u8>>>> = (0..size).map(|_| Vec::new()).collect();
    for sender in &mut to {
        for receiver in &mut from {
            let (there, here) = channel();
            sender.push(there);
            receiver.push(here);
        }
    }
    let links = to.into_iter().zip(from).enumerate();
    let links: Vec<_> =
        links.map(|(rank, (to, from))| Threads { rank, to, from, sent: Arc::default() }).collect();
    let run = &run;
    thread::scope(|scope| {
        let all: Vec<_> = links.into_iter().map(|link| scope.spawn(move || run(Box::new(link)))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn every_rank_gets_the_same_sums_whatever_their_number() {
    for size in 1..10 {
        for count in [0, 1, 2, 3, 64, 1001] {
            let values = |rank: usize| -> Vec<f32> {
                (0..count).map(|k| ((k * 31 + rank * 17) % 101) as f32 / 7.0 - 5.0).collect()
            };
            let run = || {
                ranks(size, |mut link| {
                    let mut mine = values(link.rank);
                    sum(&mut *link, &mut mine).unwrap();
                    mine
                })
            };
            let sums = run();
            for (place, got) in sums[0].iter().enumerate() {
                let expected: f64 = (0..size).map(|rank| f64::from(values(rank)[place])).sum();
                assert!((f64::from(*got) - expected).abs() < 1e-4, "{size} ranks, {count} values, {place}");
            }
            assert!(sums.iter().all(|one| *one == sums[0]), "{size} ranks: all have the same bits");
            assert_eq!(run(), sums, "{size} ranks: the same bits again");
        }
    }
}

#[test]
fn as_many_bytes_travel_as_is_said() {
    for size in [1, 2, 3, 4, 6, 8, 16] {
        let count = 16 * 1024;
        let sent = ranks(size, |mut link| {
            let mut mine = vec![1.0f32; count];
            sum(&mut *link, &mut mine).unwrap();
            assert!(mine.iter().all(|sum| *sum == size as f32));
            *link.sent.lock().unwrap()
        });
        let expected: Vec<usize> = (0..size).map(|rank| bytes_of_sum(4 * count, rank, size)).collect();
        assert_eq!(sent, expected, "{size} ranks");
        if size == 4 {
            assert_eq!(sent, [2 * 3 * count; 4], "2 (ranks - 1) / ranks times 4 bytes a value");
        }
    }
}

const SAMPLES: usize = 300;
const BATCH: usize = 48;

fn data() -> Arc<Dataset> {
    random_data(SAMPLES, 10, 4, 1)
}

fn settings() -> EngineSettings {
    EngineSettings {
        penalties: all_penalties(),
        drop_connect: 0.1,
        label_smoothing: 0.1,
        ..EngineSettings::new(OptimizerKind::Momentum.usual(), BATCH, 3)
    }
}

fn engine(kind: &str, settings: EngineSettings) -> Box<dyn Engine> {
    let network = small_network(Activation::Tanh, 0.8);
    let parameters = random_parameters(&network, 2);
    match kind {
        "cpu" => Box::new(CpuEngine::new(&network, &parameters, settings, Some(1)).unwrap()),
        _ => Box::new(ReferenceEngine::new(&network, &parameters, settings).unwrap()),
    }
}

type Trained = (Vec<StepOutcome>, Parameters, Evaluation);

/// Three epochs, and the score on the data.
fn trained(engine: &mut dyn Engine, data: &Arc<Dataset>) -> Trained {
    let samples: Vec<u32> = (0u32..).step_by(7).map(|place| place % 300).take(SAMPLES).collect();
    let mut outcomes = Vec::new();
    for epoch in 0..3 {
        let first_step = epoch * SAMPLES.div_ceil(BATCH) as u64;
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step };
        outcomes.extend(engine.train(data, &plan).unwrap());
    }
    (outcomes, engine.parameters().unwrap(), engine.evaluate(data).unwrap())
}

#[test]
fn ranks_train_the_network_of_one() {
    let data = data();
    for kind in ["reference", "cpu"] {
        let (steps, parameters, evaluation) = trained(&mut *engine(kind, settings()), &data);
        for size in [1, 2, 3, 4, 7] {
            let run = || {
                ranks(size, |link| {
                    let mut shared = SharedEngine::new(engine(kind, settings()), link, BATCH);
                    trained(&mut shared, &data)
                })
            };
            let all = run();
            for (rank, (of_rank, own, score)) in all.iter().enumerate() {
                let what = format!("{kind}, rank {rank} of {size}");
                assert_eq!(*own, all[0].1, "{what}: every rank has the same bits");
                assert_eq!((of_rank.len(), score.samples), (steps.len(), SAMPLES));
                // Ten steps; later ones differ by more, because rounding grows.
                for (step, (got, expected)) in of_rank.iter().zip(&steps).enumerate().take(10) {
                    assert!((got.loss - expected.loss).abs() < 1e-5 * expected.loss, "{what}, step {step}");
                    assert_eq!((got.correct, got.samples), (expected.correct, expected.samples), "{what}");
                }
                assert!((score.loss - evaluation.loss).abs() < 1e-4, "{what}");
                assert!(score.correct.abs_diff(evaluation.correct) <= 1, "{what}");
            }
            if size == 1 {
                assert_eq!(all[0], (steps.clone(), parameters.clone(), evaluation), "{kind}: one rank alone");
            }
            assert_eq!(run(), all, "{kind}: {size} ranks give the same bits again");
        }
    }
}

#[test]
fn a_rank_that_is_told_to_stop_stops_all_after_the_same_step() {
    let (data, samples) = (data(), (0u32..).take(SAMPLES).collect::<Vec<u32>>());
    let counts = ranks(3, |link| {
        let (rank, stop) = (link.rank, AtomicBool::new(false));
        let mut shared = SharedEngine::new(engine("cpu", settings()), link, BATCH);
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 0 };
        let first = shared.train_unless(&data, &plan, &stop).unwrap().len();
        let before = shared.parameters().unwrap();
        stop.store(rank == 1, Ordering::Relaxed);
        let second = shared.train_unless(&data, &plan, &stop).unwrap().len();
        assert_eq!(shared.parameters().unwrap(), before, "nothing was updated");
        assert_eq!(shared.evaluate_unless(&data, &stop).unwrap(), None);
        (first, second)
    });
    assert_eq!(counts, [(SAMPLES.div_ceil(BATCH), 0); 3]);
}

#[test]
fn a_rank_that_fails_ends_all() {
    let data = data();
    // Two samples fewer: one rank has samples in its part that it does not have.
    let short = random_data(SAMPLES - 200, 10, 4, 1);
    let samples: Vec<u32> = (0u32..).take(SAMPLES).collect();
    let errors = ranks(3, |link| {
        let data = if link.rank == 2 { &short } else { &data };
        let mut shared = SharedEngine::new(engine("cpu", settings()), link, BATCH);
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 0 };
        shared.train(data, &plan).unwrap_err().to_string()
    });
    assert!(errors[2].contains("is not there"), "{errors:?}");
    assert!(errors[..2].iter().all(|error| error.contains("another rank failed")), "{errors:?}");
}

#[test]
fn batches_with_fewer_samples_than_ranks_are_shared_too() {
    let data = random_data(5, 10, 4, 1);
    let settings = EngineSettings { batch_size: 2, ..EngineSettings::new(Optimizer::Sgd, 2, 0) };
    let plan = StepPlan { samples: &[0, 1, 2, 3, 4], learning_rate: 0.1, first_step: 0 };
    let mut alone = engine("reference", settings);
    let (expected, score) = (alone.train(&data, &plan).unwrap(), alone.evaluate(&data).unwrap());
    for (outcomes, own) in ranks(6, |link| {
        let mut shared = SharedEngine::new(engine("reference", settings), link, 2);
        (shared.train(&data, &plan).unwrap(), shared.evaluate(&data).unwrap())
    }) {
        assert_eq!(outcomes.len(), 3);
        for (got, expected) in outcomes.iter().zip(&expected) {
            assert!((got.loss - expected.loss).abs() < 1e-12 && got.correct == expected.correct);
        }
        assert!((own.loss - score.loss).abs() < 1e-12 && own.correct == score.correct);
    }
}
