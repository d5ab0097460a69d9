//! Ctrl-C and SIGTERM: the first one ends a run after the engine's current call, the second one at once.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Once};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// What signals have asked for.
#[derive(Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

/// What signals have asked for so far; nothing before somebody listens.
pub(crate) fn stop() -> &'static Stop {
    static STOP: LazyLock<Stop> = LazyLock::new(Stop::default);
    &STOP
}

/// Listens from now on; until then signals end the program, as they do any other.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        for signal in [SIGINT, SIGTERM] {
            if let Err(error) = stop().register(signal) {
                log::warn!("signal {signal} will end the program without a checkpoint: {error}");
            }
        }
    });
}

impl Stop {
    fn register(&self, signal: i32) -> std::io::Result<()> {
        // In this order: the signal that asks first finds nothing asked, the next one leaves.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.asked))?;
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, Arc::clone(&self.signal), number)?;
        flag::register(signal, Arc::clone(&self.asked))?;
        Ok(())
    }

    /// Becomes true with the first signal.
    pub(crate) fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    /// How a command ends that was interrupted; `how` says what was left and how to go on.
    pub(crate) fn interrupted(&self, how: impl fmt::Display) -> Interrupted {
        let signal = self.signal.load(Ordering::Relaxed);
        let name = if signal == usize::try_from(SIGTERM).unwrap_or_default() { "SIGTERM" } else { "Ctrl-C" };
        Interrupted { code: u8::try_from(128 + signal).unwrap_or(1), told: format!("stopped by {name}{how}") }
    }
}

/// A command that ended because it was told to: no failure, but not what was asked for either.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// Exit code: 130 after Ctrl-C, 143 after SIGTERM.
    pub(crate) code: u8,
    told: String,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl std::error::Error for Interrupted {}
