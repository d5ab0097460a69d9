//! Columns that should not be learned: those that number or name the rows, and those that are the label in other words.
//!
//! Every check looks at few rows of an ordinary column: it ends at the first row that contradicts.

use std::collections::{HashMap, HashSet};

use super::{Column, Labels, Table};

/// A table with fewer rows has no suspects: anything may rise or differ in a few rows.
const FEW_ROWS: usize = 12;
/// From this many rows on, whole numbers that rise with gaps count rows, some of which were removed.
const MANY_ROWS: usize = 50;
/// Rows in which an identifier is looked for.
const LOOKED_AT: usize = 100_000;
/// A column names rows if at most one value of this many is repeated.
const ONE_REPEATED_OF: usize = 20;
/// A column that decides the label is reported unless chance does that with more than this probability, as a natural
/// logarithm: one in a thousand million.
const CHANCE: f64 = -20.7;
/// Words at the end of the names of identifiers.
const IDENTIFIERS: [&str; 14] = [
    "id",
    "ids",
    "identifier",
    "number",
    "no",
    "nr",
    "num",
    "index",
    "idx",
    "key",
    "uuid",
    "guid",
    "rowid",
    "serial",
];
/// The first whole number that float32 cannot tell from the next.
const TWO_TO_24: f32 = 16_777_216.0;

/// Why a column is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    /// Its numbers rise from row to row.
    Counts,
    /// Its values differ in each row.
    Differs,
    /// The label follows from it.
    Decides,
    /// It has no name, and may be an index with repeated numbers.
    Nameless,
}

/// An ignored column, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Ignored {
    pub(crate) column: String,
    pub(crate) reason: &'static str,
}

impl Table {
    /// Removes columns without a name that number the rows, such as the index that pandas writes, or that are empty.
    pub(crate) fn leave_out_nameless(&mut self) -> Vec<Ignored> {
        if !self.named {
            return Vec::new();
        }
        let reason = |slot: usize| {
            let column = &self.columns[slot];
            let is_empty = || self.cells_of(slot).all(f32::is_nan);
            match () {
                () if !is_nameless(&column.name, column.position) => None,
                () if self.numbers_rows(slot) => Some("it has no name and numbers the rows"),
                () if column.first_missing.is_some() && is_empty() => Some("it has no name and is empty"),
                () => None,
            }
        };
        let reasons: Vec<Option<&'static str>> = (0..self.columns.len()).map(reason).collect();
        if reasons.iter().all(Option::is_some) {
            return Vec::new();
        }
        let ignored = self.columns.iter().zip(&reasons);
        let ignored = ignored
            .filter_map(|(column, reason)| Some(Ignored { column: column.name.clone(), reason: (*reason)? }));
        let ignored: Vec<Ignored> = ignored.collect();
        if !ignored.is_empty() {
            self.keep_columns(&reasons.iter().map(Option::is_none).collect::<Vec<_>>());
        }
        ignored
    }

    /// Whether a column without a name was taken for the label although it numbers the rows.
    pub(crate) fn index_is_label(&self) -> bool {
        let Some(labels) = self.labels.first().filter(|_| self.named) else { return false };
        let is_nameless = labels.position.is_some_and(|place| is_nameless(&labels.name, place));
        let numbers = || labels.texts.list().iter().map(|text| text.parse::<u64>().ok());
        // A text for each row, as far as the list of texts reaches.
        let all_differ = labels.texts.list().len() == self.rows || labels.texts.has_overflown();
        is_nameless && all_differ && numbers().all(|number| number.is_some())
    }

