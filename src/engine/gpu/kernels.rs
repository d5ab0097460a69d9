//! The kernels as the host sees them: pipelines, and how often each one runs.

use std::collections::HashMap;
use std::mem::discriminant;
use std::sync::{Mutex, PoisonError};

use super::device::Gpu;
use super::shaders::{EntryPoint, SHADERS, Shader, UNIFORMS};
use super::share::{Share, Shares};
use crate::Result;
use crate::engine::EngineSettings;

/// One kernel, of one layer where there is one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Writes the batch into the rows of the inputs.
    Gather,
    /// Masks the dense values; where connections are dropped.
    DropConnectDense,
    /// Masks the sparse values; where connections are dropped.
    DropConnectSparse,
    /// Computes the outputs of a layer; in steps, of hidden ones.
    Forward(usize),
    /// Computes the outputs of the last layer, loss, correct samples and deltas of the logits.
    SoftmaxCrossEntropy,
    /// Computes the deltas of the inputs of a layer, which may not be layer 0.
    BackwardInput(usize),
    /// Computes the factor of each group of the group lasso, where it has a strength.
    GroupNorm,
    /// Updates all dense and sparse values and biases.
    BackwardWeight,
}

impl Kernel {
    /// One kernel of each entry point, in the order of [`Kernel::entry`].
    pub(super) const ONE_OF_EACH: [Self; 8] = [
        Self::Gather,
        Self::DropConnectDense,
        Self::DropConnectSparse,
        Self::Forward(0),
        Self::SoftmaxCrossEntropy,
        Self::BackwardInput(1),
        Self::GroupNorm,
        Self::BackwardWeight,
    ];

    /// The kernels of one training step, in order.
    pub fn training_step(layers: usize, settings: &EngineSettings) -> Vec<Self> {
        let mut kernels = Vec::new();
        if settings.drop_connect > 0.0 {
            kernels.extend([Self::DropConnectDense, Self::DropConnectSparse]);
        }
        kernels.extend(Self::evaluation_step(layers));
        kernels.extend((1..layers).rev().map(Self::BackwardInput));
        if settings.penalties.group_lasso > 0.0 {
            kernels.push(Self::GroupNorm);
        }
        kernels.push(Self::BackwardWeight);
        kernels
    }

    /// The kernels of one batch of an evaluation, in order.
    pub fn evaluation_step(layers: usize) -> Vec<Self> {
        let forward = (0..layers - 1).map(Self::Forward);
        std::iter::once(Self::Gather).chain(forward).chain([Self::SoftmaxCrossEntropy]).collect()
    }

    /// Place of its entry point in [`Kernels::all`].
    pub(super) fn entry(self) -> usize {
        let same = |other: &Self| discriminant(other) == discriminant(&self);
        Self::ONE_OF_EACH.iter().position(same).expect("there is one of each")
    }
}

/// The pipeline of one entry point.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) shader: &'static Shader,
    pub(super) entry: &'static EntryPoint,
    pub(super) share: Share,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) pipeline: wgpu::ComputePipeline,
}

/// What is compiled for a device, for all engines on it.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    uniforms: Option<wgpu::BindGroupLayout>,
    /// By stem of the shader, share, and whether it has run-time checks.
    pipelines: HashMap<(&'static str, Share, bool), Vec<Pipeline>>,
}

impl Compiled {
    fn uniforms(&mut self, gpu: &Gpu) -> Result<wgpu::BindGroupLayout> {
        if let Some(there) = &self.uniforms {
            return Ok(there.clone());
        }
        let entries = UNIFORMS.map(|(binding, _, dynamic)| {
            let ty = wgpu::BufferBindingType::Uniform;
            layout_entry(binding, ty, dynamic)
        });
        let made = gpu.create("the layout of the uniforms", |device| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("uniforms"),
                entries: &entries,
            })
        })?;
        Ok(self.uniforms.insert(made).clone())
    }

    /// The pipelines of a shader's entry points.
    fn pipelines(
        &mut self,
        gpu: &Gpu,
        shader: &'static Shader,
        share: Share,
        runtime_checks: bool,
    ) -> Result<Vec<Pipeline>> {
        let key = (shader.stem, share, runtime_checks);
        if let Some(there) = self.pipelines.get(&key) {
            return Ok(there.clone());
        }
        let uniforms = self.uniforms(gpu)?;
        shader.entry_points.iter().try_for_each(|entry| check_memory(gpu, (shader, entry), share))?;
        let module = gpu.create(shader.stem, |device| module(device, shader, share, runtime_checks))?;
        let make = |entry: &'static EntryPoint| {
            gpu.create(entry.name, |device| {
                pipeline(device, (shader, entry, share), &uniforms, &module, runtime_checks)
            })
        };
        let made: Vec<Pipeline> = shader.entry_points.iter().map(make).collect::<Result<_>>()?;
        self.pipelines.insert(key, made.clone());
        Ok(made)
    }
}

