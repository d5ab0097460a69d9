//! Flags of `train` that come from elsewhere: a preset (`--preset`), a file (`--config`).
//!
//! They lie in layers, preset below file below what was typed. A flag of a lower layer counts unless a higher one
//! has the same flag, one that cannot stand beside it, or one that it depends on: who types `--arch rsp` over a
//! file with `arch` and `degrees` wants none of that file's degrees.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, ValueEnum};

use tanner::settings_file::{self, EntryValue};

use super::args::Cli;
use super::presets::Preset;

/// A choice, and the flags that belong to one choice alone.
const DEPENDENT: [(&str, &[&str]); 4] = [
    (
        "arch",
        &[
            "blocks",
            "receptive-field",
            "degrees",
            "density",
            "degree",
            "degree-distribution",
            "budget",
            "softness",
        ],
    ),
    ("optimizer", &["momentum", "lr"]),
    ("backend", &["adapter", "threads", "gpu-kernels"]),
    ("importance", &["trees"]),
];

/// What of a recorded run is its own affair.
const NOT_TAKEN_OVER: [&str; 4] = ["out", "resume", "preset", "config"];

/// Flags that are no settings of a run.
const NO_SETTINGS: [&str; 4] = ["config", "help", "quiet", "json"];

/// A flag with its value; none for a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flag {
    name: String,
    value: Option<OsString>,
}

/// The command line with the flags of preset and file in place of their names.
///
/// # Errors
/// A line that says what is wrong with the file.
pub(super) fn expanded(words: &[OsString], matches: &ArgMatches) -> Result<Vec<OsString>, String> {
    let train = match matches.subcommand() {
        None => matches,
        Some(("train", train)) => train,
        Some(_) => return Ok(words.to_vec()),
    };
    let preset = train.get_one::<Preset>("preset");
    let file = train.get_one::<std::path::PathBuf>("config");
    if preset.is_none() && file.is_none() {
        return Ok(words.to_vec());
    }
    let command = train_command();
    let from_file = match file {
        Some(file) => {
            let told = |reason: String| format!("--config: {}: {reason}", file.display());
            read(&command, file).map_err(told)?
        }
        None => Vec::new(),
    };
    let mut layers = Vec::new();
    if let Some(preset) = preset.copied().map_or_else(|| preset_of(&from_file), |typed| Ok(Some(typed)))? {
        let words = preset.flags().split_whitespace().map(OsString::from);
        layers.push(typed(&command, &parsed(&command, words).map_err(|error| error.to_string())?));
    }
    layers.push(from_file);
    layers.push(typed(&command, train));
    let program = words.first().cloned().unwrap_or_default();
    let flags = merged(&command, layers);
    let as_word = |flag: Flag| match flag.value {
        None => format!("--{}", flag.name).into(),
        Some(value) => {
            let mut word = OsString::from(format!("--{}=", flag.name));
            word.push(value);
            word
        }
    };
    Ok([program, "train".into()].into_iter().chain(flags.into_iter().map(as_word)).collect())
}

/// The preset that a file names.
fn preset_of(flags: &[Flag]) -> Result<Option<Preset>, String> {
    let Some(value) = flags.iter().find(|flag| flag.name == "preset").and_then(|flag| flag.value.as_ref())
    else {
        return Ok(None);
    };
    let name = value.to_string_lossy();
    let names = || Preset::value_variants().iter().filter_map(Preset::to_possible_value);
    Preset::from_str(&name, false).map(Some).map_err(|_| {
        let known: Vec<String> = names().map(|value| value.get_name().to_owned()).collect();
        format!("--config: preset: {name:?} is none of {}", known.join(", "))
    })
}

/// The subcommand with all its flags, those of the whole program included.
fn train_command() -> Command {
    let mut command = Cli::command();
    command.build();
    command.find_subcommand("train").cloned().unwrap_or(command)
}

fn parsed(command: &Command, words: impl Iterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    command.clone().try_get_matches_from(std::iter::once(OsString::from("train")).chain(words))
}

/// The flags that were typed.
fn typed(command: &Command, matches: &ArgMatches) -> Vec<Flag> {
    let is_typed = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let flag = |arg: &Arg| {
        let name = arg.get_long()?.to_owned();
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            return Some(Flag { name, value: None });
        }
        // A list was cut at its commas.
        let values: Vec<&OsStr> = matches.get_raw(arg.get_id().as_str())?.collect();
        Some(Flag { name, value: Some(values.join(OsStr::new(","))) })
    };
    command.get_arguments().filter(is_typed).filter_map(flag).collect()
}

