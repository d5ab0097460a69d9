//! The bind groups over a network's buffers.

use std::num::NonZeroU64;

use super::super::device::Gpu;
use super::super::kernels::{Kernel, Kernels};
use super::super::shaders::UNIFORMS;
use super::super::uniforms::{DropoutUniform, LayerUniform, NetworkUniform, StepUniform};
use super::{NetworkBuffers, Tensor};
use crate::Result;

/// Which values forward and backward_input work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::gpu) enum Weights {
    /// The parameters as they are.
    Plain,
    /// Under DropConnect's mask.
    Masked,
}

impl NetworkBuffers {
    /// The bind group of all uniforms.
    pub(in crate::engine::gpu) fn bind_uniforms(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
    ) -> Result<wgpu::BindGroup> {
        let parts = [
            (&self.network_uniform, size_of::<NetworkUniform>()),
            (&self.step_uniform, size_of::<StepUniform>()),
            (&self.layer_uniform, size_of::<LayerUniform>()),
            (&self.dropout_uniform, size_of::<DropoutUniform>()),
        ];
        let entries: Vec<_> = UNIFORMS
            .iter()
            .zip(parts)
            .map(|((binding, ..), (buffer, size))| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: NonZeroU64::new(size as u64),
                }),
            })
            .collect();
        gpu.create("the bind group of uniforms", |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("uniforms"),
                layout: &kernels.uniforms,
                entries: &entries,
            })
        })
    }

    /// The bind group of one kernel's storage buffers; gather and softmax also read the data, which are features and labels.
    pub(in crate::engine::gpu) fn bind(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
        kernel: Kernel,
        weights: Weights,
        data: Option<(&wgpu::Buffer, &wgpu::Buffer)>,
    ) -> Result<wgpu::BindGroup> {
        let pipeline = &kernels.all[kernel.entry()];
        let mut entries = Vec::new();
        for binding in pipeline.entry.bindings {
            let buffer = match (weights, binding.name) {
                (Weights::Masked, "dense") => Some(self.tensor(Tensor::MaskedDense)),
                (Weights::Masked, "sparse") => Some(self.tensor(Tensor::MaskedSparse)),
                (_, name) => self.named(kernel, name, data),
            };
            let buffer = buffer.ok_or_else(|| gpu.error(format!("no buffer is called {}", binding.name)))?;
            entries.push(wgpu::BindGroupEntry {
                binding: binding.binding,
                resource: buffer.as_entire_binding(),
            });
        }
        gpu.create(pipeline.entry.name, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(pipeline.entry.name),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }

    /// The buffer that a kernel calls by this name.
    fn named<'a>(
        &'a self,
        kernel: Kernel,
        name: &str,
        data: Option<(&'a wgpu::Buffer, &'a wgpu::Buffer)>,
    ) -> Option<&'a wgpu::Buffer> {
        let direction =
            if matches!(kernel, Kernel::BackwardInput(_)) { &self.backward } else { &self.forward };
        Some(match name {
            "activations" => self.tensor(Tensor::Activations),
            "deltas" => self.tensor(Tensor::Deltas),
            "dense" => self.tensor(Tensor::Dense),
            "dense_state" => self.tensor(Tensor::DenseState),
            "sparse" => self.tensor(Tensor::Sparse),
            "sparse_state" => self.tensor(Tensor::SparseState),
            "quads" => &direction.quads,
            "tiles" => &direction.tiles,
            "entry_rows" => &direction.entry_rows,
            "listed_blocks" => &direction.listed,
            "group_factors" => self.tensor(Tensor::GroupFactors),
            "masked_dense" => self.tensor(Tensor::MaskedDense),
            "masked_sparse" => self.tensor(Tensor::MaskedSparse),
            "sample_index" => &self.sample_index,
            "metrics" => &self.metrics,
            "data" => data?.0,
            "labels" => data?.1,
            list => self.lists.get(list)?,
        })
    }
}
