//! The memory of an adapter, which wgpu does not report.
//!
//! One of the four places that use `unsafe`: it asks the driver through wgpu's handles.

/// Bytes of device-local memory of a Vulkan adapter; `None` for other interfaces.
#[cfg(not(target_vendor = "apple"))]
#[expect(unsafe_code, reason = "wgpu has no safe way to ask for the memory of an adapter")]
pub(super) fn own_memory(adapter: &wgpu::Adapter) -> Option<u64> {
    /// `VK_MEMORY_HEAP_DEVICE_LOCAL_BIT`.
    const DEVICE_LOCAL: u32 = 1;

    // SAFETY: the handle is only read, and not kept: it does not outlive `adapter`, nor is anything destroyed through it.
    let vulkan = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() }?;
    let instance = vulkan.shared_instance().raw_instance();
    // SAFETY: the physical device belongs to this instance, and both live as long as `vulkan`.
    let memory = unsafe { instance.get_physical_device_memory_properties(vulkan.raw_physical_device()) };
    let heaps = memory.memory_heaps.iter().take(memory.memory_heap_count as usize);
    Some(heaps.filter(|heap| heap.flags.as_raw() & DEVICE_LOCAL != 0).map(|heap| heap.size).sum())
}

#[cfg(target_vendor = "apple")]
pub(super) fn own_memory(_: &wgpu::Adapter) -> Option<u64> {
    None
}
