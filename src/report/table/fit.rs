//! A table in the columns of a terminal.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Mark, TextCell, TextColumn, TextTable, one_line};

/// Columns between two cells.
const GAP: usize = 2;

impl TextTable {
    /// The table in a terminal of this width. Columns of the highest rank are cut or dropped first, and a last line names
    /// the dropped ones.
    #[doc(hidden)]
    #[must_use]
    pub fn fit(&self, width: usize, has_colour: bool) -> String {
        let natural = self.natural_widths();
        let widths = self.widths(natural.clone(), width);
        let line = |cells: &[TextCell], style: Option<Style>| {
            let cells = widths.iter().enumerate().filter_map(|(index, width)| {
                let (width, empty) = ((*width)?, TextCell::default());
                let cell = cells.get(index).unwrap_or(&empty);
                let style = style.unwrap_or_else(|| style_of(cell.mark));
                let style = if has_colour { style } else { Style::new() };
                Some(padded(&cell.shown, width, &self.columns[index], style))
            });
            cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
        };
        let header: Vec<TextCell> =
            self.columns.iter().map(|column| TextCell::text(column.heading.clone())).collect();
        let shown: Vec<usize> = widths.iter().flatten().copied().collect();
        let rule = "─".repeat(shown.iter().sum::<usize>() + GAP * shown.len().saturating_sub(1));
        let mut lines = vec![line(&header, Some(Style::new().bold())), rule.clone()];
        lines.extend(self.rows.iter().map(|row| line(row, None)));
        lines.extend(self.total.iter().flat_map(|total| [rule.clone(), line(total, None)]));
        let dropped = self.columns.iter().zip(&widths).filter(|(_, width)| width.is_none());
        let dropped: Vec<&str> = dropped.map(|(column, _)| column.heading.as_str()).collect();
        let cut = (0..widths.len()).any(|index| widths[index].is_some_and(|width| width < natural[index]));
        if let Some(note) = absent(&dropped, cut) {
            let dim = if has_colour { Style::new().dimmed() } else { Style::new() };
            lines.extend(wrapped(&note, width).into_iter().map(|line| format!("{dim}{line}{dim:#}")));
        }
        lines.join("\n")
    }

    /// The preferred width of each column.
    fn natural_widths(&self) -> Vec<usize> {
        let cells = |index: usize| {
            let rows = self.rows.iter().chain(&self.total);
            rows.filter_map(move |row| row.get(index)).map(|cell| one_line(&cell.shown).width()).max()
        };
        let widths = self.columns.iter().enumerate();
        widths.map(|(index, column)| column.heading.width().max(cells(index).unwrap_or(0))).collect()
    }

    /// The width of each column, or `None` if it is dropped.
    fn widths(&self, natural: Vec<usize>, width: usize) -> Vec<Option<usize>> {
        let mut widths: Vec<Option<usize>> = natural.into_iter().map(Some).collect();
        let mut steps: Vec<(u8, usize, Step)> = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            steps.extend(column.least.map(|least| (column.cut_rank(), index, Step::Cut(least))));
            steps.extend((column.rank > 0).then_some((column.rank, index, Step::Drop)));
        }
        // The sort is stable, so a column is cut before it is dropped.
        steps.sort_by_key(|(rank, index, _)| std::cmp::Reverse((*rank, *index)));
        for (_, index, step) in steps {
            match (excess(&widths, width), step) {
                (0, _) => break,
                (over, Step::Cut(least)) => cut(&mut widths[index], over, least),
                (_, Step::Drop) => widths[index] = None,
            }
        }
        // Then the columns that should stay, except the first.
        for index in (1..widths.len()).rev() {
            if excess(&widths, width) > 0 {
                widths[index] = None;
            }
        }
        let over = excess(&widths, width);
        if let Some(first) = widths.first_mut() {
            cut(first, over, 1);
        }
        widths
    }
}

/// The excess of the total width.
fn excess(widths: &[Option<usize>], width: usize) -> usize {
    let shown: Vec<usize> = widths.iter().flatten().copied().collect();
    (shown.iter().sum::<usize>() + GAP * shown.len().saturating_sub(1)).saturating_sub(width)
}

/// A way to make a table narrower.
enum Step {
    /// Cut the column, but not below this width.
    Cut(usize),
    Drop,
}

/// Cuts a column by `over`, but not below `least`.
fn cut(width: &mut Option<usize>, over: usize, least: usize) {
    if let Some(width) = width {
        *width = width.saturating_sub(over).max(least.min(*width));
    }
}

