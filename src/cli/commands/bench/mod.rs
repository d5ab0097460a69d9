//! `tanner bench`: how long steps take.

mod chart;
mod edges;
mod profile;
mod scale;

use std::time::Instant;

use anyhow::{Context as _, bail};
use tanner::benchmark::{
    BenchNetwork, CLASSES, CheckReport, Machine, Measurement, Mode, Yardstick, check_single_sample,
    data_bytes, peak_resident_bytes, time_inference, time_single_sample, time_training,
};
use tanner::engine::cpu::SingleSample;
use tanner::engine::{Backend, EngineSettings, Optimizer, OptimizerOptions};
use tanner::model::Arch;
use tanner::network::{Architecture, Network, Parameters};
use tanner::report::measurement_table;
use tanner::session::settings::{ArchitectureOptions, ArchitectureSettings, Grids, InputShape};
use tanner::session::{EnginePurpose, EngineRequest, OpenedEngine, check_batch, check_built_batch};
use tanner::tiles::TilePolicy;
use tanner::topology::Grid;
use tanner::training::Recipe;

use super::{inspect, refuse};
use crate::cli::flags::{BenchArgs, CheckArg};
use crate::cli::ui::{Results, Skipped, session, terminal};

/// The default of `--arch`: all that the paper compares.
const ARCHS: [Arch; 4] = [Arch::Sc, Arch::Rsp, Arch::Fc, Arch::Narrow];
/// File of a folder of results.
const FILE: &str = "bench.json";

/// Measures, or reads measurements, as the flags say.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if !args.chart.is_empty() {
        return chart::run(args);
    }
    if let Some(path) = &args.write_edges {
        return edges::run(args, path);
    }
    if args.scale {
        return scale::run(args);
    }
    if args.profile {
        return profile::run(args);
    }
    let plan = BenchPlan::new(args)?;
    if args.check == CheckArg::Only && args.out.is_some() {
        return refuse("--out", "cannot be used with --check only, which measures nothing");
    }
    let results = args.out.as_deref().map(|out| Results::claim(Some(out), "bench", &[FILE])).transpose()?;
    let mut measured = Vec::new();
    let measure = |subject: &ReadyNetwork, batch: usize| plan.measure(subject, batch);
    let skipped = plan.for_each(&archs(args, &ARCHS), measure, |measurement| {
        let Some(measurement) = measurement else { return Ok(()) };
        if args.json {
            terminal::print(&serde_json::to_string(&measurement)?)?;
        }
        measured.push(measurement);
        // At once, so that an interruption does not lose it.
        results.as_ref().map_or(Ok(()), |results| results.write_json(FILE, &measured))
    })?;
    if !args.json && !measured.is_empty() {
        terminal::print_table(&measurement_table(&measured))?;
    }
    skipped.check()
}

/// The requested networks, or the default ones.
fn archs(args: &BenchArgs, usual: &[Arch]) -> Vec<Arch> {
    match &args.arch[..] {
        _ if args.edges.is_some() => vec![Arch::Custom],
        [] => usual.to_vec(),
        archs => archs.to_vec(),
    }
}

/// Flags that were checked.
struct BenchPlan<'a> {
    args: &'a BenchArgs,
    batches: Vec<usize>,
    optimizer: Optimizer,
    engine: EngineRequest,
    mode: Mode,
}

impl<'a> BenchPlan<'a> {
    fn new(args: &'a BenchArgs) -> anyhow::Result<Self> {
        let (mode, usual): (_, &[usize]) =
            if args.inference { (Mode::Inference, &[1, 1024]) } else { (Mode::Training, &[128, 1024, 4096]) };
        let batches = args.batch.as_ref().map_or(usual.to_vec(), |list| list.0.clone());
        if let Some(batch) = batches.iter().find(|batch| !(1..=tanner::engine::MAX_BATCH).contains(*batch)) {
            bail!("--batch: {batch} is invalid, it must be 1 to {}", tanner::engine::MAX_BATCH);
        }
        check_seconds(args.seconds)?;
        BenchNetwork { arch: Arch::Sc, width: args.width, hidden_layers: args.layers }.check()?;
        let engine = args.engine.resolve()?;
        Ok(Self {
            args,
            batches,
            optimizer: Optimizer::from_options(args.optimizer, &OptimizerOptions::default())?,
            engine,
            mode,
        })
    }

