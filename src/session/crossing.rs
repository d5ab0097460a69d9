//! Pictures from one kind of file for a model that was trained on another kind.

use std::borrow::Cow;

use super::settings::DataSettings;
use crate::dataset::table::{BYTE, TableEncoding};
use crate::dataset::{DataRecord, DataSplits, Dataset, load_idx_folder};
use crate::error::AskedBy as _;
use crate::model::TrainedModel;
use crate::{Error, Result, Setting};

/// What a model knows of tables. A model of IDX files knows arrays of the same pictures: a column for each pixel, in
/// their order, and classes that are called by their numbers.
pub(super) fn record_of(model: &TrainedModel) -> Cow<'_, DataRecord> {
    let record = model.data();
    if record.encoding.is_some() || record.image_shape.is_none() || !record.task.is_classification() {
        return Cow::Borrowed(record);
    }
    let mut record = record.clone();
    record.encoding = Some(TableEncoding::of_columns(model.preprocessing().input_features()));
    if record.class_names.is_empty() {
        record.class_names = (0..model.network().classes()).map(|class| class.to_string()).collect();
    }
    Cow::Owned(record)
}

/// The pictures of a folder, for a model that was trained on pictures of that shape, whatever file those came from.
pub(super) fn pictures_for(model: &TrainedModel, settings: &DataSettings) -> Result<DataSplits> {
    let record = model.data();
    if record.encoding.is_some() && record.image_shape.is_none() {
        let reason = "the model was trained on a table: name that one, or another with the same columns";
        return Err(Error::setting(Setting::Data, reason));
    }
    if !record.task.is_classification() {
        let reason = format!("a folder of IDX files has classes, but the model is one of {}", record.task);
        return Err(Error::setting(Setting::Data, reason));
    }
    let splits = load_idx_folder(&settings.path).asked_by(Setting::Data)?;
    record.check_pictures(splits.train.image_shape()).asked_by(Setting::Data)?;
    if record.encoding.is_none() {
        return Ok(splits);
    }
    let DataSplits { train, test } = splits;
    let of_model = |pictures| as_in_training(record, pictures).asked_by(Setting::Data);
    Ok(DataSplits { train: of_model(train)?, test: of_model(test)? })
}

/// Pictures from 0 to 1, whose labels are numbers, in the unit and with the classes of a model.
fn as_in_training(record: &DataRecord, pictures: Dataset) -> Result<Dataset> {
    let factor = BYTE / record.byte_divisor();
    let class = |label: &u32| {
        let name = label.to_string();
        let class = record.class_names.iter().position(|one| *one == name);
        class.and_then(|class| u32::try_from(class).ok()).ok_or_else(|| {
            let names = record.class_names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
            Error::Dataset(format!("label {label} is not a class of the training data, which has {names}"))
        })
    };
    let labels: Vec<u32> = pictures.labels().iter().map(class).collect::<Result<_>>()?;
    let features = pictures.features().iter().map(|pixel| pixel * factor).collect();
    let (count, shape) = (pictures.feature_count(), pictures.image_shape());
    let data = Dataset::new(features, count, labels, record.class_names.len())?;
    shape.map_or(Ok(data.clone()), |shape| data.with_image_shape(shape))
}
