//! IDX images and labels, plain and gzipped.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tanner::dataset::idx::{images_from_bytes, labels_from_bytes};

fuzz_target!(|bytes: &[u8]| {
    let name = Path::new("fuzz");
    if let Ok(images) = images_from_bytes(name, bytes) {
        assert_eq!(images.pixels.len(), images.count * images.rows * images.columns);
    }
    let _ = labels_from_bytes(name, bytes);
});
