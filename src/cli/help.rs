//! The help: one screen for `-h`, everything for `--help`.

use std::fmt::Write as _;

use anstyle::Style;
use clap::builder::{StyledStr, Styles};
use clap::{Arg, Command, CommandFactory as _};

use super::flags::{Cli, Command as CommandOf};

/// The subcommands, by purpose.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Train and use a model", &["train", "eval", "predict", "export", "prune"]),
    ("Look", &["runs", "report", "inspect", "importance"]),
    ("Experiments", &["tune", "compare", "paper"]),
    ("Machine", &["devices", "bench", "completions", "man"]),
];

/// Ids of the flags on the first screen.
const USUAL: [&str; 10] =
    ["data", "preset", "arch", "hidden", "epochs", "lr", "seed", "validation", "out", "resume"];

/// Ids of flags that few people need: hidden in the short help, and under a separate heading in the long one.
const RARE: &[&str] = &[
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "adapter",
    "augment",
    "bins",
    "blocks",
    "budget",
    "checkpoint_every",
    "class_weight",
    "color",
    "decimal",
    "degree",
    "degree_distribution",
    "degrees",
    "delimiter",
    "drop",
    "dropconnect",
    "edges",
    "falloff",
    "fan_in",
    "gain",
    "gpu_kernels",
    "grain",
    "grid",
    "group_lasso",
    "header",
    "importance_power",
    "impute",
    "init",
    "l1",
    "l1_input",
    "l_half",
    "label_smoothing",
    "labels",
    "loss",
    "max_categories",
    "missing",
    "momentum",
    "numbers",
    "patience_on",
    "picture",
    "reach",
    "receptive_field",
    "rewire",
    "rewire_end",
    "rewire_every",
    "rewire_fraction",
    "softness",
    "standardize",
    "train_limit",
    "trees",
    "weight_elimination",
    "weights",
];

/// The heading of rare flags.
const ADVANCED: &str = "Advanced";

/// The narrowest usual terminal.
const COLUMNS: usize = 80;

const BOLD: Style = Style::new().bold();

/// The command line, for manual pages and shells.
pub(crate) fn documented() -> Command {
    let styles = Styles::styled().header(BOLD).usage(BOLD).literal(BOLD);
    with_advanced(Cli::command()).styles(styles)
}

/// The command line as it is parsed. Its help lists the subcommands in groups, which clap does not support.
pub(crate) fn command() -> Command {
    let command = documented();
    let template = format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{}\n{{all-args}}{{after-help}}",
        commands(&command)
    );
    let command = command.mut_subcommands(|command| command.hide(true)).subcommand_help_heading("More");
    command.help_template(StyledStr::from(template))
}

/// The same for `-h`: a line for each flag, without rare ones.
pub(crate) fn short() -> Command {
    let command = documented().mut_subcommands(on_one_screen);
    let found = |id: &&str| command.get_arguments().find(|arg| arg.get_id() == id);
    let flags = lines(USUAL.iter().filter_map(found));
    let template = format!(
        "{{about}}\n{{usage-heading}} {{usage}}\n{}\n{}\n{flags}\
         --help shows all flags, with examples; `tanner COMMAND -h` those of a command.",
        commands(&command),
        heading("Usual flags of training")
    );
    command.help_template(StyledStr::from(template))
}

/// A subcommand with its flags, a line for each.
fn on_one_screen(command: Command) -> Command {
    if command.has_subcommands() {
        return command.mut_subcommands(on_one_screen);
    }
    let has_json = CommandOf::WITH_JSON.contains(&command.get_name());
    let json = if has_json { ", --json prints them for programs" } else { "" };
    let flags =
        lines(command.get_arguments().filter(|arg| !arg.is_hide_short_help_set() && !arg.is_hide_set()));
    let template = format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{flags}\n-q prints results only{json}; --help has details."
    );
    command.help_template(StyledStr::from(template))
}

