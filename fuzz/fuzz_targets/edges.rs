//! Graphs in NPZ files.
#![no_main]

mod array;
mod chance;
mod promises;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tanner::dataset::table::{Format, Source};
use tanner::edges::read_archive;

/// Bytes that one byte of deflated data may expand to (1032 by zlib's documentation).
const MAX_DEFLATE: usize = 1032;

// As for tables, the first byte is not part of the file.
fuzz_target!(|bytes: &[u8]| {
    let Some((_, file)) = bytes.split_first() else { return };
    let source = Source::from_bytes("fuzz", file.to_vec());
    let bound = (4 << 20) + 256 * MAX_DEFLATE * bytes.len();
    let Some(layers) = promises::kept(bound, || read_archive(source, None)) else { return };
    assert!(layers.windows(2).all(|pair| pair[0].outputs().width() == pair[1].inputs().width()));
    assert!(layers.iter().all(|layer| layer.edge_ends().count() == layer.edges()));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    array::mutate(data, size, max_size, seed, Format::Npz)
});
