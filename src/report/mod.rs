//! Reports: pictures and tables for people.
//!
//! [`learning_curve`] draws what a run measured, [`connectivity_picture`] which
//! weights layers have, [`importance_picture`] which pixels matter; all give the
//! bytes of a PNG file. [`table`] is the one
//! style of all tables, without colours, so that no escape sequence ever gets
//! into a file; [`layer_table`] and [`tile_grid`] describe a network.

mod connectivity;
mod importance;
mod learning_curve;
mod network;
mod table;

pub use connectivity::connectivity_picture;
pub use importance::importance_picture;
pub use learning_curve::learning_curve;
pub use network::{layer_table, tile_grid};
pub use table::{grouped, size, table};
