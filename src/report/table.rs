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

/// A Markdown table; one row a line.
pub fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    // A bar inside a cell would end it.
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(&header.iter().map(ToString::to_string).collect::<Vec<_>>());
    text += &format!("|{}\n", "---|".repeat(header.len()));
    text.extend(rows.iter().map(|row| line(row)));
    text
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
        let text = markdown(&["a", "b"], &[vec!["1".into(), "x|y".into()]]);
        assert_eq!(text, "| a | b |\n|---|---|\n| 1 | x\\|y |\n");
    }

    #[test]
    fn tables_have_no_escape_sequences() {
        let mut table = table(&["name", "value"], 1);
        table.add_row(["a", "1"]);
        assert!(!table.to_string().contains('\u{1b}'));
    }
}
