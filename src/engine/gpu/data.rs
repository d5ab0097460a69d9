//! Data sets on the device: resident if they fit, otherwise streamed.
//!
//! A resident data set is entirely on the device and is gathered by sample
//! number. Of a streamed one, each submit uploads only its own samples, in the
//! order in which it uses them. The same kernels read both, so the bits of the
//! results are the same.

use std::sync::Arc;

use super::buffers::{Buffer, NetworkBuffers, Weights};
use super::device::Gpu;
use super::kernels::Kernels;
use super::shaders::KernelKind;
use crate::dataset::Dataset;
use crate::{Error, Result};

/// Number of remembered data sets; the least recently used one is dropped first.
const REMEMBERED: usize = 4;
/// Maximum number of bytes of features that one submit streams when it has more than one step.
const STREAMED_BYTES: usize = 64 << 20;

/// Features, and the label or targets and the weight of each sample, and the bind group of the kernel that reads them.
struct DataBuffers {
    features: wgpu::Buffer,
    labels: wgpu::Buffer,
    gather: wgpu::BindGroup,
}

/// A known data set; holding it keeps its address unique.
struct Known {
    data: Arc<Dataset>,
    resident: Option<DataBuffers>,
}

/// All data sets of one engine.
pub(super) struct Data {
    known: Vec<Known>,
    streamed: Option<DataBuffers>,
    limit: u64,
    /// Steps of one submit that streams.
    steps: usize,
    batch_size: usize,
}

impl Data {
    pub(super) fn new(gpu: &Gpu, buffers: &NetworkBuffers, batch_size: usize, limit: Option<u64>) -> Self {
        let limit = limit.unwrap_or(u64::MAX).min(gpu.storage_limit());
        let batch = 4 * batch_size * buffers.constants.features as usize;
        let most = STREAMED_BYTES.min(usize::try_from(gpu.storage_limit()).unwrap_or(usize::MAX));
        let steps = (most / batch).clamp(1, buffers.steps_per_submit);
        Self { known: Vec::new(), streamed: None, limit, steps, batch_size }
    }

    /// Makes a data set the current one.
    ///
    /// Its labels are checked here, once, because kernels use them as rows.
    pub(super) fn select(
        &mut self,
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
        data: &Arc<Dataset>,
    ) -> Result<()> {
        if let Some(place) = self.known.iter().position(|known| Arc::ptr_eq(&known.data, data)) {
            // The current one is last.
            self.known[place..].rotate_left(1);
        } else {
            check_labels(data, buffers.constants.classes)?;
            debug_assert_eq!(
                words_of(data),
                buffers.constants.label_words as usize,
                "checked: the loss is of the data's task"
            );
            // A data set without other owners cannot be selected again: the samples of an augmented
            // epoch are dropped before those of the next one.
            self.known.retain(|known| Arc::strong_count(&known.data) > 1);
            if self.known.len() == REMEMBERED {
                self.known.remove(0);
            }
            let resident = self.make_resident(gpu, buffers, kernels, data);
            self.known.push(Known { data: Arc::clone(data), resident });
        }
        let streams = self.known.last().is_some_and(|known| known.resident.is_none());
        if streams && self.streamed.is_none() {
            let samples = (self.steps * self.batch_size) as u64;
            let features = 4 * samples * u64::from(buffers.constants.features);
            let features = gpu.storage("streamed features", features)?;
            let labels =
                gpu.storage("streamed labels", 4 * samples * u64::from(buffers.constants.label_words))?;
            self.streamed = Some(DataBuffers::new(gpu, buffers, kernels, features, labels)?);
        }
        Ok(())
    }

    /// Binds the data on the device to other buffers of the network.
    pub(super) fn bind_again(
        &mut self,
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
    ) -> Result<()> {
        let resident = self.known.iter_mut().map(|known| &mut known.resident);
        for bound in resident.chain([&mut self.streamed]) {
            if let Some(DataBuffers { features, labels, .. }) = bound.take() {
                *bound = Some(DataBuffers::new(gpu, buffers, kernels, features, labels)?);
            }
        }
        Ok(())
    }

