//! The threads of the library.
//!
//! Parallel work runs on a pool of [`Threads`]: the one that the calling thread has entered ([`Threads::enter`]), otherwise a
//! default pool with one thread per core. The choice belongs to a thread, never to the process, and threads that the
//! library starts inherit it. The global pool of rayon belongs to the program and is never used. No result depends on the
//! number of threads.

use std::cell::{Cell, OnceCell, RefCell};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result, Setting};

/// The pool for threads that have entered none.
static DEFAULT: OnceLock<Threads> = OnceLock::new();

thread_local! {
    /// Whether this thread belongs to a pool of [`Threads`].
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
    /// The pool that this thread has entered.
    static ENTERED: RefCell<Option<Threads>> = const { RefCell::new(None) };
    /// A pool of only this thread, if the system cannot start another; `None` within another pool.
    static ALONE: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
}

/// A pool of threads; clones share it. Its threads end with the last clone.
///
/// ```
/// use tanner::dataset::Dataset;
/// use tanner::importance::{Importance, ImportanceSettings, Preprocessing};
/// use tanner::Threads;
///
/// # fn main() -> tanner::Result<()> {
/// let data = Dataset::new(vec![0.0, 1.0, 2.0, 0.5, 1.0, 0.0], 2, vec![0, 1, 0], 2)?;
/// let settings = ImportanceSettings::new(Importance::Pca);
/// let fitted = Threads::new(Some(2))?.install(|| Preprocessing::fit(&settings, &data))?;
/// assert_eq!(fitted, Preprocessing::fit(&settings, &data)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Threads {
    /// `None` if the system cannot start threads: then the caller does the work.
    pool: Option<Arc<ThreadPool>>,
}

/// Leaves a pool when it is dropped, for the one that was entered before; see [`Threads::enter`].
#[derive(Debug)]
#[must_use = "the pool is left when this is dropped"]
pub struct Entered {
    before: Option<Threads>,
    /// The choice belongs to the thread that made it.
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        ENTERED.set(self.before.take());
    }
}

/// Time that threads need to end.
const ENDING: Duration = Duration::from_millis(50);

/// Starts a pool of this many threads; 0 means rayon's default.
fn start(count: usize) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(|index| format!("tanner-{index}"))
        .start_handler(|_| IS_OURS.set(true))
        .build()
}

/// Warns only once of a problem that every pool has.
fn warn(text: &str) {
    static IS_TOLD: AtomicBool = AtomicBool::new(false);

    if !IS_TOLD.swap(true, Ordering::Relaxed) {
        #[cfg(feature = "train")]
        log::warn!("{text}");
        #[cfg(not(feature = "train"))]
        let _ = text;
    }
}

impl Threads {
    /// Starts `count` threads, or one per core; fewer if the system cannot start as many.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 threads.
    pub fn new(count: Option<usize>) -> Result<Self> {
        if count == Some(0) {
            return Err(Error::setting(Setting::Threads, "0 is invalid, it must be at least 1"));
        }
        Ok(Self::started(count))
    }

    fn started(count: Option<usize>) -> Self {
        let asked = count.unwrap_or_else(cores);
        let (mut fewer, mut pool) = (asked, start(count.unwrap_or(0)));
        let mut leaves_room = false;
        loop {
            match pool {
                // Half of what the system can start, because other pools of the program need some threads.
                Ok(all) if fewer < asked && fewer > 1 && !leaves_room => {
                    drop(all);
                    (fewer, leaves_room) = (fewer / 2, true);
                    thread::sleep(ENDING);
                    pool = start(fewer);
                }
                Ok(pool) => {
                    if fewer < asked {
                        warn(&format!("using {fewer} of {asked} threads, the system does not start more"));
                    }
                    return Self { pool: Some(Arc::new(pool)) };
                }
                Err(error) if fewer == 1 => {
                    warn(&format!("using one thread, the system does not start another: {error}"));
                    return Self { pool: None };
                }
                Err(_) => {
                    fewer /= 2;
                    thread::sleep(ENDING);
                    pool = start(fewer);
                }
            }
        }
    }

