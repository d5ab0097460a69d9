//! Signals that end a job: the first one stops a run after the engine's current call, a later one at once.
//!
//! Signals within [`TOGETHER`] of the first count as the same: `timeout` and a closing terminal send a signal twice,
//! systemd sends SIGHUP right after SIGTERM. SIGXCPU repeats every second, and SIGHUP comes whenever another shell ends, so
//! neither ends a run that is being saved.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Once, OnceLock};
use std::time::Duration;

use signal_hook::consts::{SIGABRT, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::signal_name;

use super::terminal;

/// Signals with which terminals, shells and batch systems end a job.
#[cfg(unix)]
const ENDING: [i32; 9] = {
    use signal_hook::consts::{SIGALRM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU};
    [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU, SIGALRM, SIGVTALRM]
};
#[cfg(not(unix))]
const ENDING: [i32; 2] = [SIGINT, SIGTERM];

/// Signals within this time are one request.
const TOGETHER: Duration = Duration::from_millis(500);

/// A longer wait prints an explanation.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(2);

/// The request of a signal.
#[derive(Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    /// Number of runs with something to save.
    keeping: AtomicUsize,
    /// The message if no run has anything to save.
    otherwise: OnceLock<String>,
}

/// A run has something to save until this is dropped.
pub(crate) struct Keeping(());

impl Drop for Keeping {
    fn drop(&mut self) {
        stop().keeping.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The request so far; none before [`listen`].
pub(crate) fn stop() -> &'static Stop {
    static STOP: LazyLock<Stop> = LazyLock::new(Stop::default);
    &STOP
}

/// Signals that concern every command: a write beyond the limit on the size of files fails like one on a full disk, and
/// a failed allocation, which aborts, ends in exit code 1 without a core dump.
pub(crate) fn prepare() {
    // An unhandled signal has its default effect.
    let _ = flag::register_conditional_shutdown(SIGABRT, 1, Arc::new(AtomicBool::new(true)));
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Listens from now on; until then signals have their default effect. `otherwise` says how to resume if
/// no run has anything to save: then the first signal ends the program at once.
pub(crate) fn listen(otherwise: impl Into<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let _ = stop().otherwise.set(otherwise.into());
        let signals: Vec<i32> = ENDING.into_iter().filter(|signal| !is_ignored(*signal)).collect();
        if let Err(error) = watch(&signals) {
            log::debug!("no thread for signals: {error}");
            for signal in signals {
                if let Err(error) = stop().register(signal) {
                    log::warn!("signal {signal} will end the program without a checkpoint: {error}");
                }
            }
        }
    });
}

/// From here on, the command has something to save until it ends.
pub(crate) fn keep_to_the_end() {
    stop().keeping.fetch_add(1, Ordering::SeqCst);
}

/// From here on, a run has something to save.
pub(crate) fn keeping() -> Keeping {
    stop().keeping.fetch_add(1, Ordering::SeqCst);
    Keeping(())
}

/// Waits for signals on a separate thread.
#[cfg(unix)]
fn watch(signals: &[i32]) -> std::io::Result<()> {
    use std::time::Instant;

    use signal_hook::consts::{SIGHUP, SIGXCPU};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new(signals)?;
    let wait = move || {
        let mut came: Vec<i32> = signals.wait().collect();
        let first = Instant::now();
        // Simultaneous signals have no order, and SIGHUP is not the cause of the end.
        std::thread::sleep(Duration::from_millis(20));
        came.extend(signals.pending());
        if let Some(signal) = came.iter().find(|signal| **signal != SIGHUP).or(came.first()) {
            stop().ask(*signal);
        }
        for signal in signals.forever() {
            if first.elapsed() > TOGETHER && ![SIGHUP, SIGXCPU].contains(&signal) {
                terminal::remove_bars();
                signal_hook::low_level::exit(128 + signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

#[cfg(not(unix))]
fn watch(_: &[i32]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Whether the program was started so that SIGHUP does not end it, as by `nohup`. Other ignored signals are
/// handled: shells ignore SIGINT for every background job.
fn is_ignored(signal: i32) -> bool {
    let mask = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    signal_name(signal) == Some("SIGHUP") && mask().is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

impl Stop {
    /// The first signal.
    #[cfg(unix)]
    fn ask(&self, signal: i32) {
        self.signal.store(usize::try_from(signal).unwrap_or_default(), Ordering::SeqCst);
        self.asked.store(true, Ordering::SeqCst);
        if self.keeping.load(Ordering::SeqCst) == 0 {
            terminal::remove_bars();
            let how = self.otherwise.get().map_or("", String::as_str);
            terminal::line(&self.interrupted(how).to_string());
            signal_hook::low_level::exit(128 + signal);
        }
        let wait = || {
            std::thread::sleep(PATIENCE);
            terminal::line("stopping after the current step; a second signal exits at once");
        };
        // Without a thread, the line is missing.
        let _ = std::thread::Builder::new().name("patience".into()).spawn(wait);
    }

    /// Without a thread to wait: only flags, and the second signal always exits.
    fn register(&self, signal: i32) -> std::io::Result<()> {
        // In this order: the first signal finds no request and makes one; the next one exits.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.asked))?;
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, Arc::clone(&self.signal), number)?;
        flag::register(signal, Arc::clone(&self.asked))?;
        Ok(())
    }

    /// Becomes true on the first signal.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    /// The error of an interrupted command; `how` says what was saved and how to resume.
    pub(crate) fn interrupted(&self, how: impl fmt::Display) -> Interrupted {
        let signal = self.signal.load(Ordering::SeqCst);
        let name = match i32::try_from(signal) {
            Ok(SIGINT) => "Ctrl-C",
            Ok(signal) => signal_name(signal).unwrap_or("a signal"),
            Err(_) => "a signal",
        };
        Interrupted {
            code: u8::try_from(128 + signal).unwrap_or(1),
            message: format!("stopped by {name}{how}"),
        }
    }
}

/// A command that a signal ended: neither success nor failure.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// Exit code: 128 and the number of the signal.
    pub(crate) code: u8,
    message: String,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Interrupted {}
