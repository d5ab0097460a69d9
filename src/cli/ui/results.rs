//! The folder that an experiment writes its results to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;
use tanner::files::{atomic_write, check_folder};
use tanner::{Error, Setting};

/// A results folder, created with the first result.
pub(crate) struct Results {
    path: PathBuf,
}

impl Results {
    /// Claims the named folder, or a new one below `runs`.
    ///
    /// # Errors
    /// When the folder already holds one of `files`, is not a folder, or cannot be written to. Checked before the work is done.
    pub(crate) fn claim(out: Option<&Path>, name: &str, files: &[&str]) -> anyhow::Result<Self> {
        let results = Self { path: out.map_or_else(|| new_folder(name), Path::to_owned) };
        let path = results.path();
        let refuse = |what: String| {
            Error::setting(Setting::Out, format!("{} {what}: name another folder", path.display()))
        };
        if path.exists() && !path.is_dir() {
            return Err(refuse("is not a folder".into()).into());
        }
        if let Some(file) = files.iter().find(|file| path.join(file).symlink_metadata().is_ok()) {
            return Err(refuse(format!("already holds a {file}")).into());
        }
        check_folder(path).context("--out")?;
        Ok(results)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one file, creating the folder if necessary.
    pub(crate) fn write(&self, file: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.make()?;
        atomic_write(self.path.join(file), bytes).context("--out")
    }

    /// Writes a value as JSON.
    pub(crate) fn write_json(&self, file: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let mut json = serde_json::to_vec_pretty(value).context("the results as JSON")?;
        json.push(b'\n');
        self.write(file, &json)
    }

    /// Creates the folder.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.path).map_err(|error| Error::io(&self.path, error)).context("--out")
    }
}

/// Refuses a file in a missing or unwritable folder, before the work is done.
pub(crate) fn check_place(flag: &'static str, file: &Path) -> anyhow::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("{flag}: there is no folder {}: create it first", folder.display());
    }
    check_folder(folder).context(flag)
}

/// A new folder below `runs`, named after the time and `name`.
pub(crate) fn new_folder(name: &str) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
    let base = Path::new("runs").join(format!("{time}-{name}"));
    let numbered = (2..).map(|count| PathBuf::from(format!("{}-{count}", base.display())));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    names.find(|path| path.symlink_metadata().is_err()).unwrap_or(base)
}
