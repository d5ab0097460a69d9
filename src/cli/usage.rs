//! From words to a [`Command`], or to one line that says why not.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use tanner::session::Settings;

use super::flags::{BESIDE_RESUME, Cli, Command, TrainArgs};
use super::ui::of_library;
use super::ui::terminal::{self, Output};

/// What is answered in place of running a command.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The help or the version, as asked for.
    Asked(clap::Error),
    /// Why the command line cannot be understood.
    Refused(String),
}

impl Answer {
    /// Prints it; the exit code is 2 for a refusal.
    pub(crate) fn give(self) -> ExitCode {
        match self {
            Self::Asked(text) => {
                let _ = write!(anstream::stdout().lock(), "{}", text.render().ansi());
                let _ = std::io::stdout().flush();
                ExitCode::SUCCESS
            }
            Self::Refused(line) => {
                terminal::error(&line);
                ExitCode::from(2)
            }
        }
    }
}

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Understood {
    pub(crate) command: Command,
    pub(crate) output: Output,
}

/// Understands a command line; no subcommand means `train`.
pub(crate) fn understand(words: &[OsString]) -> Result<Understood, Answer> {
    let matches = Cli::command().try_get_matches_from(words).map_err(answer)?;
    refuse_flags_before_subcommand(&matches).map_err(Answer::Refused)?;
    refuse_flags_beside_resume(&matches).map_err(Answer::Refused)?;
    let cli = Cli::from_arg_matches(&matches).map_err(answer)?;
    let output = Output { quiet: cli.quiet, json: cli.json };
    let mut command = cli.command.unwrap_or(Command::Train(Box::new(cli.train)));
    if let Command::Train(args) = &mut command {
        lay_over_file(args).map_err(Answer::Refused)?;
    }
    if output.json && !command.gives_json() {
        let name = matches.subcommand_name().unwrap_or("train");
        return Err(Answer::Refused(format!(
            "--json has no meaning with {name}, whose results are files; see --help"
        )));
    }
    Ok(Understood { command, output })
}

/// What was typed wins over the settings file. The preset that one of them names stays a name, below whatever else
/// is laid under these settings.
fn lay_over_file(args: &mut TrainArgs) -> Result<(), String> {
    if let Some(file) = &args.config {
        let read = Settings::read(file).map_err(|error| format!("--config: {}", of_library(&error)))?;
        args.settings = std::mem::take(&mut args.settings).over(read);
    }
    Ok(())
}

/// The settings that flags of `train` stand for.
pub(crate) fn settings_from_flags(text: &str) -> Result<Settings, String> {
    let words = shell_words::split(text).map_err(|error| format!("{text:?}: {error}"))?;
    let words: Vec<OsString> =
        ["tanner", "train"].map(Into::into).into_iter().chain(words.into_iter().map(Into::into)).collect();
    match understand(&words) {
        Ok(Understood { command: Command::Train(args), .. }) if args.resume.is_none() => Ok(args.settings),
        Err(Answer::Refused(reason)) => Err(reason),
        _ => Err(format!("{text:?} are no flags of a training run")),
    }
}

/// Flags of `train` typed before a subcommand would be read and then forgotten.
fn refuse_flags_before_subcommand(matches: &ArgMatches) -> Result<(), String> {
    let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let command = Cli::command();
    // The ids of groups have no flag.
    let flags = matches.ids().filter(typed).filter_map(|id| {
        let argument = command.get_arguments().find(|argument| argument.get_id() == id)?;
        argument.get_long().filter(|_| !argument.is_global_set())
    });
    match (flags.min(), matches.subcommand_name()) {
        (Some(flag), Some(subcommand)) => {
            Err(format!("--{flag} stands before the subcommand {subcommand}: put flags behind it"))
        }
        _ => Ok(()),
    }
}

/// A run that goes on has its settings already.
fn refuse_flags_beside_resume(matches: &ArgMatches) -> Result<(), String> {
    let train = match matches.subcommand() {
        None => matches,
        Some(("train", train)) => train,
        Some(_) => return Ok(()),
    };
    let typed = |id: &str| train.value_source(id) == Some(ValueSource::CommandLine);
    let command = Cli::command();
    let mut arguments = command.get_arguments().filter(|argument| typed(argument.get_id().as_str()));
    let strange = arguments.find(|argument| !BESIDE_RESUME.contains(&argument.get_id().as_str()));
    match strange.and_then(|argument| argument.get_long()) {
        Some(flag) if typed("resume") => {
            Err(format!("--{flag} has no meaning beside --resume, which goes on with the run's own settings"))
        }
        _ => Ok(()),
    }
}

fn answer(error: clap::Error) -> Answer {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::Asked(error),
        _ => Answer::Refused(one_line(&error.render().to_string())),
    }
}

