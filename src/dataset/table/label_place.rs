//! Where the label of a table is.

use serde::{Deserialize, Serialize};

/// The place of the label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelPlace {
    /// Name of the column.
    pub name: String,
    /// Its place in the training file; `None` if labels had a separate file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
}
