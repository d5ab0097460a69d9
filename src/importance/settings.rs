//! The settings of a fit, as stored in files.

use serde::{Deserialize, Serialize};

use super::forest::ForestOptions;
use super::parts::check_combination;
use super::{Importance, NumberForm, Order};
use crate::Result;

/// How features are standardised and ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportanceSettings {
    /// The kind of importance.
    pub importance: Importance,
    /// The direction of the order.
    pub order: Order,
    /// How numbers are encoded, before everything else.
    #[doc(hidden)]
    #[serde(default = "plain", skip_serializing_if = "is_plain")]
    pub numbers: NumberForm,
    /// Maximum number of pieces of a number that is cut, if not by the number of samples; otherwise ignored.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bins: Option<usize>,
    /// Whether each feature is standardised first: minus its mean, by its deviation.
    pub standardize: bool,
    /// Number of trees of a random forest; other kinds ignore it.
    pub trees: usize,
    /// Seed of the random forest and of the random order; other kinds ignore it.
    pub seed: u64,
}

impl ImportanceSettings {
    /// The default settings of a kind: most important first, standardised for a
    /// random forest, variance and random order, 500 trees, seed 0.
    #[must_use]
    pub fn new(importance: Importance) -> Self {
        Self {
            importance,
            numbers: NumberForm::Plain,
            bins: None,
            order: Order::Descending,
            standardize: importance.standardizes(),
            trees: ForestOptions::DEFAULT_TREES,
            seed: 0,
        }
    }

    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// [`Error::Importance`](crate::Error::Importance) for [`Order::Ascending`] with [`Importance::None`].
    pub(crate) fn check(&self) -> Result<()> {
        check_combination(self.importance, self.order)
    }
}

fn plain() -> NumberForm {
    NumberForm::Plain
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_plain(numbers: &NumberForm) -> bool {
    *numbers == NumberForm::Plain
}
