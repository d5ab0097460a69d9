//! The folder that a run leaves behind.
//!
//! | file | written | |
//! |---|---|---|
//! | `config.json` | before training | every setting of the run |
//! | `metrics.jsonl` | a line after each epoch | [`EpochMetrics`] |
//! | `model.safetensors` | after each epoch, at once or not at all | [`TrainedModel`] |
//! | `summary.json` | at the end | [`Summary`] |
//! | `learning_curve.png` | at the end | loss and accuracy over the epochs |
//! | `events.out.tfevents.*` | after each epoch, where asked for | [`TensorBoard`](super::TensorBoard) |
//!
//! A folder that already holds one of these files is refused: no run overwrites
//! another. A folder with other files is taken.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{EpochMetrics, Summary};
use crate::files::atomic_write;
use crate::model::TrainedModel;
use crate::{Error, Result};

pub(super) const CONFIG: &str = "config.json";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const SUMMARY: &str = "summary.json";
const CURVE: &str = "learning_curve.png";

/// A folder that belongs to one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    metrics: File,
}

impl RunFolder {
    /// Takes the folder that the user named, made where it is not there.
    ///
    /// # Errors
    /// [`Error::Setting`] when it holds a run already, [`Error::Io`] when it
    /// cannot be made or written to.
    pub fn create(path: &Path) -> Result<Self> {
        if path.exists() && !path.is_dir() {
            let reason = format!("{} is not a folder: name another one", path.display());
            return Err(Error::Setting { setting: "--out", reason });
        }
        fs::create_dir_all(path).map_err(|error| Error::io(path, error))?;
        for name in [CONFIG, METRICS, MODEL, SUMMARY, CURVE] {
            if path.join(name).symlink_metadata().is_ok() {
                return Err(Error::Setting {
                    setting: "--out",
                    reason: format!(
                        "{} holds a run already (there is a {name}): name another folder or remove it",
                        path.display()
                    ),
                });
            }
        }
        Self::open(path.to_owned())
    }

