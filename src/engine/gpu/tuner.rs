//! Choosing a [`Tuning`] by measurement, on engines that are thrown away.
//!
//! Kernels are timed at a batch of made-up samples with a learning rate of 0: the
//! parameters that training starts from are not touched. First one engine for
//! each share, with that share in every kernel: each kernel by itself keeps its
//! best. Then one engine for each density from which tiles are dense, under these
//! shares. Whatever does not beat the default by more than the noise is not taken,
//! and when time is up, the best so far is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gpu_device::GpuDevice;
use super::kernels::Kernel;
use super::options::GpuOptions;
use super::shaders::sharing_kernels;
use super::share::{Share, Shares};
use super::steps::{Purpose, Steps};
use super::timestamps::Timestamps;
use super::{GpuEngine, Tuning, commands};
use crate::dataset::Dataset;
use crate::engine::EngineSettings;
use crate::network::{Network, Parameters};
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
/// A candidate is taken where it needs less than this part of the best time so far.
const BETTER: f64 = 0.97;
/// Time that one measurement of one kernel should last, so that what a submit costs does not count.
const LASTING: Duration = Duration::from_millis(1);
/// Most repetitions of a kernel in one submit.
const MOST_REPETITIONS: usize = 32;
/// Measurements of a kernel, of which the shortest counts.
const ROUNDS: usize = 3;
/// Samples that are made up; batches repeat them.
const SAMPLES: usize = 256;

/// Kernels that are timed together: those of one share.
const GROUPS: usize = 4;

/// What is measured: a network, how it is trained, and on what.
#[derive(Clone, Copy)]
pub struct TuningTask<'a> {
    /// The device of the training to come.
    pub device: &'a GpuDevice,
    /// Its network.
    pub network: &'a Network,
    /// Where its training starts; only read.
    pub parameters: &'a Parameters,
    /// How it is trained, with the size of batches.
    pub settings: EngineSettings,
    /// How the engine will run; tiles and shares are where the search starts.
    pub options: &'a GpuOptions,
}

/// Seconds of a step in the kernels of each share, in the order of [`kernels_of`].
type Times = [f64; GROUPS];

