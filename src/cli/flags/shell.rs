//! Flags of `tanner completions` and `tanner man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

const AFTER_COMPLETIONS_HELP: &str = "\
Examples:
  tanner completions bash > ~/.local/share/bash-completion/completions/tanner
  tanner completions zsh > ~/.zfunc/_tanner
  tanner completions fish > ~/.config/fish/completions/tanner.fish";

#[derive(Debug, Args)]
#[command(after_long_help = AFTER_COMPLETIONS_HELP)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum, help_heading = "Output")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Folder for all pages [default: one page to stdout]
    ///
    /// Writes tanner.1 and a page for each command.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}
