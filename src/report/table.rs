//! Tables: fitted to a terminal for people, tab-separated for programs, in Markdown for files.

mod fit;

use std::fmt;

/// A table for a terminal ([`fit`](Self::fit)) or for a program ([`tsv`](Self::tsv)).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextTable {
    columns: Vec<TextColumn>,
    rows: Vec<Vec<TextCell>>,
    total: Option<Vec<TextCell>>,
}

/// A column: its heading, and how it behaves in a narrow terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct TextColumn {
    heading: String,
    /// Headings for programs, if they differ from the heading.
    plain: Vec<String>,
    is_number: bool,
    rank: u8,
    least: Option<usize>,
    cut_rank: Option<u8>,
    cuts_start: bool,
}

impl TextColumn {
    /// A column of words, aligned to the left.
    #[must_use]
    pub fn text(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            plain: Vec::new(),
            is_number: false,
            rank: 0,
            least: None,
            cut_rank: None,
            cuts_start: false,
        }
    }

    /// A column of numbers, aligned to the right.
    #[must_use]
    pub fn number(heading: impl Into<String>) -> Self {
        Self { is_number: true, ..Self::text(heading) }
    }

    /// Headings for programs, with the unit of the numbers; several if a cell has several values.
    #[must_use]
    pub fn plain(mut self, headings: &[&str]) -> Self {
        self.plain = headings.iter().map(|heading| (*heading).to_owned()).collect();
        self
    }

    /// In a narrow terminal, columns of the highest rank are dropped first; a column of rank 0 stays.
    #[must_use]
    pub fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    /// Cells may be cut to this width, with an ellipsis, before the column is dropped. Without it they are never cut.
    #[must_use]
    pub fn least(mut self, width: usize) -> Self {
        self.least = Some(width.max(2));
        self
    }

    /// Cells that may be cut are cut before columns of this rank are dropped, not at their own rank.
    #[must_use]
    pub fn cut_at(mut self, rank: u8) -> Self {
        self.cut_rank = Some(rank);
        self
    }

    /// Cutting removes the start of a cell, not its end.
    #[must_use]
    pub fn cut_start(mut self) -> Self {
        self.cuts_start = true;
        self
    }

    fn cut_rank(&self) -> u8 {
        self.cut_rank.unwrap_or(self.rank)
    }

    fn plain_headings(&self) -> Vec<String> {
        let own = || vec![self.heading.replace(" %", " percent").replace(' ', "_")];
        if self.plain.is_empty() { own() } else { self.plain.clone() }
    }
}

/// The colour of a cell on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// No colour.
    #[default]
    Plain,
    /// Green: the best value, a good state.
    Good,
    /// Yellow: a state that needs attention.
    Attention,
    /// Red: a bad state.
    Bad,
    /// Dim: a secondary value.
    Dim,
}

/// A cell: its text for people, and its values for programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextCell {
    shown: String,
    plain: Vec<String>,
    mark: Mark,
    is_code: bool,
}

impl TextCell {
    /// The same text for people and programs.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let shown = text.into();
        Self { plain: vec![shown.clone()], shown, ..Self::default() }
    }

    /// A text for people, and values without units or commas for programs, one for each of the column's plain headings.
    #[must_use]
    pub fn split(shown: impl Into<String>, plain: impl IntoIterator<Item = impl ToString>) -> Self {
        let plain = plain.into_iter().map(|value| value.to_string()).collect();
        Self { shown: shown.into(), plain, ..Self::default() }
    }

    /// A count: `220,020` for people, `220020` for programs.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::split(crate::text::grouped(count), [count])
    }

    /// A number of bytes: `1.5 KiB` for people, `1536` for programs.
    #[must_use]
    pub fn bytes(bytes: u64) -> Self {
        Self::split(size(bytes), [bytes])
    }

    /// A share as a percentage, without the sign: `90.12`.
    #[must_use]
    pub fn percent(share: f64) -> Self {
        Self::text(format!("{:.2}", 100.0 * share))
    }

    /// An unknown value: a dash for people, nothing for programs.
    #[must_use]
    pub fn missing() -> Self {
        Self { shown: "-".into(), mark: Mark::Dim, ..Self::default() }
    }

    /// A cell of a value, or [`missing`](Self::missing).
    #[must_use]
    pub fn known<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::missing, cell)
    }

    /// Sets its colour.
    #[must_use]
    pub fn mark(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    /// Text to be typed, which Markdown puts into backquotes.
    #[must_use]
    pub fn code(mut self) -> Self {
        self.is_code = true;
        self
    }
}

impl<T: Into<String>> From<T> for TextCell {
    fn from(text: T) -> Self {
        Self::text(text)
    }
}