    /// Number of threads.
    #[must_use]
    #[doc(hidden)]
    pub fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Until the guard is dropped, the library's work for the calling thread is spread over these threads; other
    /// threads continue as before. Drop guards in the reverse order of their creation. Work that cannot be sent to a
    /// thread of the pool, as [`Threads::install`] does, stays on the calling thread.
    #[doc(hidden)]
    pub fn enter(&self) -> Entered {
        Entered { before: ENTERED.replace(Some(self.clone())), _not_send: PhantomData }
    }

    /// Runs `work` on one of the threads; the library's work in it is spread over all of them.
    ///
    /// Engines keep the threads that they were started with, and a run with the setting `threads` has its own.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.run(|| {
            let _entered = self.enter();
            work()
        })
    }

    fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => alone(work),
        }
    }
}

/// Runs `work` entirely on the calling thread.
fn alone<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let start = || ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
    ALONE.with(|pool| match pool.get_or_init(start) {
        Some(pool) => pool.install(work),
        None => work(),
    })
}

/// Enters a new pool if a number of threads is given.
///
/// # Errors
/// As [`Threads::new`].
pub fn enter(count: Option<usize>) -> Result<Option<Entered>> {
    count.map(|count| Ok(Threads::new(Some(count))?.enter())).transpose()
}

/// Runs `work` on the pool that this thread has entered or belongs to, or on the default pool.
pub(crate) fn run<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match ENTERED.with_borrow(Clone::clone) {
        Some(threads) => threads.run(work),
        None if IS_OURS.get() => work(),
        None => DEFAULT.get_or_init(|| Threads::started(None)).run(work),
    }
}

/// Starts a thread that enters the pool of this one.
///
/// # Errors
/// When the system cannot start it.
pub(crate) fn spawn<R: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> R + Send + 'static,
) -> std::io::Result<JoinHandle<R>> {
    let threads = ENTERED.with_borrow(Clone::clone);
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _entered = threads.as_ref().map(Threads::enter);
        work()
    })
}

/// Logical cores that this process may use; 1 if the system does not say.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of threads over which this thread's work is spread.
    fn count() -> usize {
        run(rayon::current_num_threads)
    }

    #[test]
    fn a_pool_is_left_for_the_one_before_it_and_entered_by_no_other_thread() {
        let cores = count();
        let (one, five) = (Threads::new(Some(cores + 1)).unwrap(), Threads::new(Some(cores + 5)).unwrap());
        let outer = one.enter();
        assert_eq!(count(), cores + 1);
        let inner = five.enter();
        assert_eq!((count(), thread::spawn(count).join().unwrap()), (cores + 5, cores));
        drop(inner);
        assert_eq!((count(), five.install(count), count()), (cores + 1, cores + 5, cores + 1));
        drop(outer);
        assert_eq!(count(), cores);
    }

    #[test]
    fn a_thread_that_is_started_inherits_the_pool_wherever_it_is_started() {
        let threads = Threads::new(Some(3)).unwrap();
        let started = || spawn("test", count).unwrap().join().unwrap();
        assert_eq!(threads.install(started), 3);
        let _entered = threads.enter();
        assert_eq!(started(), 3);
    }

    #[test]
    fn without_other_threads_each_does_its_own_work() {
        let alone = Threads { pool: None };
        let spread = || {
            let sum: u64 = rayon::iter::ParallelIterator::sum(
                rayon::iter::IntoParallelIterator::into_par_iter(0..1000u64),
            );
            (rayon::current_num_threads(), thread::current().id(), sum)
        };
        let here = thread::current().id();
        assert_eq!((alone.count(), alone.install(spread)), (1, (1, here, 499_500)));
        let entered = alone.enter();
        assert_eq!(run(spread), (1, here, 499_500));
        let (there, of) =
            spawn("test", move || (thread::current().id(), run(spread))).unwrap().join().unwrap();
        assert_eq!(of, (1, there, 499_500));
        // Inside another pool, its threads exist already.
        let two = Threads::new(Some(2)).unwrap();
        assert_eq!(two.run(|| alone.run(spread)).0, 2);
        drop(entered);
        assert_eq!(count(), cores());
    }

    #[test]
    fn without_a_number_the_pool_stays() {
        let _outer = enter(Some(3)).unwrap();
        let none = enter(None).unwrap();
        assert!(none.is_none());
        assert_eq!(count(), 3);
        assert!(enter(Some(0)).is_err());
    }
}