    /// The columns that a network should not learn.
    pub(crate) fn suspects(&self) -> Vec<(&Column, Suspicion)> {
        if self.rows < FEW_ROWS || self.image_shape.is_some() {
            return Vec::new();
        }
        // A quantity differs from row to row, so any identifier decides it.
        let classes =
            || self.labels.first().filter(|labels| self.labels.len() == 1 && !labels.are_quantities());
        let label = classes().map(Decided::new);
        let suspicion = |slot: usize| match &self.columns[slot].texts {
            _ if label.as_ref().is_some_and(|label| self.decides(slot, label)) => Some(Suspicion::Decides),
            // Years follow each other in many tables, and mean something.
            None if !self.columns[slot].name.to_lowercase().contains("year") && self.counts_rows(slot) => {
                Some(Suspicion::Counts)
            }
            None if is_identifier(&self.columns[slot].name) && self.all_numbers_differ(slot) => {
                Some(Suspicion::Differs)
            }
            Some(texts) if !texts.has_overflown() && self.all_texts_differ(slot, texts.list().len()) => {
                Some(Suspicion::Differs)
            }
            None if self.named && is_nameless(&self.columns[slot].name, self.columns[slot].position) => {
                Some(Suspicion::Nameless)
            }
            _ => None,
        };
        (0..self.columns.len()).filter_map(|slot| Some((&self.columns[slot], suspicion(slot)?))).collect()
    }

    fn cells_of(&self, slot: usize) -> impl Iterator<Item = f32> {
        self.cells.iter().skip(slot).step_by(self.columns.len()).copied()
    }

    /// Whether a column of numbers begins with 0 or 1 and rises by one, or is such a column whose rows were mixed or removed.
    fn numbers_rows(&self, slot: usize) -> bool {
        if self.columns[slot].texts.is_some() || self.columns[slot].first_missing.is_some() || self.rows < 2 {
            return false;
        }
        let starts = self.cells_of(slot).next().is_some_and(|first| first == 0.0 || first == 1.0);
        starts && self.rises_by_one(slot) || self.rows >= FEW_ROWS && self.all_numbers_differ(slot)
    }

    fn rises_by_one(&self, slot: usize) -> bool {
        let next = self.cells_of(slot).skip(1);
        self.cells_of(slot).zip(next).all(|(before, after)| {
            after - before == 1.0 && before.fract() == 0.0 || before >= TWO_TO_24 && after >= before
        })
    }

    /// Whether whole numbers rise by one a row, or in a long table by less than two on average.
    fn counts_rows(&self, slot: usize) -> bool {
        if self.rises_by_one(slot) {
            return true;
        }
        if self.rows < MANY_ROWS {
            return false;
        }
        let mut cells = self.cells_of(slot);
        let (Some(first), Some(last)) = (cells.next(), self.cells_of(slot).last()) else { return false };
        let mut before = first;
        let rises = cells.all(|cell| {
            let rises = cell > before && cell.fract() == 0.0;
            before = cell;
            rises
        });
        rises && f64::from(last - first) < 2.0 * self.rows as f64
    }

    /// Whether nearly all values are whole numbers and differ from each other.
    fn all_numbers_differ(&self, slot: usize) -> bool {
        let rows = self.rows.min(LOOKED_AT);
        let most = rows / ONE_REPEATED_OF;
        let (mut seen, mut repeated) = (HashSet::with_capacity(64), 0);
        self.cells_of(slot).take(rows).all(|cell| {
            repeated += usize::from(!seen.insert(cell.to_bits()));
            cell.fract() == 0.0 && repeated <= most
        })
    }

    fn all_texts_differ(&self, slot: usize, texts: usize) -> bool {
        let there = self.cells_of(slot).filter(|cell| !cell.is_nan()).count();
        there >= FEW_ROWS && texts + there / ONE_REPEATED_OF >= there
    }

    /// Whether each value has one class, and each class one number, beyond chance.
    fn decides(&self, slot: usize, label: &Decided<'_>) -> bool {
        let texts = self.columns[slot].texts.as_ref();
        let most = texts.map_or(label.classes(), |texts| texts.list().len());
        // By value: its class and its number of rows.
        let mut values: HashMap<u32, (u32, usize)> = HashMap::new();
        for (cell, class) in self.cells_of(slot).zip(label.codes).filter(|(cell, _)| !cell.is_nan()) {
            let value = values.entry(cell.to_bits()).or_insert((*class, 0));
            value.1 += 1;
            if value.0 != *class || values.len() > most {
                return false;
            }
        }
        let classes: HashSet<u32> = values.values().map(|(class, _)| *class).collect();
        // Numbers decide the label in ordinary ways, too, if several of them have the same class.
        let is_twin = if texts.is_some() { classes.len() > 1 } else { values.len() == classes.len() };
        is_twin
            && classes.len() == label.classes()
            && label.chance(values.values().map(|value| value.1)) < CHANCE
    }

