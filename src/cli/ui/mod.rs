//! What people see: lines, tables, bars, files of results; and the signals with which they stop a command.

pub(crate) mod cache_folder;
pub(crate) mod headless;
pub(crate) mod left_out;
mod live_view;
mod progress;
mod reporter;
pub(crate) mod results;
pub(crate) mod signals;
pub(crate) mod terminal;
mod wording;

pub(crate) use reporter::{Terminal, session};
pub(crate) use wording::{of_library, one_line, with_dashes};
