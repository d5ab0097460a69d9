//! Where memory ends, the program ends in one line.
//!
//! Where an allocation fails, Rust's own handler prints a line that names neither the limit nor a way out, and aborts.
//! This allocator is the system's; when that has nothing more, it makes room from what it has set aside, says what was
//! missing, and ends the program with exit code 1. Requests whose failure the calling thread handles fail as they are.
//! What a control group has no room for counts as failed: the system would grant it, and kill the process without a word.
//!
//! One of the three places that use `unsafe`: an allocator cannot be written without. Every request goes to the system's
//! allocator as it came, so what holds for that one holds for this one.

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

/// Enough to read the limits and to print a line. Nothing touches it, so it takes address space alone.
const RESERVE: usize = 4 << 20;

/// How to go on after the end, and the file without which there is nothing to go on with.
struct GoOn {
    how: Cow<'static, str>,
    once: Option<PathBuf>,
}

static GO_ON: OnceLock<GoOn> = OnceLock::new();

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

/// Has the last line of this command end with how it goes on, once a file is there.
pub(crate) fn goes_on(how: impl Into<Cow<'static, str>>, once: Option<PathBuf>) {
    let _ = GO_ON.set(GoOn { how: how.into(), once });
}

/// As [`goes_on`], for a run from its first checkpoint on.
pub(crate) fn kept_run(folder: &Path) {
    goes_on(format!("; go on with: {}", resume_command(folder)), Some(folder.join("checkpoint.safetensors")));
}

fn how_to_go_on() -> &'static str {
    let there = GO_ON.get().filter(|on| on.once.as_ref().is_none_or(|file| file.exists()));
    there.map_or("", |on| &on.how)
}

struct Allocator;

#[expect(unsafe_code, reason = "an allocator is unsafe by nature; this one passes requests on as they are")]
// SAFETY: all memory comes from the system's allocator and goes back to it, under the same layouts.
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

/// Has all threads share one arena where address space is limited: with one for each, as glibc's malloc has it, the first
/// allocation of each thread takes 128 MiB of it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "glibc is told by a function of C")]
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
        // SAFETY: it came from the same allocator under the same layout, and is taken out of its place once.
        unsafe { System.dealloc(reserved, layout()) }
    }
}

/// Passes on what the system gave.
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
    print(&format!("error: {}{}\n", host::failure(bytes, RESERVE), how_to_go_on()));
    signal_hook::low_level::exit(1);
}

/// Prints without a lock, which another thread may hold and never give back.
#[cfg(unix)]
fn print(line: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}

#[cfg(not(unix))]
fn print(line: &str) {
    eprint!("{line}");
}
