//! The work and the time of each dispatch.

use std::sync::Arc;

use super::amounts::Amount;
use super::buffers::Seen;
use super::kernels::{Kernel, Pipeline};
use super::steps::{self, StepPurpose, Steps};
use super::timestamps::{Interval, MAX_DISPATCHES, Timestamps};
use super::{GpuEngine, commands, outcome};
use crate::Result;
use crate::dataset::Dataset;
use crate::engine::layout::NetworkLayout;
use crate::engine::profile::{DispatchShape, ProfiledEngine, Stage, StageTime, StepProfile};
use crate::engine::{EngineSettings, StepPlan, check_plan};
use crate::tiles::index_of;

impl GpuEngine {
    fn kernels_of_step(&self) -> Vec<Kernel> {
        Kernel::training_step(self.network.layers().len(), &self.settings)
    }

    fn shape(&self, kernel: Kernel) -> DispatchShape {
        let columns = index_of(self.settings.batch_size.div_ceil(4));
        let Pipeline { spec, share, .. } = *self.kernels.of(kernel.kind);
        let Amount { groups, working } = steps::amount(&self.buffers, &self.kernels, kernel, columns);
        let [across, down] = commands::folded(groups).map(u64::from);
        DispatchShape {
            stage: kernel.stage(),
            pipeline: spec.name,
            workgroups: across * down,
            invocations_per_workgroup: spec.workgroup(share),
            working_invocations: working,
            workgroup_bytes: spec.workgroup_bytes(share),
        }
    }

    /// Runs the steps of one submit, each dispatch between two timestamps.
    fn profile_submit(
        &mut self,
        samples: &[u32],
        purpose: StepPurpose,
        kernels: &[Kernel],
        timestamps: &Timestamps,
    ) -> Result<Vec<StepProfile>> {
        let steps = Steps::new(&self.network, &self.settings, samples.len(), purpose, 0);
        let count = steps.steps.len();
        self.submit(samples, &steps, kernels, |gpu, dispatches| {
            commands::submit_timed(gpu, dispatches, timestamps)
        })?;
        let sizes: Vec<usize> = samples.chunks(self.settings.batch_size).map(<[u32]>::len).collect();
        let seen = self.buffers.read_metrics(&self.gpu, &sizes)?;
        let times = commands::read_times(&self.gpu, timestamps, count * kernels.len())?;
        let batches = sizes.into_iter().zip(seen);
        let steps = batches.zip(times.chunks(kernels.len()));
        let profile = |((batch, seen), times): ((usize, Seen), &[Interval])| StepProfile {
            outcome: outcome(batch, seen),
            wall_microseconds: times.last().map_or(0.0, |last| last.end) - times[0].begin,
            stages: kernels.iter().zip(times).map(stage_time).collect(),
        };
        Ok(steps.map(profile).collect())
    }
}

fn stage_time((kernel, interval): (&Kernel, &Interval)) -> StageTime {
    StageTime { stage: kernel.stage(), microseconds: interval.end - interval.begin }
}

impl ProfiledEngine for GpuEngine {
    fn layout(&self) -> &NetworkLayout {
        &self.layout
    }

    fn workers(&self) -> usize {
        1
    }

    fn stages(&self, _: &EngineSettings) -> Vec<Stage> {
        self.kernels_of_step().into_iter().map(Kernel::stage).collect()
    }

    fn dispatches(&self) -> Vec<DispatchShape> {
        self.kernels_of_step().into_iter().map(|kernel| self.shape(kernel)).collect()
    }

    /// Each dispatch gets a separate pass, which the device times from the end of all that came
    /// before to the end of the dispatch: starting it is part of its time.
    fn profile(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Option<Vec<StepProfile>>> {
        check_plan(&self.network, data, self.settings.loss, plan)?;
        if !self.gpu.has_timestamps() {
            return Ok(None);
        }
        let kernels = self.kernels_of_step();
        let most = MAX_DISPATCHES / kernels.len();
        if most == 0 {
            let count = kernels.len();
            return Err(self.gpu.error(format!(
                "a step of {count} dispatches cannot be timed, the limit is {MAX_DISPATCHES}: take fewer layers"
            )));
        }
        self.data.select(&self.gpu, &self.buffers, &self.kernels, data)?;
        let steps = self.data.steps_per_submit(&self.buffers).min(most);
        let timestamps = Timestamps::new(&self.gpu, steps * kernels.len())?;
        let purpose =
            StepPurpose::Training { learning_rate: plan.learning_rate, first_step: plan.first_step };
        let mut profiles = Vec::new();
        for samples in plan.samples.chunks(steps * self.settings.batch_size) {
            let now = purpose.after(profiles.len() as u64);
            profiles.extend(self.profile_submit(samples, now, &kernels, &timestamps)?);
        }
        Ok(Some(profiles))
    }
}
