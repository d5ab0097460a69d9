//! Timestamps of the device: two for each dispatch of a submit.

use super::device::Gpu;
use crate::Result;

/// Buffers for the timestamps of one submit's dispatches.
pub(super) struct Timestamps {
    pub(super) queries: wgpu::QuerySet,
    /// Begin and end of each dispatch, in ticks.
    pub(super) ticks: wgpu::Buffer,
}

/// When one dispatch ran, in microseconds since a moment common to the submit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) begin: f64,
    pub(super) end: f64,
}

/// Maximum number of dispatches of one submit that can be timed.
pub(super) const MAX_DISPATCHES: usize = (wgpu::QUERY_SET_MAX_QUERIES / 2) as usize;

impl Timestamps {
    /// For at most `dispatches` in a submit, which may be no more than [`MAX_DISPATCHES`].
    pub(super) fn new(gpu: &Gpu, dispatches: usize) -> Result<Self> {
        let count = 2 * u32::try_from(dispatches).unwrap_or(u32::MAX / 2);
        let queries = gpu.create("the timestamps", |device| {
            device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count,
            })
        })?;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let ticks = gpu.buffer("timestamps", u64::from(count) * u64::from(wgpu::QUERY_SIZE), usage)?;
        Ok(Self { queries, ticks })
    }

    /// Begins and ends as the device counts them, in microseconds.
    pub(super) fn intervals(gpu: &Gpu, ticks: &[u64]) -> Vec<Interval> {
        let first = ticks.first().copied().unwrap_or(0);
        let microseconds = f64::from(gpu.queue.get_timestamp_period()) / 1e3;
        let at = |tick: u64| tick.saturating_sub(first) as f64 * microseconds;
        let (pairs, _) = ticks.as_chunks::<2>();
        pairs.iter().map(|[begin, end]| Interval { begin: at(*begin), end: at(*end) }).collect()
    }
}
