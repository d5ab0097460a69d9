//! Writing files so that a reader never meets half of one.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// How the names of files begin that are not in their place yet.
pub(crate) const TEMPORARY_PREFIX: &str = ".tanner-";

/// Writes a file beside its place, brings it to the disk, and renames it into place.
///
/// Whatever happens on the way, the path holds either what it held before or all
/// of `bytes`.
///
/// A symbolic link stays one: the file that it names is written.
///
/// # Errors
/// [`Error::Io`] with the path when the folder cannot be written to, or when the
/// path is there and no regular file: a device or a pipe would be replaced.
pub fn atomic_write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let target = target(path)?;
    let path = target.as_path();
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |error| Error::io(path, without_name(error));
    let mut file = temporary_beside(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The new name survives a power cut only when the folder is on the disk too.
    // Some systems cannot open folders; the file itself is safe there already.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Shows whether files can be written to a folder, which may still be made: tries it, and leaves nothing behind.
///
/// # Errors
/// [`Error::Io`] with the path when the folder cannot be made or written to.
pub fn check_folder(folder: impl AsRef<Path>) -> Result<()> {
    let folder = folder.as_ref();
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    // The deepest first, as they are removed again.
    let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
    let tried = std::fs::create_dir_all(folder).and_then(|()| temporary_beside(folder).map(drop));
    for made in missing {
        // One that another process has used since then stays.
        let _ = std::fs::remove_dir(made);
    }
    tried.map_err(|error| Error::io(folder, without_name(error)))
}

/// What the system said, without the name of a temporary file, which is gone by then and would only confuse.
fn without_name(error: std::io::Error) -> std::io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) if error.get_ref().is_some() => std::io::Error::new(error.kind(), said),
        _ => error,
    }
}

/// The regular file that a path means, there already or not.
fn target(path: &Path) -> Result<PathBuf> {
    let target = match path.symlink_metadata() {
        Ok(there) if there.is_symlink() => path.canonicalize().map_err(|error| Error::io(path, error))?,
        _ => path.to_owned(),
    };
    match target.metadata() {
        Ok(there) if !there.is_file() => {
            let kind = if there.is_dir() { "a folder" } else { "a device or a pipe" };
            Err(Error::io(path, std::io::Error::other(format!("is {kind}, no file: name another path"))))
        }
        _ => Ok(target),
    }
}

/// A file with the permissions that any new file gets, not those of a secret.
fn temporary_beside(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
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

/// A result on the disk that was slow to compute, found by a digest of all that it depends on.
///
/// Where it cannot be read or written, the log says why, and it is computed again.
#[derive(Debug)]
pub(crate) struct CacheFile {
    /// What is kept, for messages; with hyphens the extension of the file.
    kind: &'static str,
    path: PathBuf,
}

impl CacheFile {
    /// The file in a folder, which the first write makes.
    pub(crate) fn new(folder: &Path, key: &str, kind: &'static str) -> Self {
        Self { kind, path: folder.join(format!("{key}.{}", kind.replace(' ', "-"))) }
    }

    /// The result in the file, if there is one; `decode` gives `None` for damaged bytes.
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

    /// Keeps a result.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = std::fs::create_dir_all(folder)
            .map_err(|error| Error::io(folder, error))
            .and_then(|()| atomic_write(&self.path, bytes));
        if let Err(error) = written {
            log::warn!("{} cache: the result is not kept: {error}", self.kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
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
    fn what_the_system_said_is_reported() {
        let missing = tempfile::tempdir().unwrap().path().join("missing");
        let message = atomic_write(missing.join("file"), b"").unwrap_err().to_string();
        assert!(message.ends_with("missing/file: No such file or directory (os error 2)"), "{message}");
        assert!(check_folder(Path::new("/proc")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_what_is_no_file_is_refused() {
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
