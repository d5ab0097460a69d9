//! Chooses a [`Tuning`] by measurement, on temporary engines.
//!
//! Kernels are timed on a batch of synthetic samples with a learning rate of 0: the
//! initial parameters of training do not change. First one engine for
//! each share, with that share in every kernel: each kernel separately keeps its
//! best. Then one engine for each density from which tiles are dense, with these
//! shares. A candidate must beat the default by more than the noise.
//! When the time is up, the best so far is used, and a [`Search`] says where to resume.
//! Only the time that the device is busy counts: kernels are compiled on all cores, some candidates ahead.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gpu_device::GpuDevice;
use super::kernels::Kernel;
use super::options::GpuOptions;
use super::shaders::sharing_kernels;
use super::share::{Share, Shares};
use super::steps::{StepPurpose, Steps};
use super::timestamps::Timestamps;
use super::{GpuEngine, Tuning, commands};
use crate::dataset::Dataset;
use crate::engine::EngineSettings;
use crate::network::{Network, Parameters};
use crate::threads::cores;
use crate::tiles::{TilePolicy, index_of};
use crate::{Error, Result};

/// Densities from which tiles may be dense.
pub(super) const DENSITIES: [TilePolicy; 5] = [
    TilePolicy::dense_from(0.3),
    TilePolicy::dense_from(0.15),
    TilePolicy::dense_from(0.45),
    TilePolicy::dense_from(0.6),
    TilePolicy::ALL_SPARSE,
];
/// A candidate is accepted if it needs less than this part of the best time so far.
const BETTER: f64 = 0.97;
/// Duration of one measurement of one kernel, long enough to hide the cost of a submit.
const LASTING: Duration = Duration::from_millis(1);
/// Maximum number of repetitions of a kernel in one submit.
const MOST_REPETITIONS: usize = 32;
/// Measurements of a kernel; the shortest counts.
const ROUNDS: usize = 3;
/// Synthetic samples; batches repeat them.
const SAMPLES: usize = 256;

/// Kernels that are timed together: those of one share.
const GROUPS: usize = 4;

/// How far a search has got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The best so far.
    pub tuning: Tuning,
    /// Number of candidates measured or skipped so far.
    pub measured: usize,
}

/// How long a search may take before it stops; a measurement that has begun is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Time that the device is at work.
    pub device: Duration,
    /// Total time, including compilation.
    pub in_all: Duration,
}

/// The used part of a search's budget.
struct Clock {
    begin: Instant,
    device: Cell<Duration>,
    at_most: Budget,
}

impl Clock {
    fn is_over(&self) -> bool {
        self.device.get() >= self.at_most.device || self.begin.elapsed() >= self.at_most.in_all
    }
}

/// What is tried in comparison with the best so far.
#[derive(Clone, Copy)]
enum Candidate {
    /// The same share in every kernel.
    Share(Share),
    /// Other tiles.
    Tiles(TilePolicy),
}

impl Candidate {
    fn of(self, best: Tuning) -> Tuning {
        match self {
            Self::Share(share) => Tuning { shares: Shares::alike(share), ..best },
            Self::Tiles(tiles) => Tuning { tiles, ..best },
        }
    }
}

/// Candidates compiled together, 4 kernels each.
fn at_once() -> usize {
    (cores() / GROUPS).max(1)
}

/// A measurement task: a network, its training, and the device.
#[derive(Clone, Copy)]
pub struct TuningTask<'a> {
    /// The device of the training to come.
    pub device: &'a GpuDevice,
    /// Its network.
    pub network: &'a Network,
    /// Its initial parameters; only read.
    pub parameters: &'a Parameters,
    /// How it is trained, with the size of batches.
    pub settings: EngineSettings,
    /// The engine's options; the search starts with their tiles and shares.
    pub options: &'a GpuOptions,
}

/// Seconds of a step in the kernels of each share, in the order of [`kernels_of`].
type Times = [f64; GROUPS];

