//! What clap has to say about a command line, in one line each.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::flags::PaperCommand;

/// Why a command line cannot be understood.
pub(crate) fn in_one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match (error.kind(), text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) {
        (ErrorKind::ValueValidation, Some(flag), Some(value)) => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            match possible(value, &reason) {
                // `--epochs <N>`: the flag is the first word.
                Some(why) => format!("{}: {why}", flag.split(' ').next().unwrap_or(flag)),
                None => joined(&error.render().to_string()),
            }
        }
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand, ..) => {
            format!("paper needs one of {}; see --help", PaperCommand::NAMES.join(", "))
        }
        _ => joined(&error.render().to_string()),
    }
}

/// What a number must be, in place of what Rust's parsers say.
fn possible(value: &str, reason: &str) -> Option<String> {
    let is = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
    let most = u64::MAX;
    if is(&["float"]) {
        return Some(format!("{value:?} is not a number: write one such as 0.1 or 1e-3"));
    }
    if is(&["too large", "too small", "not in 0.."]) {
        return Some(format!("{value} is impossible, it must be a whole number from 0 to {most}"));
    }
    if !is(&["invalid digit", "integer from empty"]) {
        return None;
    }
    let is_negative = value.strip_prefix('-').is_some_and(|rest| rest.parse::<f64>().is_ok());
    Some(match value.parse::<f64>() {
        Ok(_) if is_negative => format!("{value} is impossible, it must be a whole number from 0 on"),
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

/// The name that was probably meant.
pub(crate) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let close = names.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    close.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
