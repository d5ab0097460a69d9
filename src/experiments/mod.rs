//! Experiments: many runs, and what they say together.
//!
//! A [`Configuration`](crate::session::Configuration) is a name and settings of a run; a [`Comparison`]
//! holds what its runs gave over several seeds, with mean, deviation and a paired
//! test against one of them. [`table1`] lists the cells of the paper's table,
//! [`figure2`] counts the edges that an L1 penalty leaves.
//!
//! Others work on one trained model, with any [`Engine`](crate::engine::Engine):
//! [`mod@prune`] makes a network smaller, by blocks or by the size of its weights;
//! [`mod@layer_importance`] measures every block of every layer. What such an experiment chooses by is a validation split, never the test set.
//!
//! Nothing here holds a time or a date: an experiment that was interrupted and
//! taken up again gives the same files, bit for bit.

pub mod blocks;
mod comparison;
mod deviation;
pub mod figure2;
pub mod layer_importance;
pub mod prune;
pub mod silence;
pub mod statistics;
pub mod table1;

pub use comparison::{Comparison, Entry, RunScore};
pub use deviation::{MeanDeviation, Paired};
