//! IDX images and labels, plain and gzipped.
#![no_main]

mod promises;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tanner::dataset::idx::{images_from_bytes, labels_from_bytes};

/// Bytes that one byte of deflated data may expand to (1032 by zlib's documentation).
const MAX_DEFLATE: usize = 1032;

fuzz_target!(|bytes: &[u8]| {
    let name = Path::new("fuzz");
    let content = if bytes.starts_with(&[0x1f, 0x8b]) { MAX_DEFLATE * bytes.len() } else { bytes.len() };
    // A growing list exists twice while it is moved.
    let bound = (1 << 20) + 4 * content;
    if let Some(images) = promises::kept(bound, || images_from_bytes(name, bytes)) {
        assert_eq!(images.pixels.len(), images.count * images.rows * images.columns);
    }
    promises::kept(bound, || labels_from_bytes(name, bytes));
});
