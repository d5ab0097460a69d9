//! Reports: pictures and tables for people.
//!
//! [`learning_curve`] draws what a run measured, [`connectivity_picture`] which
//! weights layers have; both give the bytes of a PNG file. [`figure1()`] draws one
//! small layer with a line for each weight, as SVG and PNG. [`table`] is the one
//! style of all tables, without colours, so that no escape sequence ever gets
//! into a file; [`layer_table`] and [`tile_grid`] describe a network.

mod connectivity;
mod figure1;
mod learning_curve;
mod network;
mod table;

pub use connectivity::connectivity_picture;
pub use figure1::{Figure1, MAX_CIRCLES, MAX_LINES, figure1};
pub use learning_curve::learning_curve;
pub use network::{layer_table, tile_grid};
pub use table::{grouped, size, table};
