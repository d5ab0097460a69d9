//! Making an engine in two parts: its device, which needs nothing else and takes its time, and the rest.

use std::thread::{self, JoinHandle};

use tanner::engine::EngineSettings;
use tanner::engine::cpu::CpuEngine;
use tanner::engine::gpu::{AdapterChoice, GpuDevice, GpuEngine, GpuOptions, Shares};
use tanner::engine::reference::ReferenceEngine;
use tanner::network::{Network, Parameters};
use tanner::{Error, Result};

use super::backend::{Auto, Chosen, auto_here, choice};
use super::gpu_kernels::{Kernels, KernelsRequest, Use};
use super::settings::EngineRequest;
use super::terminal;

/// A network, where its training starts, and how it is trained.
pub(super) type Subject<'a> = (&'a Network, &'a Parameters, EngineSettings);

/// An engine whose device is being opened on a thread of its own, while data are read.
pub(crate) struct Opening {
    request: EngineRequest,
    device: Option<JoinHandle<Found>>,
}

/// What was found for a request that may mean a GPU.
enum Found {
    /// A device, or why there is none, and why it was looked for.
    Gpu(Result<Box<GpuDevice>>, String),
    /// Why it is the CPU.
    Cpu(String),
}

impl Opening {
    /// Begins to open what the request means; what goes wrong is told by [`Opening::start`].
    pub(crate) fn of(request: &EngineRequest) -> Self {
        let find: Option<Box<dyn FnOnce() -> Found + Send>> = match request.clone() {
            EngineRequest::Reference | EngineRequest::Cpu { .. } => None,
            EngineRequest::Gpu { adapter, kernels } => Some(Box::new(move || {
                let why = adapter.as_ref().map_or("--backend gpu".into(), |text| format!("--adapter {text}"));
                Found::Gpu(open(choice(adapter.as_deref()), &kernels).map(Box::new), why)
            })),
            EngineRequest::Auto { kernels, .. } => Some(Box::new(move || match auto_here() {
                Auto::Gpu(why) => Found::Gpu(open(AdapterChoice::Hardware, &kernels).map(Box::new), why),
                Auto::Cpu(why) => Found::Cpu(why),
            })),
        };
        Self { request: request.clone(), device: find.map(thread::spawn) }
    }

    /// Waits for the device and makes the engine on it.
    ///
    /// # Errors
    /// When a GPU was asked for and there is none that fits, or an engine refuses its settings.
    pub(crate) fn start(mut self, subject: Subject<'_>, purpose: Use) -> Result<Chosen> {
        let request = self.request.clone();
        let found = self.device.take().map(|thread| {
            thread.join().unwrap_or_else(|_| {
                let reason = "the thread that opened the device panicked".into();
                Found::Gpu(Err(Error::NoAdapter(reason)), String::new())
            })
        });
        let (network, parameters, settings) = subject;
        match (request, found) {
            (EngineRequest::Reference, _) => {
                let engine = ReferenceEngine::new(network, parameters, settings)?;
                Ok(Chosen::new(engine, "--backend reference"))
            }
            (EngineRequest::Gpu { kernels, .. }, Some(Found::Gpu(device, why))) => {
                let device = device?;
                Ok(Chosen::on_gpu(start_on(&device, &kernels, subject, purpose)?, why))
            }
            (EngineRequest::Auto { threads, kernels }, Some(found)) => {
                start_best(found, (threads, &kernels), subject, purpose)
            }
            (request, _) => {
                let engine = CpuEngine::new(network, parameters, settings, request.threads())?;
                Ok(Chosen::new(engine, "--backend cpu"))
            }
        }
    }
}

impl Drop for Opening {
    /// A process that ends while its driver is at work may end badly: what was begun is waited for.
    fn drop(&mut self) {
        if let Some(thread) = self.device.take() {
            // What goes wrong there now is of no interest: something else has gone wrong already.
            let _ = thread.join();
        }
    }
}

/// A hardware GPU where there is one that works, else the CPU.
fn start_best(
    found: Found,
    (threads, kernels): (Option<usize>, &KernelsRequest),
    subject: Subject<'_>,
    purpose: Use,
) -> Result<Chosen> {
    let mut why = match found {
        Found::Cpu(why) => why,
        Found::Gpu(device, why) => {
            let made = device.and_then(|device| start_on(&device, kernels, subject, purpose));
            match made {
                Ok(made) => return Ok(Chosen::on_gpu(made, why)),
                Err(error) => {
                    terminal::warn(&format!("{error}; going on with the CPU"));
                    "the GPU could not be used".to_owned()
                }
            }
        }
    };
    why.push_str(" (--backend auto)");
    let (network, parameters, settings) = subject;
    Ok(Chosen::new(CpuEngine::new(network, parameters, settings, threads)?, why))
}

/// How an engine runs but for its kernels; clocks cost nothing where nobody reads them.
fn options(adapter: AdapterChoice) -> GpuOptions {
    GpuOptions { adapter, timestamps: true, ..GpuOptions::default() }
}

/// Opens an adapter, and compiles what is known to be needed: all kernels where their shares are known.
pub(super) fn open(adapter: AdapterChoice, kernels: &KernelsRequest) -> Result<GpuDevice> {
    let device = GpuDevice::open(&options(adapter))?;
    let known = kernels.known(device.adapter()).map(|tuning| tuning.shares);
    // Without latency to hide a software adapter shares nothing by default.
    if let Some(shares) = known.or((!device.is_hardware()).then_some(Shares::ALONE)) {
        device.prepare(&shares, false)?;
    }
    Ok(device)
}

/// Chooses kernels, and makes the engine with them.
pub(super) fn start_on(
    device: &GpuDevice,
    kernels: &KernelsRequest,
    subject: Subject<'_>,
    purpose: Use,
) -> Result<(GpuEngine, Kernels)> {
    let (network, parameters, settings) = subject;
    // The adapter is chosen already.
    let options = options(AdapterChoice::Any);
    let kernels = kernels.choose(device, subject, &options, purpose)?;
    let options = kernels.tuning.applied_to(options);
    Ok((GpuEngine::on(device, network, parameters, settings, &options)?, kernels))
}