    /// Reads what a finished run left: its settings and its summary, which is written last.
    ///
    /// `None` where no run has finished.
    ///
    /// # Errors
    /// [`Error::Io`] with the path when one of the two files cannot be read or is damaged.
    pub fn finished(path: &Path) -> Result<Option<(serde_json::Value, Summary)>> {
        let summary = path.join(SUMMARY);
        let text = match fs::read(&summary) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io(summary, error)),
        };
        let config = path.join(CONFIG);
        let config_text = fs::read(&config).map_err(|error| Error::io(&config, error))?;
        let damaged = |path: PathBuf| move |error: serde_json::Error| Error::io(path, error.into());
        let summary = serde_json::from_slice(&text).map_err(damaged(summary))?;
        Ok(Some((serde_json::from_slice(&config_text).map_err(damaged(config))?, summary)))
    }

    /// The settings of whatever run began there; none where there is none or they cannot be read.
    pub fn config(path: &Path) -> Option<serde_json::Value> {
        serde_json::from_slice(&fs::read(path.join(CONFIG)).ok()?).ok()
    }

    /// Removes what a run that never finished has left, so that it can be made anew.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be removed; when the path is no folder, or one that holds
    /// what no unfinished run leaves: then nothing is removed.
    pub fn remove_unfinished(path: &Path) -> Result<()> {
        let failed = |error| Error::io(path, error);
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_left_behind = [CONFIG, METRICS, MODEL, CURVE].contains(&name.as_str())
                || name.starts_with(super::event_file::EVENTS_PREFIX)
                || name.starts_with(crate::files::TEMPORARY_PREFIX);
            if !is_left_behind || entry.file_type().map_err(failed)?.is_dir() {
                let reason = format!("holds {name}, which no unfinished run leaves");
                return Err(failed(std::io::Error::other(reason)));
            }
            files.push(entry.path());
        }
        for file in files {
            fs::remove_file(&file).map_err(|error| Error::io(file, error))?;
        }
        fs::remove_dir(path).map_err(failed)
    }

    /// Makes a folder with a name of its own: `name`, or `name-2` and so on where that is taken.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made or written to.
    pub fn create_unique(parent: &Path, name: &str) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
        let mut path = parent.join(name);
        for count in 2.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    path = parent.join(format!("{name}-{count}"));
                }
                Err(error) => return Err(Error::io(path, error)),
            }
        }
        Self::open(path)
    }

    /// Opening the metrics shows at once whether the folder can be written to.
    fn open(path: PathBuf) -> Result<Self> {
        let file = path.join(METRICS);
        let metrics = OpenOptions::new().create_new(true).append(true).open(&file);
        let metrics = metrics.map_err(|error| Error::io(file, error))?;
        Ok(Self { path, metrics })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model is, or will be.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Writes `config.json`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, as for all that follows.
    pub fn write_config(&self, config: &impl Serialize) -> Result<()> {
        self.write_json(CONFIG, config)
    }

    /// Appends a line to `metrics.jsonl` and brings it to the disk.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn append_metrics(&mut self, metrics: &EpochMetrics) -> Result<()> {
        let path = self.path.join(METRICS);
        let mut line = serde_json::to_vec(metrics).map_err(|error| Error::io(&path, error.into()))?;
        line.push(b'\n');
        let whole_lines = self.metrics.metadata().map_err(|error| Error::io(&path, error))?.len();
        let written = self.metrics.write_all(&line).and_then(|()| self.metrics.sync_data());
        written.map_err(|error| {
            // Half a line would be worse than none; if even that cannot be undone, the error says enough.
            let _ = self.metrics.set_len(whole_lines);
            Error::io(path, error)
        })
    }

    /// Replaces `model.safetensors`, at once or not at all.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_model(&self, model: &TrainedModel) -> Result<()> {
        model.save(&self.model_path())
    }

    /// Writes `summary.json`.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        self.write_json(SUMMARY, summary)
    }

    /// Writes `learning_curve.png`.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_learning_curve(&self, png: &[u8]) -> Result<()> {
        atomic_write(&self.path.join(CURVE), png)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let mut json = serde_json::to_vec_pretty(value).map_err(|error| Error::io(&path, error.into()))?;
        json.push(b'\n');
        atomic_write(&path, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_a_run_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        RunFolder::create(&path).unwrap();
        let message = RunFolder::create(&path).unwrap_err().to_string();
        assert!(message.starts_with("--out: ") && message.contains("holds a run already"), "{message}");
    }

    #[test]
    fn a_folder_with_other_files_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("notes.txt"), "mine").unwrap();
        RunFolder::create(parent.path()).unwrap();
    }

    #[test]
    fn two_runs_of_the_same_second_get_two_folders() {
        let parent = tempfile::tempdir().unwrap();
        let names = [0; 3].map(|_| RunFolder::create_unique(parent.path(), "run").unwrap().path);
        assert_eq!(names, ["run", "run-2", "run-3"].map(|name| parent.path().join(name)));
    }

    #[test]
    fn a_folder_below_a_file_cannot_be_made() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(RunFolder::create(&file.join("run")), Err(Error::Io { .. })));
        let message = RunFolder::create(&file).unwrap_err().to_string();
        assert!(message.starts_with("--out: ") && message.contains("is not a folder"), "{message}");
    }

    #[test]
    fn an_unfinished_run_can_be_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        RunFolder::remove_unfinished(&path).unwrap();
        RunFolder::create(&path).unwrap();
        fs::write(path.join(".tanner-abc"), "half a model").unwrap();
        assert!(RunFolder::finished(&path).unwrap().is_none());
        RunFolder::remove_unfinished(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_holds_anything_else_is_kept_whole() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        RunFolder::create(&path).unwrap();
        fs::write(path.join(MODEL), "all that was trained").unwrap();
        for foreign in ["notes.txt", SUMMARY] {
            fs::write(path.join(foreign), "mine").unwrap();
            let message = RunFolder::remove_unfinished(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("holds {foreign}, ")), "{message}");
            assert!([METRICS, MODEL, foreign].iter().all(|name| path.join(name).exists()));
            fs::remove_file(path.join(foreign)).unwrap();
        }
        fs::create_dir(path.join(CURVE)).unwrap();
        assert!(RunFolder::remove_unfinished(&path).is_err() && path.join(MODEL).exists());
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(RunFolder::remove_unfinished(&file).is_err() && file.exists());
    }

    #[test]
    fn a_damaged_summary_is_told_with_its_path() {
        let parent = tempfile::tempdir().unwrap();
        for name in [CONFIG, SUMMARY] {
            fs::write(parent.path().join(name), "{").unwrap();
        }
        let message = RunFolder::finished(parent.path()).unwrap_err().to_string();
        assert!(message.contains(SUMMARY), "{message}");
    }
}
