//! The choice of the engine, and why. With [`opening`](super::opening) the only files that know all three of them.

use tanner::engine::cpu::CpuEngine;
use tanner::engine::gpu::{self, AdapterChoice, AdapterReport, GpuEngine};
use tanner::engine::profile::ProfiledEngine;
use tanner::engine::{Engine, EngineSettings};
use tanner::network::{Network, Parameters};
use tanner::{Error, Result};

use super::gpu_kernels::{Kernels, KernelsRequest, Use};
use super::opening::{self, Opening};
use super::settings::EngineRequest;
use super::terminal;

/// An engine that is ready, with the reason it was chosen.
pub(crate) struct Chosen {
    pub(crate) engine: Box<dyn Engine>,
    /// What a GPU engine was made with.
    pub(crate) kernels: Option<Kernels>,
    why: String,
}

impl Chosen {
    pub(super) fn new(engine: impl Engine + 'static, why: impl Into<String>) -> Self {
        Self { engine: Box::new(engine), kernels: None, why: why.into() }
    }

    pub(super) fn on_gpu((engine, kernels): (GpuEngine, Kernels), why: impl Into<String>) -> Self {
        Self { kernels: Some(kernels), ..Self::new(engine, why) }
    }

    /// The lines that each run starts with.
    pub(crate) fn announce(&self) {
        let info = self.engine.info();
        terminal::note(&format!("engine: {} on {}: {}", info.backend, info.adapter, self.why));
        announce_kernels(self.kernels.as_ref());
    }
}

/// Says which kernels a GPU engine has.
pub(crate) fn announce_kernels(kernels: Option<&Kernels>) {
    if let Some(kernels) = kernels {
        terminal::note(&format!("gpu kernels: {kernels}"));
    }
}

/// Makes the engine that was asked for.
///
/// # Errors
/// When a GPU was asked for and there is none that fits, or an engine refuses its settings.
pub(crate) fn start(
    request: &EngineRequest,
    network: &Network,
    parameters: &Parameters,
    settings: EngineSettings,
    purpose: Use,
) -> Result<Chosen> {
    Opening::of(request).start((network, parameters, settings), purpose)
}

/// Makes the engine that was asked for, with clocks where its device has them.
///
/// # Errors
/// As [`start`]; the reference engine has no stages to time.
pub(crate) fn start_profiled(
    request: &EngineRequest,
    network: &Network,
    parameters: &Parameters,
    settings: EngineSettings,
) -> Result<(Box<dyn ProfiledEngine>, Option<Kernels>)> {
    let cpu = |threads: Option<usize>| -> Result<(Box<dyn ProfiledEngine>, _)> {
        Ok((Box::new(CpuEngine::new(network, parameters, settings, threads)?), None))
    };
    let gpu = |adapter, kernels: &KernelsRequest| -> Result<(Box<dyn ProfiledEngine>, _)> {
        let device = opening::open(adapter, kernels);
        let subject = (network, parameters, settings);
        let (engine, kernels) = opening::start_on(&device?, kernels, subject, Use::Steps)?;
        Ok((Box::new(engine), Some(kernels)))
    };
    match request {
        EngineRequest::Reference => Err(Error::Setting {
            setting: "--profile",
            reason: "the reference engine is not built for speed, take --backend cpu or gpu".into(),
        }),
        EngineRequest::Cpu { threads } => cpu(*threads),
        EngineRequest::Gpu { adapter, kernels } => gpu(choice(adapter.as_deref()), kernels),
        EngineRequest::Auto { threads, kernels } => match auto_here() {
            Auto::Gpu(_) => gpu(AdapterChoice::Hardware, kernels),
            Auto::Cpu(_) => cpu(*threads),
        },
    }
}

/// The named adapter, or the best of all.
pub(super) fn choice(adapter: Option<&str>) -> AdapterChoice {
    adapter.map_or(AdapterChoice::Any, |text| AdapterChoice::Named(text.to_owned()))
}

/// Every adapter of this machine, best first.
pub(crate) fn adapters() -> Vec<AdapterReport> {
    gpu::adapters()
}

/// What `auto` has to know of an adapter.
#[derive(Debug)]
struct AdapterFacts {
    name: String,
    is_hardware: bool,
    usable: Result<(), String>,
}

fn adapter_facts(adapters: &[AdapterReport]) -> Vec<AdapterFacts> {
    let facts = |report: &AdapterReport| AdapterFacts {
        name: report.name.clone(),
        is_hardware: report.is_hardware,
        usable: report.usable.clone(),
    };
    adapters.iter().map(facts).collect()
}

/// What `auto` chooses, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Auto {
    Gpu(String),
    Cpu(String),
}

/// What `auto` chooses on this machine.
pub(super) fn auto_here() -> Auto {
    auto_choice(&adapter_facts(&adapters()))
}

fn auto_choice(adapters: &[AdapterFacts]) -> Auto {
    if let Some(best) = adapters.iter().find(|adapter| adapter.is_hardware && adapter.usable.is_ok()) {
        return Auto::Gpu(format!("{} is a hardware GPU", best.name));
    }
    let hardware = adapters.iter().find(|adapter| adapter.is_hardware);
    Auto::Cpu(match (hardware, adapters.first()) {
        (Some(AdapterFacts { name, usable: Err(lack), .. }), _) => format!("{name} is not usable, {lack}"),
        (_, Some(software)) => {
            format!("no hardware GPU, {} is software, which --backend gpu would take", software.name)
        }
        (_, None) => "no GPU driver was found".to_owned(),
    })
}

/// What `auto` would choose of these adapters, as a sentence.
pub(crate) fn auto_sentence(adapters: &[AdapterReport]) -> String {
    match auto_choice(&adapter_facts(adapters)) {
        Auto::Gpu(why) => format!("auto chooses the GPU: {why}"),
        Auto::Cpu(why) => format!("auto chooses the CPU: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, is_hardware: bool, lack: Option<&str>) -> AdapterFacts {
        let usable = lack.map_or(Ok(()), |lack| Err(lack.to_owned()));
        AdapterFacts { name: name.into(), is_hardware, usable }
    }

    #[test]
    fn auto_takes_hardware_only_and_says_why() {
        let (gpu, soft) = (adapter("card", true, None), adapter("pipe", false, None));
        assert_eq!(auto_choice(&[gpu, soft]), Auto::Gpu("card is a hardware GPU".into()));
        assert_eq!(auto_choice(&[]), Auto::Cpu("no GPU driver was found".into()));
        let soft = adapter("pipe", false, None);
        let Auto::Cpu(why) = auto_choice(&[soft]) else { panic!("software was chosen") };
        assert!(why.contains("pipe is software"), "{why}");
        let (old, soft) =
            (adapter("old", true, Some("it has no compute shaders")), adapter("pipe", false, None));
        assert_eq!(
            auto_choice(&[old, soft]),
            Auto::Cpu("old is not usable, it has no compute shaders".into())
        );
        let (old, new) = (adapter("old", true, Some("it is old")), adapter("new", true, None));
        assert_eq!(auto_choice(&[old, new]), Auto::Gpu("new is a hardware GPU".into()));
    }
}
