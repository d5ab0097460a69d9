//! The kernels of a GPU engine: which tiles are dense, how many invocations share a sum, and the source of that choice.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::request::{EnginePurpose, KernelsRequest, NetworkSetup};
use super::settings::KernelChoice;
use crate::Result;
use crate::engine::gpu::{Budget, GpuDevice, GpuOptions, Tuning, TuningSource, TuningTask};

/// After this no further candidate is measured and the best so far is used; the next run resumes the search.
const AT_MOST: Budget = Budget { device: Duration::from_millis(300), in_all: Duration::from_secs(1) };

/// The chosen kernels, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChosenKernels {
    pub(super) tuning: Tuning,
    why: String,
}

impl fmt::Display for ChosenKernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.tuning, self.why)
    }
}

impl KernelsRequest {
    /// The kernels known without a network: requested, or recorded on this adapter.
    pub(super) fn known(&self, adapter: &str) -> Option<Tuning> {
        match self.asked {
            Some(KernelChoice::Given(tuning)) => Some(tuning),
            Some(KernelChoice::Default) => None,
            Some(KernelChoice::Auto) | None => self.recorded_on(adapter),
        }
    }

    fn recorded_on(&self, adapter: &str) -> Option<Tuning> {
        match &self.recorded {
            Some((on, KernelChoice::Given(tuning))) if on == adapter => Some(*tuning),
            _ => None,
        }
    }
}

/// Chooses the kernels on this device.
///
/// # Errors
/// When the device cannot run the measured kernels.
pub(super) fn choose(
    request: &KernelsRequest,
    device: &GpuDevice,
    (network, parameters, settings): NetworkSetup<'_>,
    options: &GpuOptions,
    purpose: EnginePurpose,
    cache: Option<&Path>,
) -> Result<ChosenKernels> {
    let task = TuningTask { device, network, parameters, settings, options };
    let chosen = |tuning, why: &str| Ok(ChosenKernels { tuning, why: why.to_owned() });
    let measures = purpose == EnginePurpose::Steps && device.is_hardware();
    match (request.asked, request.recorded_on(device.adapter())) {
        (Some(KernelChoice::Given(tuning)), _) => chosen(tuning, "`gpu-kernels`"),
        (Some(KernelChoice::Default), _) => chosen(task.default_tuning(), "default"),
        // An interrupted run starts again with its recorded kernels, so it has the same bits.
        (_, Some(tuning)) => chosen(tuning, "of this run before"),
        (None, None) if !measures => chosen(task.default_tuning(), "default"),
        (Some(KernelChoice::Auto) | None, None) => {
            let begin = Instant::now();
            let (tuning, source) = task.find(cache, AT_MOST)?;
            let why = match source {
                TuningSource::Cache => "measured before, from the cache".to_owned(),
                TuningSource::Measured { left } => {
                    let seconds = begin.elapsed().as_secs_f64();
                    let more =
                        if left > 0 && cache.is_some() { ", the next run resumes the search" } else { "" };
                    format!("measured in {seconds:.2} s, {left} candidates left{more}")
                }
            };
            Ok(ChosenKernels { tuning, why })
        }
    }
}
