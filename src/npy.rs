//! Arrays as numpy reads them: NPY format 1.0.
//!
//! The format is numpy's own (`numpy.lib.format`): a magic string, the version, the length of a header, the header (a
//! Python dictionary, padded so that the values begin at a multiple of 64 bytes), then the values.

/// Where values may begin.
const ALIGNMENT: usize = 64;

/// The bytes of an array of float32 numbers, row-major, little-endian.
///
/// # Panics
/// When the shape does not fit the number of values.
#[must_use]
pub fn floats(shape: &[usize], values: &[f32]) -> Vec<u8> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "one value for each place");
    let mut bytes = header("<f4", shape);
    bytes.reserve_exact(size_of_val(values));
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// The bytes before the numbers of an array; `kind` is numpy's name of their type.
pub(crate) fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    // As Python writes a tuple: `()`, `(3,)`, `(3, 4)`.
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let fields =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}{comma}), }}", sides.join(", "));
    let start = b"\x93NUMPY\x01\x00";
    // Two bytes of length before it, a line break after it.
    let length = (start.len() + 2 + fields.len() + 1).next_multiple_of(ALIGNMENT) - start.len() - 2;
    let width = length - 1;
    let text = format!("{fields:<width$}\n");
    let length = u16::try_from(length).expect("a few numbers make a short text");
    [&start[..], &length.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_aligned_and_say_the_shape() {
        for (shape, text) in
            [(&[][..], "'shape': (), "), (&[3], "'shape': (3,), "), (&[3, 4], "'shape': (3, 4), ")]
        {
            let bytes = header("<f4", shape);
            assert_eq!((bytes.len() % ALIGNMENT, bytes[bytes.len() - 1]), (0, b'\n'));
            assert_eq!(usize::from(bytes[8]) + 10, bytes.len());
            assert!(String::from_utf8_lossy(&bytes).contains(text), "{shape:?}");
        }
    }

    #[test]
    fn an_array_is_written_as_numpy_writes_it() {
        // numpy.save(f, numpy.array([[1, 2, 3]], dtype="<f4"))
        let bytes = floats(&[1, 3], &[1.0, 2.0, 3.0]);
        assert_eq!(bytes.len(), 128 + 12);
        assert!(bytes.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
        ));
        assert_eq!(bytes[127], b'\n');
        assert_eq!(bytes[128..], [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]);
    }
}
