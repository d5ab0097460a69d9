//! The choice of the engine, and why: the only place that knows all three.
//!
//! Opening a device takes time and needs no data: [`Opening`] does it while data are read.

#[cfg(feature = "gpu")]
use std::path::{Path, PathBuf};
#[cfg(feature = "gpu")]
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::Session;
#[cfg(feature = "gpu")]
use super::auto::{Auto, auto_choice};
#[cfg(feature = "gpu")]
use super::kernels::{self, ChosenKernels};
#[cfg(feature = "gpu")]
use super::request::KernelsRequest;
use super::request::{EnginePurpose, EngineRequest, NetworkSetup};
#[cfg(feature = "gpu")]
use super::trust;
#[cfg(feature = "gpu")]
use crate::engine::LossRule;
use crate::engine::cpu::CpuEngine;
#[cfg(feature = "gpu")]
use crate::engine::gpu::{self, AdapterChoice, GpuDevice, GpuEngine, GpuOptions, Shares};
use crate::engine::profile::ProfiledEngine;
use crate::engine::reference::ReferenceEngine;
use crate::engine::{Engine, EngineSettings};
use crate::network::{Network, Parameters};
use crate::{Error, Result, Setting};

/// An engine that is ready, with the reason it was chosen.
pub struct OpenedEngine<E: ?Sized = dyn Engine> {
    /// The engine.
    pub engine: Box<E>,
    /// The kernels of a GPU engine, as text for `gpu-kernels`.
    pub kernels: Option<String>,
    /// Which tiles a GPU engine stores dense.
    #[cfg(feature = "gpu")]
    pub tiles: Option<crate::tiles::TilePolicy>,
    /// The same with the reason.
    kernels_line: Option<String>,
    why: String,
}

/// An engine whose device is being opened on a separate thread.
pub(super) struct Opening {
    request: EngineRequest,
    #[cfg(feature = "gpu")]
    shared: SharedDevice,
    /// The cache of passed checks of adapters.
    #[cfg(feature = "gpu")]
    cache: Option<PathBuf>,
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "devices are GPUs"))]
    device: Option<JoinHandle<DeviceChoice>>,
}

/// The result for a request that may mean a GPU.
enum DeviceChoice {
    /// A device, or why there is none, and why a GPU was chosen.
    #[cfg(feature = "gpu")]
    Gpu(Result<Box<GpuDevice>>, String),
    /// Why the CPU was chosen.
    Cpu(String),
}

/// A device shared by runs, so that it is opened and its kernels are compiled once.
#[cfg(feature = "gpu")]
pub(super) type SharedDevice = Arc<Mutex<Option<(AdapterChoice, GpuDevice)>>>;

impl Session<'_> {
    /// Starts to open the requested device; the session that waits for it reports errors.
    #[must_use]
    pub(super) fn opening(&self, request: &EngineRequest) -> Opening {
        let mut opening = Opening {
            request: request.clone(),
            #[cfg(feature = "gpu")]
            shared: self.device.clone(),
            #[cfg(feature = "gpu")]
            cache: self.cache.clone(),
            device: None,
        };
        if matches!(request, EngineRequest::Gpu { .. } | EngineRequest::Auto { .. }) {
            let look = opening.look();
            // Without a thread, opening happens when waiting.
            opening.device = thread::Builder::new().name("device".into()).spawn(look).ok();
        }
        opening
    }
}

impl Opening {
    /// Opens the requested device.
    fn look(&self) -> impl FnOnce() -> DeviceChoice + Send + 'static {
        let request = self.request.clone();
        #[cfg(feature = "gpu")]
        let (shared, cache) = (self.shared.clone(), self.cache.clone());
        move || match request {
            EngineRequest::Reference | EngineRequest::Cpu { .. } => {
                DeviceChoice::Cpu("no device was looked for".into())
            }
            #[cfg(feature = "gpu")]
            EngineRequest::Gpu { adapter, kernels } => named(adapter, &kernels, (&shared, cache.as_deref())),
            #[cfg(feature = "gpu")]
            EngineRequest::Auto { kernels, .. } => best(&kernels, (&shared, cache.as_deref())),
            #[cfg(not(feature = "gpu"))]
            EngineRequest::Gpu { .. } | EngineRequest::Auto { .. } => {
                DeviceChoice::Cpu("this build has no GPU engine".into())
            }
        }
    }

    /// Waits for the result.
    fn found(&mut self) -> DeviceChoice {
        let Some(thread) = self.device.take() else { return self.look()() };
        thread
            .join()
            .unwrap_or_else(|_| DeviceChoice::Cpu("the thread that opened the device panicked".into()))
    }
}

