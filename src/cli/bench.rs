//! `tanner bench`: how long steps take.

use std::time::Instant;

use anyhow::{Context as _, bail};
use tanner::benchmark::{
    BenchNetwork, CheckReport, Machine, Measurement, Mode, Timing, Yardstick, check_single_sample,
    data_bytes, peak_resident_bytes, time_inference, time_single_sample, time_training,
};
use tanner::engine::cpu::SingleSample;
use tanner::engine::{Backend, EngineSettings, Optimizer};
use tanner::model::Arch;
use tanner::network::{Network, Parameters};
use tanner::report::measurement_table;
use tanner::tiles::TilePolicy;
use tanner::training::Recipe;

use super::args::{ArchArg, OptimizerArg};
use super::backend::{self, Chosen};
use super::bench_args::{BenchArgs, CheckArg};
use super::gpu_kernels::{Kernels, Use};
use super::left_out::LeftOut;
use super::results::Results;
use super::settings::{EngineRequest, refuse};
use super::{bench_chart, bench_edges, bench_profile, bench_scale, inspect, memory, terminal};

/// What `--arch` is where nobody says: all that the paper compares.
const ARCHS: [ArchArg; 4] = [ArchArg::Sc, ArchArg::Rsp, ArchArg::Fc, ArchArg::Narrow];
/// File of a folder of results.
const FILE: &str = "bench.json";

/// Measures, or reads measurements, as the flags say.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if !args.chart.is_empty() {
        return bench_chart::run(args);
    }
    if let Some(path) = &args.edges {
        return bench_edges::run(args, path);
    }
    if args.scale {
        return bench_scale::run(args);
    }
    if args.profile {
        return bench_profile::run(args);
    }
    let plan = Plan::new(args)?;
    if args.check == CheckArg::Only && args.out.is_some() {
        return refuse("--out", "has no meaning with --check only, which measures nothing to be kept");
    }
    let results = args.out.as_deref().map(|out| Results::claim(Some(out), "bench", &[FILE])).transpose()?;
    let mut measured = Vec::new();
    let measure = |subject: &Subject, batch: usize| plan.measure(subject, batch);
    let left_out = plan.for_each(&archs(args, &ARCHS), measure, |measurement| {
        let Some(measurement) = measurement else { return Ok(()) };
        if args.json {
            terminal::print(&serde_json::to_string(&measurement)?)?;
        }
        measured.push(measurement);
        // At once: whoever interrupts the rest keeps this.
        results.as_ref().map_or(Ok(()), |results| results.write_json(FILE, &measured))
    })?;
    if !args.json && !measured.is_empty() {
        terminal::print(&measurement_table(&measured).to_string())?;
    }
    left_out.told()
}

/// The networks that were asked for, or the usual ones.
pub(super) fn archs(args: &BenchArgs, usual: &[ArchArg]) -> Vec<Arch> {
    let typed = if args.arch.is_empty() { usual } else { &args.arch };
    typed.iter().copied().map(Arch::from).collect()
}

/// Flags that were checked.
pub(super) struct Plan<'a> {
    pub(super) args: &'a BenchArgs,
    pub(super) batches: Vec<usize>,
    optimizer: Optimizer,
    pub(super) engine: EngineRequest,
    mode: Mode,
}

impl<'a> Plan<'a> {
    pub(super) fn new(args: &'a BenchArgs) -> anyhow::Result<Self> {
        let (mode, usual): (_, &[usize]) =
            if args.inference { (Mode::Inference, &[1, 1024]) } else { (Mode::Training, &[128, 1024, 4096]) };
        let batches = args.batch.as_ref().map_or(usual.to_vec(), |list| list.0.clone());
        if let Some(batch) = batches.iter().find(|batch| !(1..=tanner::engine::MAX_BATCH).contains(*batch)) {
            bail!("--batch: {batch} is impossible, it must be 1 to {}", tanner::engine::MAX_BATCH);
        }
        check_seconds(args.seconds)?;
        BenchNetwork { arch: Arch::Sc, width: args.width, hidden_layers: args.layers }.check()?;
        let engine = EngineRequest::new(&args.engine)?;
        Ok(Self { args, batches, optimizer: optimizer(args.optimizer), engine, mode })
    }