/// A cell of this width, with an ellipsis if its text is wider.
fn padded(text: &str, width: usize, column: &TextColumn, style: Style) -> String {
    let mut text = one_line(text);
    if text.width() > width {
        let mut room = width.saturating_sub(1);
        let fits = |character: &char| {
            let wide = character.width().unwrap_or(0);
            let has_room = wide <= room;
            room = room.saturating_sub(wide);
            has_room
        };
        text = if column.cuts_start {
            let end: Vec<char> = text.chars().rev().take_while(fits).collect();
            std::iter::once('…').chain(end.into_iter().rev()).collect()
        } else {
            text.chars().take_while(fits).chain(['…']).collect()
        };
    }
    let space = " ".repeat(width.saturating_sub(text.width()));
    let text = if text.is_empty() { text } else { format!("{style}{text}{style:#}") };
    if column.is_number { space + &text } else { text + &space }
}

fn style_of(mark: Mark) -> Style {
    let colour = |colour: AnsiColor| colour.on_default();
    match mark {
        Mark::Plain => Style::new(),
        Mark::Good => colour(AnsiColor::Green),
        Mark::Attention => colour(AnsiColor::Yellow),
        Mark::Bad => colour(AnsiColor::Red),
        Mark::Dim => Style::new().dimmed(),
    }
}

/// A note on what a narrow terminal does not show.
fn absent(dropped: &[&str], cut: bool) -> Option<String> {
    let place = "a wider terminal or a pipe shows all";
    match (dropped, cut) {
        ([], false) => None,
        ([], true) => Some(format!("some cells are cut ({place})")),
        (dropped, _) => Some(format!("not shown: {} ({place})", dropped.join(", "))),
    }
}

/// Lines of at most this width, broken between words if possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                let _ = write!(line, " {word}");
            }
            _ => lines.push(padded(word, word.width().min(width), &TextColumn::text(""), Style::new())),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::TextColumn;
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new([
            TextColumn::text("name").least(6),
            TextColumn::number("value"),
            TextColumn::text("state").rank(1).least(5),
            TextColumn::text("remark").rank(2),
        ]);
        table.row(["a long name".into(), TextCell::count(1000), "unfinished".into(), "none".into()]);
        table.row(["日本".into(), "2".into(), TextCell::text("ok").mark(Mark::Good), TextCell::missing()]);
        table
    }

    #[test]
    fn a_wide_terminal_gets_everything() {
        let lines = "name         value  state       remark\n──────────────────────────────────────\n\
                     a long name  1,000  unfinished  none\n日本             2  ok          -";
        assert_eq!(table().fit(38, false), lines);
        assert_eq!(table().to_string(), lines);
    }

    #[test]
    fn room_that_is_short_costs_the_least_important_first() {
        let text = table().fit(30, false);
        assert!(text.contains("unfinished") && !text.contains("none"), "{text}");
        assert!(text.ends_with("not shown: remark (a wider\nterminal or a pipe shows all)"), "{text}");
        let text = table().fit(27, false);
        assert!(text.contains("a long name  1,000  unfini…"), "{text}");
        let text = table().fit(14, false);
        assert!(text.contains("a lon…") || text.contains("a long…"), "{text}");
        assert!(text.contains("1,000"), "{text}");
    }

    #[test]
    fn every_width_is_kept_and_no_number_is_cut() {
        for width in 1..60 {
            let text = table().fit(width, false);
            assert!(text.lines().all(|line| line.width() <= width), "{width}:\n{text}");
            assert!(!text.contains("1,0") || text.contains("1,000"), "{width}:\n{text}");
        }
    }

    #[test]
    fn colours_come_only_where_they_are_wanted() {
        assert!(!table().fit(80, false).contains('\u{1b}'));
        let text = table().fit(80, true);
        assert!(
            text.starts_with("\u{1b}[1mname\u{1b}[0m") && text.contains("\u{1b}[32mok\u{1b}[0m"),
            "{text:?}"
        );
    }

    #[test]
    fn text_from_outside_moves_no_cursor() {
        let mut table = TextTable::new([TextColumn::text("name")]);
        table.row(["\u{1b}[2J\r\n".into()]);
        assert!(!table.fit(80, true).replace("\u{1b}[1m", "").replace("\u{1b}[0m", "").contains('\u{1b}'));
    }
}
