//! What the host lets this process have: the least of free memory, the limits of its control groups, and those on its
//! address space and data.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::OUT_OF_MEMORY;
use crate::{Error, Result};

/// Allocations below this are not looked at.
const SMALL: f64 = 4.0 * MIB;
const MIB: f64 = 1_048_576.0;

/// Bytes that new allocations may take, and who says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Available {
    pub(crate) bytes: f64,
    /// ` (ulimit -v)`; nothing where it is the memory of the machine.
    pub(crate) limit: &'static str,
}

/// What is available; systems that do not tell are trusted.
pub(crate) fn available() -> Option<Available> {
    let limits = [machine(), control_groups(Path::new("/")), address_space()];
    limits.into_iter().flatten().min_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

/// Refuses what does not fit; `what` says who needs it.
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

/// As [`require`], before matrix products: for them each thread of the caller's pool keeps twice the size of the
/// processor's third cache, which counts as address space though most of it stays empty.
///
/// # Errors
/// As [`require`].
pub(crate) fn require_products(what: &str, bytes: f64) -> Result<()> {
    static IS_THERE: AtomicBool = AtomicBool::new(false);

    require(what, bytes)?;
    let Some(room) = address_space().filter(|_| !IS_THERE.load(Ordering::Relaxed)) else { return Ok(()) };
    let threads = crate::threads::run(rayon::current_num_threads);
    let bytes = bytes + threads as f64 * 2.0 * third_cache();
    if bytes > room.bytes {
        let all = format!("{what}, on {threads} threads,");
        let (what, remedy) =
            if threads == 1 { (what, REMEDY) } else { (&*all, "take fewer `threads`, or give it more") };
        return Err(lacking(what, bytes, room, remedy));
    }
    IS_THERE.store(true, Ordering::Relaxed);
    Ok(())
}

/// Bytes of the third cache of the processor; a usual size where the system does not tell.
fn third_cache() -> f64 {
    let size = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index3/size").ok();
    let kib = size.and_then(|size| size.trim().strip_suffix('K')?.parse::<f64>().ok());
    kib.map_or(32.0 * MIB, |kib| 1024.0 * kib)
}

/// What is said where memory for so many bytes was refused.
pub(crate) fn refused(what: &str, bytes: f64) -> Error {
    out_of_memory(what, bytes, available().unwrap_or(Available { bytes: 0.0, limit: "" }))
}

/// Room for more values of a vector.
///
/// # Errors
/// [`Error::Memory`] where there is none.
pub(crate) fn reserve<T>(values: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    let reserved = handling_failure(|| values.try_reserve_exact(count));
    // A vector that grows needs room for all of its values in one piece.
    let all = values.len() + count;
    reserved.map_err(|_| refused(what, all as f64 * size_of::<T>() as f64))
}

/// As [`reserve`], with room to spare for what may follow, where there is that much.
///
/// # Errors
/// As [`reserve`].
pub(crate) fn grow<T>(values: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    handling_failure(|| values.try_reserve(count)).or_else(|_| reserve(values, count, what))
}

thread_local! {
    static HANDLES_FAILURE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread goes on when it gets no memory, which otherwise ends the program.
#[doc(hidden)]
#[must_use]
pub fn handles_failure() -> bool {
    HANDLES_FAILURE.get()
}

/// Allocates where failure is handled.
pub(crate) fn handling_failure<T>(allocate: impl FnOnce() -> T) -> T {
    let before = HANDLES_FAILURE.replace(true);
    let allocated = allocate();
    HANDLES_FAILURE.set(before);
    allocated
}

/// A line for people about an allocation that failed where nothing handles it. What is free now includes so many bytes
/// that were released to print it.
#[doc(hidden)]
#[must_use]
pub fn failure(bytes: usize, released: usize) -> String {
    let Available { bytes: free, limit } = available().unwrap_or(Available { bytes: 0.0, limit: "" });
    let (bytes, free) = (bytes as f64, (free - released as f64).max(0.0));
    if bytes > free {
        return out_of_memory("an allocation", bytes, Available { bytes: free, limit }).to_string();
    }
    // Room that is there, in pieces too small.
    format!("{OUT_OF_MEMORY}an allocation of {} failed{limit}: {REMEDY}", size(bytes))
}

/// What helps where memory is short.
const REMEDY: &str = "give the process more memory, or it less to do";

/// Whether the address space is limited to less than a driver of a GPU takes.
#[cfg(feature = "gpu")]
pub(crate) fn is_too_narrow_for_drivers() -> bool {
    address_space().is_some_and(|room| room.bytes < 2048.0 * MIB)
}

/// `24 bytes`, `0.2 KiB`, `512.0 MiB`, `1.5 GiB`; what no machine has, by its order of magnitude.
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

/// The least room in the control groups of this process, of version 2 or 1, and in those above them. Page cache that the
/// system can drop counts as room. `root` is the root of the file system.
fn control_groups(root: &Path) -> Option<Available> {
    let own = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut room: Option<f64> = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (mounts, files): (&[&str], _) = match controllers {
            "" => (&["sys/fs/cgroup", "sys/fs/cgroup/unified"], &VERSION_2),
            names if names.split(',').any(|name| name == "memory") => (&["sys/fs/cgroup/memory"], &VERSION_1),
            _ => continue,
        };
        for mount in mounts {
            // In a container the path may be that of the host: what is not there is passed over.
            let path = Path::new(path.trim_start_matches('/'));
            let groups = path.ancestors().map(|group| root.join(mount).join(group));
            room = groups.filter_map(|group| room_of(&group, files)).chain(room).min_by(f64::total_cmp);
        }
    }
    room.map(|bytes| Available { bytes, limit: " under the memory limit of the container or control group" })
}

/// Files of a control group: limit, use, and the key of droppable page cache in `memory.stat`.
struct GroupFiles {
    limit: &'static str,
    used: &'static str,
    droppable: &'static str,
}

const VERSION_2: GroupFiles =
    GroupFiles { limit: "memory.max", used: "memory.current", droppable: "inactive_file " };
const VERSION_1: GroupFiles = GroupFiles {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    droppable: "total_inactive_file ",
};

/// Bytes that a control group may still take; `None` where it has no limit.
fn room_of(group: &Path, files: &GroupFiles) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let limit = number(&read(files.limit)?)?;
    let used = number(&read(files.used)?)?;
    let droppable = read("memory.stat")
        .and_then(|stat| stat.lines().find_map(|line| line.strip_prefix(files.droppable)).and_then(number));
    Some((limit - (used - droppable.unwrap_or(0.0)).max(0.0)).max(0.0))
}