    /// What a network is trained with.
    pub(super) fn settings(&self, wish: &BenchNetwork, batch_size: usize) -> EngineSettings {
        EngineSettings {
            penalties: wish.penalties(),
            ..EngineSettings::new(self.optimizer, batch_size, self.args.seed)
        }
    }

    /// Measures every batch of every network and hands on what came of it; what fails is told and left out.
    ///
    /// # Errors
    /// The failure of the one thing that was asked for; those of `keep`.
    pub(super) fn for_each<T>(
        &self,
        archs: &[Arch],
        measure: impl Fn(&Subject, usize) -> anyhow::Result<T>,
        mut keep: impl FnMut(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<LeftOut> {
        let mut left_out = LeftOut::of(archs.len() * self.batches.len());
        for arch in archs {
            let subject = self.subject(*arch);
            // A network alone that cannot be built leaves nothing else to go on with.
            let subject =
                if archs.len() == 1 { Some(subject?) } else { left_out.or_told(arch.name(), subject)? };
            let Some(subject) = subject else { continue };
            for batch in &self.batches {
                let name = format!("{arch}, batch {batch}");
                left_out.or_told(&name, measure(&subject, *batch))?.map_or(Ok(()), &mut keep)?;
            }
        }
        Ok(left_out)
    }

    /// A network whose largest batch fits the memory.
    pub(super) fn subject(&self, arch: Arch) -> anyhow::Result<Subject> {
        let wish = BenchNetwork { arch, width: self.args.width, hidden_layers: self.args.layers };
        let architecture = wish.architecture().with_context(|| format!("--arch {arch}"))?;
        let settings = |batch_size| self.settings(&wish, batch_size);
        let (least, most) = (self.batches.iter().min().copied(), self.batches.iter().max().copied());
        let most = most.unwrap_or(1);
        memory::check_batch(&architecture, &settings(most), data_bytes(architecture.inputs, most))?;
        let begin = Instant::now();
        let network = architecture.build(self.args.seed).with_context(|| format!("--arch {arch}"))?;
        let start = Recipe::default().initialisation.draw(&network, self.args.seed)?;
        let drawn = begin.elapsed().as_secs_f64();
        let yardstick = if self.args.check.checks() {
            Some(Yardstick::new(&network, &start, settings(least.unwrap_or(1)))?)
        } else {
            None
        };
        Ok(Subject { wish, network, start, yardstick, drawn })
    }

    /// One batch size of one network; nothing where it is only checked.
    fn measure(&self, subject: &Subject, batch: usize) -> anyhow::Result<Option<Measurement>> {
        let Subject { network, start, .. } = subject;
        let (settings, seconds) = (self.settings(&subject.wish, batch), self.args.seconds);
        let begin = Instant::now();
        let purpose = if self.mode == Mode::Training { Use::Steps } else { Use::Passes };
        let Chosen { mut engine, kernels, .. } =
            backend::start(&self.request(batch), network, start, settings, purpose)?;
        backend::announce_kernels(kernels.as_ref());
        let build_seconds = subject.drawn + begin.elapsed().as_secs_f64();
        let check = subject.yardstick.as_ref().map(|yardstick| yardstick.check(&mut *engine)).transpose()?;
        let info = engine.info();
        // One sample has a forward pass of its own, on one thread.
        let is_single = self.is_of_one_sample(batch) && info.backend == Backend::Cpu;
        let single = check.filter(|_| is_single).map(|_| check_single_sample(network, start)).transpose()?;
        if self.args.check == CheckArg::Only {
            let name = format!("{} batch {batch} on {} ({})", subject.wish.arch, info.backend, info.adapter);
            terminal::print(&format!("{name}: {}", check_sentence(check, single)))?;
            return Ok(None);
        }
        let tiles = if is_single { Some(SingleSample::TILES) } else { tiles(info.backend, kernels.as_ref()) };
        let timing = match self.mode {
            Mode::Training => time_training(&mut *engine, network, batch, seconds)?,
            Mode::Inference if is_single => time_single_sample(network, start, seconds)?,
            Mode::Inference => time_inference(&mut *engine, network, batch, seconds)?,
        };
        // Before anything else takes memory.
        let peak_resident_bytes = peak_resident_bytes();
        drop(engine);
        let about = About {
            backend: info.backend,
            device: info.adapter,
            tiles,
            kernels,
            build_seconds,
            peak_resident_bytes,
            check,
        };
        Ok(Some(self.measurement(subject, batch, timing, about)))
    }

    /// The engine that was asked for; the latency of one sample is that of one thread.
    fn request(&self, batch: usize) -> EngineRequest {
        match self.engine.clone() {
            EngineRequest::Auto { kernels, .. } if self.is_of_one_sample(batch) => {
                EngineRequest::Auto { threads: Some(1), kernels }
            }
            EngineRequest::Cpu { .. } if self.is_of_one_sample(batch) => {
                EngineRequest::Cpu { threads: Some(1) }
            }
            request => request,
        }
    }

    /// Whether the latency of a single sample is measured.
    fn is_of_one_sample(&self, batch: usize) -> bool {
        self.mode == Mode::Inference && batch == 1
    }

    fn measurement(&self, subject: &Subject, batch: usize, timing: Timing, about: About) -> Measurement {
        let layers = subject.network.layers();
        let optimizer = match self.mode {
            Mode::Training => self.optimizer.to_string(),
            Mode::Inference => String::new(),
        };
        Measurement {
            program: "tanner".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            variant: String::new(),
            mode: self.mode,
            arch: subject.wish.arch.to_string(),
            width: subject.wish.width,
            hidden_layers: subject.wish.hidden_layers,
            batch,
            optimizer,
            backend: about.backend.to_string(),
            device: about.device,
            gpu_kernels: about.kernels.map(|kernels| kernels.tuning.to_string()),
            edges: layers.iter().map(|layer| layer.topology.edges()).sum(),
            weight_bytes: about.tiles.map(|tiles| inspect::weight_bytes(&subject.network, tiles)),
            steps_per_call: timing.steps_per_call,
            spread: timing.spread,
            build_seconds: Some(about.build_seconds),
            peak_resident_bytes: about.peak_resident_bytes,
            check: about.check,
            machine: Machine::this(),
        }
    }
}

/// A network that is ready to be measured.
pub(super) struct Subject {
    pub(super) wish: BenchNetwork,
    pub(super) network: Network,
    pub(super) start: Parameters,
    pub(super) yardstick: Option<Yardstick>,
    /// Seconds that graphs and first weights took.
    drawn: f64,
}

/// What a measurement says beside its times.
struct About {
    backend: Backend,
    device: String,
    /// How weights are packed, where they are.
    tiles: Option<TilePolicy>,
    kernels: Option<Kernels>,
    build_seconds: f64,
    peak_resident_bytes: Option<u64>,
    check: Option<CheckReport>,
}

/// How an engine packs weights, if it does.
fn tiles(backend: Backend, kernels: Option<&Kernels>) -> Option<TilePolicy> {
    match backend {
        Backend::Cpu => Some(inspect::CPU_TILES),
        Backend::Gpu => kernels.map(|kernels| kernels.tuning.tiles),
        Backend::Reference => None,
    }
}

/// What a check found, and the share of the bound that the logits of a single sample use.
fn check_sentence(check: Option<CheckReport>, single: Option<f64>) -> String {
    let share = |value: f64| 100.0 * value;
    let logits = single.map_or(String::new(), |logits| format!(", logits {:.1} %", share(logits)));
    check.map_or("not checked".into(), |report| {
        format!(
            "agrees with the reference; losses use {:.1} % of their bound, parameters {:.1} %{logits}",
            share(report.loss),
            share(report.parameters)
        )
    })
}

/// The optimiser with its usual settings.
fn optimizer(typed: OptimizerArg) -> Optimizer {
    match typed {
        OptimizerArg::Sgd => Optimizer::Sgd,
        OptimizerArg::Momentum => Optimizer::Momentum { momentum: 0.9, nesterov: false },
        OptimizerArg::Nesterov => Optimizer::Momentum { momentum: 0.9, nesterov: true },
        OptimizerArg::Adam => Optimizer::ADAM,
    }
}

/// Refuses a time that is none.
pub(super) fn check_seconds(seconds: f64) -> anyhow::Result<()> {
    // An hour is more than any measurement needs.
    if !(seconds > 0.0 && seconds <= 3600.0) {
        bail!("--seconds: {seconds} is impossible, it must be above 0 and at most 3600");
    }
    Ok(())
}
