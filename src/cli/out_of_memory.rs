//! Where memory ends, the program ends in one line.
//!
//! Where an allocation fails, Rust's own handler prints a line that names neither the limit nor a way out, and aborts.
//! This allocator is the system's; when that has nothing more, it makes room from what it has set aside, says what was
//! missing, and ends the program with exit code 1. Requests whose failure the calling thread handles fail as they are.
//!
//! One of the three places that use `unsafe`: an allocator cannot be written without. Every request goes to the system's
//! allocator as it came, so what holds for that one holds for this one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::Duration;

use tanner::host;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Enough to read the limits and to print a line. Nothing touches it, so it takes address space alone.
const RESERVE: usize = 4 << 20;

static RESERVED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Whether this thread is about to end the program.
    static IS_ENDING: Cell<bool> = const { Cell::new(false) };
}

/// Sets the reserve aside.
pub(crate) fn prepare() {
    RESERVED.store(reserve(), Ordering::SeqCst);
}

struct Allocator;

#[expect(unsafe_code, reason = "an allocator is unsafe by nature; this one passes requests on as they are")]
// SAFETY: all memory comes from the system's allocator and goes back to it, under the same layouts.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract, which is that of the system's allocator.
        checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
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
    print(&format!("error: {}\n", host::failure(bytes, RESERVE)));
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
