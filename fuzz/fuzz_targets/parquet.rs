//! Tables in Parquet files.
#![no_main]

mod promises;
mod table;

use std::panic::{set_hook, take_hook};
use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use tanner::dataset::table::Format;

fuzz_target!(|bytes: &[u8]| {
    static HOOK: Once = Once::new();
    HOOK.call_once(pardon_other_crates);
    table::read(bytes, Format::Parquet);
});

/// The reader catches the panics of its crates; the fuzzer's own hook would abort.
fn pardon_other_crates() {
    let abort = take_hook();
    set_hook(Box::new(move |panic| {
        let elsewhere = |file: &str| file.contains("/registry/src/") || file.starts_with("/rustc/");
        if !panic.location().is_some_and(|place| elsewhere(place.file())) {
            abort(panic);
        }
    }));
}
