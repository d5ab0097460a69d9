//! Parses words into a [`Command`], or into one line that says why not.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use tanner::session::Settings;

use super::flags::{ALLOWED_WITH_RESUME, Cli, Command, PaperCommand, TrainArgs};
use super::ui::of_library;
use super::ui::terminal::{self, Output};
use super::{help, mistakes};

/// The default data.
const USUAL_DATA: &str = "data/fashion-mnist";

/// An answer instead of running a command.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The help or the version.
    Asked(StyledStr),
    /// Why the command line is invalid.
    Refused(String),
}

impl Answer {
    /// Prints it; the exit code is 2 for a refusal.
    pub(crate) fn give(self) -> ExitCode {
        match self {
            Self::Asked(text) => {
                let _ = write!(anstream::stdout().lock(), "{}", text.ansi());
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

/// A valid command line.
#[derive(Debug)]
pub(crate) struct Understood {
    pub(crate) command: Command,
    pub(crate) output: Output,
}

/// Parses a command line; no subcommand means `train`.
pub(crate) fn understand(words: &[OsString]) -> Result<Understood, Answer> {
    let words = &through_paper(words);
    mistakes::refuse_unknown_command(words).map_err(Answer::Refused)?;
    let is_short = words.iter().any(|word| word == "-h");
    if words.len() < 2 && !Path::new(USUAL_DATA).exists() {
        return Err(Answer::Asked(help::short().render_help()));
    }
    let parser = if is_short { help::short() } else { help::command() };
    let matches = parser.try_get_matches_from(words).map_err(|mut error| {
        mistakes::name_what_was_typed(&mut error, words);
        answer(error)
    })?;
    refuse_flags_before_subcommand(&matches).map_err(Answer::Refused)?;
    refuse_flags_with_resume(&matches).map_err(Answer::Refused)?;
    let cli = Cli::from_arg_matches(&matches).map_err(answer)?;
    let output = Output { quiet: cli.quiet, json: cli.json };
    let mut command = cli.command.unwrap_or(Command::Train(Box::new(cli.train)));
    if let Some(args) = command.settings_of_run() {
        let is_named = matches.subcommand_name().is_some();
        take_file(args, is_named).map_err(Answer::Refused)?;
        lay_over_file(args).map_err(Answer::Refused)?;
    }
    if output.json && !Command::WITH_JSON.contains(&matches.subcommand_name().unwrap_or("train")) {
        let below = matches.subcommand().map(|(name, below)| (name, below.subcommand_name()));
        let name = below.map_or_else(String::new, |(name, below)| format!("{name} {}", below.unwrap_or("")));
        return Err(Answer::Refused(format!("--json: {} has no results as JSON", name.trim_end())));
    }
    Ok(Understood { command, output })
}

/// Allows the experiments of the paper without the word `paper`.
fn through_paper(words: &[OsString]) -> Vec<OsString> {
    let mut words = words.to_vec();
    let is_value = |place: usize| words[place - 1] == "--color";
    let first =
        (1..words.len()).find(|place| !words[*place].to_string_lossy().starts_with('-') && !is_value(*place));
    if let Some(place) = first.filter(|place| PaperCommand::NAMES.iter().any(|name| words[*place] == *name)) {
        words.insert(place, "paper".into());
    }
    words
}

/// Takes the file or folder named without a flag.
fn take_file(args: &mut TrainArgs, is_named: bool) -> Result<(), String> {
    let Some(file) = args.file.take() else { return Ok(()) };
    let word = file.to_string_lossy();
    if !file.exists() && !word.contains(['.', '/', '\\']) {
        if is_named {
            return Err(format!("`{word}` is neither a file nor a folder to train on"));
        }
        return Err(mistakes::no_command(&word));
    }
    args.settings.data.data = Some(file);
    Ok(())
}

/// Typed flags override the settings file. A preset in either stays a name, below everything else
/// that is merged under these settings.
fn lay_over_file(args: &mut TrainArgs) -> Result<(), String> {
    if let Some(file) = &args.config {
        let read = Settings::read(file).map_err(|error| format!("--config: {}", of_library(&error)))?;
        let typed = args.settings.given();
        args.of_file = read.given().into_iter().filter(|setting| !typed.contains(setting)).collect();
        args.settings = std::mem::take(&mut args.settings).over(read);
    }
    Ok(())
}

/// The settings of a text of `train` flags.
pub(crate) fn settings_from_flags(text: &str) -> Result<Settings, String> {
    let words = shell_words::split(text).map_err(|error| format!("{text:?}: {error}"))?;
    let words: Vec<OsString> =
        ["tanner", "train"].map(Into::into).into_iter().chain(words.into_iter().map(Into::into)).collect();
    match understand(&words) {
        Ok(Understood { command: Command::Train(args), .. }) if args.is_one_new_run() => Ok(args.settings),
        Err(Answer::Refused(reason)) => Err(reason),
        _ => Err(format!("{text:?} are not flags of a training run")),
    }
}

/// Refuses flags of `train` before a subcommand, which would have no effect.
fn refuse_flags_before_subcommand(matches: &ArgMatches) -> Result<(), String> {
    let typed = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    let command = Cli::command();
    // The ids of groups have no flag.
    let flags = matches.ids().filter(typed).filter_map(|id| {
        let argument = command.get_arguments().find(|argument| argument.get_id() == id)?;
        let flag = argument.get_long().map_or_else(|| "DATA".to_owned(), |flag| format!("--{flag}"));
        (!argument.is_global_set()).then_some(flag)
    });
    match (flags.min(), matches.subcommand_name()) {
        (Some(flag), Some(subcommand)) => Err(format!("{flag} must come after the subcommand {subcommand}")),
        _ => Ok(()),
    }
}

/// A resumed run already has its settings.
fn refuse_flags_with_resume(matches: &ArgMatches) -> Result<(), String> {
    let train = match matches.subcommand() {
        None => matches,
        Some(("train", train)) => train,
        Some(_) => return Ok(()),
    };
    let typed = |id: &str| train.value_source(id) == Some(ValueSource::CommandLine);
    let command = Cli::command();
    // The file without a flag is the same as --data.
    let arguments = command.get_arguments().filter(|argument| typed(argument.get_id().as_str()));
    let mut flags =
        arguments.map(|argument| (argument.get_id().as_str(), argument.get_long().unwrap_or("data")));
    let allowed =
        |(id, flag): &(&str, &str)| ALLOWED_WITH_RESUME.contains(id) || ALLOWED_WITH_RESUME.contains(flag);
    match flags.find(|flag| !allowed(flag)) {
        Some((_, flag)) if typed("resume") => {
            Err(format!("--{flag} cannot be used with --resume, which keeps the run's settings"))
        }
        _ => Ok(()),
    }
}

fn answer(error: clap::Error) -> Answer {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::Asked(error.render()),
        _ => Answer::Refused(mistakes::in_one_line(&error)),
    }
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
    fn a_file_without_a_flag_is_the_data() {
        for line in ["src", "train src", "src --epochs 3", "--epochs 3 src", "./src", "missing.csv"] {
            let Ok(Command::Train(args)) = parsed(line) else { panic!("{line}") };
            let data = args.settings.data.data.unwrap();
            assert!(line.contains(data.to_str().unwrap()), "{line}: {data:?}");
        }
    }

    #[test]
    fn experiments_of_the_paper_need_no_word_before_them() {
        for line in ["figure1 --layer 2", "paper figure1 --layer 2", "-q figure1", "--color never figure1"] {
            assert!(matches!(parsed(line), Ok(Command::Paper(PaperCommand::Figure1(_)))), "{line}");
        }
    }

    #[test]
    fn train_flags_before_a_subcommand_are_refused() {
        for line in ["--seed 1 train", "--epochs 3 eval --model m", "--pca devices", "--arch fc inspect"] {
            let text = refused(line);
            assert!(text.contains("must come after the subcommand"), "{line}: {text}");
        }
    }

    #[test]
    fn mistakes_are_reported_in_one_line_with_the_way_out() {
        for (line, part) in [
            ("t.csv --exclude id", "unexpected argument '--exclude' found; it is called '--drop'"),
            ("--epoch 3", "a similar argument exists: '--epochs'"),
            ("--arch cs", "[possible values: sc, rsp, fc, narrow, band, sc2d]"),
            ("--epochs three", "--epochs: \"three\" is not a whole number"),
            ("--epochs 1.5", "--epochs: 1.5 is not a whole number"),
            ("--epochs -3", "--epochs: -3 is invalid, it must be a whole number, at least 1"),
            ("--seed -3", "--seed: -3 is invalid, it must be a whole number, at least 0"),
            (
                "--seed 99999999999999999999",
                "--seed: 99999999999999999999 is invalid, it must be a whole number",
            ),
            ("--batch-size 99999999999999999999", "--batch-size: 99999999999999999999 is invalid"),
            ("--epochs=", "--epochs: \"\" is not a whole number"),
            ("--lr fast", "--lr: \"fast\" is not a number: write one such as 0.1"),
            ("--l2 1,5", "--l2: \"1,5\" is not a number"),
            ("paper", "paper needs one of table1, figure1, figure2, layer-importance"),
            ("src devices", "DATA must come after the subcommand devices"),
            ("src --data src", "'[DATA]' cannot be used with '--data <PATH>'"),
            ("eval", "--model <FILE>"),
            ("--pca --importance none", "cannot be used with"),
            ("inspect --model m --arch fc", "cannot be used with"),
            ("inspect --model m --blocks 3", "cannot be used with"),
            ("figure1 --model m --hidden 3", "cannot be used with"),
            ("--from m --hidden=3 --arch fc", "cannot be used with: --arch <ARCH> --hidden <N,N,..>; see"),
            ("table1 --out o --report-only --seeds 3", "'--report-only' cannot be used with"),
            ("compare f --out o --report-only --backend cpu", "'--report-only' cannot be used with"),
            ("table1 --out o --report-only --cells rf", "cannot be used with"),
            ("figure2 --out o --model m --seeds 3", "cannot be used with"),
            ("figure2 --out o --model m --with=--epochs=3", "cannot be used with"),
            ("figure2 --out o --model m --report-only", "cannot be used with"),
            ("figure2 --out o --model m --threads 2", "cannot be used with"),
            ("figure2 --out o --model m --data d", "cannot be used with"),
            ("train --resume d --lr 3", "--lr cannot be used with --resume"),
            ("--seed 3 --resume d --threads 2", "--seed cannot be used with --resume"),
            ("--checkpoint-every 0", "'--checkpoint-every <N>': \"0\" is invalid"),
            ("trian", "`trian` is neither a command nor a file; did you mean `train`?"),
            ("tabel1", "`tabel1` is neither a command nor a file; did you mean `table1`?"),
            ("predct --model m x.csv", "`predct` is neither a command nor a file; did you mean `predict`?"),
            ("-q --color never rnus r", "`rnus` is neither a command nor a file; did you mean `runs`?"),
            ("trian iris.csv --rf", "`trian` is neither a command nor a file; did you mean `train`?"),
            ("--json paper figure1", "--json: paper figure1 has no results as JSON"),
            ("--json export --model m --onnx x", "--json: export has no results as JSON"),
            ("xyzzy", "`xyzzy` is neither a command nor a file; see --help"),
            ("train xyzzy", "`xyzzy` is neither a file nor a folder to train on"),
            ("--schedule wobbly", "step:EPOCHS:FACTOR"),
            ("--augment flop", "\"flop\" is not known; write shift=N"),
            ("--augment shift=9", "'--augment <TEXT>': a shift of 9 is invalid"),
            ("--degrees 1,x", "\"x\" is not a whole number"),
        ] {
            let text = refused(line);
            assert!(text.contains(part) && !text.contains('\n'), "{line}: {text}");
        }
    }

    /// Flags with an effect are accepted, and defaults do not count as typed.
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

    /// Also below settings that are later merged under the flags, such as those of a plan.
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
        let mut command = help::command();
        command.build();
        let paper = command.find_subcommand("paper").unwrap();
        // `devices` has one flag, which needs no group; `help` and `paper` have none.
        let has_groups =
            |command: &&clap::Command| !["devices", "help", "paper"].contains(&command.get_name());
        let commands = command.get_subcommands().chain(paper.get_subcommands()).filter(has_groups);
        for command in commands.chain([&command]) {
            let name = command.get_name();
            for argument in
                command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str()))
            {
                let flag = format!("{name} --{}", argument.get_id());
                assert!(argument.get_help_heading().is_some(), "{flag} is in no group");
                let help = argument
                    .get_long_help()
                    .or(argument.get_help())
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let known = !argument.get_default_values().is_empty() || help.contains("[default: ");
                let needs_none = argument.is_required_set()
                    || argument.is_positional()
                    || ["pca", "rf", "model", "run", "onnx", "csr"].contains(&argument.get_id().as_str());
                assert!(known || needs_none, "{flag} tells no default");
            }
        }
    }
}