    /// Keeps the marked columns.
    fn keep_columns(&mut self, keeps: &[bool]) {
        let width = keeps.len();
        let mut to = 0;
        for row in 0..self.rows {
            for (slot, _) in keeps.iter().enumerate().filter(|(_, keeps)| **keeps) {
                self.cells[to] = self.cells[row * width + slot];
                to += 1;
            }
        }
        self.cells.truncate(to);
        let mut keeps = keeps.iter();
        self.columns.retain(|_| *keeps.next().unwrap_or(&true));
    }
}

/// The labels that a column may decide.
struct Decided<'a> {
    codes: &'a [u32],
    /// Logarithms of the classes' shares.
    shares: Vec<f64>,
}

impl<'a> Decided<'a> {
    fn new(labels: &'a Labels) -> Self {
        let mut counts = vec![0usize; labels.texts.list().len()];
        for code in &labels.codes {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        let share = |count: &usize| (*count as f64 / labels.codes.len() as f64).ln();
        Self { codes: &labels.codes, shares: counts.iter().map(share).collect() }
    }

    fn classes(&self) -> usize {
        self.shares.len()
    }

    /// The logarithm of the probability that groups of rows of these sizes have one class each if classes are drawn by
    /// their shares: the product over groups of the sum over classes of share ^ size.
    fn chance(&self, sizes: impl Iterator<Item = usize>) -> f64 {
        let most = self.shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let of = |size: usize| {
            let size = size as f64;
            let others: f64 = self.shares.iter().map(|share| (size * (share - most)).exp()).sum();
            size * most + others.ln()
        };
        sizes.map(of).sum()
    }
}

/// Whether a name was made up by this program, by pandas or by R for a column without one.
fn is_nameless(name: &str, position: usize) -> bool {
    let rest = name.strip_prefix("Unnamed: ").map(|rest| rest.split('.').next().unwrap_or(rest));
    name.is_empty()
        || name == format!("column {position}")
        || rest.is_some_and(|rest| rest.parse::<u32>().is_ok())
        || name.strip_prefix("__index_level_").is_some_and(|rest| rest.ends_with("__"))
}

/// Whether the last word of a name is that of an identifier: `id`, `row_id`, `RowNumber`, `CustomerID`.
fn is_identifier(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        if !letter.is_alphanumeric() || letter.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.iter().rev().find(|word| !word.is_empty()).is_some_and(|word| IDENTIFIERS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_identifiers_end_with_their_words() {
        for name in ["id", "ID", "row_id", "RowNumber", "PassengerId", "customer id", "CustomerID", "user-no"]
        {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["width", "humid", "idle", "number of rooms", "", "3", "no_smoking"] {
            assert!(!is_identifier(name), "{name}");
        }
    }

    #[test]
    fn names_that_programs_make_up() {
        for (name, position) in
            [("column 3", 3), ("", 0), ("Unnamed: 0", 0), ("Unnamed: 0.1", 1), ("__index_level_0__", 4)]
        {
            assert!(is_nameless(name, position), "{name}");
        }
        for (name, position) in [("column 3", 2), ("Unnamed", 0), ("index", 0), ("a", 0)] {
            assert!(!is_nameless(name, position), "{name}");
        }
    }

    #[test]
    fn chance_decides_few_rows_but_not_many() {
        let decided = Decided { codes: &[], shares: vec![0.5f64.ln(); 2] };
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got} {expected}");
        // Two groups of three rows: (2 * 1/8)^2.
        near(decided.chance([3, 3].into_iter()), (1.0f64 / 16.0).ln());
        near(decided.chance([1; 5].into_iter()), 0.0);
    }
}
