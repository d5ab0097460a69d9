//! The threads that the library computes on.
//!
//! Parallel work runs on a pool of [`Threads`]: that of [`Threads::install`] around the call, else the default pool, which
//! has a thread for each core unless [`Threads::make_default`] chose another one. The global pool of rayon belongs to
//! the program and is never used. No result depends on the number of threads.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result, Setting};

/// The pool for work outside [`Threads::install`].
static DEFAULT: OnceLock<Threads> = OnceLock::new();

thread_local! {
    /// Whether this thread belongs to a pool of [`Threads`].
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// A pool of threads; clones share it. Its threads end with the last clone.
///
/// ```
/// use tanner::dataset::Dataset;
/// use tanner::importance::{Importance, ImportanceSettings, Preprocessing};
/// use tanner::threads::Threads;
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
    pool: Arc<ThreadPool>,
}

impl Threads {
    /// Starts `count` threads, or one for each core.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 threads, and when the system cannot start them.
    pub fn new(count: Option<usize>) -> Result<Self> {
        let refuse = |reason: String| Error::Setting { setting: Setting::Threads, reason };
        if count == Some(0) {
            return Err(refuse("0 is impossible, it must be at least 1".into()));
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(count.unwrap_or(0))
            .thread_name(|index| format!("tanner-{index}"))
            .start_handler(|_| IS_OURS.set(true));
        let pool =
            pool.build().map_err(|error| refuse(format!("the threads could not be started: {error}")))?;
        Ok(Self { pool: Arc::new(pool) })
    }

    /// Number of threads.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` on one of the threads; whatever the library does in there is spread over all of them.
    ///
    /// Engines keep to the threads that they were started with.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Makes this the pool of all work outside [`Threads::install`], for the whole process.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is a default pool already: an earlier one, or that of work which came first.
    pub fn make_default(self) -> Result<()> {
        DEFAULT.set(self).map_err(|_| Error::Setting {
            setting: Setting::Threads,
            reason: "work on other threads has begun already".into(),
        })
    }
}

/// Runs `work` on the pool that this thread belongs to, or on the default pool.
///
/// # Panics
/// When the system cannot start the threads of the default pool.
pub(crate) fn run<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if IS_OURS.get() {
        return work();
    }
    DEFAULT.get_or_init(|| Threads::new(None).expect("the system starts threads")).install(work)
}