impl TextTable {
    /// A table without rows.
    #[doc(hidden)]
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = TextColumn>) -> Self {
        Self { columns: columns.into_iter().collect(), ..Self::default() }
    }

    /// Adds a row; missing cells are empty.
    #[doc(hidden)]
    pub fn row(&mut self, cells: impl IntoIterator<Item = TextCell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Sets the last row, a summary of the others, which programs do not get.
    #[doc(hidden)]
    pub fn total(&mut self, cells: impl IntoIterator<Item = TextCell>) {
        self.total = Some(cells.into_iter().collect());
    }

    /// All columns and rows for a program: a header, then a line for each row, separated by tabs.
    #[doc(hidden)]
    #[must_use]
    pub fn tsv(&self) -> String {
        let headings: Vec<Vec<String>> = self.columns.iter().map(TextColumn::plain_headings).collect();
        let line =
            |values: Vec<String>| values.iter().map(|value| one_line(value)).collect::<Vec<_>>().join("\t");
        let row = |cells: &Vec<TextCell>| {
            let values = headings.iter().enumerate().flat_map(|(index, headings)| {
                let plain = cells.get(index).map_or(&[][..], |cell| &cell.plain);
                (0..headings.len()).map(|part| plain.get(part).cloned().unwrap_or_default())
            });
            line(values.collect())
        };
        let header = line(headings.iter().flatten().cloned().collect());
        let lines: Vec<String> = std::iter::once(header).chain(self.rows.iter().map(row)).collect();
        lines.join("\n")
    }

    /// A Markdown table, with a line for each row.
    #[doc(hidden)]
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let cell = |cell: Option<&TextCell>| {
            // A vertical bar would end the cell.
            let text = cell.map_or(String::new(), |cell| one_line(&cell.shown).replace('|', "\\|"));
            if cell.is_some_and(|cell| cell.is_code) { format!("`{text}`") } else { text }
        };
        let rule = format!("|{}\n", "---|".repeat(self.columns.len()));
        let rows = self.rows.iter().chain(&self.total);
        let rows = rows.map(|row| line((0..self.columns.len()).map(|index| cell(row.get(index))).collect()));
        let header = line(self.columns.iter().map(|column| column.heading.clone()).collect());
        [header, rule].into_iter().chain(rows).collect()
    }
}

/// All columns, as wide as they are, without colours.
impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fit(usize::MAX, false))
    }
}

/// Text from outside must not move the cursor or end a cell.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A column of a table, and its cell in the row of a `T`.
pub(super) type CellOf<'a, T> = (TextColumn, &'a dyn Fn(&T) -> TextCell);

/// A table with a row for each item.
pub(super) fn table_of<T>(items: impl IntoIterator<Item = T>, columns: &[CellOf<'_, T>]) -> TextTable {
    let mut table = TextTable::new(columns.iter().map(|(column, _)| column.clone()));
    for item in items {
        table.row(columns.iter().map(|(_, cell)| cell(&item)));
    }
    table
}

/// The name of a column of a CSV file, and its cell in the line of a `T`.
pub(super) type CsvColumn<'a, T> = (&'a str, &'a dyn Fn(&T) -> String);

/// Comma-separated values, with a header and a line for each item; no cell may contain a comma.
pub(super) fn csv<T>(items: impl IntoIterator<Item = T>, columns: &[CsvColumn<'_, T>]) -> String {
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut text = header.join(",") + "\n";
    for item in items {
        let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(&item)).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// A share as text: `90.12 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A number of bytes with a unit: `1.5 KiB`.
pub fn size(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["B", "KiB", "MiB"] {
        if amount < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} GiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::grouped;

    #[test]
    fn numbers_read_well() {
        let numbers = [0, 999, 1000, 220_020, 3_085_050].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "220,020", "3,085,050"]);
        let sizes = [0, 1023, 1024, 1536, 5 << 20, 3 << 40].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "3072.0 GiB"]);
    }

    #[test]
    fn markdown_has_a_line_for_each_row_and_no_stray_bar() {
        let mut table = TextTable::new(["a", "b"].map(TextColumn::text));
        table.row(["1".into(), TextCell::text("x|y").code()]);
        assert_eq!(table.markdown(), "| a | b |\n|---|---|\n| 1 | `x\\|y` |\n");
    }

    #[test]
    fn programs_get_every_value_without_units_and_no_total() {
        let tiles = TextColumn::text("tiles").plain(&["dense", "sparse"]);
        let mut table = TextTable::new([TextColumn::text("layer name"), TextColumn::number("last %"), tiles]);
        table.row(["1\tone\n".into(), TextCell::percent(0.5), TextCell::split("3 dense, 4 sparse", [3, 4])]);
        table.row([TextCell::missing(), TextCell::count(220_020), TextCell::missing()]);
        table.total(["all".into()]);
        let lines = "layer_name\tlast_percent\tdense\tsparse\n1 one \t50.00\t3\t4\n\t220020\t\t";
        assert_eq!(table.tsv(), lines);
    }
}
