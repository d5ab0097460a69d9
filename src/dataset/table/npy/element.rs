//! The elements of an array: their type, and their values as numbers and as labels.

use super::super::Read;
use super::super::texts::MAX_TEXT;

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
    /// Characters of four bytes.
    Text(usize),
    /// Bytes of text.
    Ascii(usize),
}

/// How an element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) element: Element,
    pub(super) big_endian: bool,
}

impl Element {
    /// Of a numpy type string without its order of bytes.
    pub(super) fn parse(kind: &str) -> Option<Self> {
        let size = |digits: &str| digits.parse::<usize>().ok();
        let (kind, digits) = kind.split_at_checked(1)?;
        match (kind, size(digits)?) {
            ("b", 1) => Some(Self::Bool),
            ("i", size @ (1 | 2 | 4 | 8)) => Some(Self::Signed(size)),
            ("u", size @ (1 | 2 | 4 | 8)) => Some(Self::Unsigned(size)),
            ("f", size @ (2 | 4 | 8)) => Some(Self::Float(size)),
            ("U", size @ 1..=MAX_TEXT) => Some(Self::Text(size)),
            ("S", size @ 1..=MAX_TEXT) => Some(Self::Ascii(size)),
            _ => None,
        }
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(size) | Self::Unsigned(size) | Self::Float(size) | Self::Ascii(size) => size,
            Self::Text(size) => 4 * size,
        }
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text(_) | Self::Ascii(_))
    }
}

impl Storage {
    /// The value of an element, at most eight bytes in the order of the array.
    pub(super) fn unsigned(self, bytes: &[u8]) -> u64 {
        let join = |value, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "elements of four bytes")]
    fn word(self, bytes: &[u8]) -> u32 {
        self.unsigned(bytes) as u32
    }

    pub(super) fn signed(self, bytes: &[u8]) -> i64 {
        // Moves the sign to the highest bit; shifting back extends it.
        let unused = u64::BITS as usize - 8 * bytes.len();
        (self.unsigned(bytes) << unused).cast_signed() >> unused
    }

    pub(super) fn number(self, bytes: &[u8]) -> f64 {
        match self.element {
            Element::Bool => f64::from(u8::from(bytes[0] != 0)),
            Element::Signed(_) => self.signed(bytes) as f64,
            Element::Unsigned(_) => self.unsigned(bytes) as f64,
            Element::Float(2) => half(self.word(bytes)),
            Element::Float(4) => f64::from(f32::from_bits(self.word(bytes))),
            Element::Float(_) => f64::from_bits(self.unsigned(bytes)),
            // Refused before numbers are read.
            Element::Text(_) | Element::Ascii(_) => f64::NAN,
        }
    }

    /// An element as the text of a label: as it would be in a CSV file.
    pub(super) fn text(self, bytes: &[u8]) -> Read<String> {
        match self.element {
            Element::Bool => Ok(if bytes[0] == 0 { "False" } else { "True" }.into()),
            Element::Signed(_) => Ok(self.signed(bytes).to_string()),
            Element::Unsigned(_) => Ok(self.unsigned(bytes).to_string()),
            Element::Float(size) => {
                let number = self.number(bytes);
                if !number.is_finite() {
                    return Err(format!("{number} is not a label"));
                }
                // The shortest text that is this number among those of its type.
                Ok(if size == 8 {
                    number.to_string()
                } else {
                    super::super::span::narrow(number).to_string()
                })
            }
            Element::Text(_) => {
                let codes = bytes.chunks_exact(4).map(|bytes| self.word(bytes));
                let text: Option<String> = codes.take_while(|code| *code != 0).map(char::from_u32).collect();
                text.ok_or_else(|| "an invalid character".into())
            }
            Element::Ascii(_) => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                String::from_utf8(bytes[..end].to_vec()).map_err(|_| "not text".into())
            }
        }
    }
}

/// The value of a float16 number (IEEE 754 binary16): one bit for the sign, 5 for the exponent, 10 for the fraction.
pub(crate) fn half(bits: u32) -> f64 {
    let (exponent, fraction) = ((bits >> 10) & 0x1f, f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent.cast_signed() - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the standard gives as examples.
    #[test]
    fn halves_have_their_values() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x0400, 6.103_515_625e-5),
            (0x3555, 0.333_251_953_125),
            (0x3bff, 0.999_511_718_75),
            (0x3c00, 1.0),
            (0x3c01, 1.000_976_562_5),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xc000, -2.0),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7c01).is_nan() && half(0x8000).is_sign_negative());
    }
}
