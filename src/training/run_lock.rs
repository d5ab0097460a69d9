//! The lock on a run folder: a process that works on a run holds it, others can see that.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::{Error, Result};

/// Name of the file; it is empty.
pub(super) const LOCK: &str = "run.lock";

/// Whether a process works on the run in a folder. Where the file system knows no locks, none seems to.
pub(super) fn is_locked(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Keeps other processes from the run in a folder until it is dropped.
pub(super) fn lock(folder: &Path) -> Result<File> {
    /// Whoever only looks whether a run is locked holds the lock for a moment.
    const LOOKS: usize = 5;
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
    let mut locked = file.try_lock();
    for _ in 0..LOOKS {
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        locked = file.try_lock();
    }
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let busy = std::io::Error::new(ErrorKind::WouldBlock, "another process is at this run");
            Err(Error::io(folder, busy))
        }
        // Some file systems know no locks; there, one process at a time is the user's care.
        Err(TryLockError::Error(error)) => {
            log::warn!("{}: {error}", path.display());
            Ok(file)
        }
    }
}
