//! Tables in Npy files.
#![no_main]

mod table;

use libfuzzer_sys::fuzz_target;
use tanner::dataset::table::Format;

fuzz_target!(|bytes: &[u8]| table::read(bytes, Format::Npy));
