//! Lines before the table: a byte order mark, Excel's `sep=`, and comments.

use csv::ByteRecord;

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
}

/// Skips the byte order mark, a line such as `sep=;`, and lines that begin with `#`.
///
/// The last of those lines is kept if it has as many fields as the line below it and that one is `data`: numpy
/// writes a header this way.
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
    while text[end..].starts_with(b"#") {
        let comment = line(&text[end..]);
        last = Some((end, comment));
        end += comment.len();
    }
    let Some((at, comment)) = last else { return preamble };
    let below = &text[end..];
    let next = line(below);
    preamble.bytes = end;
    let delimiter = delimiter.or(preamble.delimiter);
    let fits = |delimiter: u8| {
        let fields = |line: &[u8]| count(line, delimiter);
        fields(next) > 1 && fields(next) == fields(uncommented(comment))
    };
    let is_part = match delimiter {
        Some(delimiter) => fits(delimiter),
        None => [b'\t', b';', b'|', b',', BLANKS].into_iter().any(fits),
    };
    if next.is_empty() || is_part && is_data(below) {
        preamble.bytes = at + comment.len() - uncommented(comment).len();
    }
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

fn count(line: &[u8], delimiter: u8) -> usize {
    let line = tidied(line, delimiter, false);
    records(&line, delimiter).ok().and_then(|records| records.first().map(ByteRecord::len)).unwrap_or(0)
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
        // A comment with as many commas above a header.
        assert_eq!(skipped("# x, y\na,b\n1,2\n", false), (7, None));
    }
}
