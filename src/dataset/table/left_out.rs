//! Rows that are left out of a table that was read, as if they had not been there.

use super::encoding::code;
use super::{MissingWords, Table, Texts, UNSEEN};
use crate::dataset::retain_rows;

impl Table {
    /// Keeps only some rows, `[row]`, of which there are so many, and forgets what only the others held.
    pub(super) fn retain(&mut self, keep: &[bool], kept: usize) {
        let width = self.columns.len();
        retain_rows(&mut self.cells, width, |row| keep[row]);
        self.labels.iter_mut().for_each(|labels| labels.retain(keep));
        self.rows = kept;
        for slot in 0..width {
            self.forget_missing(slot);
            self.forget_texts(slot);
            let column = &mut self.columns[slot];
            if column.texts.is_none() {
                let cells = self.cells.iter().skip(slot).step_by(width).copied();
                column.span.restrict(cells.filter(|cell| !cell.is_nan()), column.offset);
            }
        }
    }

    fn forget_missing(&mut self, slot: usize) {
        let mut cells = self.cells.iter().skip(slot).step_by(self.columns.len());
        if !cells.any(|cell| cell.is_nan()) {
            let column = &mut self.columns[slot];
            column.first_missing = None;
            column.odd = None;
            column.words = MissingWords::default();
        }
    }

    /// Forgets the texts of a new column that no row has any more.
    fn forget_texts(&mut self, slot: usize) {
        let width = self.columns.len();
        let Some(texts) = self.columns[slot].texts.as_mut().filter(|texts| texts.grows()) else { return };
        let cells = || self.cells.iter().skip(slot).step_by(width);
        // Texts that came after too many others are not known.
        if cells().any(|cell| *cell == UNSEEN) {
            return;
        }
        let mut left = Texts::up_to(texts.list().len());
        for cell in self.cells.iter_mut().skip(slot).step_by(width) {
            if let Some(text) = code(*cell).and_then(|code| texts.list().get(code)) {
                *cell = left.cell(text);
            }
        }
        *texts = left;
    }
}
