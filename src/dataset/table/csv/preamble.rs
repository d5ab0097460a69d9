//! Lines before the table: a byte order mark, Excel's `sep=`, and comments.

use csv::ByteRecord;

use super::super::cells::{CellRules, Field};
use super::delimiter::BLANKS;
use super::dialect::{MARK, records};
use super::squeeze::tidied;

/// What precedes the first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Preamble {
    /// Bytes up to the first record.
    pub(super) bytes: usize,
    /// The delimiter that a line `sep=;` names.
    pub(super) delimiter: Option<u8>,
    /// Lines that are comments.
    pub(super) comments: usize,
}

/// Skips the byte order mark, a line such as `sep=;`, and lines that begin with `#`.
///
/// A line is no comment if it has numbers in the same fields as the line below it: then `#` begins a text. The last of the comments
/// is kept if it has as many fields as the line below it and that one is `data`: numpy writes a header this way.
pub(super) fn skip(text: &[u8], delimiter: Option<u8>, is_data: impl Fn(&[u8]) -> bool) -> Preamble {
    let mut preamble =
        Preamble { bytes: if text.starts_with(MARK) { MARK.len() } else { 0 }, ..Preamble::default() };
    let first = line(&text[preamble.bytes..]);
    if let Some(named) = separator(first) {
        preamble.delimiter = Some(named);
        preamble.bytes += first.len();
    }
    let mut last = None;
    let mut end = preamble.bytes;
    let delimiter = delimiter.or(preamble.delimiter);
    let mut comments = 0;
    while text[end..].starts_with(b"#") {
        let comment = line(&text[end..]);
        if is_row(comment, line(&text[end + comment.len()..]), delimiter) {
            break;
        }
        comments += 1;
        last = Some((end, comment));
        end += comment.len();
    }
    let Some((at, comment)) = last else { return preamble };
    let below = &text[end..];
    let next = line(below);
    preamble.bytes = end;
    let fits = |delimiter: u8| {
        let count = |line: &[u8]| fields(line, delimiter).len();
        count(next) > 1 && count(next) == count(uncommented(comment))
    };
    let is_part = delimiters(delimiter).any(fits);
    if next.is_empty() || is_part && is_data(below) {
        preamble.bytes = at + comment.len() - uncommented(comment).len();
        comments -= 1;
    }
    preamble.comments = comments;
    preamble
}

/// Without `# `; a name such as `#id` stays whole.
fn uncommented(line: &[u8]) -> &[u8] {
    let text = line.strip_prefix(b"#").unwrap_or(line);
    if text.starts_with(b" ") || text.starts_with(b"\t") { text.trim_ascii_start() } else { line }
}

/// The first line with its end.
fn line(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1)]
}

/// The delimiter of a line such as `sep=;`, which Excel reads and writes.
fn separator(line: &[u8]) -> Option<u8> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let (name, value) = line.split_at_checked(4)?;
    match value {
        [one] if name.eq_ignore_ascii_case(b"sep=") && one.is_ascii() && !one.is_ascii_alphanumeric() => {
            Some(*one)
        }
        _ => None,
    }
}

/// The delimiters that come into question.
fn delimiters(known: Option<u8>) -> impl Iterator<Item = u8> {
    let all = [b'\t', b';', b'|', b',', BLANKS];
    all.into_iter()
        .filter(move |one| known.is_none_or(|known| known == *one))
        .chain(known.filter(|known| !all.contains(known)))
}

/// Whether a line that begins with `#` is a row like the one below it.
fn is_row(line: &[u8], below: &[u8], delimiter: Option<u8>) -> bool {
    let rules = CellRules::default();
    let is_number = |field: &[u8]| matches!(rules.field(field, None), Field::Number(_));
    delimiters(delimiter).any(|delimiter| {
        let (line, below) = (fields(line, delimiter), fields(below, delimiter));
        let mut numbers =
            line.iter().zip(&below).filter(|(_, below)| is_number(below)).map(|(field, _)| is_number(field));
        line.len() > 1
            && line.len() == below.len()
            && numbers.next().is_some_and(|first| first && numbers.all(|is| is))
    })
}

/// The fields of a line.
fn fields(line: &[u8], delimiter: u8) -> ByteRecord {
    let line = tidied(line, delimiter, false);
    records(&line, delimiter).ok().and_then(|mut records| records.drain(..).next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(text: &str, is_data: bool) -> (usize, Option<u8>) {
        let preamble = skip(text.as_bytes(), None, |_| is_data);
        (preamble.bytes, preamble.delimiter)
    }

    #[test]
    fn marks_separators_and_comments_are_skipped() {
        assert_eq!(skipped("a,b\n1,2\n", true), (0, None));
        assert_eq!(skipped("\u{feff}a,b\n", true), (3, None));
        assert_eq!(skipped("sep=;\r\na;b\n", true), (7, Some(b';')));
        assert_eq!(skipped("\"sep=,\"\na,b\n", true), (8, Some(b',')));
        assert_eq!(skipped("# a file\n#of two\na,b\n1,2\n", false), (17, None));
        // numpy's header, and a name that begins with #.
        assert_eq!(skipped("# a b\n1 2\n", true), (2, None));
        assert_eq!(skipped("#,Name,HP\n1,x,3\n", true), (0, None));
        // A category that begins with #, but not a comment above numbers.
        assert_eq!(skipped("#1,2.5,u\n#2,3.5,v\n", true), (0, None));
        assert_eq!(skipped("# 1, 2 and x\n1,2\n", false), (13, None));
        // A comment with as many commas above a header.
        assert_eq!(skipped("# x, y\na,b\n1,2\n", false), (7, None));
    }
}
