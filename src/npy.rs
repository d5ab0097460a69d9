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

/// Everything before the values; `descr` is numpy's name of their type.
fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    // Python writes a tuple of one with a comma.
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let mut text =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    let before = b"\x93NUMPY\x01\x00".len() + size_of::<u16>();
    let end = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.push_str(&" ".repeat(end - before - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // A shape of a few dimensions stays far below the format's 65,535 bytes.
    bytes.extend(u16::try_from(text.len()).expect("a short header").to_le_bytes());
    bytes.extend(text.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_written_as_numpy_writes_it() {
        // numpy.save(f, numpy.array([[1, 2, 3]], dtype="<f4"))
        let bytes = floats(&[1, 3], &[1.0, 2.0, 3.0]);
        assert_eq!(bytes.len(), 128 + 12);
        assert!(bytes.starts_with(
            b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3,"
        ));
        assert_eq!(bytes[127], b'\n');
        assert_eq!(bytes[128..], [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]);
    }
}
