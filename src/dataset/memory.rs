//! Samples of tables in memory, whose targets a caller has apart from them.

use super::table::{FitOptions, Limits, Table, TableEncoding};
use super::{DataRecord, Dataset, EncodedSamples, TargetRecord, Targets, Task};
use crate::topology::Grid;
use crate::{Error, Result};

/// What each row of a table in memory is, and what that is called.
#[derive(Clone, Debug)]
pub struct KnownTargets {
    /// `[row]`.
    pub targets: Targets,
    /// The names of the classes, or of the numbers to predict.
    pub names: Vec<String>,
    /// `[row]`, how much each counts, above 0; `None` if all count alike.
    pub weights: Option<Vec<f32>>,
}

#[doc(hidden)]
impl DataRecord {
    /// Fits the encoding on all rows of a table in memory; returns samples, and the record for other tables.
    ///
    /// # Errors
    /// As for [`TableEncoding::fit`]; when targets and rows do not fit each other.
    pub fn learn_known(
        mut table: Table,
        known: KnownTargets,
        options: FitOptions,
        picture: Option<Grid>,
    ) -> Result<(Dataset, Self)> {
        if let Some(picture) = picture {
            table.set_picture(picture)?;
        }
        table.scale_new_pixels();
        let encoding = TableEncoding::fit(&table, None, options)?;
        let task = known.targets.task();
        let (mut class_names, mut targets) = (known.names.clone(), Vec::new());
        if task != Task::Classification {
            targets =
                TargetRecord::of(&known.targets, known.weights.as_deref(), std::mem::take(&mut class_names));
        }
        let record = Self {
            task,
            targets,
            class_names,
            feature_names: if encoding.named { encoding.feature_names() } else { Vec::new() },
            image_shape: table.image_shape(),
            pixel_scale: table.pixel_scale,
            encoding: Some(encoding),
            ..Self::default()
        };
        Ok((record.known_samples(table, known)?.samples, record))
    }

    /// The samples of another table in memory.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there is no encoding; as for [`TableEncoding::encode`].
    pub fn known_samples(&self, table: Table, known: KnownTargets) -> Result<EncodedSamples<Dataset>> {
        let Some(encoding) = &self.encoding else {
            return Err(Error::Dataset("the model does not know how to encode a table".into()));
        };
        self.features(table, encoding, &Limits::default())?.try_map(|features| {
            let data = Dataset::with_targets(features, encoding.width(), known.targets)?
                .with_weights(known.weights)?;
            self.of_shape(data)
        })
    }
}
