//! The memory available to this process: the minimum of free memory, the limits of its control groups, and those on its
//! address space and data.

mod control_groups;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use control_groups::ControlGroups;

use crate::error::OUT_OF_MEMORY;
use crate::{Error, Result};

/// Smaller allocations are not checked.
const SMALL: f64 = 4.0 * MIB;
const MIB: f64 = 1_048_576.0;
/// Allocations of at least this many bytes are compared with the limits of control groups.
const LARGE: usize = 256 << 10;
/// Memory that stays free for small allocations, stacks and pages of the program.
const BESIDE: usize = 2 << 20;

/// Bytes that new allocations may take, and by which limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Available {
    pub(crate) bytes: f64,
    /// ` (ulimit -v)`; empty for the memory of the machine.
    pub(crate) limit: &'static str,
}

/// The available memory; `None` if the system does not say.
pub(crate) fn available() -> Option<Available> {
    let limits = [machine(), control_groups(), address_space()];
    limits.into_iter().flatten().min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

/// Refuses an allocation that does not fit; `what` says what needs it.
///
/// # Errors
/// [`Error::Memory`] with what is needed and what is free.
pub(crate) fn require(what: &str, bytes: f64) -> Result<()> {
    match available() {
        Some(free) if bytes > SMALL && bytes > free.bytes => Err(out_of_memory(what, bytes, free)),
        _ => Ok(()),
    }
}

fn out_of_memory(what: &str, bytes: f64, free: Available) -> Error {
    lacking(what, bytes, free, REMEDY)
}

fn lacking(what: &str, bytes: f64, free: Available, remedy: &str) -> Error {
    let Available { bytes: there, limit } = free;
    Error::Memory(format!(
        "{OUT_OF_MEMORY}{what} needs {} more, {} are free{limit}: {remedy}",
        size(bytes),
        size(there)
    ))
}

/// Memory that each thread uses of its buffer for matrix products.
const PACKED: f64 = 4.0 * MIB;

/// As [`require`], before matrix products, for which each thread of the caller's pool reserves twice the size of the
/// processor's third-level cache, which counts as address space though most of it stays unused.
///
/// # Errors
/// As [`require`].
pub(crate) fn require_products(what: &str, bytes: f64) -> Result<()> {
    static IS_THERE: AtomicBool = AtomicBool::new(false);

    let threads = crate::threads::run(rayon::current_num_threads);
    let bytes = bytes + threads as f64 * PACKED;
    require(what, bytes)?;
    let Some(room) = address_space().filter(|_| !IS_THERE.load(Ordering::Relaxed)) else { return Ok(()) };
    let bytes = bytes + threads as f64 * 2.0 * third_cache();
    if bytes > room.bytes {
        let all = format!("{what}, on {threads} threads,");
        let (what, remedy) = if threads == 1 {
            (what, REMEDY)
        } else {
            (&*all, "use fewer `threads`, or give it more memory")
        };
        return Err(lacking(what, bytes, room, remedy));
    }
    IS_THERE.store(true, Ordering::Relaxed);
    Ok(())
}

/// Bytes of the processor's third-level cache; a typical size if the system does not say.
fn third_cache() -> f64 {
    let size = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").ok();
    let kib = size.and_then(|size| size.trim().strip_suffix('K')?.parse::<f64>().ok());
    kib.map_or(32.0 * MIB, |kib| 1024.0 * kib)
}

/// The error of a refused allocation of this many bytes.
pub(crate) fn refused(what: &str, bytes: f64) -> Error {
    out_of_memory(what, bytes, available().unwrap_or(Available { bytes: 0.0, limit: "" }))
}

/// Reserves memory for more values of a vector.
///
/// # Errors
/// [`Error::Memory`] if there is not enough.
pub(crate) fn reserve<T>(values: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    let reserved = handling_failure(|| values.try_reserve_exact(count));
    // A growing vector needs memory for all of its values in one piece.
    let all = values.len() + count;
    reserved.map_err(|_| refused(what, all as f64 * size_of::<T>() as f64))
}

/// As [`reserve`], with spare capacity for later values if there is enough memory.
///
/// # Errors
/// As [`reserve`].
pub(crate) fn grow<T>(values: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    handling_failure(|| values.try_reserve(count)).or_else(|_| reserve(values, count, what))
}

thread_local! {
    static HANDLES_FAILURE: Cell<bool> = const { Cell::new(false) };
    static TOUCHES_LITTLE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread handles a failed allocation, which otherwise ends the program.
#[doc(hidden)]
#[must_use]
pub fn handles_failure() -> bool {
    HANDLES_FAILURE.get()
}

/// Allocates with failures handled by the caller.
pub(crate) fn handling_failure<T>(allocate: impl FnOnce() -> T) -> T {
    let before = HANDLES_FAILURE.replace(true);
    let allocated = allocate();
    HANDLES_FAILURE.set(before);
    allocated
}

/// Work whose allocations [`has_room`] allows at any size, because it touches little of them: matrix products.
pub(crate) fn touching_little<T>(work: impl FnOnce() -> T) -> T {
    let before = TOUCHES_LITTLE.replace(true);
    let done = work();
    TOUCHES_LITTLE.set(before);
    done
}

/// Whether the process's initial control groups have memory for an allocation. A system grants more than they
/// have, and kills the process when it touches the memory.
#[doc(hidden)]
#[must_use]
pub fn has_room(bytes: usize) -> bool {
    static GROUPS: OnceLock<ControlGroups> = OnceLock::new();

    // Allocations in here are small, so that this does not call itself.
    bytes < LARGE
        || TOUCHES_LITTLE.get()
        || GROUPS.get_or_init(|| ControlGroups::of(Path::new("/"))).have((bytes + BESIDE) as f64)
}

/// A message about an allocation that failed unhandled. Free memory now includes the bytes
/// that were released to print it.
#[doc(hidden)]
#[must_use]
pub fn failure(bytes: usize, released: usize) -> String {
    let Available { bytes: free, limit } = available().unwrap_or(Available { bytes: 0.0, limit: "" });
    let (bytes, free) = (bytes as f64, (free - released as f64).max(0.0));
    if bytes > free {
        return out_of_memory("an allocation", bytes, Available { bytes: free, limit }).to_string();
    }
    // There is enough memory, but in pieces that are too small.
    format!("{OUT_OF_MEMORY}an allocation of {} failed{limit}: {REMEDY}", size(bytes))
}

/// The remedy for a lack of memory.
const REMEDY: &str = "give the process more memory, or less to do";

/// Whether the address space is limited to less than a GPU driver needs.
#[cfg(feature = "gpu")]
pub(crate) fn is_too_narrow_for_drivers() -> bool {
    address_space().is_some_and(|room| room.bytes < 2048.0 * MIB)
}

/// `24 bytes`, `0.2 KiB`, `512.0 MiB`, `1.5 GiB`; impossible sizes, by their order of magnitude.
pub(crate) fn size(bytes: f64) -> String {
    let (mib, gib) = (bytes / MIB, bytes / MIB / 1024.0);
    match gib {
        _ if (0.0..102.0).contains(&bytes) => format!("{bytes} bytes"),
        _ if (0.0..0.1).contains(&mib) => format!("{:.1} KiB", bytes / 1024.0),
        ..1.0 => format!("{mib:.1} MiB"),
        1.0..1e6 => format!("{gib:.1} GiB"),
        _ => format!("{gib:.0e} GiB"),
    }
}

/// Bytes of the machine's memory.
#[cfg(feature = "gpu")]
pub(crate) fn total() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
    system.total_memory()
}

fn machine() -> Option<Available> {
    let mut system = sysinfo::System::new();
    system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
    let bytes = Some(system.available_memory()).filter(|bytes| *bytes > 0)?;
    Some(Available { bytes: bytes as f64, limit: "" })
}

fn control_groups() -> Option<Available> {
    let bytes = (ControlGroups::of(Path::new("/")).room()? - BESIDE as f64).max(0.0);
    Some(Available { bytes, limit: " under the memory limit of the container or control group" })
}

/// The memory left under `ulimit -v` and `ulimit -d`.
#[cfg(target_os = "linux")]
fn address_space() -> Option<Available> {
    use rustix::process::{Resource, getrlimit};

    let status = fs::read_to_string("/proc/self/status").ok()?;
    let used = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| 1024.0 * kib)
    };
    let room = |resource, key, limit| {
        let most = getrlimit(resource).current? as f64;
        Some(Available { bytes: (most - used(key)?).max(0.0), limit })
    };
    let limits = [
        room(Resource::As, "VmSize:", " under the limit on address space (ulimit -v)"),
        room(Resource::Data, "VmData:", " under the limit on data (ulimit -d)"),
    ];
    limits.into_iter().flatten().min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

/// Whether the address space or the data of this process are limited at all.
#[cfg(target_os = "linux")]
#[doc(hidden)]
#[must_use]
pub fn is_address_space_limited() -> bool {
    use rustix::process::{Resource, getrlimit};

    [Resource::As, Resource::Data].into_iter().any(|resource| getrlimit(resource).current.is_some())
}

#[cfg(not(target_os = "linux"))]
fn address_space() -> Option<Available> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_over_free_memory_are_refused_with_their_size() {
        assert!(available().is_some_and(|available| available.bytes > 1e6));
        assert!(require("it", 1e6).is_ok());
        let message = require("the table", 1e18).unwrap_err().to_string();
        assert!(message.starts_with("out of memory: the table needs 9e8 GiB more, "), "{message}");
        assert_eq!([3e6, 1.5 * 1024.0 * MIB].map(size), ["2.9 MiB", "1.5 GiB"]);
    }
}
