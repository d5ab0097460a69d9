//! The engine of a classifier.

use crate::session::EngineOptions;
use crate::session::settings::BackendChoice;

/// Which engine trains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineKind {
    /// A hardware GPU if there is one, otherwise all cores of the CPU.
    #[default]
    Auto,
    /// Float32 on all cores of the CPU.
    Cpu,
    /// Float32 on this number of CPU threads.
    CpuThreads(usize),
    /// The best GPU of any kind, software renderers last.
    Gpu,
    /// The best GPU whose name contains this text, in any case.
    GpuNamed(String),
    /// Float64 on one core: slow, for comparisons.
    Reference,
}

impl EngineKind {
    /// Selects this engine in the options.
    pub(super) fn set(self, options: &mut EngineOptions) {
        (options.adapter, options.threads) = (None, None);
        options.backend = Some(match self {
            Self::Auto => BackendChoice::Auto,
            Self::Cpu => BackendChoice::Cpu,
            Self::CpuThreads(threads) => {
                options.threads = Some(threads);
                BackendChoice::Cpu
            }
            Self::Gpu => BackendChoice::Gpu,
            Self::GpuNamed(name) => {
                options.adapter = Some(name);
                BackendChoice::Gpu
            }
            Self::Reference => BackendChoice::Reference,
        });
    }
}
