//! The only place that records and submits commands.

use std::sync::mpsc;

use super::device::{Gpu, PATIENCE};
use super::shaders::FOLD;
use super::timestamps::{Interval, Timestamps};
use super::uniforms::UNIFORM_STRIDE;
use crate::Result;

/// One kernel run: everything it needs, nothing recorded yet.
#[derive(Clone, Debug)]
pub(super) struct Dispatch<'a> {
    pub(super) pipeline: &'a wgpu::ComputePipeline,
    pub(super) uniforms: &'a wgpu::BindGroup,
    /// Places of step, layer and dropout in the uniform buffers.
    pub(super) offsets: [u32; 3],
    pub(super) bindings: &'a wgpu::BindGroup,
    /// Workgroups.
    pub(super) groups: u64,
    /// Place in the table of parts, and so the first workgroup.
    pub(super) part: u32,
}

/// How dispatches are cut for a slow device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DispatchSplit {
    /// About the number of submits for the workgroups of each.
    pub(super) count: usize,
    /// Workgroups from one entry of the table of parts to the next, of which a submit has a multiple.
    pub(super) unit: u64,
}

impl<'a> Dispatch<'a> {
    /// The parts of a whole dispatch.
    fn parts(&self, DispatchSplit { count, unit }: DispatchSplit) -> impl Iterator<Item = Dispatch<'a>> {
        let units = self.groups.div_ceil(unit).div_ceil(count.max(1) as u64).max(1);
        let whole = self.clone();
        (0..self.groups.div_ceil(units * unit)).map(move |number| {
            let first = number * units;
            let groups = (whole.groups - first * unit).min(units * unit);
            Dispatch { groups, part: u32::try_from(first).unwrap_or(u32::MAX), ..whole.clone() }
        })
    }
}

/// A number of workgroups, folded into two dimensions.
pub(super) fn folded(groups: u64) -> [u32; 2] {
    let rows = groups.div_ceil(u64::from(FOLD));
    // Buffers below 2^32 elements keep both numbers far below the limit of a dimension.
    [groups.min(u64::from(FOLD)), rows].map(|count| u32::try_from(count).unwrap_or(FOLD))
}

/// Submits kernels, one after another, in one pass.
pub(super) fn submit(gpu: &Gpu, dispatches: &[Dispatch<'_>]) -> Result<wgpu::SubmissionIndex> {
    submit_between(gpu, dispatches, None)
}

/// As [`submit`], in as many submits as `cut` says.
pub(super) fn submit_cut(
    gpu: &Gpu,
    dispatches: &[Dispatch<'_>],
    cut: Option<DispatchSplit>,
) -> Result<wgpu::SubmissionIndex> {
    let Some(cut) = cut else { return submit(gpu, dispatches) };
    let mut last = None;
    for part in dispatches.iter().flat_map(|dispatch| dispatch.parts(cut)) {
        last = Some(submit(gpu, std::slice::from_ref(&part))?);
    }
    last.map_or_else(|| submit(gpu, &[]), Ok)
}

/// As [`submit`], each kernel in a separate pass between two timestamps; kernels without work get an empty pass.
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

/// As [`submit`], with one timestamp before all kernels and one after them, if available.
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

/// Records one kernel, if it has work.
fn record(pass: &mut wgpu::ComputePass<'_>, dispatch: &Dispatch<'_>) {
    if dispatch.groups > 0 {
        let [across, down] = folded(dispatch.groups);
        let [step, layer, dropout] = dispatch.offsets;
        pass.set_pipeline(dispatch.pipeline);
        pass.set_bind_group(0, dispatch.uniforms, &[step, layer, dropout, dispatch.part * UNIFORM_STRIDE]);
        pass.set_bind_group(1, dispatch.bindings, &[]);
        pass.dispatch_workgroups(across, down, 1);
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

/// Copies the first `count` values of a buffer to the host, after all earlier submits.
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
        // The receiver is gone only if the wait below failed.
        let _ = sender.send(result);
    });
    gpu.wait(Some(submission))?;
    // Another thread waiting for the same device may receive the answer.
    match receiver.recv_timeout(PATIENCE) {
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
