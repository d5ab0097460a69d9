//! Everything that keeps a table from becoming samples, with the settings that change it.

use super::advice::typed;
use super::texts::listed;
use super::{FitOptions, Impute, Labels, MissingWords, OddCells, Table, shown};
use crate::Error;

/// Columns that a message names.
const NAMED: usize = 6;
/// Texts that are offered as words for missing values.
const WORDS: usize = 3;

/// What is wrong with the columns of a table.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Where a label is missing.
    unlabelled: Option<String>,
    too_many: Vec<TooMany>,
    missing: Vec<Missing>,
    odd: Vec<(String, OddCells)>,
    /// Columns and two of their cells.
    mixed: Vec<(String, String)>,
    empty: Vec<String>,
    limit: usize,
    impute: Option<Impute>,
    named: bool,
}

/// A column with too many different texts.
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) column: String,
    /// How many, in words.
    pub(crate) count: String,
    pub(crate) example: String,
    /// Whether the texts are numbers with another character before their decimals.
    pub(crate) are_numbers: bool,
}

/// A column with missing values.
#[derive(Debug)]
struct Missing {
    column: String,
    place: String,
    words: MissingWords,
}

impl Problems {
    pub(crate) fn new(table: &Table, options: FitOptions) -> Self {
        let unlabelled = table.labels.iter().find_map(|labels| missing_label(labels, table.named));
        let (limit, impute, named) = (options.max_categories, options.impute, table.named);
        Self { unlabelled, limit, impute, named, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unlabelled.is_none() && self.count() == 0
    }

    fn count(&self) -> usize {
        self.too_many.len() + self.missing.len() + self.odd.len() + self.mixed.len() + self.empty.len()
    }

    pub(crate) fn add_too_many(&mut self, too_many: TooMany) {
        self.too_many.push(too_many);
    }

    pub(crate) fn add_missing(&mut self, column: &super::Column) {
        let place = column.first_missing.clone().unwrap_or_else(|| "somewhere".into());
        let (column, words) = (column.name.clone(), column.words.clone());
        self.missing.push(Missing { column, place, words });
    }

    pub(crate) fn add_odd(&mut self, column: &str, odd: &OddCells) {
        self.odd.push((column.to_owned(), odd.clone()));
    }

    pub(crate) fn add_mixed(&mut self, column: &str, cells: &str) {
        self.mixed.push((column.to_owned(), cells.to_owned()));
    }

    pub(crate) fn add_empty(&mut self, column: &str) {
        self.empty.push(column.to_owned());
    }

    /// Whether a column has a problem besides missing values.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.mixed.iter().any(|(name, _)| name == column) || self.empty.iter().any(|name| name == column)
    }

    /// All problems in one error.
    pub(crate) fn into_error(self, table: &Table) -> Error {
        table.refused(self.to_string())
    }

    /// An error about the labels of the table, with all other problems.
    #[cfg(feature = "train")]
    pub(crate) fn beside(mut self, error: Error) -> Error {
        match error {
            Error::Table { name, reason } if !self.is_empty() => {
                self.unlabelled = Some(reason);
                Error::table(name, &self.to_string())
            }
            other => other,
        }
    }

    fn shown(&self, column: &str) -> String {
        shown(column, self.named)
    }

