//! Settings files.
#![no_main]

mod promises;

use libfuzzer_sys::fuzz_target;
use tanner::Settings;

fuzz_target!(|text: &str| {
    let bound = (1 << 20) + 1024 * text.len();
    let Some(settings) = promises::kept(bound, || Settings::from_toml(text)) else { return };
    // Settings that were read can be written, and have no duplicates.
    let flags = settings.to_flags();
    assert!(flags.len() <= settings.given().len() && flags.iter().all(|flag| flag.starts_with("--")));
});
