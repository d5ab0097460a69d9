//! A device with its compiled kernels, shared by all engines on it.

use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::device::Gpu;
use super::kernels::{self, Compiled, Kernels};
use super::options::GpuOptions;
use super::shaders::KERNELS;
use super::share::Shares;
use crate::Result;
use crate::engine::LossRule;
use crate::text::hex;

/// An open device, shared by engines.
#[derive(Clone)]
pub struct GpuDevice {
    gpu: Gpu,
    /// Layouts and pipelines, each compiled once.
    compiled: Arc<Mutex<Compiled>>,
}

impl GpuDevice {
    /// Opens the adapter of the options.
    ///
    /// # Errors
    /// [`Error::NoAdapter`](crate::Error::NoAdapter) lists the adapters if none matches the options,
    /// [`Error::Device`](crate::Error::Device) says why the best one cannot be opened.
    pub fn open(options: &GpuOptions) -> Result<Self> {
        Ok(Self { gpu: Gpu::open(options)?, compiled: Arc::default() })
    }

    /// Compiles all kernels with each of these shares in advance.
    ///
    /// # Errors
    /// When the adapter cannot run one of them.
    pub fn prepare(&self, shares: &[Shares], runtime_checks: bool, loss: LossRule) -> Result<()> {
        kernels::compile(&self.gpu, &self.compiled, shares, (runtime_checks, loss))
    }

    /// All kernels with these shares, compiled now if necessary.
    pub(super) fn kernels(&self, shares: &Shares, runtime_checks: bool, loss: LossRule) -> Result<Kernels> {
        Kernels::new(&self.gpu, &self.compiled, shares, (runtime_checks, loss))
    }

    /// The adapter, with its driver, for people to read.
    pub fn adapter(&self) -> &str {
        &self.gpu.adapter
    }

    /// SHA-256 of the adapter, its driver and the text of all kernels, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.identity());
        for spec in &KERNELS {
            spec.shares().iter().for_each(|share| hash.update(spec.source(*share)));
        }
        hex(hash.finalize())
    }

    /// Whether it has had no failure, so that it can be reused.
    pub fn is_healthy(&self) -> bool {
        self.gpu.check().is_ok()
    }

    /// Whether it is hardware, not software on the CPU.
    pub fn is_hardware(&self) -> bool {
        self.gpu.is_hardware
    }

    /// The adapter and its driver, as precisely as possible.
    pub(super) fn identity(&self) -> &str {
        &self.gpu.identity
    }

    pub(super) fn gpu(&self) -> &Gpu {
        &self.gpu
    }
}
