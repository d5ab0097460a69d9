//! Which engine, and which kernels, were asked for, and for what.

use super::settings::KernelChoice;
use crate::engine::EngineSettings;
use crate::network::{Network, Parameters};

/// Which engine is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineRequest {
    /// A hardware GPU if there is one, else the CPU.
    Auto {
        /// Threads, should it be the CPU.
        threads: Option<usize>,
        /// Kernels, should it be a GPU.
        #[doc(hidden)]
        kernels: KernelsRequest,
    },
    /// A GPU, the best or the named one.
    Gpu {
        /// Part of its name.
        adapter: Option<String>,
        /// Its kernels.
        #[doc(hidden)]
        kernels: KernelsRequest,
    },
    /// The CPU.
    Cpu {
        /// Threads, or as many as there are cores.
        threads: Option<usize>,
    },
    /// Float64 on one core.
    Reference,
}

/// Which kernels are wanted of a GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelsRequest {
    /// What was asked for, if anything.
    pub asked: Option<KernelChoice>,
    /// Of a run that is made again: its adapter, and what it had there.
    pub recorded: Option<(String, KernelChoice)>,
}

impl EngineRequest {
    /// Threads of the CPU, where a number was asked for.
    #[must_use]
    #[doc(hidden)]
    pub fn threads(&self) -> Option<usize> {
        match self {
            Self::Auto { threads, .. } | Self::Cpu { threads } => *threads,
            Self::Gpu { .. } | Self::Reference => None,
        }
    }

    /// The same for a run that is made again: its adapter, and the kernels that it had there.
    pub(super) fn with_recorded(&self, before: Option<(String, KernelChoice)>) -> Self {
        let mut request = self.clone();
        if let Self::Auto { kernels, .. } | Self::Gpu { kernels, .. } = &mut request {
            kernels.recorded = before;
        }
        request
    }
}

/// Whether it is worth it to measure kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Many steps: measured on hardware, unless something else was asked for.
    Steps,
    /// A few passes: measured only where that was asked for.
    Passes,
}

/// A network, where its training starts, and how it is trained.
pub(super) type Subject<'a> = (&'a Network, &'a Parameters, EngineSettings);
