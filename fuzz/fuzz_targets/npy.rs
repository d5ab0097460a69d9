//! Tables in NPY files.
#![no_main]

mod array;
mod chance;
mod promises;
mod table;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tanner::dataset::table::Format;

fuzz_target!(|bytes: &[u8]| table::read(bytes, Format::Npy));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    array::mutate(data, size, max_size, seed, Format::Npy)
});