impl Drop for Opening {
    /// Ending a process while its driver works may crash, so this waits.
    fn drop(&mut self) {
        // Failures here do not matter: something else has already failed.
        let _ = self.device.take().map(JoinHandle::join);
    }
}

#[cfg(feature = "gpu")]
fn named(adapter: Option<String>, kernels: &KernelsRequest, kept: Kept<'_>) -> DeviceChoice {
    let why = adapter.as_ref().map_or("`backend` gpu".into(), |text| format!("`adapter` {text}"));
    let choice = adapter.map_or(AdapterChoice::Any, AdapterChoice::Named);
    let by_name = matches!(choice, AdapterChoice::Named(_));
    let asked = |error| match error {
        Error::NoAdapter(_) if by_name => Error::asked_by(error, Setting::Adapter),
        error => error,
    };
    DeviceChoice::Gpu(open(choice, kernels, kept).map(Box::new).map_err(asked), why)
}

#[cfg(feature = "gpu")]
fn best(kernels: &KernelsRequest, kept: Kept<'_>) -> DeviceChoice {
    if crate::host::is_too_narrow_for_drivers() {
        return DeviceChoice::Cpu(super::auto::TOO_NARROW.into());
    }
    match auto_choice(&gpu::adapters()) {
        Auto::Gpu(why) => DeviceChoice::Gpu(open(AdapterChoice::Hardware, kernels, kept).map(Box::new), why),
        Auto::Cpu(why) => DeviceChoice::Cpu(why),
    }
}

/// Options of an engine except its kernels; unused timestamps cost nothing.
#[cfg(feature = "gpu")]
fn options(adapter: AdapterChoice) -> GpuOptions {
    GpuOptions { adapter, timestamps: true, ..GpuOptions::default() }
}

/// The shared device, and the folder that caches passed checks of adapters.
#[cfg(feature = "gpu")]
type Kept<'a> = (&'a SharedDevice, Option<&'a Path>);

/// Opens an adapter, and compiles all kernels if their shares are known. A newly opened
/// adapter must pass its check.
#[cfg(feature = "gpu")]
fn open(adapter: AdapterChoice, kernels: &KernelsRequest, (shared, cache): Kept<'_>) -> Result<GpuDevice> {
    let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let device = match shared.take().filter(|(of, device)| *of == adapter && device.is_healthy()) {
        Some((_, device)) => device,
        None => {
            let device = GpuDevice::open(&options(adapter.clone()))?;
            trust::check_once(&device, cache)?;
            device
        }
    };
    *shared = Some((adapter, device.clone()));
    drop(shared);
    let known = kernels.known(device.adapter()).map(|tuning| tuning.shares);
    // Without latency to hide, a software adapter shares no sums by default.
    if let Some(shares) = known.or((!device.is_hardware()).then_some(Shares::ALONE)) {
        // The loss is known when the data are; that of classes is the likeliest.
        device.prepare(&[shares], false, LossRule::CROSS_ENTROPY)?;
    }
    Ok(device)
}

