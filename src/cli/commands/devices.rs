//! `tanner devices`: the available devices.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::json;
use tanner::benchmark::CheckReport;
use tanner::engine::gpu::{self, AdapterChoice, AdapterReport, GpuDevice, GpuOptions};
use tanner::report::{Mark, TextCell, TextColumn, TextTable};
use tanner::session::{TOO_NARROW, auto_sentence, check_adapter, is_too_narrow_for_drivers};

use crate::cli::flags::DevicesArgs;
use crate::cli::ui::{terminal, with_dashes};

/// Prints the adapters, the CPU, and what `auto` would choose.
pub(crate) fn run(args: &DevicesArgs) -> anyhow::Result<()> {
    let is_too_narrow = is_too_narrow_for_drivers();
    let adapters = gpu::adapters();
    if args.check {
        let usable = adapters.iter().any(|adapter| adapter.usable.is_ok());
        return if usable { Ok(()) } else { Err(anyhow!("no usable GPU adapter")) };
    }
    if args.test {
        return test(&adapters);
    }
    let auto = with_dashes(&auto_sentence(&adapters, is_too_narrow));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if terminal::wants_json() {
        let adapters: Vec<_> = adapters.iter().map(adapter_json).collect();
        return terminal::print_json(&json!({ "adapters": adapters, "cpu_threads": threads, "auto": auto }));
    }
    if adapters.is_empty() {
        let why = if is_too_narrow { TOO_NARROW.to_owned() } else { gpu::why_none() };
        terminal::remark(&format!("no GPU adapter: {why}"))?;
    }
    if !adapters.is_empty() || !terminal::is_read_by_people() {
        terminal::print_table(&table(adapters))?;
    }
    terminal::remark(&format!("CPU: {threads} threads"))?;
    terminal::remark(&auto)
}

/// Compares a few steps on every usable adapter with the reference, and fails if one is wrong.
fn test(adapters: &[AdapterReport]) -> anyhow::Result<()> {
    let mut tested = Vec::new();
    for adapter in adapters.iter().filter(|adapter| adapter.usable.is_ok()) {
        let begin = Instant::now();
        let choice = AdapterChoice::Named(adapter.number.to_string());
        let options = GpuOptions { adapter: choice, ..GpuOptions::default() };
        let result = GpuDevice::open(&options).and_then(|device| check_adapter(&device));
        tested.push((adapter, result.map_err(|error| with_dashes(&error.to_string())), begin.elapsed()));
    }
    if tested.is_empty() {
        return Err(anyhow!("no usable GPU adapter"));
    }
    if terminal::wants_json() {
        let result = |(adapter, result, time): &(&AdapterReport, Result<CheckReport, String>, Duration)| {
            json!({
                "number": adapter.number,
                "name": adapter.name,
                "passed": result.is_ok(),
                "share_of_bounds": result.as_ref().ok(),
                "error": result.as_ref().err(),
                "seconds": time.as_secs_f64(),
            })
        };
        terminal::print_json(&json!({ "tests": tested.iter().map(result).collect::<Vec<_>>() }))?;
    } else {
        for (adapter, result, time) in &tested {
            let verdict = result.as_ref().map_or_else(Clone::clone, |report| {
                let share = 100.0 * report.loss.max(report.parameters);
                format!(
                    "agrees with the reference ({share:.1} % of the allowed deviation, {:.2} s)",
                    time.as_secs_f64()
                )
            });
            terminal::print(&format!("{}: {}: {verdict}", adapter.number, adapter.name))?;
        }
    }
    let wrong = tested.iter().filter(|(_, result, _)| result.is_err()).count();
    if wrong > 0 { Err(anyhow!("{wrong} of {} adapters failed", tested.len())) } else { Ok(()) }
}

/// A row for each adapter.
fn table(adapters: Vec<AdapterReport>) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::number("#").plain(&["number"]),
        TextColumn::text("adapter").least(16).cut_at(1),
        TextColumn::text("type"),
        TextColumn::number("memory").plain(&["memory_bytes"]).rank(1),
        TextColumn::text("API").rank(3),
        TextColumn::text("bus id").rank(2),
        TextColumn::text("driver").rank(4).least(12),
        TextColumn::number("largest buffer").plain(&["largest_buffer_bytes"]).rank(5),
        TextColumn::number("storage buffers").rank(6),
        TextColumn::text("usable").least(12),
    ]);
    for adapter in adapters {
        table.row([
            adapter.number.to_string().into(),
            adapter.name.into(),
            adapter.device_type.into(),
            TextCell::known(adapter.memory, TextCell::bytes),
            adapter.backend.into(),
            TextCell::known(adapter.bus_id, TextCell::text),
            format!("{} {}", adapter.driver, adapter.driver_info).trim().into(),
            TextCell::bytes(adapter.max_buffer_size.min(adapter.max_binding_size)),
            adapter.max_storage_buffers.to_string().into(),
            match adapter.usable {
                Ok(()) => TextCell::text("yes").mark(Mark::Good),
                Err(lack) => TextCell::text(format!("no: {lack}")).mark(Mark::Bad),
            },
        ]);
    }
    table
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