/// The flags in a file: TOML, or `config.json` of a run.
fn read(command: &Command, path: &Path) -> Result<Vec<Flag>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > settings_file::MAX_BYTES as u64 {
        return Err(format!("{length} bytes, a settings file has {} at most", settings_file::MAX_BYTES));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if path.extension() == Some(OsStr::new("json")) {
        recorded(command, &text)
    } else {
        written(command, &text)
    }
}

/// The flags in a TOML file.
fn written(command: &Command, text: &str) -> Result<Vec<Flag>, String> {
    let mut flags = Vec::new();
    for entry in settings_file::parse(text)? {
        let name = entry.key;
        let known = |arg: &&Arg| arg.get_long() == Some(&name) && !NO_SETTINGS.contains(&name.as_str());
        let Some(arg) = command.get_arguments().find(known) else {
            return Err(format!("{name:?} is no setting{}", suggestion(command, &name)));
        };
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        match (entry.value, is_switch) {
            (EntryValue::Switch(true), true) => flags.push(Flag { name, value: None }),
            (EntryValue::Switch(false), true) => {}
            (EntryValue::Switch(on), false) if takes(arg, "on") => {
                let value = if on { "on" } else { "off" };
                flags.push(Flag { name, value: Some(value.into()) });
            }
            (EntryValue::Text(text), false) => flags.push(Flag { name, value: Some(text.into()) }),
            (EntryValue::Switch(_), false) => return Err(format!("{name}: true or false is no value of it")),
            (EntryValue::Text(text), true) => return Err(format!("{name}: {text:?} must be true or false")),
        }
    }
    Ok(flags)
}

fn takes(arg: &Arg, value: &str) -> bool {
    arg.get_possible_values().iter().any(|possible| possible.matches(value, false))
}

/// The nearest name of a setting, where one is near.
fn suggestion(command: &Command, name: &str) -> String {
    let names =
        command.get_arguments().filter_map(Arg::get_long).filter(|known| !NO_SETTINGS.contains(known));
    let near = names.map(|known| (strsim::jaro_winkler(known, name), known));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, known)) if likeness > 0.8 => format!("; did you mean {known:?}?"),
        _ => "; every flag of `tanner train --help` has its key, without the dashes before it".into(),
    }
}

/// The flags that a run was started with, from its `config.json`.
fn recorded(command: &Command, text: &str) -> Result<Vec<Flag>, String> {
    let config: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let words = config["command"].as_array().ok_or("not the config.json of a run: it has no \"command\"")?;
    let words: Option<Vec<&str>> = words.iter().map(serde_json::Value::as_str).collect();
    let words = words.ok_or("its \"command\" is no list of words")?;
    let flags = words.iter().skip(1).skip_while(|word| **word == "train").map(OsString::from);
    let matches = parsed(command, flags).map_err(|error| {
        let text = error.to_string();
        format!(
            "its \"command\" is no training run of this version: {}",
            text.lines().next().unwrap_or_default()
        )
    })?;
    let mut flags = typed(command, &matches);
    flags.retain(|flag| !NOT_TAKEN_OVER.contains(&flag.name.as_str()));
    Ok(flags)
}

/// All layers in one, from the lowest to the highest.
fn merged(command: &Command, layers: Vec<Vec<Flag>>) -> Vec<Flag> {
    let mut merged: Vec<Flag> = Vec::new();
    for layer in layers {
        merged.retain(|low| !layer.iter().any(|high| takes_the_place(command, high, low)));
        merged.extend(layer);
    }
    merged.retain(|flag| !["preset", "config"].contains(&flag.name.as_str()));
    merged
}