impl TuningTask<'_> {
    /// The tuning that the options and the adapter have without any measurement.
    pub fn default_tuning(&self) -> Tuning {
        Tuning::of(self.options, self.network, self.settings.batch_size, self.device.gpu())
    }

    /// Measures until the best is found or the time is up; a measurement that has begun is finished.
    ///
    /// # Errors
    /// When the default cannot be measured. A candidate that the device cannot run is passed over.
    pub fn measure(&self, at_most: Duration) -> Result<Tuning> {
        let begin = Instant::now();
        let mut best = self.default_tuning();
        let mut times = self.times(best)?;
        let is_over = || begin.elapsed() >= at_most;
        for share in by_distance(best.shares.forward).into_iter().take_while(|_| !is_over()) {
            // A kernel that has no room for this share is measured with the largest that it has room for.
            let room = self.device.gpu().workgroup_room();
            let mut alike = Tuning { shares: Shares::alike(share).shrunk_to(room), ..best };
            let Some(found) = self.candidate(alike)? else { continue };
            let shares = best.shares.as_array_mut().into_iter().zip(alike.shares.as_array_mut());
            for ((share_of_group, share), (best, now)) in shares.zip(times.iter_mut().zip(found)) {
                if now < BETTER * *best {
                    (*share_of_group, *best) = (*share, now);
                }
            }
        }
        let mut least: f64 = times.iter().sum();
        for tiles in DENSITIES.into_iter().take_while(|_| !is_over()) {
            let tuning = Tuning { tiles, ..best };
            if tiles == best.tiles {
                continue;
            }
            let Some(found) = self.candidate(tuning)? else { continue };
            let sum = found.iter().sum();
            if sum < BETTER * least {
                (best, least) = (tuning, sum);
            }
        }
        Ok(best)
    }

    /// Times of a candidate; none where the device refuses it and is as good as before.
    fn candidate(&self, tuning: Tuning) -> Result<Option<Times>> {
        match self.times(tuning) {
            Ok(times) => {
                log::info!("gpu kernels: {tuning}: {:.1?} us", times.map(|seconds| 1e6 * seconds));
                Ok(Some(times))
            }
            Err(error @ Error::Device { .. }) => {
                log::info!("gpu kernels: {tuning} is passed over: {error}");
                self.device.gpu().check().map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    fn times(&self, tuning: Tuning) -> Result<Times> {
        let options = tuning.applied_to(self.options.clone());
        let mut engine = GpuEngine::on(self.device, self.network, self.parameters, self.settings, &options)?;
        let batch = Batch::new(&mut engine, self.network, self.settings.batch_size)?;
        batch.run(&engine, &Kernel::training_step(self.network.layers().len(), &self.settings), 1)?;
        let mut times = Times::default();
        for (seconds, kernels) in times.iter_mut().zip(kernels_of(self.network.layers().len())) {
            // A network without hidden layers has none of some kernels.
            if !kernels.is_empty() {
                *seconds = batch.time(&engine, &kernels)?;
            }
        }
        Ok(times)
    }
}

/// The kernels of a step under each of the shares.
fn kernels_of(layers: usize) -> impl Iterator<Item = Vec<Kernel>> {
    sharing_kernels().map(move |spec| spec.kernels(layers).collect())
}

/// All shares, those nearest to this one first.
fn by_distance(from: Share) -> Vec<Share> {
    let mut shares = Share::ALL.to_vec();
    shares.sort_by_key(|share| share.get().ilog2().abs_diff(from.get().ilog2()));
    shares
}

/// One batch of made-up samples that stands on the device.
struct Batch {
    steps: Steps,
    timestamps: Option<Timestamps>,
}

impl Batch {
    fn new(engine: &mut GpuEngine, network: &Network, batch_size: usize) -> Result<Self> {
        let (features, samples) = (network.inputs(), SAMPLES.min(batch_size));
        // Any numbers will do that are neither all alike nor tiny.
        let values = (0..samples * features).map(|place| (place * 7 % 31) as f32 / 31.0).collect();
        let labels = (0..samples).map(|sample| index_of(sample % network.classes())).collect();
        let data = Arc::new(Dataset::new(values, features, labels, network.classes())?);
        let chosen: Vec<u32> = (0..batch_size).map(|place| index_of(place % samples)).collect();
        engine.data.select(&engine.gpu, &engine.buffers, &engine.kernels, &data)?;
        engine.data.upload(&engine.gpu, &engine.buffers, &chosen)?;
        let purpose = Purpose::Training { learning_rate: 0.0, first_step: 0 };
        let steps = Steps::new(network, &engine.settings, batch_size, purpose, 0);
        steps.upload(&engine.gpu, &engine.buffers)?;
        let has = engine.gpu.has_timestamps();
        let timestamps = has.then(|| Timestamps::new(&engine.gpu, 1)).transpose()?;
        Ok(Self { steps, timestamps })
    }

    /// Seconds of the kernels, one after the other, once; the least of several rounds.
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

    /// Seconds from the begin of a submit's kernels to their end, by the device's clock where it has one.
    fn run(&self, engine: &GpuEngine, kernels: &[Kernel], repetitions: usize) -> Result<f64> {
        let step = (0, &self.steps.steps[0]);
        let repeated = kernels.iter().cycle().take(repetitions * kernels.len());
        let dispatches: Vec<_> =
            repeated.map(|kernel| engine.dispatch(*kernel, step)).collect::<Result<_>>()?;
        let begin = Instant::now();
        let submission = commands::submit_between(&engine.gpu, &dispatches, self.timestamps.as_ref())?;
        engine.gpu.wait(Some(submission))?;
        let wall = begin.elapsed().as_secs_f64();
        match &self.timestamps {
            Some(timestamps) => {
                let times = commands::read_times(&engine.gpu, timestamps, 1)?;
                let microseconds = times.first().map_or(0.0, |time| time.end - time.begin);
                // A clock that stands still is none.
                Ok(if microseconds > 0.0 { microseconds / 1e6 } else { wall })
            }
            None => Ok(wall),
        }
    }
}
