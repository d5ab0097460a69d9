//! Errors of the library as exceptions of Python, and panics kept away from it.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{
    PyFileNotFoundError, PyMemoryError, PyOSError, PyPermissionError, PyRuntimeError, PyValueError,
};
use pyo3::prelude::*;
use tanner::{Error, Setting};

use crate::fork::with_threads;

/// A message with settings as arguments of Python: `batch_size` in place of `batch-size` in backquotes.
pub(crate) fn with_arguments(text: &str) -> String {
    let mut parts = text.split('`');
    let mut worded = parts.next().unwrap_or_default().to_owned();
    let mut opens = true;
    while let Some(part) = parts.next() {
        if opens && part.parse::<Setting>().is_ok() {
            worded.push_str(&argument(part));
            worded.push_str(parts.next().unwrap_or_default());
        } else {
            worded.push('`');
            worded.push_str(part);
            opens = !opens;
        }
    }
    worded
}

/// The argument of a setting.
fn argument(setting: &str) -> String {
    setting.replace('-', "_")
}

/// The text of an error.
fn text_of(error: &Error) -> String {
    match error {
        Error::Setting { setting, reason } => {
            format!("{}: {}", argument(setting.name()), with_arguments(reason))
        }
        Error::For { setting, source } => format!("{}: {}", argument(setting.name()), text_of(source)),
        other => with_arguments(&other.to_string()),
    }
}

/// The exception of an error.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let text = text_of(error);
    match cause(error) {
        Error::Io { source, .. } => match source.raw_os_error() {
            // Python chooses the subclass, such as FileNotFoundError, by the number.
            Some(number) => PyOSError::new_err((number, text)),
            None => match source.kind() {
                ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
                ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
                _ => PyOSError::new_err(text),
            },
        },
        Error::Memory(_) => PyMemoryError::new_err(text),
        Error::NoAdapter(_) | Error::Device { .. } | Error::Diverged(_) | Error::WrongResult(_) => {
            PyRuntimeError::new_err(text)
        }
        _ => PyValueError::new_err(text),
    }
}

/// The first cause.
fn cause(error: &Error) -> &Error {
    match error {
        Error::For { source, .. } | Error::Training { source, .. } => cause(source),
        other => other,
    }
}

/// Runs `work` without the interpreter; a panic in it becomes a `RuntimeError`.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> tanner::Result<T> + Send,
) -> PyResult<T> {
    match py.detach(|| catch_unwind(AssertUnwindSafe(|| with_threads(work)))) {
        Ok(done) => done.map_err(|error| to_python(&error)),
        Err(panic) => Err(of_panic(&*panic)),
    }
}

/// The exception of a panic.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    PyRuntimeError::new_err(format!("a mistake in tanner, please report it: {text}"))
}
