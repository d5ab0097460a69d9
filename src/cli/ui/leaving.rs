//! No bar stays on the terminal when a signal ends the program at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

use super::signals::stop;
use super::terminal::BARS;

/// How often signals are looked for.
const PAUSE: Duration = Duration::from_millis(20);

/// From now on a signal that nobody else handles ends the program as ever, once the bars are gone.
pub(crate) fn clear_bars_first() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let received = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            if let Err(error) = flag::register_usize(signal, Arc::clone(&received), number) {
                log::debug!("signal {signal} may leave a bar on the terminal: {error}");
            }
        }
        thread::spawn(move || {
            loop {
                thread::sleep(PAUSE);
                let signal = received.swap(0, Ordering::SeqCst);
                if signal != 0 {
                    leave(signal);
                }
            }
        });
    });
}

/// Ends the program as the signal does by default, unless a run is listening, which ends by itself.
fn leave(signal: usize) {
    // Whoever listens has noted the signal by then.
    thread::sleep(PAUSE);
    if stop().asked().load(Ordering::SeqCst) {
        return;
    }
    let _ = BARS.clear();
    let _ = emulate_default_handler(i32::try_from(signal).unwrap_or(SIGTERM));
}
