//! Mistakes in a command line, explained in one line each.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use clap::CommandFactory as _;

use super::flags::{Cli, PaperCommand};

/// Whole numbers that may be 0; all others must be at least 1.
const FROM_ZERO: [&str; 3] = ["--seed <", "--block <", "--fine-tune <"];

/// clap names all flags of a conflicting group; this keeps those that were typed.
pub(crate) fn name_what_was_typed(error: &mut clap::Error, words: &[OsString]) {
    let Some(ContextValue::Strings(flags)) = error.get(ContextKind::PriorArg) else { return };
    let is_typed = |flag: &&String| {
        // `--epochs <N>`: the flag is the first word.
        let name = flag.split(' ').next().unwrap_or(flag);
        words.iter().any(|word| word.to_string_lossy().split('=').next() == Some(name))
    };
    let typed: Vec<String> = flags.iter().filter(is_typed).cloned().collect();
    if !typed.is_empty() {
        error.insert(ContextKind::PriorArg, ContextValue::Strings(typed));
    }
}

/// Why a command line is invalid.
pub(crate) fn in_one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match (error.kind(), text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) {
        (ErrorKind::ValueValidation, Some(flag), Some(value)) => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let least = if FROM_ZERO.iter().any(|name| flag.starts_with(name)) { 0 } else { 1 };
            match possible(value, &reason, least) {
                // `--epochs <N>`: the flag is the first word.
                Some(why) => format!("{}: {why}", flag.split(' ').next().unwrap_or(flag)),
                None => joined(&error.render().to_string()),
            }
        }
        (ErrorKind::UnknownArgument, Some(flag), _) => match OTHER_NAMES
            .iter()
            .find(|(other, _)| *other == flag)
        {
            Some((_, own)) => format!("unexpected argument '{flag}' found; it is called '{own}'; see --help"),
            None => joined(&error.render().to_string()),
        },
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand, ..) => {
            format!("paper needs one of {}; see --help", PaperCommand::NAMES.join(", "))
        }
        _ => joined(&error.render().to_string()),
    }
}

/// Flags that others have for what this program calls differently.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("--exclude", "--drop"),
    ("--ignore", "--drop"),
    ("--skip", "--drop"),
    ("--remove", "--drop"),
    ("--separator", "--delimiter"),
    ("--sep", "--delimiter"),
    ("--learning-rate", "--lr"),
    ("--output", "--out"),
];

/// What a number must be, instead of the messages of Rust's parsers.
fn possible(value: &str, reason: &str, least: usize) -> Option<String> {
    let is = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
    let most = u64::MAX;
    if is(&["float"]) {
        return Some(format!("{value:?} is not a number: write one such as 0.1 or 1e-3"));
    }
    if is(&["too large", "too small", "not in 0.."]) {
        return Some(format!("{value} is invalid, it must be a whole number from {least} to {most}"));
    }
    if !is(&["invalid digit", "integer from empty"]) {
        return None;
    }
    let is_negative = value.strip_prefix('-').is_some_and(|rest| rest.parse::<f64>().is_ok());
    Some(match value.parse::<f64>() {
        Ok(_) if is_negative => format!("{value} is invalid, it must be a whole number, at least {least}"),
        Ok(_) => format!("{value} is not a whole number: write digits only, such as 10"),
        Err(_) => format!("{value:?} is not a whole number: write digits only, such as 10"),
    })
}

/// clap explains a mistake in several paragraphs; this keeps all but the usage, in one line.
fn joined(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let paragraphs = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let mut joined = String::new();
    for line in paragraphs.filter(|line| !line.is_empty()) {
        let line = line.trim_start_matches("error: ");
        let (separator, line) = match line.strip_prefix("tip: ") {
            Some(tip) => ("; ", tip),
            None => (" ", line),
        };
        if !joined.is_empty() {
            joined.push_str(separator);
        }
        joined.push_str(line);
    }
    joined.push_str("; see --help");
    joined
}

/// Refuses a first word that is neither a command nor a flag nor a file, before any mistake in later words.
pub(crate) fn refuse_unknown_command(words: &[OsString]) -> Result<(), String> {
    let mut rest = words.iter().skip(1).map(|word| word.to_string_lossy());
    let first = loop {
        match rest.next() {
            Some(word) if word == "--color" => _ = rest.next(),
            Some(word) if is_flag_of_all(&word) => {}
            other => break other,
        }
    };
    let Some(word) = first.filter(|word| !word.starts_with('-')) else { return Ok(()) };
    // A word that looks like a path is a missing file.
    let is_known = word == "help" || word.contains(['.', '/', '\\']) || Path::new(&*word).exists();
    let is_command =
        || Cli::command().find_subcommand(&*word).is_some() || PaperCommand::NAMES.contains(&&*word);
    if is_known || is_command() { Ok(()) } else { Err(no_command(&word)) }
}

/// Flags without a value that may precede a command.
fn is_flag_of_all(word: &str) -> bool {
    ["-q", "--quiet", "--json"].contains(&word) || word.starts_with("--color=")
}

/// Why a word is neither a command nor a file.
pub(crate) fn no_command(word: &str) -> String {
    let command = Cli::command();
    let names = command.get_subcommands().map(clap::Command::get_name).chain(PaperCommand::NAMES);
    let meant = match nearest(word, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "see --help".into(),
    };
    format!("`{word}` is neither a command nor a file; {meant}")
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = names.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    close.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
