//! Threads of a forked process: those of its parent do not exist there.

use std::process;
use std::sync::{Mutex, OnceLock, PoisonError};

use tanner::Threads;

/// The process that first used the library, whose default threads are the library's.
static FIRST: OnceLock<u32> = OnceLock::new();
/// The threads of a process that was forked from it.
static OWN: Mutex<Option<(u32, Threads)>> = Mutex::new(None);

/// Runs `work` with threads that exist in this process.
///
/// # Errors
/// Those of `work`.
pub(crate) fn with_threads<T>(work: impl FnOnce() -> tanner::Result<T>) -> tanner::Result<T> {
    let process = process::id();
    if *FIRST.get_or_init(|| process) == process {
        return work();
    }
    let threads = {
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        match &*own {
            Some((of, threads)) if *of == process => threads.clone(),
            _ => {
                let threads = Threads::new(None)?;
                // Threads of another process cannot be ended here.
                if let Some(foreign) = own.replace((process, threads.clone())) {
                    std::mem::forget(foreign);
                }
                threads
            }
        }
    };
    let _entered = threads.enter();
    work()
}
