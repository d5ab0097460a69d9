//! The style of tables and numbers.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// Lines above, below, and under the header.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A table with this header; all columns but the first `left` are aligned to the right.
///
/// It has no colours. On a terminal it keeps to its width, in a file it is as wide as its content.
pub fn table(header: &[&str], left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What a column of a table is called, and its cell in the row of a `T`.
pub(super) type Column<'a, T> = (&'a str, &'a dyn Fn(&T) -> String);

/// A [`table`] with a row for each item.
pub(super) fn table_of<T>(
    items: impl IntoIterator<Item = T>,
    left: usize,
    columns: &[Column<'_, T>],
) -> Table {
    let mut table = table(&columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(), left);
    for item in items {
        table.add_row(columns.iter().map(|(_, cell)| cell(&item)));
    }
    table
}

/// A Markdown table; one row a line.
pub(super) fn markdown<T>(items: impl IntoIterator<Item = T>, columns: &[Column<'_, T>]) -> String {
    let line = |cells: Vec<String>| {
        // A bar inside a cell would end it.
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(columns.len()));
    let mut lines = lines(items, columns).map(line);
    lines.next().into_iter().chain([rule]).chain(lines).collect()
}

/// Comma-separated values, a line for each item under a header; no cell may have a comma.
pub(super) fn csv<T>(items: impl IntoIterator<Item = T>, columns: &[Column<'_, T>]) -> String {
    lines(items, columns).map(|cells| cells.join(",") + "\n").collect()
}

/// The header, then the cells of each item.
fn lines<T>(
    items: impl IntoIterator<Item = T>,
    columns: &[Column<'_, T>],
) -> impl Iterator<Item = Vec<String>> {
    let header = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let cells = |item| columns.iter().map(|(_, cell)| cell(&item)).collect();
    std::iter::once(header).chain(items.into_iter().map(cells))
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
        let text = markdown(["x|y"], &[("a", &|_| "1".into()), ("b", &|text| (*text).into())]);
        assert_eq!(text, "| a | b |\n|---|---|\n| 1 | x\\|y |\n");
    }

    #[test]
    fn tables_have_no_escape_sequences() {
        let mut table = table(&["name", "value"], 1);
        table.add_row(["a", "1"]);
        assert!(!table.to_string().contains('\u{1b}'));
    }
}