    /// The training settings of a network.
    fn settings(&self, bench_network: &BenchNetwork, batch_size: usize) -> EngineSettings {
        EngineSettings {
            penalties: bench_network.penalties(),
            ..EngineSettings::new(self.optimizer, batch_size, self.args.seed)
        }
    }

    /// Measures every batch of every network and passes on the results; failures are reported and skipped.
    ///
    /// # Errors
    /// The failure of a single measurement; those of `keep`.
    fn for_each<T>(
        &self,
        archs: &[Arch],
        measure: impl Fn(&ReadyNetwork, usize) -> anyhow::Result<T>,
        mut keep: impl FnMut(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<Skipped> {
        let mut skipped = Skipped::of(archs.len() * self.batches.len());
        for arch in archs {
            let subject = self.subject(*arch);
            // If the only network cannot be built, nothing else is left to measure.
            let subject =
                if archs.len() == 1 { Some(subject?) } else { skipped.or_reported(arch.name(), subject)? };
            let Some(subject) = subject else { continue };
            for batch in &self.batches {
                let name = format!("{arch}, batch {batch}");
                skipped.or_reported(&name, measure(&subject, *batch))?.map_or(Ok(()), &mut keep)?;
            }
        }
        Ok(skipped)
    }

    /// A network whose largest batch fits the memory.
    fn subject(&self, arch: Arch) -> anyhow::Result<ReadyNetwork> {
        let (least, most) = (self.batches.iter().min().copied(), self.batches.iter().max().copied());
        let most = most.unwrap_or(1);
        let begin = Instant::now();
        let (bench_network, network) = match edges::read(self.args)? {
            Some((bench_network, network)) => {
                let settings = self.settings(&bench_network, most);
                check_built_batch(&network, &settings, data_bytes(network.inputs(), most))?;
                (bench_network, network)
            }
            None => self.drawn(arch, most)?,
        };
        let settings = |batch_size| self.settings(&bench_network, batch_size);
        let start = Recipe::default().initialisation.draw(&network, self.args.seed)?;
        let drawn = begin.elapsed().as_secs_f64();
        let yardstick = match self.args.check {
            CheckArg::Skip => None,
            _ => Some(Yardstick::new(&network, &start, settings(least.unwrap_or(1)))?),
        };
        Ok(ReadyNetwork { bench_network, network, start, yardstick, drawn })
    }

    /// A network of this kind, drawn if its largest batch fits the memory.
    fn drawn(&self, arch: Arch, batch: usize) -> anyhow::Result<(BenchNetwork, Network)> {
        let bench_network = BenchNetwork { arch, width: self.args.width, hidden_layers: self.args.layers };
        let mut architecture = match self.args.parameters {
            Some(parameters) => sized(&bench_network, parameters)?,
            None => bench_network.architecture().with_context(|| format!("--arch {arch}"))?,
        };
        architecture.activation = self.args.activation;
        check_batch(
            &architecture,
            &self.settings(&bench_network, batch),
            data_bytes(architecture.inputs, batch),
        )?;
        let network = architecture.build(self.args.seed).with_context(|| format!("--arch {arch}"))?;
        Ok((bench_network, network))
    }

    /// One batch size of one network; `None` if it is only checked.
    fn measure(&self, subject: &ReadyNetwork, batch: usize) -> anyhow::Result<Option<Measurement>> {
        let ReadyNetwork { network, start, .. } = subject;
        let (settings, seconds) = (self.settings(&subject.bench_network, batch), self.args.seconds);
        let begin = Instant::now();
        let purpose = if self.mode == Mode::Training { EnginePurpose::Steps } else { EnginePurpose::Passes };
        let session = session();
        let opened = session.engine(&self.request(batch), network, start, settings, purpose)?;
        session.announce_kernels(&opened);
        let OpenedEngine { mut engine, kernels, tiles: gpu_tiles, .. } = opened;
        let build_seconds = subject.drawn + begin.elapsed().as_secs_f64();
        let check = subject.yardstick.as_ref().map(|yardstick| yardstick.check(&mut *engine)).transpose()?;
        let info = engine.info();
        // One sample has a separate forward pass, on one thread.
        let is_single = self.is_of_one_sample(batch) && info.backend == Backend::Cpu;
        let single = check.filter(|_| is_single).map(|_| check_single_sample(network, start)).transpose()?;
        if self.args.check == CheckArg::Only {
            let name = format!(
                "{} batch {batch} on {} ({})",
                subject.bench_network.arch, info.backend, info.adapter
            );
            terminal::print(&format!("{name}: {}", check_sentence(check, single)))?;
            return Ok(None);
        }
        let tiles = if is_single { Some(SingleSample::TILES) } else { tiles(info.backend, gpu_tiles) };
        let timing = match self.mode {
            Mode::Training => time_training(&mut *engine, network, batch, seconds)?,
            Mode::Inference if is_single => time_single_sample(network, start, seconds)?,
            Mode::Inference => time_inference(&mut *engine, network, batch, seconds)?,
        };
        // Before anything else takes memory.
        let peak_resident_bytes = peak_resident_bytes();
        drop(engine);
        Ok(Some(Measurement {
            program: "tanner".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            variant: String::new(),
            mode: self.mode,
            arch: subject.bench_network.arch.to_string(),
            width: subject.bench_network.width,
            hidden_layers: subject.bench_network.hidden_layers,
            batch,
            optimizer: if self.mode == Mode::Training { self.optimizer.to_string() } else { String::new() },
            backend: info.backend.to_string(),
            device: info.adapter,
            gpu_kernels: kernels,
            edges: network.layers().iter().map(|layer| layer.topology.edges()).sum(),
            weight_bytes: tiles.map(|tiles| inspect::weight_bytes(network, tiles)),
            steps_per_call: timing.steps_per_call,
            spread: timing.spread,
            build_seconds: Some(build_seconds),
            peak_resident_bytes,
            check,
            machine: Machine::this(),
        }))
    }

    /// The requested engine; the latency of one sample is measured on one thread.
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
}

/// A network that is ready to be measured.
struct ReadyNetwork {
    bench_network: BenchNetwork,
    network: Network,
    start: Parameters,
    yardstick: Option<Yardstick>,
    /// Seconds for graphs and initial weights.
    drawn: f64,
}

/// The network of a kind with at most this number of parameters.
fn sized(wanted: &BenchNetwork, parameters: usize) -> anyhow::Result<Architecture> {
    let BenchNetwork { arch, width, hidden_layers } = *wanted;
    let picture = Grid::squarest(width);
    let is_planar = arch == Arch::Sc2d;
    let options = ArchitectureOptions {
        arch: Some(arch),
        hidden: (!is_planar).then(|| vec![width; hidden_layers].into()),
        grid: is_planar.then(|| Grids(vec![picture; hidden_layers])),
        parameters: Some(parameters),
        ..ArchitectureOptions::default()
    };
    let shape = InputShape { features: width, picture: Some([picture.rows, picture.columns]) };
    let found = ArchitectureSettings::new(&options).and_then(|settings| settings.fit_to(shape, CLASSES));
    found.with_context(|| format!("--arch {arch}"))
}

/// How an engine packs weights, if at all.
fn tiles(backend: Backend, of_gpu: Option<TilePolicy>) -> Option<TilePolicy> {
    match backend {
        Backend::Cpu => Some(inspect::CPU_TILES),
        Backend::Gpu => of_gpu,
        Backend::Reference => None,
    }
}

/// The result of a check, and the share of the bound that the logits of a single sample use.
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

/// Refuses an invalid time.
fn check_seconds(seconds: f64) -> anyhow::Result<()> {
    // An hour is more than any measurement needs.
    if !(seconds > 0.0 && seconds <= 3600.0) {
        bail!("--seconds: {seconds} is invalid, it must be above 0 and at most 3600");
    }
    Ok(())
}
