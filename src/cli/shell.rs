//! What shells and manuals need, from the same definitions as the command line itself.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use tanner::Error;

use super::args::Cli;
use super::terminal;

const AFTER_COMPLETIONS_HELP: &str = "\
Examples:
  tanner completions bash > ~/.local/share/bash-completion/completions/tanner
  tanner completions zsh > ~/.zfunc/_tanner
  tanner completions fish > ~/.config/fish/completions/tanner.fish";

#[derive(Debug, Args)]
#[command(after_help = AFTER_COMPLETIONS_HELP)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum, help_heading = "Output")]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for tanner.1 and a page for each subcommand [default: the page of the whole program, to stdout]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
}

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tanner", &mut script);
    terminal::print(String::from_utf8_lossy(&script).trim_end())
}

/// Prints the page, or writes all pages.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<()> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return terminal::print(String::from_utf8_lossy(&page).trim_end());
    };
    let failed = |error| Error::io(folder, error);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    terminal::print(&format!("manual pages {}", folder.display()))
}
