//! The folder of a run.
//!
//! | file | written | |
//! |---|---|---|
//! | `config.json` | before training | every setting of the run |
//! | `edges.npz` | before training, if graphs came from files | the initial graphs of the run |
//! | `metrics.jsonl` | a line after each epoch | [`EpochMetrics`] |
//! | `model.safetensors` | after the first epoch, with each checkpoint and at the end | [`TrainedModel`] of the last epoch |
//! | `best.safetensors` | the same, if another epoch scored better | [`TrainedModel`] of the best epoch |
//! | `checkpoint.safetensors` | when one is due, after all other files; removed at the end | [`Checkpoint`] |
//! | `summary.json` | at the end | [`Summary`] |
//! | `learning_curve.png` | at the end | loss and accuracy over the epochs |
//! | `events.out.tfevents.*` | after each epoch, if requested | [`TensorBoard`](super::TensorBoard) |
//!
//! A resumed run adds an entry to `continued` in `config.json` ([`Continuation`]). Files are replaced
//! atomically, and synchronised before the next one is written; only lines of metrics wait for the next checkpoint.
//!
//! `run.lock` is empty; a process that works on the run holds a lock on it, which excludes others.
//!
//! A folder that already holds one of these files is refused: no run overwrites
//! another. A folder with other files is accepted.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::checkpoint::encode::lines;
use super::run_lock::{lock, remove_file, remove_temporaries};
use super::{Checkpoint, Continuation, EpochMetrics, Summary, continued, in_force};
use crate::files::{TEMPORARY_PREFIX, atomic_write};
use crate::model::TrainedModel;
use crate::{Error, Result, Setting};

pub(super) const CONFIG: &str = "config.json";
pub(super) const EDGES: &str = "edges.npz";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const BEST: &str = "best.safetensors";
pub(super) const CHECKPOINT: &str = "checkpoint.safetensors";
pub(super) const LOCK: &str = "run.lock";
pub(super) const SUMMARY: &str = "summary.json";
pub(super) const CURVE: &str = "learning_curve.png";

/// A folder that belongs to one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    metrics: File,
    /// Held as long as this lives.
    _lock: File,
}