/// Whether a flag of a lower layer means nothing any more beside one of a higher layer.
fn takes_the_place(command: &Command, high: &Flag, low: &Flag) -> bool {
    let arg = |flag: &Flag| command.get_arguments().find(|arg| arg.get_long() == Some(&flag.name));
    let conflict = |one: &Flag, other: &Flag| {
        let conflicts = arg(one).map(|arg| command.get_arg_conflicts_with(arg)).unwrap_or_default();
        conflicts.iter().any(|arg| arg.get_long() == Some(&other.name))
    };
    // The short forms of `--importance` are the same choice.
    let choice =
        |name: &str| if ["pca", "rf"].contains(&name) { "importance".to_owned() } else { name.to_owned() };
    let (high_choice, low_choice) = (choice(&high.name), choice(&low.name));
    let depends =
        |(owner, flags): &(&str, &[&str])| *owner == high_choice && flags.contains(&low.name.as_str());
    high_choice == low_choice || conflict(high, low) || conflict(low, high) || DEPENDENT.iter().any(depends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(words: &[&str]) -> Result<String, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let matches = Cli::command().try_get_matches_from(&words).map_err(|error| error.to_string())?;
        let words = expanded(&words, &matches)?;
        Ok(words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    fn with_file(name: &str, content: &str, more: &[&str]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let option = format!("--config={}", path.display());
        lines(&[&["tanner", &option], more].concat())
    }

    #[test]
    fn without_preset_and_file_nothing_changes() {
        assert_eq!(lines(&["tanner", "--pca", "--lr", "0.1"]).unwrap(), "tanner --pca --lr 0.1");
        assert_eq!(lines(&["tanner", "devices"]).unwrap(), "tanner devices");
    }

    #[test]
    fn what_is_typed_wins_over_the_file_and_the_file_over_the_preset() {
        let line = with_file("a.toml", "lr = 0.5\nepochs = 3", &["--preset", "paper", "--epochs=7"]).unwrap();
        assert!(
            line.starts_with("tanner train ") && line.contains(" --lr=0.5") && line.contains(" --epochs=7")
        );
        assert!(
            !line.contains("0.001") && !line.contains("--epochs=40") && line.contains("--gain=1"),
            "{line}"
        );
        assert!(!line.contains("preset") && !line.contains("config"), "{line}");
    }

    #[test]
    fn lists_and_the_preset_of_a_file_are_taken_over() {
        let line = lines(&["tanner", "--drop", "a,b", "--preset", "small"]).unwrap();
        assert!(line.ends_with(" --drop=a,b"), "{line}");
        let line = with_file("a.toml", "preset = \"small\"\nepochs = 3\ndrop = [\"a\", \"b\"]", &[]).unwrap();
        assert!(
            line.contains("--importance=rf") && line.contains("--epochs=3") && line.contains("--drop=a,b")
        );
        assert!(!line.contains("preset"), "{line}");
        let message = with_file("a.toml", "preset = \"nope\"", &[]).unwrap_err();
        assert!(message.contains("\"nope\" is none of paper, tanner, small"), "{message}");
    }

    #[test]
    fn what_depends_on_another_choice_is_left_out() {
        let file =
            "pca = true\narch = \"sc\"\nblocks = 4\ndegrees = [4, 3, 2, 1]\nmomentum = 0.5\nthreads = 2";
        let line = with_file("a.toml", file, &["--arch", "rsp", "--rf", "--optimizer", "adam"]).unwrap();
        assert_eq!(line, "tanner train --threads=2 --rf --arch=rsp --optimizer=adam");
        // Without such a choice all of it counts, and every value can be parsed again.
        let line = with_file("a.toml", file, &[]).unwrap();
        assert!(line.contains("--degrees=4,3,2,1") && line.contains("--pca"), "{line}");
        let words: Vec<&str> = line.split(' ').collect();
        assert!(Cli::command().try_get_matches_from(words).is_ok(), "{line}");
    }

    #[test]
    fn a_finished_runs_settings_are_taken_over() {
        let config =
            r#"{"command": ["tanner", "--pca", "--out", "mine", "--epochs", "3", "--gpu-kernels=default"]}"#;
        let line = with_file("config.json", config, &["--seed", "4"]).unwrap();
        assert_eq!(line, "tanner train --pca --epochs=3 --gpu-kernels=default --seed=4");
        for (config, part) in
            [("{}", "no \"command\""), ("{", "EOF"), (r#"{"command": ["tanner", "eval"]}"#, "no training")]
        {
            let message = with_file("config.json", config, &[]).unwrap_err();
            assert!(message.contains("config.json: ") && message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_is_told() {
        for (content, part) in [
            ("epoch = 3", "\"epoch\" is no setting; did you mean \"epochs\"?"),
            ("xyzzy = 3", "every flag of"),
            ("pca = 1", "pca: \"1\" must be true or false"),
            ("lr = true", "lr: true or false is no value"),
            ("lr = ", "line 1"),
            ("config = \"x\"", "is no setting"),
        ] {
            let message = with_file("a.toml", content, &[]).unwrap_err();
            assert!(message.contains(part) && message.starts_with("--config: "), "{message}");
        }
        assert!(
            lines(&["tanner", "--config", "/nowhere.toml"])
                .unwrap_err()
                .contains("/nowhere.toml: No such file")
        );
        assert!(with_file("a.toml", "standardize = true", &[]).unwrap().ends_with("--standardize=on"));
    }

    #[test]
    fn every_preset_is_a_command_line() {
        for preset in ["paper", "tanner", "small"] {
            let line = lines(&["tanner", "--preset", preset]).unwrap();
            let words: Vec<&str> = line.split(' ').collect();
            assert!(Cli::command().try_get_matches_from(words).is_ok(), "{line}");
        }
    }
}