    /// Copies a data set to the device if allowed and possible.
    fn make_resident(
        &self,
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
        data: &Dataset,
    ) -> Option<DataBuffers> {
        // Kernels count features with 32 bits.
        let limit = self.limit.min(4 * u64::from(u32::MAX));
        if size_of_val(data.features()) as u64 > limit {
            return None;
        }
        let make = || -> Result<DataBuffers> {
            let features = gpu.storage_of("features", data.features())?;
            let labels = gpu.storage_of("labels", &label_words(data, 0..data.samples()))?;
            DataBuffers::new(gpu, buffers, kernels, features, labels)
        };
        make().map_err(|error| log::warn!("the data set is streamed instead: {error}")).ok()
    }

    /// Steps of one submit over the current data set.
    pub(super) fn steps_per_submit(&self, buffers: &NetworkBuffers) -> usize {
        if self.resident().is_some() { buffers.steps_per_submit } else { self.steps }
    }

    /// Uploads what the next submit needs to find these samples of the current data set.
    pub(super) fn upload(&mut self, gpu: &Gpu, buffers: &NetworkBuffers, samples: &[u32]) -> Result<()> {
        if self.resident().is_some() {
            gpu.queue.write_buffer(buffers.of(Buffer::SampleIndex), 0, bytemuck::cast_slice(samples));
            return gpu.check();
        }
        let (Some(known), Some(streamed)) = (self.known.last(), &self.streamed) else {
            return Err(gpu.error("no data set was selected"));
        };
        let places: Vec<u32> = (0u32..).take(samples.len()).collect();
        gpu.queue.write_buffer(buffers.of(Buffer::SampleIndex), 0, bytemuck::cast_slice(&places));
        let labels = label_words(&known.data, samples.iter().map(|sample| *sample as usize));
        gpu.queue.write_buffer(&streamed.labels, 0, bytemuck::cast_slice(&labels));
        let row = 4 * known.data.feature_count();
        if let Some(size) = wgpu::BufferSize::new((samples.len() * row) as u64) {
            let view = gpu.queue.write_buffer_with(&streamed.features, 0, size);
            let mut view = view.ok_or_else(|| gpu.error("no memory to stream features through"))?;
            for (place, sample) in samples.iter().enumerate() {
                let features = bytemuck::cast_slice(known.data.sample(*sample as usize));
                view.slice(place * row..(place + 1) * row).copy_from_slice(features);
            }
        }
        gpu.check()
    }

    fn resident(&self) -> Option<&DataBuffers> {
        self.known.last().and_then(|known| known.resident.as_ref())
    }

    /// The bind group of the kernel that reads the current data set.
    pub(super) fn gather(&self) -> Option<&wgpu::BindGroup> {
        self.resident().or(self.streamed.as_ref()).map(|data| &data.gather)
    }
}

impl DataBuffers {
    fn new(
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
        features: wgpu::Buffer,
        labels: wgpu::Buffer,
    ) -> Result<Self> {
        let data = Some([&features, &labels]);
        let gather = buffers.bind(gpu, kernels.of(KernelKind::Gather), Weights::Plain, data)?;
        Ok(Self { gather, features, labels })
    }
}

/// Words of a sample in the lists of labels.
fn words_of(data: &Dataset) -> usize {
    1 + data.target(0).len().max(1)
}

/// `[sample][word]`: the label or the targets of each sample, then its weight.
fn label_words(data: &Dataset, samples: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut words = Vec::new();
    for sample in samples {
        words.extend(data.labels().get(sample));
        words.extend(data.target(sample).iter().map(|target| target.to_bits()));
        words.push(data.weight(sample).to_bits());
    }
    words
}

fn check_labels(data: &Dataset, classes: u32) -> Result<()> {
    match data.labels().iter().position(|label| *label >= classes) {
        Some(sample) => Err(Error::Dataset(format!(
            "sample {sample} has label {}, the network has {classes} logits",
            data.labels()[sample]
        ))),
        None => Ok(()),
    }
}
