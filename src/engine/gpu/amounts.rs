//! The amount of work of each kernel: its dispatch for a batch.

use super::kernels::Pipeline;
use super::shaders::GATHERED;
use super::uniforms::NetworkUniform;

/// A planned dispatch: its kernel, network and batch.
pub(super) struct PlannedDispatch<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) network: &'a NetworkUniform,
    /// Quads of the neurons that the kernel owns.
    pub(super) quads: u32,
    /// Columns of 4 samples of the batch.
    pub(super) columns: u32,
}

/// The amount of work of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    /// Workgroups that it needs.
    pub(super) groups: u64,
    /// Invocations that have something to do.
    pub(super) working: u64,
}

impl PlannedDispatch<'_> {
    fn groups_of(&self, items: u64) -> u64 {
        items.div_ceil(u64::from(self.pipeline.spec.items(self.pipeline.share)))
    }

    fn working(&self, items: u64) -> u64 {
        u64::from(self.pipeline.share.get()) * items
    }

    fn each(&self, items: u64) -> Amount {
        Amount { groups: self.groups_of(items), working: self.working(items) }
    }
}

/// Features of the samples, `GATHERED` of them in a workgroup.
pub(super) fn of_samples(job: &PlannedDispatch<'_>) -> Amount {
    let [features, columns] = [job.network.features, job.columns].map(u64::from);
    let [wide, high] = GATHERED.map(u64::from);
    Amount { groups: features.div_ceil(wide) * columns.div_ceil(high), working: features * columns }
}

/// A quad of neurons for each column, many columns side by side.
pub(super) fn of_quads(job: &PlannedDispatch<'_>) -> Amount {
    let PlannedDispatch { pipeline, network, .. } = job;
    let lane_bits = pipeline.spec.lane_bits(pipeline.share, network.stride);
    let [quads, columns] = [job.quads, job.columns].map(u64::from);
    let groups = columns.div_ceil(1 << lane_bits) * job.groups_of(quads << lane_bits);
    Amount { groups, working: job.working(quads * columns) }
}

/// All logits of each column.
pub(super) fn of_logits(job: &PlannedDispatch<'_>) -> Amount {
    let [quads, columns] = [job.quads, job.columns].map(u64::from);
    let groups = columns.div_ceil(u64::from(job.pipeline.share.columns()));
    Amount { groups, working: job.working(quads * columns) }
}

/// Each `vec4` of values.
pub(super) fn of_values(job: &PlannedDispatch<'_>) -> Amount {
    job.each(u64::from(job.network.values))
}

/// Each input of the network.
pub(super) fn of_groups(job: &PlannedDispatch<'_>) -> Amount {
    job.each(u64::from(job.network.features))
}

/// Pairs of micro-blocks, pairs of entries and quads of biases; a workgroup has items of one kind only.
pub(super) fn of_parameters(job: &PlannedDispatch<'_>) -> Amount {
    let network = job.network;
    let biases = (network.rows - network.features).div_ceil(4);
    let items = [network.micro_block_pairs, network.entry_pairs, biases].map(u64::from);
    let groups = items.iter().map(|items| job.groups_of(*items)).sum();
    Amount { groups, working: job.working(items.iter().sum()) }
}
