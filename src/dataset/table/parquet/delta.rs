//! Checks of texts in the DELTA encodings, before the crate decodes them.
//!
//! Such a page holds its own count of texts, and with `DELTA_BYTE_ARRAY` each text may repeat the beginning of the previous one, so
//! that a few bytes can promise gigabytes. The crate allocates what a page promises. So the lengths are read here first, one by
//! one and without allocating more than the page may have values.
//!
//! The encodings are described in <https://github.com/apache/parquet-format/blob/master/Encodings.md>.

use parquet::basic::Encoding;

use super::super::Read;
use super::super::texts::MAX_TEXT;

/// Values of a block at most; writers use 128 or 256.
const MAX_BLOCK: usize = 1 << 16;

/// Refuses texts of a page in one of the DELTA encodings that do not fit the data or are too long.
pub(super) fn check(encoding: Encoding, data: &[u8], values: usize) -> Read<()> {
    let (prefixes, suffixes) = if encoding == Encoding::DELTA_BYTE_ARRAY {
        let (prefixes, end) = lengths(data, values)?;
        (Some(prefixes), &data[end..])
    } else {
        (None, data)
    };
    let (suffixes, end) = lengths(suffixes, values).map(|(list, end)| (list, suffixes.len() - end))?;
    if prefixes.as_ref().is_some_and(|prefixes| prefixes.len() != suffixes.len()) {
        return Err("a page of texts with different numbers of beginnings and endings".into());
    }
    let mut left = end;
    for (place, suffix) in suffixes.iter().enumerate() {
        let prefix = prefixes.as_ref().map_or(0, |prefixes| prefixes[place]);
        if prefix.saturating_add(*suffix) > MAX_TEXT {
            return Err(format!("a text longer than {MAX_TEXT} bytes"));
        }
        left = left.checked_sub(*suffix).ok_or("texts that end beyond their page")?;
    }
    Ok(())
}

/// A list of lengths in the encoding `DELTA_BINARY_PACKED`, at most this many, and the place of the byte behind it.
fn lengths(data: &[u8], most: usize) -> Read<(Vec<usize>, usize)> {
    let mut bytes = Bytes { data, at: 0 };
    let mut number = || Read::Ok(usize::try_from(bytes.number()?).unwrap_or(usize::MAX));
    let (block, parts, count) = (number()?, number()?, number()?);
    let mut last = bytes.signed()?;
    let is_valid = parts > 0
        && block > 0
        && block <= MAX_BLOCK
        && block.is_multiple_of(128)
        && block.is_multiple_of(parts)
        && (block / parts).is_multiple_of(32);
    if !is_valid || count > most {
        return Err("a page of texts whose lengths contradict the file".into());
    }
    let each = block / parts;
    let mut list = Vec::with_capacity(count);
    let mut push = |length: i64| {
        let length = usize::try_from(length).map_err(|_| "a text with a length below 0")?;
        list.push(length);
        Read::Ok(list.len())
    };
    let mut done = if count > 0 { push(last)? } else { 0 };
    while done < count {
        let least = bytes.signed()?;
        let widths = bytes.take(parts)?;
        for width in widths {
            if done == count {
                break;
            }
            if *width > 32 {
                return Err("a page of texts whose lengths are damaged".into());
            }
            let packed = bytes.take(each / 8 * usize::from(*width))?;
            for place in 0..each.min(count - done) {
                let delta = unpacked(packed, place, usize::from(*width));
                // As in the crate, lengths are 32 bits and wrap around.
                last = i64::from(narrow(last.wrapping_add(least).wrapping_add(delta)));
                done = push(last)?;
            }
        }
    }
    Ok((list, bytes.at))
}

/// The number at a place of numbers of this many bits, the lowest bits first.
fn unpacked(packed: &[u8], place: usize, width: usize) -> i64 {
    let bit = |k: usize| i64::from(packed[k / 8] >> (k % 8) & 1);
    (0..width).fold(0, |number, k| number | bit(place * width + k) << k)
}

#[expect(clippy::cast_possible_truncation, reason = "wrapping is the purpose")]
fn narrow(number: i64) -> i32 {
    number as i32
}

/// Bytes that are read from the front.
struct Bytes<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let taken = self.data.get(self.at..).and_then(|rest| rest.get(..count));
        self.at += count;
        taken.ok_or_else(|| "a page of texts that is cut off".into())
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a page of texts with a number that is too large".into())
    }

    /// The sign is the lowest bit.
    fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}
