//! Finds quotes that were never meant to open a quoted text.

use super::super::Read;
use super::blocks::count_lines;
use super::delimiter::BLANKS;

/// A quoted text over several lines.
struct Quoted {
    /// Where its quotes are.
    opened: usize,
    /// The end of the bytes if it is not closed.
    closed: usize,
    /// Whether a delimiter or the end of the line follows.
    is_well_closed: bool,
}

/// The first quoted text of some records that holds a line end.
fn over_lines(bytes: &[u8], delimiter: u8) -> Option<Quoted> {
    let begins_field = |at: usize| at == 0 || [delimiter, b'\n', b'\r'].contains(&bytes[at - 1]);
    let mut at = 0;
    while let Some(opened) = memchr::memchr(b'"', &bytes[at..]).map(|found| at + found) {
        if !begins_field(opened) {
            at = opened + 1;
            continue;
        }
        let mut closed = opened + 1;
        loop {
            match memchr::memchr(b'"', &bytes[closed..]).map(|found| closed + found) {
                // A doubled quote is part of the text.
                Some(quote) if bytes.get(quote + 1) == Some(&b'"') => closed = quote + 2,
                Some(quote) => {
                    closed = quote;
                    break;
                }
                None => {
                    closed = bytes.len();
                    break;
                }
            }
        }
        if memchr::memchr(b'\n', &bytes[opened..closed]).is_some() {
            let next = bytes.get(closed + 1).copied();
            let is_well_closed =
                closed < bytes.len() && next.is_none_or(|next| [delimiter, b'\n', b'\r'].contains(&next));
            return Some(Quoted { opened, closed, is_well_closed });
        }
        at = (closed + 1).min(bytes.len());
    }
    None
}

/// Refuses a record over several lines that seems to be several records, of which a stray quote made one; `line` is its
/// first one.
pub(super) fn check(record: &[u8], delimiter: u8, columns: usize, line: u64) -> Read<()> {
    let Some(quoted) = over_lines(record, delimiter) else { return Ok(()) };
    let lines: Vec<&[u8]> = record.trim_ascii_end().split(|byte| *byte == b'\n').collect();
    let is_record = |line: &&[u8]| fields(line, delimiter) == columns;
    let inner = &lines[1..lines.len().max(2) - 1];
    let swallows = if inner.is_empty() { lines.iter().all(is_record) } else { inner.iter().all(is_record) };
    if quoted.is_well_closed && !swallows {
        return Ok(());
    }
    Err(refusal(record, &quoted, line))
}

/// As [`check`], for the first record, whose number of fields is not known otherwise.
pub(super) fn check_first(text: &[u8], delimiter: u8, line: u64) -> Read<()> {
    // The first record reaches beyond its first line only with a quote.
    let Some(end) = memchr::memchr(b'\n', text) else { return Ok(()) };
    match over_lines(text, delimiter) {
        Some(quoted) if quoted.opened < end && !quoted.is_well_closed => Err(refusal(text, &quoted, line)),
        _ => Ok(()),
    }
}

/// The error of a text over several lines in a label.
pub(super) fn in_label(record: &[u8], delimiter: u8, line: u64) -> Option<String> {
    over_lines(record, delimiter).map(|quoted| refusal(record, &quoted, line))
}

fn refusal(record: &[u8], quoted: &Quoted, line: u64) -> String {
    let opened = line + count_lines(&record[..quoted.opened]);
    let closed = line + count_lines(&record[..quoted.closed]);
    let closes = if quoted.closed < record.len() {
        format!("closes on line {closed}")
    } else {
        "is not closed".to_owned()
    };
    format!(
        "line {opened}: the quote that opens here {closes}, so that lines become one: remove it if it is stray; within a \
         quoted text, double it"
    )
}

/// The number of fields of a line, whatever its quotes.
fn fields(line: &[u8], delimiter: u8) -> usize {
    let line = line.trim_ascii();
    if delimiter == BLANKS {
        return line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty()).count();
    }
    1 + memchr::memchr_iter(delimiter, line).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_swallow_lines_are_found() {
        for (record, columns, line) in [
            (
                "1,2,\"oak\n3,4,elm\n5,6,\"oak\n",
                3,
                Some("line 7: the quote that opens here closes on line 9"),
            ),
            (
                "1,2,\"oak\n3,4,elm\n5,6,oak\"\n",
                3,
                Some("line 7: the quote that opens here closes on line 9"),
            ),
            ("1,\"2,oak\n3,\"4,elm\n", 3, Some("line 7: the quote that opens here closes on line 8")),
            ("1,\"2,oak\n3,4,elm\n", 3, Some("line 7: the quote that opens here is not closed")),
            ("1,\"a\nb\",oak\n", 3, None),
            ("1,\"a\n\n\nb \"\"c\"\"\",oak\n", 3, None),
            ("1,2\" pipe,oak\n", 3, None),
        ] {
            let refused = check(record.as_bytes(), b',', columns, 7).err();
            match line {
                Some(line) => assert!(refused.unwrap().starts_with(line), "{record:?}"),
                None => assert_eq!(refused, None, "{record:?}"),
            }
        }
    }
}
