//! Finding adapters, and choosing one.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::memory::own_memory;
use super::options::AdapterChoice;
use super::shaders::{FOLD, KERNELS, KernelSpec, STORAGE_BUFFERS, UNIFORMS};
use super::share::Share;
use super::uniforms::UNIFORM_STRIDE;
use crate::tiles::index_of;
use crate::{Error, Result, host};

/// An adapter, and whether the engine can run on it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdapterReport {
    /// Its place in the list of all, counted from 1.
    pub number: usize,
    /// Name, as reported by the driver.
    pub name: String,
    /// Name of the driver.
    pub driver: String,
    /// Version of the driver, as it reports it.
    pub driver_info: String,
    /// vulkan, metal or dx12.
    pub backend: String,
    /// discrete GPU, integrated GPU, virtual GPU, software or other.
    pub device_type: &'static str,
    /// Its bus address, `0000:01:00.0`, if the driver reports it.
    pub bus_id: Option<String>,
    /// Bytes of its memory; the machine's memory for a software adapter.
    pub memory: Option<u64>,
    /// Whether it is hardware, not software on the CPU.
    pub is_hardware: bool,
    /// Largest buffer, in bytes.
    pub max_buffer_size: u64,
    /// Largest part of a buffer that a kernel can see, in bytes.
    pub max_binding_size: u64,
    /// Storage buffers that one kernel can see.
    pub max_storage_buffers: u32,
    /// Whether it has timestamps, which profiles need.
    pub has_timestamps: bool,
    /// `Err` says what it lacks.
    pub usable: Result<(), String>,
}

impl fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({}, {}", self.number, self.name, self.device_type, self.backend)?;
        self.bus_id.as_ref().map_or(Ok(()), |bus_id| write!(f, ", {bus_id}"))?;
        write!(f, ")")?;
        self.usable.as_ref().or_else(|lack| write!(f, ", not usable: {lack}").map(|()| &()))?;
        Ok(())
    }
}

/// All adapters of this machine, best first; empty if there is no driver.
pub fn adapters() -> Vec<AdapterReport> {
    let found = enumerate();
    let reports = reports(&found);
    *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    reports
}

/// The last list, until used: listing and then opening asks the drivers only once.
static SEEN: Mutex<Option<Vec<wgpu::Adapter>>> = Mutex::new(None);

fn reports(found: &[wgpu::Adapter]) -> Vec<AdapterReport> {
    (1..).zip(found).map(report).collect()
}

/// The best usable adapter that the choice allows.
pub(super) fn choose(choice: &AdapterChoice) -> Result<wgpu::Adapter> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut found = seen.unwrap_or_else(enumerate);
    let place = place(choice, &reports(&found))?;
    Ok(found.swap_remove(place))
}

/// Place of the best usable adapter that the choice allows.
fn place(choice: &AdapterChoice, reports: &[AdapterReport]) -> Result<usize> {
    let allowed: Vec<&AdapterReport> = match choice {
        AdapterChoice::Hardware => reports.iter().filter(|report| report.is_hardware).collect(),
        AdapterChoice::Any => reports.iter().collect(),
        AdapterChoice::Named(text) => named(text, reports),
    };
    let usable: Vec<_> = allowed.into_iter().filter(|report| report.usable.is_ok()).collect();
    let best = usable.first().ok_or_else(|| no_adapter(choice, reports))?;
    // A card with two interfaces appears twice.
    let alike = usable.iter().filter(|report| report.backend == best.backend).count();
    match choice {
        AdapterChoice::Named(text) if alike > 1 => Err(Error::NoAdapter(format!(
            "{text:?} is a part of {alike} names, choose one by its number: {}",
            listed(reports)
        ))),
        _ => Ok(best.number - 1),
    }
}

