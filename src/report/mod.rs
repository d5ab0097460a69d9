//! Reports: pictures and tables for people.
//!
//! * PNG files: [`learning_curve()`], [`connectivity_picture`] (the weights of layers), [`OnPicture`] (the pixels that
//!   neurons see), [`importance_picture`] (the importance of pixels).
//! * PNG and SVG, as a [`Drawing`]: [`figure1()`] (a small layer with a line for each weight), [`confusion_picture`],
//!   [`pruning_curve`], [`layer_importance_picture`], [`step_time_chart`], [`growth_chart`].
//! * Tables, as a [`TextTable`], which fits a terminal or is tab-separated for a program: [`layer_table`] and [`tile_grid`]
//!   describe a network, [`class_table`] and [`confusion_table`] a classifier, [`run_table()`] run folders, [`ratio_table`]
//!   a benchmark, [`stage_table`] and [`dispatch_table`] the time of a step.
//! * HTML: [`report_page`].

mod axis;
mod benchmark;
mod comparison;
mod connectivity;
mod drawing;
mod figure1;
mod folds;
mod growth;
mod importance;
mod intervals;
mod layer_importance;
mod learning_curve;
mod network;
mod page;
mod permutation;
mod profile;
mod pruning;
mod receptive_fields;
mod rewiring;
mod run_table;
mod scores;
mod series;
mod style;
mod table;
mod trials;

pub use crate::text::grouped;
#[doc(hidden)]
pub use crate::text::{digits, epochs, four_decimals};
pub use benchmark::{duration, measurement_table, ratio_table, step_time_chart};
pub use comparison::{comparison_table, table1_table};
pub use connectivity::connectivity_picture;
pub use drawing::Drawing;
pub use figure1::{MAX_CIRCLES, MAX_LINES, check_lines, figure1};
#[doc(hidden)]
pub use folds::folds_table;
pub use growth::{growth_chart, growth_csv, growth_table, law_sentence};
pub use importance::importance_picture;
#[doc(hidden)]
pub use intervals::{Dot, DotRow, interval_chart};
pub use layer_importance::{agreement_table, block_csv, block_table, layer_importance_picture};
pub use learning_curve::learning_curve;
pub use network::{layer_table, tile_grid};
#[doc(hidden)]
pub use page::NumbersRun;
pub use page::{
    Difference, Example, MAX_EXAMPLES, MAX_RUNS, Names, ReportedRun, Sample, ScoredRun, report_page,
};
#[doc(hidden)]
pub use permutation::permutation_table;
pub use profile::{dispatch_table, profile_sentence, stage_table};
pub use pruning::{pruning_csv, pruning_curve, pruning_table};
pub use receptive_fields::{OnPicture, ReceptiveFields};
pub use rewiring::rewiring_table;
pub use run_table::run_table;
#[doc(hidden)]
pub use scores::threshold_table;
pub use scores::{MAX_TABLE_CLASSES, class_table, confusion_picture, confusion_table};
pub use series::edges_by_input;
#[doc(hidden)]
pub use table::{Mark, TextCell, TextColumn};
pub use table::{TextTable, size};
#[doc(hidden)]
pub use trials::trials_table;