impl RunFolder {
    /// Claims the folder that the user named, creating it if necessary.
    ///
    /// # Errors
    /// [`Error::Setting`] when it already holds a run, [`Error::Io`] when it
    /// cannot be created or written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.exists() && !path.is_dir() {
            let reason = format!("{} is not a folder: name another one", path.display());
            return Err(Error::setting(Setting::Out, reason));
        }
        fs::create_dir_all(path).map_err(|error| Error::io(path, error))?;
        for name in [CONFIG, EDGES, METRICS, MODEL, BEST, CHECKPOINT, SUMMARY, CURVE] {
            if path.join(name).symlink_metadata().is_ok() {
                let found = format!("already holds a run ({name} exists)");
                let reason = format!("{} {found}: name another folder or remove it", path.display());
                return Err(Error::setting(Setting::Out, reason));
            }
        }
        Self::begin(path)
    }

    /// Reads a finished run: its settings and its summary, which is written last.
    ///
    /// `None` if no run has finished.
    ///
    /// # Errors
    /// [`Error::Io`] with the path when one of the two files cannot be read or is damaged.
    pub fn finished(path: impl AsRef<Path>) -> Result<Option<(serde_json::Value, Summary)>> {
        let path = path.as_ref();
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
        let config = serde_json::from_slice(&config_text).map_err(damaged(config))?;
        Ok(Some((in_force(config), summary)))
    }

    /// The settings of the run in the folder, with later changes; `None` if they cannot be read.
    pub fn config(path: impl AsRef<Path>) -> Option<serde_json::Value> {
        let path = path.as_ref();
        serde_json::from_slice(&fs::read(path.join(CONFIG)).ok()?).ok().map(in_force)
    }

    /// Opens the folder of a run to resume it; its metrics are unchanged, and files
    /// that were incomplete when it ended are removed.
    ///
    /// # Errors
    /// [`Error::Io`] when another process works on it, or it cannot be written to.
    pub fn reopen(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let lock = lock(path)?;
        remove_temporaries(path)?;
        Self::open(path, lock, OpenOptions::new().create(true))
    }

    /// The last checkpoint of the run in this folder; `None` before the first one.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let path = self.path.join(CHECKPOINT);
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => Checkpoint::load(&path).map(Some),
        }
    }

    /// SHA-256 of the original bytes of `config.json`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read.
    pub fn config_digest(&self) -> Result<String> {
        let path = self.path.join(CONFIG);
        Ok(continued::digest(&fs::read(&path).map_err(|error| Error::io(path, error))?))
    }

    /// Adds to `config.json` that the run is resumed, atomically.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn record_continuation(&self, entry: &Continuation) -> Result<()> {
        let path = self.path.join(CONFIG);
        let failed = |error| Error::io(&path, error);
        let text = fs::read(&path).map_err(failed)?;
        let longer = continued::with_entry(&text, entry).map_err(|error| failed(error.into()))?;
        atomic_write(&path, &longer)
    }

    /// Creates a folder with a unique name: `name`, or `name-2` and so on if that exists.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be created or written.
    pub fn create_unique(parent: impl AsRef<Path>, name: &str) -> Result<Self> {
        let parent = parent.as_ref();
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
        Self::begin(&path)
    }

    /// Takes a folder without a run.
    fn begin(path: &Path) -> Result<Self> {
        Self::open(path, lock(path)?, OpenOptions::new().create_new(true))
    }

    /// Opening the metrics shows at once whether the folder can be written to.
    fn open(path: &Path, lock: File, options: &mut OpenOptions) -> Result<Self> {
        let file = path.join(METRICS);
        let metrics = options.append(true).open(&file).map_err(|error| Error::io(file, error))?;
        Ok(Self { path: path.to_owned(), metrics, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model is, or will be.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Where the graphs are that the run began with, if they came from files.
    pub(crate) fn edges_path(&self) -> PathBuf {
        self.path.join(EDGES)
    }

    /// Writes `edges.npz`, before `config.json`.
    pub(crate) fn write_edges(&self, npz: &[u8]) -> Result<()> {
        atomic_write(self.edges_path(), npz)
    }

    /// Writes `config.json`. Where that fails, no run has begun: nothing is left that would be in the way of one.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, as for all that follows.
    pub fn write_config(&self, config: &impl Serialize) -> Result<()> {
        self.write_json(CONFIG, config).inspect_err(|_| {
            for name in [EDGES, METRICS, LOCK] {
                let _ = fs::remove_file(self.path.join(name));
            }
            // Only where nothing else is in it.
            let _ = fs::remove_dir(&self.path);
        })
    }

    /// Appends a line to `metrics.jsonl`; [`RunFolder::sync_metrics`] syncs it to disk.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn append_metrics(&mut self, metrics: &EpochMetrics) -> Result<()> {
        let path = self.path.join(METRICS);
        let mut line =
            serde_json::to_vec(&metrics.named()).map_err(|error| Error::io(&path, error.into()))?;
        line.push(b'\n');
        let whole_lines = self.metrics.metadata().map_err(|error| Error::io(&path, error))?.len();
        self.metrics.write_all(&line).map_err(|error| {
            // Half a line would be worse than none; if even that cannot be undone, the error says enough.
            let _ = self.metrics.set_len(whole_lines);
            Error::io(path, error)
        })
    }

    /// Brings all lines of `metrics.jsonl` to the disk.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn sync_metrics(&self) -> Result<()> {
        self.metrics.sync_data().map_err(|error| Error::io(self.path.join(METRICS), error))
    }

    /// Makes `metrics.jsonl` hold these epochs and nothing else, neither later ones nor half a line.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn replace_metrics(&mut self, history: &[EpochMetrics]) -> Result<()> {
        let path = self.path.join(METRICS);
        let failed = |error| Error::io(&path, error);
        let lines = lines(history).map_err(|reason| failed(std::io::Error::other(reason)))?;
        // Where this is interrupted, the same checkpoint has the same lines the next time.
        let written = self.metrics.set_len(0).and_then(|()| self.metrics.write_all(&lines));
        written.and_then(|()| self.metrics.sync_data()).map_err(failed)
    }

    /// Keeps the model that was written last as `best.safetensors`, at once or not at all.
    ///
    /// It becomes a second name of the same file if the file system supports that, which costs almost nothing:
    /// the next model is another file under the first name.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn keep_as_best(&self) -> Result<()> {
        let (model, best) = (self.model_path(), self.path.join(BEST));
        let second_name = self.path.join(format!("{TEMPORARY_PREFIX}best"));
        if fs::hard_link(&model, &second_name).and_then(|()| fs::rename(&second_name, &best)).is_ok() {
            // Renaming a file over another name of itself does nothing at all.
            let _ = fs::remove_file(&second_name);
            return Ok(());
        }
        let _ = fs::remove_file(&second_name);
        atomic_write(&best, &fs::read(&model).map_err(|error| Error::io(&model, error))?)
    }

    /// Replaces `best.safetensors`, at once or not at all.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_best(&self, model: &TrainedModel) -> Result<()> {
        model.save(self.path.join(BEST))
    }

    /// Reads the model of the best epoch, as far as it was written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn best(&self) -> Result<TrainedModel> {
        TrainedModel::load(self.path.join(BEST))
    }

    /// Replaces `checkpoint.safetensors`, at once or not at all, and syncs it to disk.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.save(self.path.join(CHECKPOINT))
    }

    /// Replaces `model.safetensors`, at once or not at all.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_model(&self, model: &TrainedModel) -> Result<()> {
        model.save(self.model_path())
    }

    /// Writes `summary.json`.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        self.write_json(SUMMARY, &summary.named())
    }

    /// Removes the checkpoint of a run that has its summary.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn remove_checkpoint(&self) -> Result<()> {
        remove_file(&self.path, CHECKPOINT)
    }

    /// Removes the summary of a run that resumes from its checkpoint.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn remove_summary(&self) -> Result<()> {
        remove_file(&self.path, SUMMARY)
    }

    /// Writes `learning_curve.png`.
    ///
    /// # Errors
    /// As [`RunFolder::write_config`].
    pub fn write_learning_curve(&self, png: &[u8]) -> Result<()> {
        atomic_write(self.path.join(CURVE), png)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(name);
        let mut json = serde_json::to_vec_pretty(value).map_err(|error| Error::io(&path, error.into()))?;
        json.push(b'\n');
        atomic_write(&path, &json)
    }
}

#[cfg(test)]
#[path = "run_folder_tests.rs"]
mod tests;
