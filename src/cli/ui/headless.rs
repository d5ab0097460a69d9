//! Quiet graphics drivers on machines without a window system.

/// Restarts this program, in the same process, with Mesa's device-selection layer switched off.
///
/// Without a window system that layer writes lines that begin with `error:` to
/// stderr while it looks for a display, though nothing is wrong. A program that
/// picks its adapter itself does not need it, and only an environment variable,
/// set before the driver is loaded, turns it off. Changing one's own environment
/// is not memory-safe; starting over with another one is.
#[cfg(target_os = "linux")]
pub(crate) fn without_device_selection() {
    use std::os::unix::process::CommandExt as _;

    const SWITCH: &str = "NODEVICE_SELECT";
    if ["XDG_RUNTIME_DIR", SWITCH].iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let mut words = std::env::args_os();
        let name = words.next().unwrap_or_else(|| program.clone().into());
        // Returns only on failure; then the lines appear.
        let _ = std::process::Command::new(program).arg0(name).args(words).env(SWITCH, "1").exec();
    }
}

/// Other systems have no such layer.
#[cfg(not(target_os = "linux"))]
pub(crate) fn without_device_selection() {}
