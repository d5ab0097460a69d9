//! Outputs of neurons: the logits and, for measurements, all others. Forward only, without dropout.

use rayon::prelude::*;

use super::flush::Flushing;
use super::recorder::NoRecorder;
use super::simd::NEVER;
use super::{Chunk, CpuEngine, LANES};
use crate::dataset::Dataset;
use crate::engine::check_data;
use crate::{Error, Result};

/// Samples of one task; the order of a sum depends only on it.
const SAMPLES_OF_TASK: usize = 64 * LANES;

#[doc(hidden)]
impl CpuEngine {
    /// The logits of every sample, `[sample][class]`, without dropout; labels are ignored.
    ///
    /// A sample's logits depend neither on other samples nor on the number of threads.
    ///
    /// # Errors
    /// When the data do not fit the network.
    pub(crate) fn logits(&self, data: &Dataset) -> Result<Vec<f32>> {
        check_data(&self.network, data)?;
        let classes = self.network.classes();
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        let mut logits = vec![0.0; data.samples() * classes];
        let pass = self.pass(data, None, &NEVER, &NoRecorder);
        self.threads.install(|| {
            let room = || Chunk::new(self.layout.rows());
            let tasks = samples.par_chunks(LANES).zip(logits.par_chunks_mut(LANES * classes));
            tasks.for_each_init(room, |chunk, (part, out)| {
                let _flushing = Flushing::start();
                pass.run_forward(0, part, chunk);
                let rows = &chunk.activations[pass.logit_rows()];
                for (lane, sample) in out.chunks_mut(classes).enumerate() {
                    sample.iter_mut().zip(rows).for_each(|(logit, row)| *logit = row.0[lane]);
                }
            });
        });
        Ok(logits)
    }

    /// Mean output of every neuron over a data set: `[layer][neuron]`, layer 0 being the inputs.
    ///
    /// Summed in float64, in an order that does not depend on the number of threads.
    ///
    /// # Errors
    /// When the data do not fit the network.
    pub fn mean_activations(&self, data: &Dataset) -> Result<Vec<Vec<f64>>> {
        let rows = self.layout.rows();
        let tasks = vec![(); data.samples().div_ceil(SAMPLES_OF_TASK)];
        let sums: Vec<Vec<f64>> = self.over_tasks(data, tasks, |(), chunks| {
            let mut sums = vec![0.0; rows];
            chunks(&mut |chunk, samples| {
                for (sum, row) in sums.iter_mut().zip(&chunk.activations) {
                    *sum += row.0[..samples].iter().map(|value| f64::from(*value)).sum::<f64>();
                }
            });
            sums
        })?;
        let mean = |row: usize| sums.iter().map(|part| part[row]).sum::<f64>() / data.samples() as f64;
        let mut first = 0;
        let layers = self.network.widths().into_iter().map(|width| {
            first += width;
            (first - width..first).map(mean).collect()
        });
        Ok(layers.collect())
    }

    /// Outputs of one layer of neurons, `[sample][neuron]`; layer 0 is the inputs, 1 the first layer's outputs.
    ///
    /// # Errors
    /// When the data do not fit the network, or it has no such layer.
    pub fn activations(&self, data: &Dataset, layer: usize) -> Result<Vec<f32>> {
        let widths = self.network.widths();
        let Some(width) = widths.get(layer).copied() else {
            let last = widths.len() - 1;
            return Err(Error::Network(format!("there is no layer {layer}, the last one is {last}")));
        };
        let first = widths[..layer].iter().sum::<usize>();
        check_data(&self.network, data)?;
        let count = width * data.samples();
        #[cfg(feature = "train")]
        crate::host::require(&format!("the output of layer {layer}"), (size_of::<f32>() * count) as f64)?;
        let mut values = vec![0.0; count];
        let places = values.chunks_mut(SAMPLES_OF_TASK * width).collect();
        self.over_tasks(data, places, |place: &mut [f32], chunks| {
            let mut places = place.chunks_exact_mut(width);
            chunks(&mut |chunk, samples| {
                let rows = &chunk.activations[first..first + width];
                for (lane, place) in places.by_ref().take(samples).enumerate() {
                    place.iter_mut().zip(rows).for_each(|(value, row)| *value = row.0[lane]);
                }
            });
        })?;
        Ok(values)
    }

    /// Runs tasks of consecutive samples in parallel and returns their results, in order.
    ///
    /// A task gets its place and a function that runs its chunks, one after another, and passes
    /// each to a visitor together with the number of samples in it.
    fn over_tasks<P: Send, T: Send>(
        &self,
        data: &Dataset,
        places: Vec<P>,
        task: impl Fn(P, &mut dyn FnMut(&mut dyn FnMut(&Chunk, usize))) -> T + Sync,
    ) -> Result<Vec<T>> {
        check_data(&self.network, data)?;
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        let pass = self.pass(data, None, &NEVER, &NoRecorder);
        let run = |(place, part): (P, &[u32])| {
            let mut room = Chunk::new(self.layout.rows());
            task(place, &mut |visit| {
                for chunk in part.chunks(LANES) {
                    pass.run(0, chunk, chunk.len(), &mut room);
                    visit(&room, chunk.len());
                }
            })
        };
        let parts = samples.par_chunks(SAMPLES_OF_TASK);
        Ok(self.threads.install(|| places.into_par_iter().zip(parts).map(run).collect()))
    }
}
