//! Texts that are tables, but not of a kind that this program reads.

use csv::ByteRecord;

/// Lines that are examined.
const LINES: usize = 20;
/// Delimiters that are not looked for, since they are often part of values.
const RARE: [char; 5] = ['~', '^', ':', '!', '/'];

/// Why this text cannot be read, if it is of such a kind.
pub(super) fn is(records: &[ByteRecord], text: &[u8]) -> Option<String> {
    if records.iter().take(LINES).all(is_sparse) && records[0].len() > 1 {
        return Some(
            "holds sparse rows (LIBSVM: a label, and NUMBER:VALUE for each feature): save them as a table, such as \
             numpy.savez(\"t.npz\", x=x.toarray(), y=y) with x, y = sklearn.datasets.load_svmlight_file(..)"
                .into(),
        );
    }
    if records.len() < 2 || records.iter().any(|record| record.len() > 1) {
        return None;
    }
    let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(LINES);
    let count =
        |line: &[u8], delimiter: char| line.iter().filter(|byte| char::from(**byte) == delimiter).count();
    let is_regular = |delimiter: &&char| {
        let first = lines().next().map_or(0, |line| count(line, **delimiter));
        first > 0 && lines().all(|line| count(line, **delimiter) == first)
    };
    let delimiter = RARE.iter().find(is_regular)?;
    Some(format!("each line is one field: if {delimiter:?} separates them, add `delimiter` '{delimiter}'"))
}

/// Whether a record is a label and features such as `3:0.5`.
fn is_sparse(record: &ByteRecord) -> bool {
    let is_feature = |field: &[u8]| {
        let text = std::str::from_utf8(field).unwrap_or_default();
        text.split_once(':')
            .is_some_and(|(place, value)| place.parse::<u32>().is_ok() && value.parse::<f64>().is_ok())
    };
    let mut fields = record.iter().filter(|field| !field.trim_ascii().is_empty());
    let is_label = fields.next().is_some_and(|label| !is_feature(label));
    let mut fields = fields.peekable();
    is_label && fields.peek().is_some() && fields.all(is_feature)
}
