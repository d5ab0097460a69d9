//! Settings files.
#![no_main]

mod promises;

use libfuzzer_sys::fuzz_target;
use tanner::settings_file;

fuzz_target!(|text: &str| {
    let bound = (1 << 20) + 1024 * text.len();
    let Some(entries) = promises::kept(bound, || settings_file::parse(text)) else { return };
    assert!(entries.iter().all(|entry| !entry.key.contains('_')));
});
