//! The machine of a measurement.

use serde::{Deserialize, Serialize};

/// The machine, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Instruction set architecture: `x86_64`, `aarch64`.
    pub processor_kind: String,
    /// Name of the processor; empty if the system does not say.
    pub processor: String,
    /// Threads that run at once.
    pub logical_cores: usize,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            processor_kind: std::env::consts::ARCH.to_owned(),
            processor: processor().unwrap_or_default(),
            logical_cores: crate::threads::cores(),
        }
    }
}

/// Name of the processor, if the system says so (Linux).
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// Peak resident memory of this process so far, in bytes, if the system says so (Linux).
#[must_use]
pub fn peak_resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(1024 * kib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_cores_are_at_most_those_that_the_process_may_use() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
        let count = |range: &str| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1
        };
        let allowed: usize = list.trim().split(',').map(count).sum();
        // A quota of the container can lower the number, but never to 0.
        let cores = Machine::this().logical_cores;
        assert!((1..=allowed).contains(&cores), "{cores} of {allowed}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_grows_with_what_is_held() {
        let before = peak_resident_bytes().unwrap();
        let held = vec![1u8; 64 << 20];
        let after = peak_resident_bytes().unwrap();
        assert!(held.iter().all(|byte| *byte == 1) && after >= before && after >= 64 << 20);
    }
}
