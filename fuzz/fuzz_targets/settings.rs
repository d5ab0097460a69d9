//! Settings files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanner::settings_file;

fuzz_target!(|text: &str| {
    match settings_file::parse(text) {
        Ok(entries) => assert!(entries.iter().all(|entry| !entry.key.contains('_'))),
        Err(reason) => assert!(!reason.contains('\n'), "{reason:?}"),
    }
});
