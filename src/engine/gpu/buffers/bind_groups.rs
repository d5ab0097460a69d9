//! The bind groups over a network's buffers.

use std::num::NonZeroU64;

use super::super::device::Gpu;
use super::super::kernels::{Kernels, Pipeline};
use super::super::shaders::UNIFORMS;
use super::{Buffer, NetworkBuffers};
use crate::Result;

/// Which values [`Buffer::Weights`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::gpu) enum Weights {
    /// The unmasked parameters.
    Plain,
    /// With DropConnect's mask.
    Masked,
}

impl NetworkBuffers {
    /// The bind group of all uniforms.
    pub(in crate::engine::gpu) fn bind_uniforms(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
    ) -> Result<wgpu::BindGroup> {
        let buffers = [
            &self.network_uniform,
            &self.step_uniform,
            &self.layer_uniform,
            &self.dropout_uniform,
            &self.part_uniform,
        ];
        let entries: Vec<_> = UNIFORMS
            .iter()
            .zip(buffers)
            .map(|((binding, .., size), buffer)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: NonZeroU64::new(*size),
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

    /// The bind group of one kernel's storage buffers; of the data, features and labels.
    pub(in crate::engine::gpu) fn bind(
        &self,
        gpu: &Gpu,
        pipeline: &Pipeline,
        weights: Weights,
        data: Option<[&wgpu::Buffer; 2]>,
    ) -> Result<wgpu::BindGroup> {
        let name = pipeline.spec.name;
        let mut entries = Vec::new();
        for (number, binding) in (0u32..).zip(pipeline.spec.bindings) {
            let of_data = |place: usize| {
                data.map(|data| data[place])
                    .ok_or_else(|| gpu.error(format!("{name} reads data, none were given")))
            };
            let buffer = match binding.buffer {
                Buffer::Features => of_data(0)?,
                Buffer::Labels => of_data(1)?,
                Buffer::Weights if weights == Weights::Masked => self.of(Buffer::Masked),
                Buffer::Weights => self.of(Buffer::Values),
                buffer => self.of(buffer),
            };
            entries.push(wgpu::BindGroupEntry { binding: number, resource: buffer.as_entire_binding() });
        }
        gpu.create(name, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(name),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }
}
