//! Locks that keep several processes apart.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Takes the lock of one run; `None` when another process holds it.
pub(crate) fn lock(folder: &Path) -> Result<Option<File>> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
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
