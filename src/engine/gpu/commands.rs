//! The one place that records and submits commands.

use std::sync::mpsc;

use super::device::Gpu;
use super::shaders::FOLD;
use super::timestamps::{Interval, Timestamps};
use crate::Result;

/// One kernel run: everything it needs, nothing recorded yet.
#[derive(Clone, Debug)]
pub(super) struct Dispatch<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) uniforms: &'a wgpu::BindGroup,
    /// Places of step, layer and dropout in the uniform buffers.
    pub(super) offsets: [u32; 3],
    pub(super) bindings: &'a wgpu::BindGroup,
    pub(super) workgroups: [u32; 2],
}

/// So many workgroups, folded into two dimensions.
pub(super) fn folded(groups: u64) -> [u32; 2] {
    let rows = groups.div_ceil(u64::from(FOLD));
    // Buffers below 2^32 elements keep both numbers far below the limit of a dimension.
    [groups.min(u64::from(FOLD)), rows].map(|count| u32::try_from(count).unwrap_or(FOLD))
}

/// Submits kernels, one after the other, in one pass.
pub(super) fn submit(gpu: &Gpu, dispatches: &[Dispatch<'_>]) -> Result<wgpu::SubmissionIndex> {
    submit_between(gpu, dispatches, None)
}

/// As [`submit`], each kernel in a submit of its own, so that none takes long.
pub(super) fn submit_one_by_one(gpu: &Gpu, dispatches: &[Dispatch<'_>]) -> Result<wgpu::SubmissionIndex> {
    let (before, last) = dispatches.split_at(dispatches.len().saturating_sub(1));
    before.chunks(1).try_for_each(|dispatch| submit(gpu, dispatch).map(drop))?;
    submit(gpu, last)
}

/// As [`submit`], each kernel in a pass of its own between two timestamps; kernels with nothing to do get an empty pass.
pub(super) fn submit_timed(
    gpu: &Gpu,
    dispatches: &[Dispatch<'_>],
    timestamps: &Timestamps,
) -> Result<wgpu::SubmissionIndex> {
    let mut encoder = encoder(gpu);
    let mut query = 0;
    for dispatch in dispatches {
        let writes = wgpu::ComputePassTimestampWrites {
            query_set: &timestamps.queries,
            beginning_of_pass_write_index: Some(query),
            end_of_pass_write_index: Some(query + 1),
        };
        let timed = wgpu::ComputePassDescriptor { label: None, timestamp_writes: Some(writes) };
        record(&mut encoder.begin_compute_pass(&timed), dispatch);
        query += 2;
    }
    encoder.resolve_query_set(&timestamps.queries, 0..query, &timestamps.ticks, 0);
    send(gpu, encoder)
}

/// As [`submit`], with one timestamp before all kernels and one behind them, where there are any.
pub(super) fn submit_between(
    gpu: &Gpu,
    dispatches: &[Dispatch<'_>],
    timestamps: Option<&Timestamps>,
) -> Result<wgpu::SubmissionIndex> {
    let mut encoder = encoder(gpu);
    let writes = timestamps.map(|timestamps| wgpu::ComputePassTimestampWrites {
        query_set: &timestamps.queries,
        beginning_of_pass_write_index: Some(0),
        end_of_pass_write_index: Some(1),
    });
    {
        let timed = wgpu::ComputePassDescriptor { label: None, timestamp_writes: writes };
        let mut pass = encoder.begin_compute_pass(&timed);
        dispatches.iter().for_each(|dispatch| record(&mut pass, dispatch));
    }
    if let Some(timestamps) = timestamps {
        encoder.resolve_query_set(&timestamps.queries, 0..2, &timestamps.ticks, 0);
    }
    send(gpu, encoder)
}

fn send(gpu: &Gpu, encoder: wgpu::CommandEncoder) -> Result<wgpu::SubmissionIndex> {
    let submission = gpu.queue.submit([encoder.finish()]);
    gpu.check()?;
    Ok(submission)
}

/// Records one kernel, if it has something to do.
fn record(pass: &mut wgpu::ComputePass<'_>, dispatch: &Dispatch<'_>) {
    if dispatch.workgroups[0] > 0 {
        pass.set_pipeline(dispatch.pipeline);
        pass.set_bind_group(0, dispatch.uniforms, &dispatch.offsets);
        pass.set_bind_group(1, dispatch.bindings, &[]);
        pass.dispatch_workgroups(dispatch.workgroups[0], dispatch.workgroups[1], 1);
    }
}

/// Sets buffers to 0.
pub(super) fn clear(gpu: &Gpu, buffers: &[&wgpu::Buffer]) -> Result<()> {
    let mut encoder = encoder(gpu);
    for buffer in buffers {
        encoder.clear_buffer(buffer, 0, None);
    }
    send(gpu, encoder).map(|_| ())
}

/// Copies the first `count` values of a buffer to the host, after all that was submitted before.
pub(super) fn read<T: bytemuck::Pod>(gpu: &Gpu, buffer: &wgpu::Buffer, count: usize) -> Result<Vec<T>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let bytes = (count * size_of::<T>()) as u64;
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = gpu.buffer("a readback", bytes, usage)?;
    let mut encoder = encoder(gpu);
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, bytes);
    let submission = gpu.queue.submit([encoder.finish()]);
    let (sender, receiver) = mpsc::channel();
    staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
        // Nobody listens any more only when the wait below failed.
        let _ = sender.send(result);
    });
    gpu.wait(Some(submission))?;
    match receiver.try_recv() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(gpu.error(format!("reading back failed: {error}"))),
        Err(_) => return Err(gpu.error("reading back failed: the buffer was never mapped")),
    }
    let view = staging.get_mapped_range(0..bytes);
    let view = view.map_err(|error| gpu.error(format!("reading back failed: {error}")))?;
    Ok(bytemuck::pod_collect_to_vec(&view[..]))
}

/// When the dispatches of the last timed submit ran, after it.
pub(super) fn read_times(gpu: &Gpu, timestamps: &Timestamps, dispatches: usize) -> Result<Vec<Interval>> {
    let ticks: Vec<u64> = read(gpu, &timestamps.ticks, 2 * dispatches)?;
    Ok(Timestamps::intervals(gpu, &ticks))
}

fn encoder(gpu: &Gpu) -> wgpu::CommandEncoder {
    gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}
