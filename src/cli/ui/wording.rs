//! Turns messages of the library into those of the command line: settings get their dashes, errors become one line.

use tanner::{Error, Setting};

use super::super::commands::resume_command;

/// Replaces settings in backquotes by the flags of the command line.
pub(crate) fn with_dashes(text: &str) -> String {
    let mut parts = text.split('`');
    let mut dashed = parts.next().unwrap_or_default().to_owned();
    let mut opens = true;
    while let Some(part) = parts.next() {
        if opens && part.parse::<Setting>().is_ok() {
            dashed.push_str("--");
            dashed.push_str(part);
            dashed.push_str(parts.next().unwrap_or_default());
        } else {
            dashed.push('`');
            dashed.push_str(part);
            opens = !opens;
        }
    }
    dashed
}

/// An error and its causes in one line, without repetitions and without a backtrace.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    let mut cause = Some(error.as_ref() as &dyn std::error::Error);
    while let Some(error) = cause {
        let (text, next) = match error.downcast_ref::<Error>() {
            // Its text already includes its causes.
            Some(error) => (of_library(error), None),
            None => (error.to_string(), error.source()),
        };
        if !line.ends_with(&text) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&text);
        }
        cause = next;
    }
    line.replace(['\n', '\r'], " ")
}

/// An error of the library, with flags instead of settings, and with what remains of a failed run.
pub(crate) fn of_library(error: &Error) -> String {
    match error {
        Error::Setting { setting, reason } => format!("--{setting}: {}", with_dashes(reason)),
        Error::For { setting, source } => format!("--{setting}: {}", of_library(source)),
        Error::Training { folder, epochs, source } => {
            let folder = folder.as_deref();
            let model = folder.map(|folder| folder.join("model.safetensors"));
            let is_gone = folder.is_some_and(|folder| !folder.is_dir());
            let kept = match (epochs, model) {
                _ if is_gone => "its run folder is gone (if it was moved, continue with --resume)".to_owned(),
                (0, _) => "no epoch was complete, there is no model".to_owned(),
                (epochs, Some(model)) => format!("the model of epoch {epochs} is in {}", model.display()),
                (epochs, None) => format!("{} were complete", tanner::report::epochs(*epochs)),
            };
            // A run that diverged would diverge again.
            let way_out = match (&**source, folder) {
                (Error::Diverged(_), _) | (_, None) => String::new(),
                _ if is_gone => String::new(),
                (_, Some(folder)) => {
                    format!(" (once this is fixed, continue with {})", resume_command(folder))
                }
            };
            format!("training stopped, {kept}{way_out}: {}", of_library(source))
        }
        other => with_dashes(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn settings_become_flags_and_other_words_are_unchanged() {
        assert_eq!(with_dashes("cannot be used with `arch` fc"), "cannot be used with --arch fc");
        assert_eq!(with_dashes("`drop` and `label`"), "--drop and --label");
        assert_eq!(with_dashes("run `tanner devices`, `x` and `"), "run `tanner devices`, `x` and `");
        let error = Error::setting(Setting::Patience, "needs `validation`");
        assert_eq!(one_line(&error.into()), "--patience: needs --validation");
    }

    #[test]
    fn an_error_is_one_line_without_repetition() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such\nfile");
        let error: tanner::Result<()> = Err(Error::io("model", missing));
        let error = error.context("training stopped").unwrap_err();
        assert_eq!(one_line(&error), "training stopped: model: no such file");
    }

    #[test]
    fn a_failed_run_says_what_remains_and_how_to_continue() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a b");
        std::fs::create_dir(&folder).unwrap();
        let failed = |source| {
            one_line(
                &Error::Training { folder: Some(folder.clone()), epochs: 3, source: Box::new(source) }.into(),
            )
        };
        let place = folder.display();
        assert_eq!(
            failed(Error::Network("x".into())),
            format!(
                "training stopped, the model of epoch 3 is in {place}/model.safetensors (once this is fixed, continue \
                 with tanner train --resume '{place}'): network: x"
            )
        );
        assert!(failed(Error::Diverged("x".into())).ends_with("a b/model.safetensors: training diverged: x"));
        std::fs::remove_dir(&folder).unwrap();
        assert_eq!(
            failed(Error::Network("x".into())),
            "training stopped, its run folder is gone (if it was moved, continue with --resume): network: x"
        );
    }
}
