//! Tables in CSV files.
#![no_main]

mod promises;
mod table;

use libfuzzer_sys::fuzz_target;
use tanner::dataset::table::Format;

fuzz_target!(|bytes: &[u8]| table::read(bytes, Format::Csv));
