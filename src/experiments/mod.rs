//! Experiments: many runs and their joint results.
//!
//! A [`TableRecipe`] gives each [`Cell`] of the paper's table the
//! [`Configuration`](crate::session::Configuration) of its runs, for a
//! [`Batch`](crate::session::Batch) to run over several seeds.
//!
//! Others work on one trained model: [`Session::prune`](crate::session::Session::prune)
//! makes a network smaller, by blocks or by the size of its weights, as
//! [`PruneSettings`] say; the command `layer-importance` measures every block of every
//! layer. Such experiments choose by validation samples, never by the test set.
//!
//! Results hold no times or dates: an interrupted and resumed experiment
//! writes the same files, bit for bit.

#[doc(hidden)]
pub mod blocks;
mod comparison;
mod deviation;
#[doc(hidden)]
pub mod figure2;
mod folds;
#[doc(hidden)]
pub mod layer_importance;
mod permutation;
#[doc(hidden)]
pub mod prune;
#[doc(hidden)]
pub mod search;
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
pub use folds::{FoldMeasure, FoldRun, FoldsReport, predictions_csv};
#[doc(hidden)]
pub use layer_importance::{
    Agreement, BlockImportance, LayerImportance, LayerImportanceOptions, Silence, layer_importance,
};
#[doc(hidden)]
pub use permutation::{ColumnImportance, PermutationImportance, permutation_importance};
pub use prune::{
    BlockSearchOptions, PruneMethodSettings, PrunePoint, PruneSettings, PruneTarget, PrunedModel, Until,
    WeightGoal,
};
#[doc(hidden)]
pub use table1::{Cell, TableRecipe};
