//! Finding adapters, and choosing one.

use std::fmt;

use super::options::AdapterChoice;
use super::shaders::{FOLD, SOFTMAX_CROSS_ENTROPY, STORAGE_BUFFERS, UNIFORMS};
use super::share::Share;
use super::uniforms::UNIFORM_STRIDE;
use crate::{Error, Result};

/// What one adapter is, and whether the engine can run on it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdapterReport {
    /// Name, as the driver gives it.
    pub name: String,
    /// Name of the driver.
    pub driver: String,
    /// Version of the driver, in its own words.
    pub driver_info: String,
    /// vulkan, metal or dx12.
    pub backend: String,
    /// discrete GPU, integrated GPU, virtual GPU, software or other.
    pub device_type: &'static str,
    /// Whether it is more than a program on the CPU.
    pub is_hardware: bool,
    /// Largest buffer, in bytes.
    pub max_buffer_size: u64,
    /// Largest part of a buffer that a kernel can see, in bytes.
    pub max_binding_size: u64,
    /// Storage buffers that one kernel can see.
    pub max_storage_buffers: u32,
    /// Whether it can say when kernels ran, which profiles need.
    pub has_timestamps: bool,
    /// `Err` says what it lacks.
    pub usable: Result<(), String>,
}

impl fmt::Display for AdapterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.name, self.device_type, self.backend)?;
        self.usable.as_ref().or_else(|lack| write!(f, ", not usable: {lack}").map(|()| &()))?;
        Ok(())
    }
}

/// All adapters of this machine, best first; none where there is no driver.
pub fn adapters() -> Vec<AdapterReport> {
    enumerate().iter().map(report).collect()
}

/// The best usable adapter that the choice allows.
pub(super) fn choose(choice: &AdapterChoice) -> Result<wgpu::Adapter> {
    let found = enumerate();
    let reports: Vec<_> = found.iter().map(report).collect();
    let allowed = |report: &AdapterReport| match choice {
        AdapterChoice::Hardware => report.is_hardware,
        AdapterChoice::Any => true,
        AdapterChoice::Named(text) => report.name.to_lowercase().contains(&text.to_lowercase()),
    };
    let best = found.into_iter().zip(&reports).find(|(_, report)| allowed(report) && report.usable.is_ok());
    best.map(|(adapter, _)| adapter).ok_or_else(|| no_adapter(choice, &reports))
}

fn no_adapter(choice: &AdapterChoice, reports: &[AdapterReport]) -> Error {
    let wanted = match choice {
        AdapterChoice::Hardware => "no usable hardware adapter".to_owned(),
        AdapterChoice::Any => "no usable adapter".to_owned(),
        AdapterChoice::Named(text) => format!("no usable adapter with {text:?} in its name"),
    };
    let there: Vec<_> = reports.iter().map(ToString::to_string).collect();
    let there = if there.is_empty() {
        format!("none; {}; `tanner devices` lists adapters", why_none())
    } else {
        there.join("; ")
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

/// Names of the files that tell Vulkan's loader of drivers.
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

fn report(adapter: &wgpu::Adapter) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterReport {
        name: info.name,
        driver: info.driver,
        driver_info: info.driver_info,
        backend: info.backend.to_string(),
        device_type: kind(info.device_type).1,
        is_hardware: info.device_type != wgpu::DeviceType::Cpu,
        max_buffer_size: limits.max_buffer_size,
        max_binding_size: limits.max_storage_buffer_binding_size,
        max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
        has_timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
        usable: check(&adapter.get_downlevel_capabilities(), &limits),
    }
}

/// Says what an adapter lacks that kernels need.
fn check(downlevel: &wgpu::DownlevelCapabilities, limits: &wgpu::Limits) -> Result<(), String> {
    if !downlevel.flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        return Err("it has no compute shaders".into());
    }
    let dynamic = UNIFORMS.iter().filter(|(_, _, dynamic)| *dynamic).count();
    // Shares of more than 1 are checked when pipelines are made for them.
    let (invocations, bytes) =
        (Share::ONE.workgroup(), (SOFTMAX_CROSS_ENTROPY.entry_points[0].workgroup_bytes)(Share::ONE));
    let needs = [
        ("storage buffers for each kernel", limits.max_storage_buffers_per_shader_stage, STORAGE_BUFFERS),
        ("uniform buffers for each kernel", limits.max_uniform_buffers_per_shader_stage, 4),
        (
            "dynamic offsets",
            limits.max_dynamic_uniform_buffers_per_pipeline_layout,
            u32::try_from(dynamic).unwrap_or(u32::MAX),
        ),
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
