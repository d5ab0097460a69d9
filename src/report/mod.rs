//! Reports: pictures and tables for people.
//!
//! [`learning_curve`] draws what a run measured, [`connectivity_picture`] which
//! weights layers have; both give the bytes of a PNG file. [`table`] is the one
//! style of all tables, without colours, so that no escape sequence ever gets
//! into a file; [`pruning_curve`] draws what pruning cost,
//! [`layer_importance_picture`] what matters where; [`layer_table`] and [`tile_grid`] describe a network.

mod connectivity;
mod drawing;
mod layer_importance;
mod learning_curve;
mod network;
mod pruning;
mod table;

pub use connectivity::connectivity_picture;
pub use drawing::Drawing;
pub use layer_importance::{agreement_table, block_csv, block_table, layer_importance_picture};
pub use learning_curve::learning_curve;
pub use network::{layer_table, tile_grid};
pub use pruning::{pruning_curve, pruning_table};
pub use table::{grouped, size, table};
