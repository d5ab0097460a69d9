//! The guide's page of flags, made from the command line as it is parsed.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use clap::{Arg, Command};

use super::help;

const PAGE: &str = "docs/guide/src/flags.md";
/// If set, the test writes the page instead of comparing it.
const WRITE: &str = "TANNER_WRITE_DOCS";

const OPENING: &str = "\
# Flags

Every command with its flags and their defaults. `tanner COMMAND --help` adds the details, and `tanner man` makes manual
pages. Flags of `tanner train` may follow `tanner` directly.
";

/// The expected page.
fn page() -> String {
    let mut command = help::documented();
    command.build();
    let mut page = OPENING.to_owned();
    let groups = command.get_subcommands().filter(|command| command.get_name() != "help");
    for command in groups {
        if command.has_subcommands() {
            let below = command.get_subcommands().filter(|command| command.get_name() != "help");
            below.for_each(|below| add_command(&mut page, &format!("{} ", command.get_name()), below));
        } else {
            add_command(&mut page, "", command);
        }
    }
    page
}

fn add_command(page: &mut String, before: &str, command: &Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "\n## tanner {before}{}\n\n{about}.", command.get_name());
    let is_shown = |arg: &&Arg| !["help", "version"].contains(&arg.get_id().as_str()) && !arg.is_hide_set();
    let args: Vec<&Arg> = command.get_arguments().filter(is_shown).collect();
    let mut headings: Vec<&str> = Vec::new();
    for heading in args.iter().filter_map(|arg| arg.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = writeln!(page, "\n| {heading} | |\n|---|---|");
        for arg in args.iter().filter(|arg| arg.get_help_heading() == Some(heading)) {
            let [flag, meaning] = [help::typed(arg), meaning(arg)].map(|text| text.replace('|', "\\|"));
            let _ = writeln!(page, "| `{flag}` | {meaning} |");
        }
    }
}

/// The help of a flag, with its values and its default.
fn meaning(arg: &Arg) -> String {
    let mut text = help::meaning(arg);
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if help::takes_value(arg) && !values.is_empty() {
        let default = text.find(" [default: ").unwrap_or(text.len());
        text.insert_str(default, &format!(" [{}]", values.join(", ")));
    }
    text
}

#[test]
fn the_guides_page_of_flags_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if env::var_os(WRITE).is_some() {
        fs::write(&path, page()).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page(), "{PAGE} is old: {WRITE}=1 cargo test --release --bin tanner flags_page");
}
