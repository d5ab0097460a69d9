//! The columns of a terminal that bars may fill.

use std::io;

use console::Term;
use indicatif::TermLike;

use super::terminal;

/// Columns on the right that stay empty. Terminals echo typed characters there, `^C` twice: a full line would wrap, and
/// the line above it would remain.
const MARGIN: usize = 5;

/// A terminal without its last columns.
#[derive(Debug)]
pub(crate) struct NarrowTerm(pub(crate) Term);

/// Columns that a bar may fill.
pub(crate) fn width(terminal: &Term) -> usize {
    terminal::width(terminal).saturating_sub(MARGIN).max(1)
}

impl TermLike for NarrowTerm {
    fn width(&self) -> u16 {
        u16::try_from(width(&self.0)).unwrap_or(u16::MAX)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
