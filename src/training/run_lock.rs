//! One process at a time in a run folder; nothing half-written or of no use left there.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::RunFolder;
use super::run_folder::{BEST, CHECKPOINT, CONFIG, CURVE, EDGES, LOCK, METRICS, MODEL};
use crate::files::TEMPORARY_PREFIX;
use crate::{Error, Result};

impl RunFolder {
    /// Removes what a run that never finished has left, so that it can be made again.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be removed; when the path is not a folder, or one that holds
    /// files that no unfinished run leaves, or another process works on it: then nothing is removed.
    pub fn remove_unfinished(path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let failed = |error| Error::io(path, error);
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_left_behind = [CONFIG, EDGES, METRICS, MODEL, BEST, CHECKPOINT, CURVE, LOCK]
                .contains(&name.as_str())
                || name.starts_with(super::event_file::EVENTS_PREFIX)
                || name.starts_with(TEMPORARY_PREFIX);
            if !is_left_behind || entry.file_type().map_err(failed)?.is_dir() {
                let reason = format!("holds {name}, which is not left by an unfinished run");
                return Err(failed(std::io::Error::other(reason)));
            }
            files.push(entry.path());
        }
        let _lock = lock(path)?;
        for file in files.into_iter().chain([path.join(LOCK)]) {
            if file.symlink_metadata().is_err() {
                continue;
            }
            fs::remove_file(&file).map_err(|error| Error::io(file, error))?;
        }
        fs::remove_dir(path).map_err(failed)
    }
}

/// Removes leftovers of interrupted atomic writes; no other process writes to a locked folder.
pub(super) fn remove_temporaries(folder: &Path) -> Result<()> {
    let failed = |error| Error::io(folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX) {
            fs::remove_file(entry.path()).map_err(|error| Error::io(entry.path(), error))?;
        }
    }
    Ok(())
}

/// Whether a process works on the run in a folder. Where the file system knows no locks, none seems to.
pub(super) fn is_locked(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Keeps other processes from the run in a folder until it is dropped.
pub(super) fn lock(folder: &Path) -> Result<File> {
    /// Checking whether a run is locked holds the lock for a moment.
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
            let busy = std::io::Error::new(ErrorKind::WouldBlock, "another process is working on this run");
            Err(Error::io(folder, busy))
        }
        // Some file systems know no locks; there, one process at a time is the user's care.
        Err(TryLockError::Error(error)) => {
            log::warn!("{}: {error}", path.display());
            Ok(file)
        }
    }
}

/// Removes a file if it exists, and synchronises the folder as far as the system can.
pub(super) fn remove_file(folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        removed => removed.map_err(|error| Error::io(path, error))?,
    }
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}
