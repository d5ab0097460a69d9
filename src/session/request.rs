//! The requested engine and kernels, and their purpose.

use super::settings::KernelChoice;
use crate::engine::EngineSettings;
use crate::network::{Network, Parameters};

/// The requested engine.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineRequest {
    /// A hardware GPU if there is one, otherwise the CPU.
    Auto {
        /// Threads, if it is the CPU.
        threads: Option<usize>,
        /// Kernels, if it is a GPU.
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

/// The requested kernels of a GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelsRequest {
    /// The request, if any.
    pub asked: Option<KernelChoice>,
    /// The recorded adapter and kernels of a repeated run.
    pub recorded: Option<(String, KernelChoice)>,
}

impl EngineRequest {
    /// Threads of the CPU, if requested.
    #[must_use]
    #[doc(hidden)]
    pub fn threads(&self) -> Option<usize> {
        match self {
            Self::Auto { threads, .. } | Self::Cpu { threads } => *threads,
            Self::Gpu { .. } | Self::Reference => None,
        }
    }

    /// The same for a repeated run, with its recorded adapter and kernels.
    pub(super) fn with_recorded(&self, before: Option<(String, KernelChoice)>) -> Self {
        let mut request = self.clone();
        if let Self::Auto { kernels, .. } | Self::Gpu { kernels, .. } = &mut request {
            kernels.recorded = before;
        }
        request
    }
}

/// Whether measuring kernels is worthwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnginePurpose {
    /// Many steps: measured on hardware, unless requested otherwise.
    Steps,
    /// A few passes: measured only on request.
    Passes,
}

/// A network, where its training starts, and how it is trained.
pub(super) type NetworkSetup<'a> = (&'a Network, &'a Parameters, EngineSettings);