/// The adapter with a number, or those with a text in their name. One or two digits are not part of a name: many names have them
/// in a version.
fn named<'a>(text: &str, reports: &'a [AdapterReport]) -> Vec<&'a AdapterReport> {
    let number = text.trim().parse::<usize>().ok().and_then(|number| reports.get(number.checked_sub(1)?));
    if is_number_only(text) {
        return number.into_iter().collect();
    }
    let text = text.to_lowercase();
    number.map_or_else(
        || reports.iter().filter(|report| report.name.to_lowercase().contains(&text)).collect(),
        |report| vec![report],
    )
}

fn is_number_only(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn listed(reports: &[AdapterReport]) -> String {
    reports.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn no_adapter(choice: &AdapterChoice, reports: &[AdapterReport]) -> Error {
    let wanted = match choice {
        AdapterChoice::Hardware => "no usable hardware adapter".to_owned(),
        AdapterChoice::Any => "no usable adapter".to_owned(),
        AdapterChoice::Named(text) if is_number_only(text) => {
            format!("no usable adapter has the number {text:?}")
        }
        AdapterChoice::Named(text) => {
            format!("no usable adapter has the number {text:?} or this in its name")
        }
    };
    let there = if reports.is_empty() {
        format!("none; {}; `tanner devices` lists adapters", why_none())
    } else {
        listed(reports)
    };
    Error::NoAdapter(format!("{wanted}; found: {there}"))
}

/// Why there may be no adapter at all: no driver, or one that finds no device.
#[doc(hidden)]
#[must_use]
pub fn why_none() -> String {
    let drivers = vulkan_drivers();
    let chosen =
        ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].into_iter().find(|name| std::env::var_os(name).is_some());
    match (drivers.is_empty(), chosen) {
        (_, Some(variable)) => {
            format!("{variable} names the drivers: do its files exist, and is their device there?")
        }
        (true, None) if cfg!(target_os = "linux") => "no Vulkan driver is installed".into(),
        (true, None) => "is a driver installed?".into(),
        (false, None) => format!(
            "a driver is installed ({}) but finds no device: may you read and write /dev/dri and /dev/nvidia*, and \
             is the device passed to this container?",
            drivers.join(", ")
        ),
    }
}

/// Names of the files that list drivers for Vulkan's loader.
fn vulkan_drivers() -> Vec<String> {
    let folders = ["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    names
}

/// All adapters, best first: discrete, integrated, virtual, other, software.
fn enumerate() -> Vec<wgpu::Adapter> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut found = pollster::block_on(instance.enumerate_adapters(backends));
    found.sort_by_key(|adapter| kind(adapter.get_info().device_type).0);
    found
}

/// Place in the order of preference, and name.
fn kind(device_type: wgpu::DeviceType) -> (u8, &'static str) {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => (0, "discrete GPU"),
        wgpu::DeviceType::IntegratedGpu => (1, "integrated GPU"),
        wgpu::DeviceType::VirtualGpu => (2, "virtual GPU"),
        wgpu::DeviceType::Other => (3, "other"),
        wgpu::DeviceType::Cpu => (4, "software"),
    }
}

fn report((number, adapter): (usize, &wgpu::Adapter)) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let is_hardware = info.device_type != wgpu::DeviceType::Cpu;
    AdapterReport {
        number,
        bus_id: Some(info.device_pci_bus_id).filter(|id| is_hardware && !id.is_empty()),
        memory: if is_hardware { own_memory(adapter) } else { Some(host::total()) },
        name: info.name,
        driver: info.driver,
        driver_info: info.driver_info,
        backend: info.backend.to_string(),
        device_type: kind(info.device_type).1,
        is_hardware,
        max_buffer_size: limits.max_buffer_size,
        max_binding_size: limits.max_storage_buffer_binding_size,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        has_timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
        usable: check(&adapter.get_downlevel_capabilities(), &limits),
    }
}

