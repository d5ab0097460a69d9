//! Running out of memory ends the program in one line.
//!
//! When an allocation fails, Rust's own handler prints a line that names neither the limit nor a remedy, and aborts.
//! This allocator is the system's. When that fails, it frees a reserve, says what was
//! missing, and ends the program with exit code 1. Requests whose failure the calling thread handles fail normally.
//! A request beyond a control group's limit counts as failed: the system would grant it, and kill the process silently.
//!
//! One of the four places that use `unsafe`, which an allocator needs. Every request goes unchanged to the system's
//! allocator, so what holds for that one holds for this one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::Duration;

use tanner::host;

use super::commands::resume_command;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Enough to read the limits and to print a line. It is never touched, so it takes only address space.
const RESERVE: usize = 4 << 20;

/// How to resume after the end, and the file that resuming needs.
struct Hint {
    how: Cow<'static, str>,
    once: Option<PathBuf>,
}

static HINT: OnceLock<Hint> = OnceLock::new();

static RESERVED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Whether this thread is about to end the program.
    static IS_ENDING: Cell<bool> = const { Cell::new(false) };
}

/// Sets the reserve aside.
pub(crate) fn prepare() {
    share_one_arena();
    RESERVED.store(reserve(), Ordering::SeqCst);
}

/// Makes the last line of this command end with how to resume, once a file exists.
pub(crate) fn set_hint(how: impl Into<Cow<'static, str>>, once: Option<PathBuf>) {
    let _ = HINT.set(Hint { how: how.into(), once });
}

/// As [`set_hint`], for a run with a checkpoint.
pub(crate) fn hint_at_run(folder: &Path) {
    set_hint(
        format!("; resume with: {}", resume_command(folder)),
        Some(folder.join("checkpoint.safetensors")),
    );
}

fn hint() -> &'static str {
    let there = HINT.get().filter(|hint| hint.once.as_ref().is_none_or(|file| file.exists()));
    there.map_or("", |on| &on.how)
}

struct Allocator;

#[expect(unsafe_code, reason = "an allocator is unsafe by nature; this one passes requests on as they are")]
// SAFETY: all memory comes from the system's allocator and goes back to it, with the same layouts.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !host::has_room(layout.size()) {
            return checked(ptr::null_mut(), layout.size());
        }
        // SAFETY: the caller keeps the contract, which is that of the system's allocator.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !host::has_room(layout.size()) {
            return checked(ptr::null_mut(), layout.size());
        }
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, there: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.realloc(there, layout, size) }, size)
    }

    unsafe fn dealloc(&self, there: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(there, layout) }
    }
}

/// Makes all threads share one arena if address space is limited: with one arena per thread, the default of glibc's malloc, the first
/// allocation of each thread takes 128 MiB of it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "glibc offers only a C function")]
fn share_one_arena() {
    use std::ffi::c_int;

    const M_ARENA_MAX: c_int = -8;
    unsafe extern "C" {
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }
    if host::is_address_space_limited() {
        // SAFETY: this is glibc's function with its declared signature, called while there is no other thread.
        unsafe { mallopt(M_ARENA_MAX, 1) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn share_one_arena() {}

fn layout() -> Layout {
    Layout::new::<[u8; RESERVE]>()
}

#[expect(unsafe_code, reason = "the reserve is taken past this allocator")]
fn reserve() -> *mut u8 {
    // SAFETY: the layout has a size.
    unsafe { System.alloc(layout()) }
}

#[expect(unsafe_code, reason = "the reserve goes back where it came from")]
fn release() {
    let reserved = RESERVED.swap(ptr::null_mut(), Ordering::SeqCst);
    if !reserved.is_null() {
        // SAFETY: it came from the same allocator with the same layout, and is taken only once.
        unsafe { System.dealloc(reserved, layout()) }
    }
}

/// Checks the system's allocation.
#[inline]
fn checked(given: *mut u8, bytes: usize) -> *mut u8 {
    if given.is_null() {
        failed(bytes);
    }
    given
}

/// Ends the program, unless the calling thread handles the failure.
#[cold]
fn failed(bytes: usize) {
    static IS_SAID: AtomicBool = AtomicBool::new(false);

    if host::handles_failure() || IS_ENDING.get() {
        return;
    }
    if IS_SAID.swap(true, Ordering::SeqCst) {
        // Another thread ends the program.
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    IS_ENDING.set(true);
    release();
    print(&format!("error: {}{}\n", host::failure(bytes, RESERVE), hint()));
    signal_hook::low_level::exit(1);
}

/// Prints without a lock, which another thread may hold forever.
#[cfg(unix)]
fn print(line: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}

#[cfg(not(unix))]
fn print(line: &str) {
    eprint!("{line}");
}
