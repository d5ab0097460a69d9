//! The user interface: lines, tables, bars, files of results, and signals.

pub(crate) mod cache_folder;
mod canvas;
pub(crate) mod headless;
mod live_view;
mod progress;
mod reporter;
mod results;
pub(crate) mod signals;
mod skipped;
pub(crate) mod terminal;
mod wording;

pub(crate) use reporter::session;
pub(crate) use results::{Results, check_place, new_folder};
pub(crate) use skipped::Skipped;
pub(crate) use wording::{of_library, one_line, with_dashes};