#[doc(hidden)]
impl Session<'_> {
    /// Creates the requested engine.
    ///
    /// # Errors
    /// When a requested GPU is not available, or an engine refuses its settings.
    pub fn engine(
        &self,
        request: &EngineRequest,
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
        purpose: EnginePurpose,
    ) -> Result<OpenedEngine> {
        self.engine_of(self.opening(request), (network, parameters, settings), purpose)
    }

    /// Waits for the device of an engine, and creates the engine on it.
    pub(super) fn engine_of(
        &self,
        mut opening: Opening,
        subject: NetworkSetup<'_>,
        purpose: EnginePurpose,
    ) -> Result<OpenedEngine> {
        #[cfg(not(feature = "gpu"))]
        let _ = purpose;
        let (network, parameters, settings) = subject;
        let found = opening.found();
        let cpu = |threads, why: String| -> Result<OpenedEngine> {
            let engine = CpuEngine::new(network, parameters, settings, threads)?;
            Ok(OpenedEngine::on_host(Box::new(engine), why))
        };
        match (opening.request.clone(), found) {
            (EngineRequest::Reference, _) => {
                let engine = ReferenceEngine::new(network, parameters, settings)?;
                Ok(OpenedEngine::on_host(Box::new(engine), "`backend` reference".into()))
            }
            (EngineRequest::Cpu { threads }, _) => cpu(threads, "`backend` cpu".into()),
            #[cfg(feature = "gpu")]
            (EngineRequest::Gpu { kernels, .. }, DeviceChoice::Gpu(device, why)) => {
                let (engine, kernels) = self.on_gpu(&*device?, &kernels, subject, purpose)?;
                Ok(OpenedEngine::on_gpu(Box::new(engine), &kernels, why))
            }
            #[cfg(feature = "gpu")]
            (EngineRequest::Auto { threads, kernels }, DeviceChoice::Gpu(device, why)) => {
                let made = device.and_then(|device| self.on_gpu(&device, &kernels, subject, purpose));
                match made {
                    Ok((engine, kernels)) => Ok(OpenedEngine::on_gpu(Box::new(engine), &kernels, why)),
                    Err(error) => {
                        self.warn(format!("{error}; continuing on the CPU"));
                        cpu(threads, "the GPU could not be used (`backend` auto)".into())
                    }
                }
            }
            (EngineRequest::Gpu { .. }, DeviceChoice::Cpu(reason)) => Err(Error::NoAdapter(reason)),
            (EngineRequest::Auto { threads, .. }, DeviceChoice::Cpu(why)) => {
                cpu(threads, format!("{why} (`backend` auto)"))
            }
        }
    }

    /// Creates the requested engine, with clocks if its device has them.
    ///
    /// # Errors
    /// As [`Session::engine`]; the reference engine has no stages to time.
    pub fn profiled_engine(
        &self,
        request: &EngineRequest,
        network: &Network,
        parameters: &Parameters,
        settings: EngineSettings,
    ) -> Result<OpenedEngine<dyn ProfiledEngine>> {
        match (request, self.opening(request).found()) {
            (EngineRequest::Reference, _) => Err(Error::setting(
                Setting::Backend,
                "the reference engine is not built for speed and has no profile, take cpu or gpu",
            )),
            #[cfg(feature = "gpu")]
            (
                EngineRequest::Gpu { kernels, .. } | EngineRequest::Auto { kernels, .. },
                DeviceChoice::Gpu(device, why),
            ) => {
                let subject = (network, parameters, settings);
                let (engine, kernels) = self.on_gpu(&*device?, kernels, subject, EnginePurpose::Steps)?;
                Ok(OpenedEngine::on_gpu(Box::new(engine), &kernels, why))
            }
            (EngineRequest::Gpu { .. }, DeviceChoice::Cpu(reason)) => Err(Error::NoAdapter(reason)),
            (EngineRequest::Cpu { threads } | EngineRequest::Auto { threads, .. }, _) => {
                let engine = CpuEngine::new(network, parameters, settings, *threads)?;
                Ok(OpenedEngine::on_host(Box::new(engine), String::new()))
            }
        }
    }

    /// Chooses kernels, and makes the engine with them.
    #[cfg(feature = "gpu")]
    fn on_gpu(
        &self,
        device: &GpuDevice,
        kernels: &KernelsRequest,
        subject: NetworkSetup<'_>,
        purpose: EnginePurpose,
    ) -> Result<(GpuEngine, ChosenKernels)> {
        let (network, parameters, settings) = subject;
        // The adapter is already chosen.
        let options = options(AdapterChoice::Any);
        let kernels = kernels::choose(kernels, device, subject, &options, purpose, self.cache.as_deref())?;
        let options = kernels.tuning.applied_to(options);
        Ok((GpuEngine::on(device, network, parameters, settings, &options)?, kernels))
    }

    /// Reports the engine, and why it was chosen.
    pub fn announce<E: Engine + ?Sized>(&self, opened: &OpenedEngine<E>) {
        let info = opened.engine.info();
        self.note(format!("engine: {} on {}: {}", info.backend, info.adapter, opened.why));
        self.announce_kernels(opened);
    }

    /// Reports the kernels of a GPU engine.
    pub fn announce_kernels<E: ?Sized>(&self, opened: &OpenedEngine<E>) {
        if let Some(kernels) = &opened.kernels_line {
            self.note(format!("gpu kernels: {kernels}"));
        }
    }
}

impl<E: ?Sized> OpenedEngine<E> {
    fn on_host(engine: Box<E>, why: String) -> Self {
        Self {
            engine,
            kernels: None,
            #[cfg(feature = "gpu")]
            tiles: None,
            kernels_line: None,
            why,
        }
    }

    #[cfg(feature = "gpu")]
    fn on_gpu(engine: Box<E>, kernels: &ChosenKernels, why: String) -> Self {
        let (tuning, line) = (kernels.tuning, kernels.to_string());
        Self {
            engine,
            kernels: Some(tuning.to_string()),
            tiles: Some(tuning.tiles.listing_blocks()),
            kernels_line: Some(line),
            why,
        }
    }
}