/// A line for each flag. If a line would be too long, it omits the default, which `--help` shows.
fn lines<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let args: Vec<(String, &Arg)> = args.map(|arg| (typed(arg), arg)).collect();
    let width = args.iter().map(|(spec, _)| spec.chars().count()).max().unwrap_or(0);
    let line = |(spec, arg): &(String, &Arg)| {
        let mut help = meaning(arg);
        if 2 + width + 2 + help.chars().count() > COLUMNS {
            help.truncate(help.find(" [default: ").unwrap_or(help.len()));
        }
        format!("  {BOLD}{spec}{BOLD:#}{:space$}{help}\n", "", space = width + 2 - spec.chars().count())
    };
    args.iter().map(line).collect()
}

/// The help of a flag, with its default.
pub(super) fn meaning(arg: &Arg) -> String {
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_value(arg) && defaults.iter().any(|value| !value.is_empty()) {
        help += &format!(" [default: {}]", defaults.join(","));
    }
    help
}

/// How a flag is typed: `--epochs <N>`, `--tensorboard [<DIR>]`, `[DATA]`.
pub(super) fn typed(arg: &Arg) -> String {
    let names = arg.get_value_names().and_then(|names| names.first());
    let name = names.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    match arg.get_long() {
        None => format!("[{name}]"),
        Some(flag) if !takes_value(arg) => format!("--{flag}"),
        Some(flag) if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            format!("--{flag} [<{name}>]")
        }
        Some(flag) => format!("--{flag} <{name}>"),
    }
}

pub(super) fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && arg.get_num_args().is_none_or(|count| count.max_values() > 0)
}

/// Moves rare flags to a separate last heading, in every subcommand.
fn with_advanced(mut command: Command) -> Command {
    let ids = command.get_arguments().map(|arg| arg.get_id().to_string());
    let rare: Vec<String> = ids.filter(|id| RARE.contains(&id.as_str())).collect();
    for id in rare {
        // `mut_arg` also moves the flag to the end.
        command = command.mut_arg(id, |arg| arg.hide_short_help(true).help_heading(ADVANCED));
    }
    command.mut_subcommands(with_advanced)
}

fn heading(text: &str) -> String {
    format!("{BOLD}{text}:{BOLD:#}")
}

/// The subcommands under their headings, a line for each.
fn commands(command: &Command) -> String {
    let mut text = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(text, "{}", heading(group));
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {BOLD}{name}{BOLD:#}{:width$}{about}", "", width = 13 - name.len());
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group_and_every_id_is_a_flag() {
        let command = command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut there: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        listed.sort_unstable();
        there.sort_unstable();
        assert_eq!(listed, there);
        for id in USUAL.iter().chain(RARE) {
            assert!(command.get_arguments().any(|arg| arg.get_id() == id), "{id}");
        }
        assert!(!USUAL.iter().any(|id| RARE.contains(id)));
    }

    #[test]
    fn rare_flags_come_last() {
        let mut command = documented();
        command.build();
        let nested = command.get_subcommands().flat_map(Command::get_subcommands);
        for command in [&command].into_iter().chain(command.get_subcommands()).chain(nested) {
            let mut command = command.clone();
            let help = command.render_long_help().to_string();
            let is_heading = |line: &&str| line.ends_with(':') && !line.starts_with(' ');
            let flags = help.split("\nExamples:").next().unwrap_or_default();
            let headings: Vec<&str> = flags.lines().filter(is_heading).collect();
            let place = headings.iter().position(|heading| *heading == "Advanced:");
            assert!(
                place.is_none_or(|place| place + 1 == headings.len()),
                "{}: {headings:?}",
                command.get_name()
            );
        }
    }

    /// Every help of every subcommand, as on a terminal of 80 columns.
    #[test]
    fn the_short_help_fits_one_screen() {
        let mut pages = vec![short().term_width(80).render_help().to_string()];
        let mut commands: Vec<Command> = short().get_subcommands().cloned().collect();
        let nested =
            commands.iter().flat_map(|command| command.get_subcommands().cloned().collect::<Vec<_>>());
        commands.extend(nested.collect::<Vec<_>>());
        pages.extend(commands.into_iter().map(|command| command.term_width(80).render_help().to_string()));
        let is_wide = |line: &&str| line.chars().count() > COLUMNS;
        let wide: Vec<&str> = pages.iter().flat_map(|page| page.lines()).filter(is_wide).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        for page in pages {
            assert!(page.lines().count() <= 40, "{} lines:\n{page}", page.lines().count());
        }
    }
}