impl TuningTask<'_> {
    /// The tuning by options and adapter, without measurement.
    pub fn default_tuning(&self) -> Tuning {
        Tuning::of(self.options, self.network, self.settings.batch_size, self.device.gpu())
    }

    /// The start of a search: the default, nothing measured.
    pub fn search(&self) -> Search {
        Search { tuning: self.default_tuning(), measured: 0 }
    }

    /// Continues a search until everything is measured or the time is up; a running measurement is finished.
    ///
    /// # Errors
    /// When the best so far cannot be measured. A candidate that the device cannot run is skipped.
    pub fn measure(&self, mut search: Search, at_most: Budget) -> Result<Search> {
        let clock = Clock { begin: Instant::now(), device: Cell::new(Duration::ZERO), at_most };
        let candidates = self.candidates();
        let mut times = self.times(search.tuning, &clock)?;
        for together in candidates.get(search.measured..).unwrap_or_default().chunks(at_once()) {
            if !clock.is_over() {
                self.compile(search.tuning, together);
            }
            for candidate in together {
                if clock.is_over() {
                    return Ok(search);
                }
                self.try_candidate(*candidate, (&mut search.tuning, &mut times), &clock)?;
                search.measured += 1;
            }
        }
        Ok(search)
    }

    /// All candidates, in order.
    fn candidates(&self) -> Vec<Candidate> {
        let default = self.default_tuning();
        let shares = by_distance(default.shares.forward).into_iter().map(Candidate::Share);
        let tiles = DENSITIES.into_iter().filter(|tiles| *tiles != default.tiles).map(Candidate::Tiles);
        shares.chain(tiles).collect()
    }

    /// How many candidates there are.
    pub fn candidate_count(&self) -> usize {
        self.candidates().len()
    }

    /// Compiles kernels of candidates; failures appear when they are measured.
    fn compile(&self, best: Tuning, candidates: &[Candidate]) {
        let shares: Vec<_> =
            candidates.iter().map(|candidate| self.fitting(candidate.of(best)).shares).collect();
        if let Err(error) = self.device.prepare(&shares, self.options.runtime_checks, self.settings.loss) {
            log::info!("gpu kernels: some candidates cannot be compiled: {error}");
        }
    }

    /// The same with the largest shares, up to these, that fit the kernels.
    fn fitting(&self, tuning: Tuning) -> Tuning {
        Tuning { shares: tuning.shares.reduced_to(self.device.gpu().workgroup_limits()), ..tuning }
    }

    /// Measures a candidate and keeps its improvements.
    fn try_candidate(
        &self,
        candidate: Candidate,
        (best, times): (&mut Tuning, &mut Times),
        clock: &Clock,
    ) -> Result<()> {
        let mut tuning = self.fitting(candidate.of(*best));
        let Some(found) = self.candidate(tuning, clock)? else { return Ok(()) };
        if let Candidate::Share(_) = candidate {
            let shares = best.shares.as_array_mut().into_iter().zip(tuning.shares.as_array_mut());
            for ((share_of_group, share), (best, now)) in shares.zip(times.iter_mut().zip(found)) {
                if now < BETTER * *best {
                    (*share_of_group, *best) = (*share, now);
                }
            }
        } else if found.iter().sum::<f64>() < BETTER * times.iter().sum::<f64>() {
            (*best, *times) = (tuning, found);
        }
        Ok(())
    }

    /// Times of a candidate; `None` if the device refuses it without being lost.
    fn candidate(&self, tuning: Tuning, clock: &Clock) -> Result<Option<Times>> {
        match self.times(tuning, clock) {
            Ok(times) => {
                log::info!("gpu kernels: {tuning}: {:.1?} us", times.map(|seconds| 1e6 * seconds));
                Ok(Some(times))
            }
            Err(error @ Error::Device { .. }) => {
                log::info!("gpu kernels: {tuning} is skipped: {error}");
                self.device.gpu().check().map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    fn times(&self, tuning: Tuning, clock: &Clock) -> Result<Times> {
        let options = tuning.applied_to(self.options.clone());
        let mut engine = GpuEngine::on(self.device, self.network, self.parameters, self.settings, &options)?;
        let batch = SyntheticBatch::new(&mut engine, self.network, self.settings.batch_size, clock)?;
        batch.run(&engine, &Kernel::training_step(self.network.layers().len(), &self.settings), 1)?;
        let mut times = Times::default();
        for (seconds, kernels) in times.iter_mut().zip(kernels_of(self.network.layers().len())) {
            // A network without hidden layers lacks some kernels.
            if !kernels.is_empty() {
                *seconds = batch.time(&engine, &kernels)?;
            }
        }
        Ok(times)
    }
}

/// The kernels of a step for each of the shares.
fn kernels_of(layers: usize) -> impl Iterator<Item = Vec<Kernel>> {
    sharing_kernels().map(move |spec| spec.kernels(layers).collect())
}

/// All shares, those nearest to this one first.
fn by_distance(from: Share) -> Vec<Share> {
    let mut shares = Share::ALL.to_vec();
    shares.sort_by_key(|share| share.get().ilog2().abs_diff(from.get().ilog2()));
    shares
}

/// One batch of synthetic samples on the device.
struct SyntheticBatch<'a> {
    steps: Steps,
    timestamps: Option<Timestamps>,
    clock: &'a Clock,
}

impl<'a> SyntheticBatch<'a> {
    fn new(engine: &mut GpuEngine, network: &Network, batch_size: usize, clock: &'a Clock) -> Result<Self> {
        let (features, samples) = (network.inputs(), SAMPLES.min(batch_size));
        // Any numbers that are neither all equal nor tiny will do.
        let values = (0..samples * features).map(|place| (place * 7 % 31) as f32 / 31.0).collect();
        let labels = (0..samples).map(|sample| index_of(sample % network.classes())).collect();
        let data = Arc::new(Dataset::new(values, features, labels, network.classes())?);
        let chosen: Vec<u32> = (0..batch_size).map(|place| index_of(place % samples)).collect();
        engine.data.select(&engine.gpu, &engine.buffers, &engine.kernels, &data)?;
        engine.data.upload(&engine.gpu, &engine.buffers, &chosen)?;
        let purpose = StepPurpose::Training { learning_rate: 0.0, first_step: 0 };
        let steps = Steps::new(network, &engine.settings, batch_size, purpose, 0);
        steps.upload(&engine.gpu, &engine.buffers)?;
        let has = engine.gpu.has_timestamps();
        let timestamps = has.then(|| Timestamps::new(&engine.gpu, 1)).transpose()?;
        Ok(Self { steps, timestamps, clock })
    }

    /// Seconds of the kernels, one after another, once; the minimum of several rounds.
    fn time(&self, engine: &GpuEngine, kernels: &[Kernel]) -> Result<f64> {
        let once = self.run(engine, kernels, 1)?;
        let fitting = LASTING.as_secs_f64() / once.max(1e-6);
        // Between 1 and a small number, a float beyond is cut off.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive number, cut off"
        )]
        let repetitions = (fitting as usize).clamp(1, MOST_REPETITIONS);
        let mut least = f64::INFINITY;
        for _ in 0..ROUNDS {
            least = least.min(self.run(engine, kernels, repetitions)? / repetitions as f64);
        }
        Ok(least)
    }

    /// Seconds from the beginning of a submit's kernels to their end, by the device's clock if it has one.
    fn run(&self, engine: &GpuEngine, kernels: &[Kernel], repetitions: usize) -> Result<f64> {
        let step = (0, &self.steps.steps[0]);
        let repeated = kernels.iter().cycle().take(repetitions * kernels.len());
        let dispatches: Vec<_> =
            repeated.map(|kernel| engine.dispatch(*kernel, step)).collect::<Result<_>>()?;
        let begin = Instant::now();
        let submission = commands::submit_between(&engine.gpu, &dispatches, self.timestamps.as_ref())?;
        engine.gpu.wait(Some(submission))?;
        let elapsed = begin.elapsed();
        self.clock.device.set(self.clock.device.get() + elapsed);
        let wall = elapsed.as_secs_f64();
        match &self.timestamps {
            Some(timestamps) => {
                let times = commands::read_times(&engine.gpu, timestamps, 1)?;
                let microseconds = times.first().map_or(0.0, |time| time.end - time.begin);
                // A clock that does not move is useless.
                Ok(if microseconds > 0.0 { microseconds / 1e6 } else { wall })
            }
            None => Ok(wall),
        }
    }
}
