//! The places of a run folder and of its event file.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::settings::{EventsPlace, Preset, RunSettings, Settings, as_in_files};
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

/// Maximum number of bytes of a run's name.
const MAX_NAME: usize = 100;
/// Maximum number of characters of a setting in it.
const MAX_PART: usize = 32;

/// A name with the time of a run, its data, and its settings besides defaults and preset. Settings that are
/// too long for it become a digest, so that other settings have another name.
fn run_name(settings: &RunSettings, now: &jiff::Zoned) -> String {
    let RunSettings { data, architecture, recipe, typed, .. } = settings;
    let data: String = plain(&data_name(&data.path)).chars().take(MAX_PART).collect();
    let mut name = format!("{}-{data}", now.strftime("%Y-%m-%dT%H-%M-%S"));
    if let Some(preset) = typed.preset.preset.filter(|preset| *preset != Preset::Auto) {
        name.push_str(&format!("-{preset}"));
    }
    name.push_str(&format!("-{}", architecture.arch));
    let seed = format!("-s{}", recipe.seed);
    let mut rest = String::new();
    for part in name_parts(typed) {
        // Leaves space for the digest of the rest.
        if rest.is_empty() && name.len() + part.len() + seed.len() + 6 <= MAX_NAME {
            name.push_str(&format!("-{part}"));
        } else {
            rest.push_str(&part);
        }
    }
    if !rest.is_empty() {
        name.push_str(&format!("-{}", short_digest(&rest)));
    }
    name + &seed
}

/// A part of the name for each setting that decides what a run computes.
fn name_parts(typed: &Settings) -> Vec<String> {
    let values = as_in_files(typed).unwrap_or_default();
    let data = typed
        .data
        .given()
        .filter(|setting| ![Setting::Data, Setting::Header, Setting::Delimiter].contains(setting));
    let computes = typed.training.given().chain(typed.architecture.given()).chain(typed.importance.given());
    let all = computes.chain(typed.samples.given()).chain(data);
    let part = |setting: Setting| {
        let value = match &values[setting.name()] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(","),
            value => value.to_string(),
        };
        let part = match setting {
            Setting::Arch | Setting::Seed => return None,
            Setting::Importance | Setting::Order | Setting::Optimizer | Setting::Activation => plain(&value),
            setting => format!("{setting}{}", plain(&value)),
        };
        Some(if part.len() > MAX_PART { format!("{setting}.{}", short_digest(&value)) } else { part })
    };
    all.filter_map(part).collect()
}

/// A text as four digits.
fn short_digest(text: &str) -> String {
    crate::text::hex(Sha256::digest(text)).chars().take(4).collect()
}

/// A text as part of a file name on any system.
fn plain(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || ['.', '_', '-'].contains(&c);
    let plain: String = text.chars().map(|c| if kept(c) { c } else { '-' }).collect();
    plain.trim_matches(['-', '.']).to_owned()
}

/// The requested event file; it describes a new run, with pictures of its network.
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
        TensorBoard::create(&place, epochs, (settings.scored_on(), recorder.model().scoring().metric))
            .asked_by(Setting::Tensorboard)?;
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
    fn a_name_describes_its_run() {
        let now: jiff::Zoned = "2026-11-27T12:00:00[UTC]".parse().unwrap();
        let name = |toml: &str| run_name(&Settings::from_toml(toml).unwrap().resolve().unwrap(), &now);
        assert_eq!(
            name("data = \"data/fashion-mnist\"\npca = true\norder = \"desc\""),
            "2026-11-27T12-00-00-fashion-mnist-sc-pca-desc-s0"
        );
        assert_eq!(
            name(
                "data = \"my wine.csv\"\npreset = \"small\"\nlr = 0.01\nhidden = [64, 32]\nseed = 7\nl1 = 3e-7"
            ),
            "2026-11-27T12-00-00-my-wine-small-sc-lr0.01-l13e-7-hidden64-32-s7"
        );
        assert!(
            name("data = \"x.csv\"\ndropout = 0.1\nimpute = \"mean\"").ends_with("-dropout0.1-imputemean-s0")
        );
        let long = |gain: u8| {
            name(&format!(
                "data = \"x.csv\"\narch = \"rsp\"\ndegree-distribution = \"20:0.25,86:0.25,90:0.25,92:0.25\"\nepochs = 3\n\
                 l1 = 1e-5\nbatch-size = 17\ngain = {gain}\nlabel-smoothing = 0.1\nl-half = 0.1\nweight-elimination = 0.01"
            ))
        };
        assert!(long(2).len() <= MAX_NAME && long(2).contains("-epochs3-"), "{}", long(2));
        assert_ne!(long(2), long(3));
    }
}
