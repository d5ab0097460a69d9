//! Locks that keep several processes apart.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::Path;

use crate::{Error, Result};

/// Takes the lock of one run, a hidden file next to its folder, so that `runs/*` does not mean it; `None` when another process holds it.
pub(crate) fn lock(folder: &Path) -> Result<Option<File>> {
    let mut name = OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(".lock");
    let path = folder.with_file_name(name);
    let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // Some file systems have no locks; there only one process at a time may work.
        Err(TryLockError::Error(error)) => {
            log::warn!("{}: {error}", path.display());
            Ok(Some(file))
        }
    }
}
