//! Experiments: many runs, and what they say together.
//!
//! A [`TableRecipe`] gives each [`Cell`] of the paper's table the
//! [`Configuration`](crate::session::Configuration) that fills it, for a
//! [`Batch`](crate::session::Batch) to run over several seeds.
//!
//! Others work on one trained model: [`Session::prune`](crate::session::Session::prune)
//! makes a network smaller, by blocks or by the size of its weights, as
//! [`PruneSettings`] say; the command `layer-importance` measures every block of every
//! layer. What such an experiment chooses by is a validation split, never the test set.
//!
//! Nothing here holds a time or a date: an experiment that was interrupted and
//! taken up again gives the same files, bit for bit.

#[doc(hidden)]
pub mod blocks;
mod comparison;
mod deviation;
#[doc(hidden)]
pub mod figure2;
#[doc(hidden)]
pub mod layer_importance;
#[doc(hidden)]
pub mod prune;
#[doc(hidden)]
pub mod silence;
#[doc(hidden)]
pub mod statistics;
#[doc(hidden)]
pub mod table1;

#[doc(hidden)]
pub use comparison::{Comparison, Entry, RunScore};
#[doc(hidden)]
pub use deviation::{MeanDeviation, Paired};
#[doc(hidden)]
pub use layer_importance::{
    Agreement, BlockImportance, LayerImportance, LayerImportanceOptions, Silence, layer_importance,
};
pub use prune::{
    BlockSearchOptions, PruneMethodSettings, PrunePoint, PruneSettings, PruneTarget, PrunedModel, Until,
    WeightGoal,
};
#[doc(hidden)]
pub use table1::{Cell, TableRecipe};
