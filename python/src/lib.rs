//! The native part of the Python package `tanner`: a thin layer over the library's settings, sessions and models.
//!
//! Everything here is private to the package. Its modules in Python turn arrays, frames and labels into what these functions
//! take, and results into what users of scikit-learn expect.

mod errors;
mod fork;
mod model;
mod prune;
mod settings;
mod table;
mod topology;
mod train;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tanner::engine::gpu::{self, AdapterReport};
use tanner::session::{Settings, auto_sentence, is_too_narrow_for_drivers};

/// The adapters of this machine as dicts, best first, and what `auto` chooses.
#[pyfunction]
fn devices(py: Python<'_>) -> PyResult<(Vec<Bound<'_, PyDict>>, String)> {
    let (adapters, sentence) = errors::detached(py, || {
        let adapters = gpu::adapters();
        let sentence = auto_sentence(&adapters, is_too_narrow_for_drivers());
        Ok((adapters, errors::with_arguments(&sentence)))
    })?;
    let adapters = adapters.iter().map(|adapter| describe(py, adapter)).collect::<PyResult<_>>()?;
    Ok((adapters, sentence))
}

fn describe<'py>(py: Python<'py>, adapter: &AdapterReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("number", adapter.number)?;
    dict.set_item("name", &adapter.name)?;
    dict.set_item("type", adapter.device_type)?;
    dict.set_item("is_hardware", adapter.is_hardware)?;
    dict.set_item("api", &adapter.backend)?;
    dict.set_item("driver", format!("{} {}", adapter.driver, adapter.driver_info).trim())?;
    dict.set_item("memory", adapter.memory)?;
    dict.set_item("usable", adapter.usable.is_ok())?;
    dict.set_item("lacks", adapter.usable.as_ref().err())?;
    Ok(dict)
}

/// The names of all settings of a run, and what each is.
#[pyfunction]
#[pyo3(name = "settings")]
fn settings_of_runs() -> Vec<(&'static str, String)> {
    Settings::about().map(|(setting, about)| (setting.name(), errors::with_arguments(about))).collect()
}

/// A panic on purpose, by which tests see that none crosses into Python.
#[pyfunction]
fn panic(py: Python<'_>) -> PyResult<()> {
    errors::detached(py, || panic!("on purpose"))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<table::Table>()?;
    module.add_class::<table::Known>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<topology::Topology>()?;
    module.add_class::<train::Run>()?;
    module.add_function(wrap_pyfunction!(train::train, module)?)?;
    module.add_function(wrap_pyfunction!(topology::draw, module)?)?;
    module.add_function(wrap_pyfunction!(devices, module)?)?;
    module.add_function(wrap_pyfunction!(panic, module)?)?;
    module.add_function(wrap_pyfunction!(settings_of_runs, module)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
