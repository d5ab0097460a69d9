//! Guarantees of every reader, whatever the bytes are: bounded memory and one-line errors.

use std::fmt::Display;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Maximum number of bytes of an error.
const MAX_ERROR: usize = 16 << 10;

/// The result of reading, or `None` if the file was refused. Panics if more than `bound` bytes were allocated at once.
pub fn kept<T, E: Display>(bound: usize, read: impl FnOnce() -> Result<T, E>) -> Option<T> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let read = read();
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= bound, "{peak} bytes were allocated, {bound} are the bound");
    read.map_err(|error| one_line(&error)).ok()
}

/// Panics if an error is longer than a line.
pub fn one_line(error: &dyn Display) {
    let error = error.to_string();
    assert!(error.len() <= MAX_ERROR && !error.contains(char::is_control), "{error:?}");
}
