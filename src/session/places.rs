//! Where a run is kept, and where its event file goes.

use std::path::Path;

use super::settings::{EventsPlace, RunSettings};
use crate::error::AskedBy as _;
use crate::training::{Recorder, RunFolder, TensorBoard, data_name};
use crate::{Result, Setting};

/// The folder that the settings name, or a new one below `runs`.
pub(super) fn run_folder(settings: &RunSettings) -> Result<RunFolder> {
    if let Some(path) = &settings.out {
        return RunFolder::create(path).asked_by(Setting::Out);
    }
    RunFolder::create_unique(Path::new("runs"), &run_name(settings, &jiff::Zoned::now()))
}

/// Most characters of a run's name.
const MAX_NAME: usize = 90;
/// Most characters of a setting in it.
const MAX_PART: usize = 20;

/// A name that says when a run began, on what data, and what was asked for beside the defaults and the preset.
fn run_name(settings: &RunSettings, now: &jiff::Zoned) -> String {
    let RunSettings { data, architecture, recipe, typed, .. } = settings;
    let mut name = format!("{}-{}", now.strftime("%Y-%m-%dT%H-%M-%S"), plain(&data_name(&data.path)));
    if let Some(preset) = typed.preset.preset {
        name.push_str(&format!("-{preset}"));
    }
    name.push_str(&format!("-{}", architecture.arch));
    let seed = format!("-s{}", recipe.seed);
    let values = serde_json::to_value(typed).unwrap_or_default();
    let computes = typed.samples.given().chain(typed.importance.given()).chain(typed.architecture.given());
    for setting in computes.chain(typed.training.given()) {
        let value = match &values[setting.name()] {
            serde_json::Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let part = match setting {
            Setting::Arch | Setting::Seed => continue,
            Setting::Importance | Setting::Order | Setting::Optimizer | Setting::Activation => value,
            Setting::From => setting.to_string(),
            setting => format!("{setting}{value}"),
        };
        let part: String = plain(&part).chars().take(MAX_PART).collect();
        if name.len() + 1 + part.len() + seed.len() > MAX_NAME {
            break;
        }
        name.push_str(&format!("-{}", part.trim_end_matches('-')));
    }
    name + &seed
}

/// A text as part of a file name on any system.
fn plain(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || ['.', '_', '-'].contains(&c);
    let plain: String = text.chars().map(|c| if kept(c) { c } else { '-' }).take(2 * MAX_PART).collect();
    plain.trim_matches(['-', '.']).to_owned()
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

#[cfg(test)]
mod tests {
    use super::super::settings::Settings;
    use super::*;

    #[test]
    fn a_name_says_what_a_run_is() {
        let now: jiff::Zoned = "2026-11-27T12:00:00[UTC]".parse().unwrap();
        let name = |toml: &str| run_name(&Settings::from_toml(toml).unwrap().resolve().unwrap(), &now);
        assert_eq!(
            name("data = \"data/fashion-mnist\"\npca = true\norder = \"desc\""),
            "2026-11-27T12-00-00-fashion-mnist-sc-pca-desc-s0"
        );
        assert_eq!(
            name("data = \"my wine.csv\"\npreset = \"small\"\nlr = 0.01\nhidden = [64, 32]\nseed = 7"),
            "2026-11-27T12-00-00-my-wine-small-sc-hidden64-32-lr0.01-s7"
        );
        let long = name(
            "data = \"x.csv\"\narch = \"rsp\"\ndegree-distribution = \"20:0.25,86:0.25,90:0.25,92:0.25\"\nepochs = 3\nl1 = 1e-5\n\
             batch-size = 17\ngain = 2\nlabel-smoothing = 0.1\nl-half = 0.1",
        );
        assert!(long.len() <= MAX_NAME && long.ends_with("-s0") && long.contains("-epochs3-"), "{long}");
    }
}
