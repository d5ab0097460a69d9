//! What every reader promises, whatever the bytes are: bounded memory, and an error of one line.

use std::fmt::Display;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Maximum number of bytes of an error.
const MAX_ERROR: usize = 16 << 10;

/// What was read, or nothing if it was refused; at no time more than `bound` bytes are allocated for it.
pub fn kept<T, E: Display>(bound: usize, read: impl FnOnce() -> Result<T, E>) -> Option<T> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let read = read();
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= bound, "{peak} bytes were allocated, {bound} are the bound");
    read.map_err(|error| one_line(&error)).ok()
}

/// Refuses an error that is more than a line.
pub fn one_line(error: &dyn Display) {
    let error = error.to_string();
    assert!(error.len() <= MAX_ERROR && !error.contains(char::is_control), "{error:?}");
}
