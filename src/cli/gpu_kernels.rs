//! `--gpu-kernels`: which tiles are dense and how many invocations share a sum, and where that comes from.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use tanner::engine::EngineSettings;
use tanner::engine::gpu::{GpuDevice, GpuOptions, Tuning, TuningSource, TuningTask};
use tanner::network::{Network, Parameters};
use tanner::{Error, Result};

use super::cache_folder::cache_folder;

/// After this no further candidate is measured, and the best so far is taken; one that has begun is finished.
const AT_MOST: Duration = Duration::from_millis(300);

/// What was typed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KernelsArg {
    /// Measure, on any adapter.
    Auto,
    /// What suits the adapter by reasoning.
    Default,
    /// This.
    Given(Tuning),
}

impl FromStr for KernelsArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "default" => Ok(Self::Default),
            text if text.contains('=') => text.parse().map(Self::Given),
            text => Err(Error::Setting {
                setting: "--gpu-kernels",
                reason: format!(
                    "{text:?} is neither auto nor default nor what a run recorded, dense=0.3,forward=8,.."
                ),
            }),
        }
    }
}

impl fmt::Display for KernelsArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Default => f.write_str("default"),
            Self::Given(tuning) => tuning.fmt(f),
        }
    }
}

/// Which kernels are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KernelsRequest {
    /// What was typed, if anything.
    pub(crate) typed: Option<KernelsArg>,
    /// Of a run that is made anew: its adapter, and what it had there.
    pub(crate) recorded: Option<(String, Tuning)>,
}

/// Whether it is worth a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Many steps: measured on hardware, unless something else was typed.
    Steps,
    /// A few passes: measured only where that was typed.
    Passes,
}

/// What an engine got, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kernels {
    pub(crate) tuning: Tuning,
    why: String,
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.tuning, self.why)
    }
}

impl KernelsRequest {
    /// What needs no network to be known: what was typed, or recorded on this adapter.
    pub(crate) fn known(&self, adapter: &str) -> Option<Tuning> {
        match (&self.typed, &self.recorded) {
            (Some(KernelsArg::Given(tuning)), _) => Some(*tuning),
            (Some(KernelsArg::Default), _) => None,
            (_, Some((on, tuning))) => (on == adapter).then_some(*tuning),
            _ => None,
        }
    }

    /// What is asked for on this device.
    ///
    /// # Errors
    /// When the device cannot run what is measured.
    pub(crate) fn choose(
        &self,
        device: &GpuDevice,
        (network, parameters, settings): (&Network, &Parameters, EngineSettings),
        options: &GpuOptions,
        purpose: Use,
    ) -> Result<Kernels> {
        let task = TuningTask { device, network, parameters, settings, options };
        let chosen = |tuning, why: &str| Ok(Kernels { tuning, why: why.to_owned() });
        let measures = purpose == Use::Steps && device.is_hardware();
        match (&self.typed, &self.recorded) {
            (Some(KernelsArg::Given(tuning)), _) => chosen(*tuning, "--gpu-kernels"),
            (Some(KernelsArg::Default), _) => chosen(task.default_tuning(), "default"),
            // An interrupted run starts anew with what it had: so it gives the same bits.
            (_, Some((adapter, tuning))) if adapter == device.adapter() => {
                chosen(*tuning, "of this run before")
            }
            (Some(KernelsArg::Auto), _) => measure(&task),
            (None, _) if measures => measure(&task),
            (None, _) => chosen(task.default_tuning(), "default"),
        }
    }
}

fn measure(task: &TuningTask<'_>) -> Result<Kernels> {
    let begin = Instant::now();
    let (tuning, source) = task.find(cache_folder().as_deref(), AT_MOST)?;
    let why = match source {
        TuningSource::Cache => "measured before, from the cache".to_owned(),
        TuningSource::Measured => format!("measured in {:.2} s", begin.elapsed().as_secs_f64()),
    };
    Ok(Kernels { tuning, why })
}
