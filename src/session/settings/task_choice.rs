//! The requested task.

use crate::dataset::Task;
use crate::named::named;

named! {
    /// What to learn.
    pub enum TaskChoice {
        /// By the labels: texts and few whole numbers are classes, other numbers of a named column are predicted as
        /// numbers, several columns of 0 and 1 are several labels.
        Auto = "auto",
        /// One class for each sample.
        Classification = "classification",
        /// One number or several for each sample.
        Regression = "regression",
        /// Several labels for each sample, each 0 or 1.
        MultiLabel = "multilabel",
    }
}

impl TaskChoice {
    /// The task; `None` if the labels decide.
    pub(crate) fn task(self) -> Option<Task> {
        match self {
            Self::Auto => None,
            Self::Classification => Some(Task::Classification),
            Self::Regression => Some(Task::Regression),
            Self::MultiLabel => Some(Task::MultiLabel),
        }
    }
}