    fn all<'a>(&self, columns: impl Iterator<Item = &'a String>) -> String {
        listed(columns.map(|column| self.shown(column)), NAMED)
    }

    /// The columns that problems of this kind force to be dropped.
    fn dropped(&self) -> Vec<&String> {
        let odd = self.odd.iter().filter(|(_, odd)| !Self::are_words(odd)).map(|(column, _)| column);
        let too_many = self.too_many.iter().map(|too_many| &too_many.column);
        let mixed = self.mixed.iter().map(|(column, _)| column);
        too_many.chain(odd).chain(mixed).chain(&self.empty).collect()
    }

    /// Whether odd cells are few enough to be words for missing values.
    fn are_words(odd: &OddCells) -> bool {
        !odd.has_more && odd.texts.len() <= WORDS
    }

    /// The settings with which the table can be learned; none for a missing label, whose name only the user knows.
    fn remedy(&self) -> String {
        let mut settings = Vec::new();
        if self.unlabelled.is_some() {
            settings.push("`label` NAME".to_owned());
        }
        let dropped = self.dropped();
        if !dropped.is_empty() {
            settings.push(format!("`drop` {}", typed(&dropped)));
        }
        let words: Vec<&String> =
            self.odd.iter().filter(|(_, odd)| Self::are_words(odd)).flat_map(|(_, odd)| &odd.texts).collect();
        if !words.is_empty() {
            let mut list = vec![super::cells::USUAL];
            words.iter().for_each(|word| {
                if !list.contains(&word.as_str()) {
                    list.push(word);
                }
            });
            settings.push(format!("`missing` {}", typed(list)));
        }
        let is_dropped = |column: &String| dropped.contains(&column);
        let fills = !words.is_empty() || self.missing.iter().any(|missing| !is_dropped(&missing.column));
        if fills && self.impute.is_none() {
            settings.push("`impute` median".to_owned());
        }
        settings.join(" ")
    }

    /// What is wrong, without a remedy.
    fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = self.unlabelled.iter().cloned().collect();
        let limit = self.limit;
        match self.too_many.as_slice() {
            [] => {}
            [TooMany { column, count, example, .. }] => parts.push(format!(
                "column {} holds texts, such as {example:?}, {count} different ones, the limit is {limit}",
                self.shown(column)
            )),
            many => {
                let columns = many.iter().map(|one| format!("{} ({})", self.shown(&one.column), one.count));
                parts.push(format!(
                    "{} columns hold texts, more different ones than the limit of {limit}: {}",
                    many.len(),
                    listed(columns, NAMED)
                ));
            }
        }
        for (column, odd) in &self.odd {
            let others = match odd.rows {
                1 => String::new(),
                rows => format!(", in {rows} rows"),
            };
            let texts = listed(odd.texts.iter().map(|text| format!("{text:?}")), WORDS);
            let column = self.shown(column);
            parts.push(format!("line {}, column {column}: {texts} among numbers{others}", odd.line));
        }
        for (column, cells) in &self.mixed {
            parts.push(format!("column {} holds numbers with several units, {cells}", self.shown(column)));
        }
        if let [first, others @ ..] = self.missing.as_slice() {
            let word = first.words.list().first();
            let word = word.map_or(String::new(), |(word, _)| format!(" ({word:?})"));
            let others = match others {
                [] => String::new(),
                _ => format!(", also in {}", self.all(others.iter().map(|missing| &missing.column))),
            };
            let column = self.shown(&first.column);
            parts.push(format!("{}, column {column}: the value is missing{word}{others}", first.place));
        }
        match self.empty.as_slice() {
            [] => {}
            [one] => parts.push(format!("column {} has no value in any training row", self.shown(one))),
            many => parts.push(format!(
                "{} columns have no value in any training row: {}",
                many.len(),
                self.all(many.iter())
            )),
        }
        parts
    }

    /// The remedy of a single problem, which may have several.
    fn only_remedy(&self) -> Option<String> {
        if self.unlabelled.is_some() && self.count() == 0 {
            return Some(String::new());
        }
        if self.count() != 1 || self.unlabelled.is_some() {
            return None;
        }
        let drop = |column: &str| format!("`drop` {}", typed([column]));
        if let [only] = self.too_many.as_slice() {
            let hint = if only.are_numbers {
                "give all decimals the same character, and name it with `decimal`, or ".to_owned()
            } else {
                String::new()
            };
            return Some(format!(
                ": {hint}leave it out with {} if it identifies rows or is a date, or raise the limit with `max-categories`",
                drop(&only.column)
            ));
        }
        if let [(column, odd)] = self.odd.as_slice() {
            let comma = odd.texts.first().is_some_and(|text| text.contains([',', '.']));
            let comma = if comma { "; name the character before decimals with `decimal`" } else { "" };
            let means = if Self::are_words(odd) {
                format!("; if it means missing, add {}", self.remedy())
            } else {
                String::new()
            };
            return Some(format!(
                ": correct it{comma}{means}; or leave the column out with {}",
                drop(column)
            ));
        }
        if let [(column, _)] = self.mixed.as_slice() {
            return Some(format!(
                ": convert them to one unit, or leave the column out with {}",
                drop(column)
            ));
        }
        if let [missing] = self.missing.as_slice() {
            return Some(format!(
                "; fill it with `impute` mean, median or zero, or leave the column out with {}",
                drop(&missing.column)
            ));
        }
        let [column] = self.empty.as_slice() else { return None };
        Some(format!(": leave it out with {}", drop(column)))
    }
}

#[cfg(feature = "train")]
fn missing_label(labels: &Labels, named: bool) -> Option<String> {
    let (place, word) = labels.first_missing.as_ref()?;
    let message = labels.choice.missing(place, &shown(&labels.name, named));
    Some(match word.as_str() {
        "" => message,
        word => format!("{message}; if {word:?} is a class, say `missing` '' (or list other words)"),
    })
}

#[cfg(not(feature = "train"))]
fn missing_label(_: &Labels, _: bool) -> Option<String> {
    None
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.parts().join("; ");
        match self.only_remedy() {
            Some(remedy) => write!(f, "{parts}{remedy}"),
            None => write!(f, "{parts}; to train without these problems, add {}", self.remedy()),
        }
    }
}
