//! Where a run is kept, and where its event file goes.

use std::path::Path;

use super::settings::{EventsPlace, RunSettings};
use crate::error::AskedBy as _;
use crate::training::{Recorder, RunFolder, TensorBoard};
use crate::{Result, Setting};

/// The folder that the settings name, or a new one below `runs`.
pub(super) fn run_folder(settings: &RunSettings) -> Result<RunFolder> {
    if let Some(path) = &settings.out {
        return RunFolder::create(path).asked_by(Setting::Out);
    }
    let time = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
    let (arch, seed) = (settings.architecture.arch, settings.recipe.seed);
    let name = format!("{time}-{arch}-{}-s{seed}", importance_name(settings, "-"));
    RunFolder::create_unique(Path::new("runs"), &name)
}

/// The event file that was asked for; a run that begins is described in it, with pictures of its network.
pub(super) fn tensorboard(
    settings: &RunSettings,
    recorder: &Recorder,
    pictures: impl FnOnce() -> Vec<(&'static str, Vec<u8>)>,
) -> Result<Option<TensorBoard>> {
    let Some(folder) = recorder.folder().map(RunFolder::path) else { return Ok(None) };
    let place = match &settings.tensorboard {
        None => return Ok(None),
        Some(EventsPlace::RunFolder) => folder.to_owned(),
        Some(EventsPlace::Below(logs)) => {
            match folder.canonicalize().ok().as_deref().and_then(Path::file_name) {
                Some(run) => logs.join(run),
                None => logs.clone(),
            }
        }
    };
    let epochs = recorder.history().len();
    let mut board =
        TensorBoard::create(&place, epochs, settings.scored_on()).asked_by(Setting::Tensorboard)?;
    if let Some(config) = RunFolder::config(folder).filter(|_| epochs == 0) {
        board.describe(&config, pictures())?;
    }
    Ok(Some(board))
}

/// Kind and order.
pub(super) fn importance_name(settings: &RunSettings, separator: &str) -> String {
    format!("{}{separator}{}", settings.importance.importance, settings.importance.order)
}