/// clap explains a mistake in several paragraphs; this keeps all but the usage, in one line.
fn one_line(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Answer> {
        let words: Vec<OsString> =
            std::iter::once("tanner").chain(line.split_whitespace()).map(Into::into).collect();
        understand(&words).map(|understood| understood.command)
    }

    fn refused(line: &str) -> String {
        match parsed(line) {
            Err(Answer::Refused(text)) => text,
            other => panic!("{line:?} gave {other:?}"),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_subcommand_means_train() {
        assert!(matches!(parsed("--pca --order desc"), Ok(Command::Train(_))));
        assert!(matches!(parsed("train --pca --order desc"), Ok(Command::Train(_))));
        assert!(matches!(parsed("devices"), Ok(Command::Devices(_))));
    }

    #[test]
    fn train_flags_before_a_subcommand_are_refused() {
        for line in ["--seed 1 train", "--epochs 3 eval --model m", "--pca devices", "--arch fc inspect"] {
            let text = refused(line);
            assert!(text.contains("stands before the subcommand"), "{line}: {text}");
        }
    }

    #[test]
    fn mistakes_are_told_in_one_line_with_the_way_out() {
        for (line, part) in [
            ("--epoch 3", "a similar argument exists: '--epochs'"),
            ("--arch cs", "[possible values: sc, rsp, fc, narrow, band]"),
            ("--epochs three", "'three' for '--epochs <N>'"),
            ("eval", "--model <FILE>"),
            ("--pca --importance none", "cannot be used with"),
            ("inspect --model m --arch fc", "cannot be used with"),
            ("inspect --model m --blocks 3", "cannot be used with"),
            ("figure1 --model m --hidden 3", "cannot be used with"),
            ("table1 --out o --report-only --seeds 3", "'--report-only' cannot be used with"),
            ("compare f --out o --report-only --backend cpu", "'--report-only' cannot be used with"),
            ("table1 --out o --report-only --cells rf", "cannot be used with"),
            ("figure2 --out o --model m --seeds 3", "cannot be used with"),
            ("figure2 --out o --model m --with=--epochs=3", "cannot be used with"),
            ("figure2 --out o --model m --report-only", "cannot be used with"),
            ("figure2 --out o --model m --threads 2", "cannot be used with"),
            ("figure2 --out o --model m --data d", "cannot be used with"),
            ("train --resume d --lr 3", "--lr has no meaning beside --resume"),
            ("--seed 3 --resume d --threads 2", "--seed has no meaning beside --resume"),
            ("--checkpoint-every 0", "'--checkpoint-every <N>': \"0\" is impossible"),
            ("trian", "unrecognized subcommand 'trian'"),
            ("--schedule wobbly", "step:EPOCHS:FACTOR"),
            ("--augment flop", "\"flop\" is not known; write shift=N"),
            ("--augment shift=9", "'--augment <TEXT>': a shift of 9 is impossible"),
            ("--degrees 1,x", "\"x\" is not a whole number"),
        ] {
            let text = refused(line);
            assert!(text.contains(part) && !text.contains('\n'), "{line}: {text}");
        }
    }

    /// Flags that still decide something are no strangers, and defaults are not typed.
    #[test]
    fn flags_with_a_meaning_stay_together() {
        for line in [
            "table1 --out o --report-only --with=--epochs=3 --data d --recipe paper",
            "compare f --out o --report-only --baseline a",
            "figure2 --out o --model m --threshold 0.2",
            "train --resume d --threads 2",
            "--resume d --data e --epochs 60 --patience 3 --patience-on loss --backend cpu",
            "--resume d",
        ] {
            assert!(parsed(line).is_ok(), "{line}: {:?}", parsed(line));
        }
    }

    /// Also below settings that are laid under the flags later, as those of a plan.
    #[test]
    fn a_preset_lies_below_everything() {
        let flags = |text| settings_from_flags(text).unwrap();
        let run = flags("--preset small --epochs 3").or(flags("--hidden 77 --epochs 5")).resolve().unwrap();
        assert_eq!(run.architecture.hidden, [77]);
        assert_eq!(run.recipe.epochs, 3);
        let small = flags("--preset small").resolve().unwrap();
        assert_eq!(run.recipe.optimizer, small.recipe.optimizer);
        assert_ne!(small.architecture.hidden, [77]);
    }

    #[test]
    fn help_groups_every_flag_and_tells_its_default() {
        let mut command = Cli::command();
        command.build();
        // `devices` has one flag, which needs no group.
        let commands = command.get_subcommands().filter(|command| command.get_name() != "devices");
        for command in commands.chain([&command]) {
            let name = command.get_name();
            for argument in
                command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str()))
            {
                let flag = format!("{name} --{}", argument.get_id());
                assert!(argument.get_help_heading().is_some(), "{flag} is in no group");
                let told = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let known = !argument.get_default_values().is_empty() || told.contains("[default: ");
                let needs_none = argument.is_required_set()
                    || argument.is_positional()
                    || ["pca", "rf", "model", "run", "onnx", "csr"].contains(&argument.get_id().as_str());
                assert!(known || needs_none, "{flag} tells no default");
            }
        }
    }
}
