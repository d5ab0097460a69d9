//! The control groups of this process: their memory limits and use.

use std::fs;
use std::path::{Path, PathBuf};

/// Files of a control group: limit, use, and the key of droppable page cache in `memory.stat`.
#[derive(Debug)]
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
/// Version 1 reports a larger number without a limit.
const UNLIMITED: f64 = 1e18;

/// A control group with a limit on memory.
#[derive(Debug)]
struct Group {
    folder: PathBuf,
    files: &'static GroupFiles,
}

/// The control groups of this process that limit its memory, of version 2 or 1, with those above them.
#[derive(Debug)]
pub(super) struct ControlGroups(Vec<Group>);

impl ControlGroups {
    /// The current groups; `root` is the root of the file system.
    pub(super) fn of(root: &Path) -> Self {
        let own = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
        let mut groups = Vec::new();
        for line in own.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            let (mounts, files): (&[&str], _) = match controllers {
                "" => (&["sys/fs/cgroup", "sys/fs/cgroup/unified"], &VERSION_2),
                names if names.split(',').any(|name| name == "memory") => {
                    (&["sys/fs/cgroup/memory"], &VERSION_1)
                }
                _ => continue,
            };
            // In a container the path may be that of the host: missing ones are skipped.
            let path = Path::new(path.trim_start_matches('/'));
            for mount in mounts {
                let folders = path.ancestors().map(|group| root.join(mount).join(group));
                groups.extend(folders.map(|folder| Group { folder, files }));
            }
        }
        groups.retain(|group| group.limit().is_some());
        Self(groups)
    }

    /// Bytes still available: the minimum over all groups. Page cache that the system can drop counts as available.
    pub(super) fn room(&self) -> Option<f64> {
        self.0.iter().filter_map(Group::room).min_by(f64::total_cmp)
    }

    /// Whether this number of bytes is free in every one.
    pub(super) fn have(&self, bytes: f64) -> bool {
        // Queries the page cache only if necessary, because that takes longer.
        let fits = |room: Option<f64>| room.is_none_or(|room| room >= bytes);
        self.0.iter().all(|group| fits(group.unused()) || fits(group.room()))
    }
}

impl Group {
    fn number(&self, file: &str) -> Option<f64> {
        fs::read_to_string(self.folder.join(file)).ok()?.trim().parse().ok()
    }

    fn limit(&self) -> Option<f64> {
        self.number(self.files.limit).filter(|limit| *limit < UNLIMITED)
    }

    /// Free memory, not counting the page cache.
    fn unused(&self) -> Option<f64> {
        Some((self.limit()? - self.number(self.files.used)?).max(0.0))
    }

    fn room(&self) -> Option<f64> {
        let (limit, used) = (self.limit()?, self.number(self.files.used)?);
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let droppable = stat.lines().find_map(|line| line.strip_prefix(self.files.droppable));
        let droppable = droppable.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0.0);
        Some((limit - (used - droppable).max(0.0)).max(0.0))
    }
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
        ControlGroups::of(folder.path()).room()
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
    fn groups_have_their_unused_and_reclaimable_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let group = [
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/a/memory.max", "1000\n"),
            ("sys/fs/cgroup/a/memory.current", "700\n"),
            ("sys/fs/cgroup/a/memory.stat", "inactive_file 200\n"),
        ];
        files(folder.path(), &group);
        let groups = ControlGroups::of(folder.path());
        assert_eq!([299.0, 300.0, 500.0, 501.0].map(|bytes| groups.have(bytes)), [true, true, true, false]);
        let none = [
            ("proc/self/cgroup", "4:memory:/b\n"),
            ("sys/fs/cgroup/memory/b/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/b/memory.usage_in_bytes", "700\n"),
        ];
        files(folder.path(), &none);
        assert!(ControlGroups::of(folder.path()).have(1e15));
    }
}