/// The room under `ulimit -v` and `ulimit -d`.
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

#[cfg(not(target_os = "linux"))]
fn address_space() -> Option<Available> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn room(of: &[(&str, &str)]) -> Option<f64> {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path(), of);
        control_groups(folder.path()).map(|available| available.bytes)
    }

    #[test]
    fn the_narrowest_control_group_counts_and_droppable_cache_is_room() {
        let v2 = |max, current, stat| {
            [
                ("proc/self/cgroup", "0::/job/step\n"),
                ("sys/fs/cgroup/job/memory.max", max),
                ("sys/fs/cgroup/job/memory.current", current),
                ("sys/fs/cgroup/job/memory.stat", stat),
                ("sys/fs/cgroup/job/step/memory.max", "max\n"),
                ("sys/fs/cgroup/job/step/memory.current", "100\n"),
            ]
        };
        assert_eq!(room(&v2("1000\n", "700\n", "anon 1\ninactive_file 200\n")), Some(500.0));
        assert_eq!(room(&v2("1000\n", "1700\n", "")), Some(0.0));
        assert_eq!(room(&v2("max\n", "700\n", "")), None);
        assert_eq!(room(&[]), None);
    }

    #[test]
    fn version_1_and_the_root_of_a_container_are_found() {
        let v1 = [
            ("proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "3000\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 500\n"),
        ];
        assert_eq!(room(&v1), Some(2500.0));
        let root = [
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "400\n"),
            ("sys/fs/cgroup/memory.current", "100\n"),
        ];
        assert_eq!(room(&root), Some(300.0));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_size() {
        assert!(available().is_some_and(|available| available.bytes > 1e6));
        assert!(require("it", 1e6).is_ok());
        let message = require("the table", 1e18).unwrap_err().to_string();
        assert!(message.starts_with("out of memory: the table needs 9e8 GiB more, "), "{message}");
        assert_eq!([3e6, 1.5 * 1024.0 * MIB].map(size), ["2.9 MiB", "1.5 GiB"]);
    }
}