/// Returns what an adapter lacks for the kernels.
fn check(downlevel: &wgpu::DownlevelCapabilities, limits: &wgpu::Limits) -> Result<(), String> {
    if !downlevel.flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        return Err("it has no compute shaders".into());
    }
    let dynamic = UNIFORMS.iter().filter(|(_, _, dynamic, _)| *dynamic).count();
    let uniforms = index_of(UNIFORMS.len());
    // Shares of more than 1 are checked when pipelines are made for them.
    let most = |of: fn(&KernelSpec, Share) -> u32| KERNELS.iter().map(|spec| of(spec, Share::ONE)).max();
    let invocations = most(KernelSpec::workgroup).unwrap_or(0);
    let bytes = most(KernelSpec::workgroup_bytes).unwrap_or(0);
    let needs = [
        ("storage buffers for each kernel", limits.max_storage_buffers_per_shader_stage, STORAGE_BUFFERS),
        ("uniform buffers for each kernel", limits.max_uniform_buffers_per_shader_stage, uniforms),
        ("dynamic offsets", limits.max_dynamic_uniform_buffers_per_pipeline_layout, index_of(dynamic)),
        ("bind groups", limits.max_bind_groups, 2),
        ("bindings in a group", limits.max_bindings_per_bind_group, STORAGE_BUFFERS),
        ("invocations in a workgroup", limits.max_compute_invocations_per_workgroup, invocations),
        ("invocations along x", limits.max_compute_workgroup_size_x, invocations),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size, bytes),
        ("workgroups in a dimension", limits.max_compute_workgroups_per_dimension, FOLD),
    ];
    if let Some((what, has, needs)) = needs.iter().find(|(_, has, needs)| has < needs) {
        return Err(format!("{has} {what}, {needs} are needed"));
    }
    let alignment = limits.min_uniform_buffer_offset_alignment;
    if alignment > UNIFORM_STRIDE {
        return Err(format!(
            "uniform offsets must be multiples of {alignment}, {UNIFORM_STRIDE} is the limit"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(number: usize, name: &str, backend: &str) -> AdapterReport {
        AdapterReport {
            number,
            name: name.into(),
            driver: String::new(),
            driver_info: String::new(),
            backend: backend.into(),
            device_type: "discrete GPU",
            bus_id: Some(format!("0000:0{number}:00.0")),
            memory: None,
            is_hardware: true,
            max_buffer_size: 0,
            max_binding_size: 0,
            max_storage_buffers: 0,
            has_timestamps: false,
            usable: Ok(()),
        }
    }

    #[test]
    fn a_number_or_a_part_of_one_name_chooses_and_nothing_else() {
        let mut there = [
            adapter(1, "RTX 4090", "vulkan"),
            adapter(2, "RTX 4090", "vulkan"),
            adapter(3, "Arc A770", "vulkan"),
            adapter(4, "Arc A770", "dx12"),
            adapter(5, "llvmpipe (LLVM 15.0.6, 256 bits)", "vulkan"),
        ];
        let chosen = |text: &str, there: &[AdapterReport]| {
            place(&AdapterChoice::Named(text.into()), there).map_err(|error| error.to_string())
        };
        assert_eq!(["1", " 2", "4", "256"].map(|text| chosen(text, &there)), [Ok(0), Ok(1), Ok(3), Ok(4)]);
        // The same card with two interfaces; three digits that are not an adapter's number are part of a name.
        assert_eq!(["arc", "a770", "770"].map(|text| chosen(text, &there)), [Ok(2), Ok(2), Ok(2)]);
        let message = chosen("4090", &there).unwrap_err();
        let list = "1: RTX 4090 (discrete GPU, vulkan, 0000:01:00.0); 2: RTX 4090 (discrete GPU, vulkan, 0000:02:00.0)";
        assert!(message.contains("a part of 2 names") && message.contains(list), "{message}");
        for text in ["0", "6", "15", "", "radeon"] {
            let message = chosen(text, &there).unwrap_err();
            assert!(message.contains(&format!("{text:?}")) && message.contains(list), "{message}");
        }
        there[1].usable = Err("it has no compute shaders".into());
        assert_eq!(chosen("4090", &there), Ok(0));
        assert!(chosen("2", &there).unwrap_err().contains("no compute shaders"));
        assert_eq!(place(&AdapterChoice::Any, &there).unwrap(), 0);
    }
}
