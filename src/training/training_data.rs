//! The source of the trainer's samples: the same every epoch, or augmented ones.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::dataset::{Augmentation, Dataset};
use crate::importance::Preprocessing;
use crate::{Result, threads};

/// The training samples, epoch by epoch.
///
/// The samples of an epoch are the same on every engine and whatever epochs were requested
/// before: a run resumed at epoch 7 gets the same samples as an uninterrupted one.
pub trait TrainingData {
    /// The preprocessed samples of the epoch with this index, counted from 0.
    ///
    /// # Errors
    /// When they cannot be made.
    fn epoch(&mut self, epoch: usize) -> Result<Arc<Dataset>>;

    /// Whether the samples of this epoch are available without waiting for another thread.
    #[doc(hidden)]
    fn is_ready(&mut self, epoch: usize) -> bool {
        let _ = epoch;
        true
    }
}

/// The same samples every epoch.
impl TrainingData for &Arc<Dataset> {
    fn epoch(&mut self, _: usize) -> Result<Arc<Dataset>> {
        Ok(Arc::clone(self))
    }
}

impl TrainingData for Arc<Dataset> {
    fn epoch(&mut self, epoch: usize) -> Result<Arc<Dataset>> {
        (&*self).epoch(epoch)
    }
}

impl<T: TrainingData + ?Sized> TrainingData for Box<T> {
    fn epoch(&mut self, epoch: usize) -> Result<Arc<Dataset>> {
        (**self).epoch(epoch)
    }

    fn is_ready(&mut self, epoch: usize) -> bool {
        (**self).is_ready(epoch)
    }
}

/// Different samples every epoch: raw ones, augmented and then preprocessed.
///
/// While an epoch trains, another thread prepares the next one. So there are
/// the raw samples, those of the epoch, and those of the next one in both forms.
#[derive(Debug)]
pub struct AugmentedData {
    source: Arc<EpochInputs>,
    epochs: usize,
    /// The epoch in preparation.
    next: Option<(usize, JoinHandle<Result<Dataset>>)>,
}

/// Everything that an epoch's samples depend on.
#[derive(Debug)]
struct EpochInputs {
    raw: Dataset,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
    seed: u64,
}

impl EpochInputs {
    fn prepare(&self, epoch: usize) -> Result<Dataset> {
        let augmented = self.augmentation.apply(&self.raw, self.seed, epoch)?;
        self.preprocessing.apply_dataset(augmented)
    }
}

impl AugmentedData {
    /// Takes raw training samples and the preprocessing that was fitted on them,
    /// unaugmented; nothing is prepared beyond `epochs`.
    ///
    /// # Errors
    /// When the samples are not pictures or too small, see [`Augmentation::check`].
    pub fn new(
        raw: Dataset,
        preprocessing: Preprocessing,
        augmentation: Augmentation,
        seed: u64,
        epochs: usize,
    ) -> Result<Self> {
        augmentation.check(&raw)?;
        let source = Arc::new(EpochInputs { raw, preprocessing, augmentation, seed });
        Ok(Self { source, epochs, next: None })
    }

    /// Starts to prepare an epoch on another thread; if none can be started, the epoch is made when needed.
    fn prepare(&mut self, epoch: usize) {
        let source = Arc::clone(&self.source);
        match threads::spawn("augmentation", move || source.prepare(epoch)) {
            Ok(handle) => self.next = Some((epoch, handle)),
            Err(error) => log::warn!("augmentation cannot run in parallel with training: {error}"),
        }
    }
}

impl TrainingData for AugmentedData {
    fn epoch(&mut self, epoch: usize) -> Result<Arc<Dataset>> {
        let prepared = match self.next.take() {
            Some((ready, handle)) if ready == epoch => {
                handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?
            }
            _ => self.source.prepare(epoch)?,
        };
        if epoch + 1 < self.epochs {
            self.prepare(epoch + 1);
        }
        Ok(Arc::new(prepared))
    }

    fn is_ready(&mut self, epoch: usize) -> bool {
        if self.next.as_ref().is_none_or(|(number, _)| *number != epoch) {
            self.prepare(epoch);
        }
        self.next.as_ref().is_none_or(|(_, handle)| handle.is_finished())
    }
}

#[cfg(test)]
#[path = "training_data_tests.rs"]
mod tests;
