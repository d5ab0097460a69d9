//! The limits of readers, for any input.

use super::Read;
use crate::error::OUT_OF_MEMORY;

/// Bounds on what a table may hold.
///
/// The defaults are far above practical sizes, except for the memory, which
/// the caller knows best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of memory that the table may need.
    pub memory: u64,
    /// Bytes needed for each value: 4 for itself, more for later copies.
    pub bytes_per_value: f64,
    /// Columns of a file, and features of a sample.
    pub columns: usize,
    /// Bytes of one record of a CSV file, of one text, and of the header of an NPY file.
    pub max_record_bytes: usize,
    /// Maximum number of different texts of a column.
    pub texts: usize,
    /// Different labels.
    pub classes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: u64::MAX,
            bytes_per_value: 4.0,
            columns: 1 << 17,
            max_record_bytes: 16 << 20,
            texts: 1 << 16,
            classes: 4096,
        }
    }
}

impl Limits {
    /// Refuses rows x columns of values that need more memory than there is.
    pub(crate) fn check_values(&self, rows: f64, columns: f64) -> Read<()> {
        let needed = rows * columns * self.bytes_per_value;
        let free = self.memory as f64;
        if needed > free {
            return Err(format!(
                "{OUT_OF_MEMORY}about {rows:.0} rows with {columns:.0} columns need {:.1} MiB, {:.1} are free: take fewer rows, \
                 or leave columns out with `drop`",
                needed / 1_048_576.0,
                free / 1_048_576.0
            ));
        }
        Ok(())
    }

    /// Refuses a file with too many columns.
    pub(crate) fn check_columns(&self, columns: usize) -> Read<()> {
        if columns > self.columns {
            return Err(format!("{columns} columns, the limit is {}", self.columns));
        }
        Ok(())
    }
}
