//! Removes blanks that are no part of fields.

use std::borrow::Cow;

use super::delimiter::BLANKS;

/// The text without blanks that are no part of fields, with the same lines.
pub(super) fn tidied(text: &[u8], delimiter: u8, blanks_before_quotes: bool) -> Cow<'_, [u8]> {
    match delimiter {
        BLANKS => Cow::Owned(squeezed(text)),
        _ if blanks_before_quotes => Cow::Owned(closed_up(text, delimiter)),
        _ => Cow::Borrowed(text),
    }
}

/// One blank for each run of blanks and tabs, and none at either end of a line. Quoted texts stay as they are.
fn squeezed(text: &[u8]) -> Vec<u8> {
    let mut to = Vec::with_capacity(text.len());
    let (mut in_quotes, mut is_pending) = (false, false);
    for &byte in text {
        match byte {
            b' ' | b'\t' if !in_quotes => {
                is_pending = true;
                continue;
            }
            b'\n' | b'\r' if !in_quotes => is_pending = false,
            _ => {}
        }
        let begins_line = to.last().is_none_or(|last| matches!(last, b'\n' | b'\r'));
        let begins_field = begins_line || is_pending;
        if is_pending && !begins_line {
            to.push(BLANKS);
        }
        is_pending = false;
        if byte == b'"' && (in_quotes || begins_field) {
            in_quotes = !in_quotes;
        }
        to.push(byte);
    }
    to
}

/// Whether some quoted text has blanks before it: `1, "a, b"`.
pub(super) fn has_blanks_before_quotes(text: &[u8], delimiter: u8) -> bool {
    let is_blank = |byte: &u8| *byte == b' ';
    delimiter != BLANKS
        && memchr::memchr_iter(b'"', text).any(|at| {
            let blanks = text[..at].iter().rev().take_while(|byte| is_blank(byte)).count();
            let before = text[..at - blanks].last();
            blanks > 0 && before.is_none_or(|before| [delimiter, b'\n'].contains(before))
        })
}

/// Without the blanks between delimiters and quotes, on either side of a quoted text.
fn closed_up(text: &[u8], delimiter: u8) -> Vec<u8> {
    let mut to: Vec<u8> = Vec::with_capacity(text.len());
    let mut in_quotes = false;
    let mut was_quoted = false;
    for &byte in text {
        let is_end = byte == delimiter || matches!(byte, b'\n' | b'\r');
        if !in_quotes && is_end && was_quoted {
            let blanks = to.iter().rev().take_while(|byte| **byte == b' ').count();
            to.truncate(to.len() - blanks);
        }
        if byte == b'"' {
            let blanks = to.iter().rev().take_while(|byte| **byte == b' ').count();
            let before = to[..to.len() - blanks].last().copied();
            let begins_field =
                before.is_none_or(|before| before == delimiter || matches!(before, b'\n' | b'\r'));
            if !in_quotes && begins_field {
                to.truncate(to.len() - blanks);
            }
            if in_quotes || begins_field || was_quoted && blanks == 0 && before == Some(b'"') {
                in_quotes = !in_quotes;
                was_quoted = true;
            }
        }
        if !in_quotes && is_end {
            was_quoted = false;
        }
        to.push(byte);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_blanks_become_one_and_quoted_texts_and_lines_stay() {
        let text = b"  1.5   2\t oak \r\n\n \"a  b\" \t 3\" 4  \n";
        assert_eq!(squeezed(text), b"1.5 2 oak\r\n\n\"a  b\" 3\" 4\n");
    }

    #[test]
    fn blanks_around_quoted_texts_are_removed() {
        let text = b"1, \"a,  b\" , \"c \"\"d\"\"\"\n \"e\",2 , 3\n";
        assert!(has_blanks_before_quotes(text, b','));
        assert_eq!(closed_up(text, b','), b"1,\"a,  b\",\"c \"\"d\"\"\"\n\"e\",2 , 3\n");
        assert!(!has_blanks_before_quotes(b"1,\"a \"\"b\"\"\"\n", b','));
    }
}
