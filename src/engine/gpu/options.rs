//! Options of a GPU engine.

use super::share::Shares;
use crate::tiles::TilePolicy;

/// Which adapter to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdapterChoice {
    /// The best one that is hardware; none if there are only software renderers.
    #[default]
    Hardware,
    /// The best one of any kind, software renderers last.
    Any,
    /// The one with this number in the list of all, counted from 1; any other text is a part of the name
    /// of exactly one, in any case.
    Named(String),
}

/// How a GPU engine runs.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuOptions {
    /// Which adapter to use.
    pub adapter: AdapterChoice,
    /// Whether shaders get bounds and loop checks; slower, for debugging.
    pub runtime_checks: bool,
    /// Maximum number of bytes of features that one data set may keep on the device; larger ones are
    /// streamed. `None`: what the device allows in one buffer. Results have the same bits.
    pub resident_limit: Option<u64>,
    /// Which tiles are stored dense.
    #[doc(hidden)]
    pub tiles: TilePolicy,
    /// How many invocations share one sum in each kernel. `None`: defaults measured on one card, depending on
    /// the network and the size of batches, or nothing shared on a software adapter; `config.json` of a run records which.
    #[doc(hidden)]
    pub shares: Option<Shares>,
    /// Whether to ask the device for timestamps, which profiles need, if it has them.
    pub timestamps: bool,
}

impl Default for GpuOptions {
    fn default() -> Self {
        Self {
            adapter: AdapterChoice::default(),
            runtime_checks: false,
            resident_limit: None,
            tiles: TilePolicy::dense_from(0.3),
            shares: None,
            timestamps: false,
        }
    }
}
