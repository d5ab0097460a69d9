//! Atomic writing of files: a reader never sees an incomplete one.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The beginning of the names of temporary files.
pub(crate) const TEMPORARY_PREFIX: &str = ".tanner-";

/// Writes a file under a temporary name, synchronises it, and renames it into place.
///
/// Whatever happens, the path holds either its old content or all
/// of `bytes`.
///
/// A symbolic link is kept, and its target is written.
///
/// # Errors
/// [`Error::Io`] with the path when the folder cannot be written to, or when the
/// path exists and is not a regular file: a device or a pipe would be replaced.
pub fn atomic_write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let target = target(path)?;
    let path = target.as_path();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |error| Error::io(path, without_name(error));
    let mut file = temporary_file_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The new name survives a power cut only if the folder is synchronised, too.
    // Some systems cannot open folders; the file itself is already safe.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Checks whether files can be written to a folder, which need not exist, and leaves nothing behind.
///
/// # Errors
/// [`Error::Io`] with the path when the folder cannot be created or written.
pub fn check_folder(folder: impl AsRef<Path>) -> Result<()> {
    let folder = folder.as_ref();
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    // The deepest first, the order of their removal.
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    let tried = std::fs::create_dir_all(folder).and_then(|()| temporary_file_in(folder).map(drop));
    for made in missing {
        // A folder that another process has used since then stays.
        let _ = std::fs::remove_dir(made);
    }
    tried.map_err(|error| Error::io(folder, without_name(error)))
}

/// The system's message without the name of a temporary file, which is already gone.
fn without_name(error: std::io::Error) -> std::io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) if error.get_ref().is_some() => std::io::Error::new(error.kind(), said),
        _ => error,
    }
}

/// The regular file that a path means, which need not exist.
fn target(path: &Path) -> Result<PathBuf> {
    let target = match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => path.canonicalize().map_err(|error| Error::io(path, error))?,
        _ => path.to_owned(),
    };
    match target.metadata() {
        Ok(there) if !there.is_file() => {
            let kind = if there.is_dir() { "a folder" } else { "a device or a pipe" };
            Err(Error::io(path, std::io::Error::other(format!("is {kind}, not a file: name another path"))))
        }
        _ => Ok(target),
    }
}

/// A file with the default permissions of new files, not those of temporary ones.
fn temporary_file_in(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
        builder.tempfile_in(folder)
    }
    #[cfg(not(unix))]
    builder.tempfile_in(folder)
}

/// A cached result on disk, found by a digest of everything it depends on.
///
/// If it cannot be read or written, the log says why, and the result is computed again.
#[derive(Debug)]
pub(crate) struct CacheFile {
    /// What is cached, for messages; with hyphens, the extension of the file.
    kind: &'static str,
    path: PathBuf,
}

impl CacheFile {
    /// The file in a folder, which the first write creates.
    pub(crate) fn new(folder: &Path, key: &str, kind: &'static str) -> Self {
        Self { kind, path: folder.join(format!("{key}.{}", kind.replace(' ', "-"))) }
    }

    /// The result in the file, if there is one; `decode` returns `None` for damaged bytes.
    pub(crate) fn read<T>(&self, decode: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let (kind, path) = (self.kind, self.path.display());
        match std::fs::read(&self.path) {
            Ok(bytes) => {
                let result = decode(&bytes);
                if result.is_none() {
                    log::warn!("{kind} cache: {path} is damaged and will be replaced");
                }
                result
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                log::warn!("{kind} cache: {path}: {error}");
                None
            }
        }
    }

    /// Saves a result.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = std::fs::create_dir_all(folder)
            .map_err(|error| Error::io(folder, error))
            .and_then(|()| atomic_write(&self.path, bytes));
        if let Err(error) = written {
            log::warn!("{} cache: the result cannot be saved: {error}", self.kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_without_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        atomic_write(&path, b"first, and longer").unwrap();
        atomic_write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_names_the_path_and_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"old").unwrap();
        let below = file.join("impossible");
        let message = atomic_write(&below, b"new").unwrap_err().to_string();
        assert!(message.contains("impossible"), "{message}");
        assert_eq!(std::fs::read(&file).unwrap(), b"old");
    }

    #[test]
    fn a_folder_is_tried_without_a_trace() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, file) = (parent.path().join("a/b"), parent.path().join("file"));
        check_folder(&folder).unwrap();
        check_folder(parent.path()).unwrap();
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
        std::fs::write(&file, "").unwrap();
        let message = check_folder(file.join("below")).unwrap_err().to_string();
        assert!(message.contains("below: ") && !message.contains(TEMPORARY_PREFIX), "{message}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_error_is_reported() {
        let missing = tempfile::tempdir().unwrap().path().join("missing");
        let message = atomic_write(missing.join("file"), b"").unwrap_err().to_string();
        assert!(message.ends_with("missing/file: No such file or directory (os error 2)"), "{message}");
        assert!(check_folder(Path::new("/proc")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_anything_but_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        atomic_write(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        let (socket, inner) = (folder.path().join("socket"), folder.path().join("inner"));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::fs::create_dir(&inner).unwrap();
        for (path, part) in [(&socket, "is a device or a pipe"), (&inner, "is a folder")] {
            let message = atomic_write(path, b"new").unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
            assert!(path.exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_can_be_read_as_widely_as_the_umask_allows() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (atomic, plain) = (folder.path().join("atomic"), folder.path().join("plain"));
        atomic_write(&atomic, b"").unwrap();
        std::fs::write(&plain, b"").unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(atomic), mode(plain));
    }
}
