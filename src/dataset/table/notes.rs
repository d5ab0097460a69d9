//! What a reader decided, for the user to check.

use super::{Table, shown, texts};

impl Table {
    /// Whether the first row names the columns, as far as that is certain.
    pub(crate) fn header_note(&self) -> String {
        let note = match (self.named, self.is_header_sure) {
            (true, true) => ", header",
            (false, true) => ", no header",
            (true, false) => ", header (a guess: with `header` no the first line is data)",
            (false, false) => ", no header (a guess: with `header` yes the first line names the columns)",
        };
        note.to_owned()
    }

    /// What a reader of text decided that the user may want otherwise.
    pub(crate) fn reading_notes(&self) -> Vec<String> {
        let mut notes = self.skipped.clone();
        if self.rules.as_ref().is_some_and(|rules| rules.decimal_comma) {
            notes
                .push("decimals: after a comma (`decimal` . reads commas as groups of thousands)".to_owned());
        } else if self.rules.as_ref().is_some_and(|rules| rules.thousands) {
            notes.push("numbers: commas group thousands (`decimal` , reads them as decimals)".to_owned());
        }
        let words = self.columns.iter().filter(|column| column.texts.is_none()).flat_map(|column| {
            let name = shown(&column.name, self.named);
            column.words.list().iter().map(move |(word, cells)| format!("{word:?} ({cells} in {name})"))
        });
        let words = texts::listed(words, 6);
        if !words.is_empty() {
            notes.push(format!("missing among numbers: {words}; `missing` names other words"));
        }
        let units = self.columns.iter().filter_map(|column| {
            Some(format!("{} in {}", column.unit.as_ref()?, shown(&column.name, self.named)))
        });
        let units = texts::listed(units, 6);
        if !units.is_empty() {
            notes.push(format!("numbers without their unit: {units}"));
        }
        notes
    }
}
