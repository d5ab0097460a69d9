//! `tanner devices`: what there is to run on.

use anyhow::anyhow;
use serde_json::json;
use tanner::engine::gpu::{self, AdapterReport};
use tanner::report::{size, table};
use tanner::session::auto_sentence;

use crate::cli::flags::DevicesArgs;
use crate::cli::ui::{terminal, with_dashes};

/// Prints the adapters, the CPU, and what `auto` would choose.
pub(crate) fn run(args: &DevicesArgs) -> anyhow::Result<()> {
    let adapters = gpu::adapters();
    if args.check {
        let usable = adapters.iter().any(|adapter| adapter.usable.is_ok());
        return if usable { Ok(()) } else { Err(anyhow!("no usable GPU adapter")) };
    }
    let auto = with_dashes(&auto_sentence(&adapters));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if terminal::wants_json() {
        let adapters: Vec<_> = adapters.iter().map(adapter_json).collect();
        return terminal::print_json(&json!({ "adapters": adapters, "cpu_threads": threads, "auto": auto }));
    }
    if adapters.is_empty() {
        terminal::print("no GPU adapter: no Vulkan, Metal or DirectX 12 driver was found")?;
    } else {
        let mut table = table(
            &[
                "#",
                "adapter",
                "type",
                "API",
                "bus id",
                "memory",
                "driver",
                "largest buffer",
                "storage buffers",
                "usable",
            ],
            10,
        );
        for adapter in adapters {
            table.add_row([
                adapter.number.to_string(),
                adapter.name,
                adapter.device_type.to_owned(),
                adapter.backend,
                adapter.bus_id.unwrap_or_else(|| "unknown".into()),
                adapter.memory.map_or("unknown".into(), size),
                format!("{} {}", adapter.driver, adapter.driver_info).trim().to_owned(),
                size(adapter.max_buffer_size.min(adapter.max_binding_size)),
                adapter.max_storage_buffers.to_string(),
                adapter.usable.err().map_or("yes".into(), |lack| format!("no: {lack}")),
            ]);
        }
        terminal::print(&table.to_string())?;
    }
    terminal::print(&format!("CPU: {threads} threads"))?;
    terminal::print(&auto)
}

fn adapter_json(adapter: &AdapterReport) -> serde_json::Value {
    json!({
        "number": adapter.number,
        "bus_id": adapter.bus_id,
        "memory": adapter.memory,
        "name": adapter.name,
        "type": adapter.device_type,
        "is_hardware": adapter.is_hardware,
        "api": adapter.backend,
        "driver": adapter.driver,
        "driver_info": adapter.driver_info,
        "max_buffer_size": adapter.max_buffer_size.min(adapter.max_binding_size),
        "max_storage_buffers": adapter.max_storage_buffers,
        "usable": adapter.usable.is_ok(),
        "lacks": adapter.usable.as_ref().err(),
    })
}
