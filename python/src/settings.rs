//! Settings as keyword arguments.

use std::sync::OnceLock;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Value, json};
use tanner::Setting;
use tanner::engine::gpu;
use tanner::session::settings::BackendChoice;
use tanner::session::{Preset, Settings};

use crate::errors::with_arguments;

/// The settings of a JSON object whose keys are those of a settings file, with the preset `auto` unless they name one.
///
/// # Errors
/// `ValueError` with the argument and the reason.
pub(crate) fn read(text: &str) -> PyResult<Settings> {
    let keys: Value = serde_json::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let config = json!({ "settings": keys });
    let mut settings = Settings::from_config(&config).map_err(|reason| {
        let reason = with_arguments(&reason);
        PyValueError::new_err(match reason.split_once(": ") {
            Some((key, rest)) if key.parse::<Setting>().is_ok() => {
                format!("{}: {rest}", key.replace('-', "_"))
            }
            _ => reason,
        })
    })?;
    settings.preset.preset = settings.preset.preset.or(Some(Preset::Auto));
    Ok(settings)
}

/// Looks for a GPU once in the life of the process: without one, `auto` is the CPU.
///
/// A run that is recorded in a folder keeps its request.
pub(crate) fn without_looking_again(settings: &mut Settings) {
    static HAS_GPU: OnceLock<bool> = OnceLock::new();

    let engine = &mut settings.engine;
    let is_auto = matches!(engine.backend, None | Some(BackendChoice::Auto));
    if !is_auto || engine.adapter.is_some() || engine.gpu_kernels.is_some() || settings.output.out.is_some() {
        return;
    }
    let has_gpu = HAS_GPU.get_or_init(|| {
        !tanner::session::is_too_narrow_for_drivers()
            && gpu::adapters().iter().any(|adapter| adapter.is_hardware && adapter.usable.is_ok())
    });
    if !has_gpu {
        engine.backend = Some(BackendChoice::Cpu);
    }
}