/// All pipelines and the layout of the uniforms that they share.
pub(super) struct Kernels {
    pub(super) uniforms: wgpu::BindGroupLayout,
    /// In the order of [`Kernel::entry`], which is the order of [`SHADERS`].
    pub(super) all: Vec<Pipeline>,
}

impl Kernels {
    /// Takes what is compiled for the device already, and compiles the rest.
    pub(super) fn new(
        gpu: &Gpu,
        compiled: &Mutex<Compiled>,
        shares: &Shares,
        runtime_checks: bool,
    ) -> Result<Self> {
        let mut compiled = compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        for shader in &SHADERS {
            all.extend(compiled.pipelines(gpu, shader, shader.share_of(shares), runtime_checks)?);
        }
        Ok(Self { uniforms: compiled.uniforms(gpu)?, all })
    }
}

/// Refuses a share for which the adapter has too little memory in a workgroup, or too few invocations.
fn check_memory(gpu: &Gpu, (shader, entry): (&Shader, &EntryPoint), share: Share) -> Result<()> {
    let room = gpu.workgroup_room();
    let needs = [
        ("bytes of workgroup memory", (entry.workgroup_bytes)(share), room.bytes),
        ("invocations in a workgroup", shader.workgroup(share), room.invocations),
    ];
    match needs.into_iter().find(|(_, needs, has)| needs > has) {
        Some((what, needs, has)) => Err(gpu.error(format!(
            "{} with a share of {share} needs {needs} {what}, the adapter has {has}: take a smaller share",
            entry.name
        ))),
        None => Ok(()),
    }
}

fn layout_entry(binding: u32, ty: wgpu::BufferBindingType, dynamic: bool) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: dynamic, min_binding_size: None },
        count: None,
    }
}

fn module(device: &wgpu::Device, shader: &Shader, share: Share, runtime_checks: bool) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(shader.stem),
        source: wgpu::ShaderSource::Wgsl(shader.source(share).into()),
    };
    if runtime_checks { device.create_shader_module(descriptor) } else { trusted(device, descriptor) }
}

/// Makes a module without bounds checks and loop counters, which cost a multiple of the kernels' work.
///
/// This is one of the three places that use `unsafe`. The shaders are this
/// crate's own text. What they rely on is proven on the host before a dispatch:
/// - every index in the tables is below the size of its buffer (`Tables::check`); group factors and
///   numbers of connections are read in steps alone whose settings made their buffers full-sized,
/// - the buffers are made for the sizes in the uniforms (`NetworkBuffers::new`), and each
///   invocation behind the last element touches no buffer,
/// - samples are below the data set's size and labels below the number of logits
///   (`check_plan`, `Data::select`), batches are no larger than the rows (`Steps`),
/// - each loop runs over a range with an end that was computed before it, and the
///   divisors (groups of features, chunks of columns, vectors in a row) are at least 1.
///
/// Memory is never read before it is written or zeroed: wgpu zeroes buffers, and of workgroup memory only
/// that is read which some invocation wrote before a barrier that all of the workgroup pass.
#[expect(unsafe_code, reason = "wgpu has no safe way to leave out run-time checks")]
fn trusted(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor<'_>) -> wgpu::ShaderModule {
    let checks = wgpu::ShaderRuntimeChecks::unchecked();
    // SAFETY: as argued above, no index leaves its buffer, no loop is endless, no divisor is 0.
    unsafe { device.create_shader_module_trusted(descriptor, checks) }
}

fn pipeline(
    device: &wgpu::Device,
    (shader, entry, share): (&'static Shader, &'static EntryPoint, Share),
    uniforms: &wgpu::BindGroupLayout,
    module: &wgpu::ShaderModule,
    runtime_checks: bool,
) -> Pipeline {
    let entries: Vec<_> = entry
        .bindings
        .iter()
        .map(|binding| {
            let ty = wgpu::BufferBindingType::Storage { read_only: !binding.writable };
            layout_entry(binding.binding, ty, false)
        })
        .collect();
    let label = Some(entry.name);
    let layout =
        device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &[Some(uniforms), Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&pipeline_layout),
        module,
        entry_point: label,
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: runtime_checks,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { shader, entry, share, layout, pipeline }
}
