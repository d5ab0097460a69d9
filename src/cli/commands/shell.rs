//! `tanner completions` and `tanner man`: completion scripts and manual pages, from the definitions of the command line.

use std::fs;

use tanner::Error;

use crate::cli::flags::{CompletionsArgs, ManArgs};
use crate::cli::help;
use crate::cli::ui::terminal;

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::documented(), "tanner", &mut script);
    terminal::print(String::from_utf8_lossy(&script).trim_end())
}

/// Prints the page, or writes all pages.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<()> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(help::documented()).render(&mut page)?;
        return terminal::print(String::from_utf8_lossy(&page).trim_end());
    };
    let failed = |error| Error::io(folder, error);
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(help::documented(), folder).map_err(failed)?;
    terminal::print(&format!("manual pages {}", folder.display()))
}
