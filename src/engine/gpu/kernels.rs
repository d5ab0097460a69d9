//! The kernels on the host: pipelines, and which of them a step runs.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::device::{Gpu, LEAST_BYTES};
use super::shaders::{KERNELS, KernelKind, KernelSpec, UNIFORMS};
use super::share::{Share, Shares};
use crate::Result;
use crate::engine::profile::Stage;
use crate::engine::{EngineSettings, LossRule};
use crate::threads::cores;

/// One kernel, of one layer if there is one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel {
    /// Which one.
    pub kind: KernelKind,
    /// The layer of its edges; ignored if one dispatch is for all layers, or for the last.
    pub layer: usize,
}

/// In which steps a kernel runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// In training and evaluation.
    Always,
    /// In both, with such a loss.
    WithLoss(fn(&LossRule) -> bool),
    /// In training.
    Training,
    /// In training with such settings.
    TrainingWith(fn(&EngineSettings) -> bool),
}

impl When {
    /// Whether such a kernel runs in some steps with this loss.
    pub(super) fn is_for(self, loss: LossRule) -> bool {
        match self {
            Self::WithLoss(has) => has(&loss),
            Self::Always | Self::Training | Self::TrainingWith(_) => true,
        }
    }
}

/// The layers whose neurons a kernel writes, each in a separate dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layers {
    /// Of none: one dispatch is for the whole network.
    None,
    /// The outputs of each but the last, the first layer first.
    HiddenOutputs,
    /// The outputs of the last.
    Logits,
    /// The inputs of each but the first, the last layer first.
    Inputs,
}

impl Layers {
    /// Which of a network's layers, by number, in the order of a step.
    fn of(self, layers: usize) -> Vec<usize> {
        match self {
            Self::None => vec![0],
            Self::HiddenOutputs => (0..layers - 1).collect(),
            Self::Logits => vec![layers - 1],
            Self::Inputs => (1..layers).rev().collect(),
        }
    }

    /// For the neurons that a kernel of this layer writes: their place among the layer uniforms, and the layer whose outputs they are.
    pub(super) fn written(self, layer: usize, layers: usize) -> (usize, usize) {
        match self {
            Self::None => (0, 0),
            Self::HiddenOutputs => (layer, layer),
            Self::Logits => (layers - 1, layers - 1),
            Self::Inputs => (layers + layer - 1, layer - 1),
        }
    }
}

impl KernelSpec {
    /// Its dispatches in a step of a network, given the number of layers.
    pub(super) fn kernels(&self, layers: usize) -> impl Iterator<Item = Kernel> + use<> {
        let kind = self.kind;
        self.layers.of(layers).into_iter().map(move |layer| kind.of(layer))
    }
}

impl Kernel {
    /// The kernels of one training step, in order.
    pub fn training_step(layers: usize, settings: &EngineSettings) -> Vec<Self> {
        let runs = |spec: &&KernelSpec| match spec.when {
            When::Always | When::Training => true,
            When::WithLoss(has) => has(&settings.loss),
            When::TrainingWith(has) => has(settings),
        };
        KERNELS.iter().filter(runs).flat_map(|spec| spec.kernels(layers)).collect()
    }

    /// The kernels of one batch of an evaluation, in order.
    pub fn evaluation_step(layers: usize, settings: &EngineSettings) -> Vec<Self> {
        let runs = |spec: &&KernelSpec| match spec.when {
            When::Always => true,
            When::WithLoss(has) => has(&settings.loss),
            When::Training | When::TrainingWith(_) => false,
        };
        KERNELS.iter().filter(runs).flat_map(|spec| spec.kernels(layers)).collect()
    }

    /// Its stage of a step.
    pub(super) fn stage(self) -> Stage {
        (self.kind.spec().stage)(self.layer)
    }
}

/// A kernel compiled for one share.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) spec: &'static KernelSpec,
    pub(super) share: Share,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) pipeline: wgpu::ComputePipeline,
}

/// The compiled kernels of a device, shared by its engines.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    uniforms: Option<wgpu::BindGroupLayout>,
    pipelines: HashMap<Wanted, Pipeline>,
}

impl Compiled {
    fn uniforms(&mut self, gpu: &Gpu) -> Result<wgpu::BindGroupLayout> {
        if let Some(there) = &self.uniforms {
            return Ok(there.clone());
        }
        let entries = UNIFORMS.map(|(binding, _, dynamic, size)| {
            layout_entry(binding, wgpu::BufferBindingType::Uniform, (dynamic, size))
        });
        let made = gpu.create("the layout of the uniforms", |device| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some("uniforms"),
                entries: &entries,
            })
        })?;
        Ok(self.uniforms.insert(made).clone())
    }
}

/// The key of a pipeline: a kernel, its share, and whether it has run-time checks.
type Wanted = (KernelKind, Share, bool);

/// All kernels that run with this loss, with each of these shares.
fn wanted(shares: &[Shares], (runtime_checks, loss): (bool, LossRule)) -> Vec<Wanted> {
    let kernels = |shares| {
        let run = KERNELS.iter().filter(move |spec| spec.when.is_for(loss));
        run.map(move |spec| (spec.kind, spec.share_of(shares), runtime_checks))
    };
    shares.iter().flat_map(kernels).collect()
}

/// Compiles what is not compiled yet, on as many threads as there are cores.
///
/// # Errors
/// When the adapter cannot run one of them; later ones may then be missing.
pub(super) fn compile(
    gpu: &Gpu,
    compiled: &Mutex<Compiled>,
    shares: &[Shares],
    (runtime_checks, loss): (bool, LossRule),
) -> Result<()> {
    let mut held = compiled.lock().unwrap_or_else(PoisonError::into_inner);
    let uniforms = held.uniforms(gpu)?;
    let mut missing = wanted(shares, (runtime_checks, loss));
    missing.retain(|key| !held.pipelines.contains_key(key));
    let mut seen = HashSet::new();
    missing.retain(|key| seen.insert(*key));
    let make = |&(kind, share, checks): &Wanted| {
        let spec = kind.spec();
        check_memory(gpu, spec, share)?;
        gpu.create(spec.name, |device| pipeline(device, (spec, share), &uniforms, checks))
    };
    let next = AtomicUsize::new(0);
    let take = || {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers.map_while(|number| missing.get(number)).map(|key| (*key, make(key))).collect::<Vec<_>>()
    };
    let others = cores().min(missing.len()).saturating_sub(1);
    let mut made = thread::scope(|scope| {
        // Without new threads, this one compiles everything.
        let spawn = |_| thread::Builder::new().name("kernels".into()).spawn_scoped(scope, take).ok();
        let others: Vec<_> = (0..others).filter_map(spawn).collect();
        let mut made = take();
        for other in others {
            made.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    });
    made.sort_by_key(|(key, _)| missing.iter().position(|one| one == key));
    for (key, pipeline) in made {
        held.pipelines.insert(key, pipeline?);
    }
    Ok(())
}

/// All pipelines and the layout of the uniforms that they share.
pub(super) struct Kernels {
    pub(super) uniforms: wgpu::BindGroupLayout,
    all: HashMap<KernelKind, Pipeline>,
}

impl Kernels {
    /// Reuses compiled kernels of the device, and compiles the rest.
    pub(super) fn new(
        gpu: &Gpu,
        compiled: &Mutex<Compiled>,
        shares: &Shares,
        (runtime_checks, loss): (bool, LossRule),
    ) -> Result<Self> {
        compile(gpu, compiled, std::slice::from_ref(shares), (runtime_checks, loss))?;
        let mut held = compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = wanted(std::slice::from_ref(shares), (runtime_checks, loss));
        let all = keys.iter().map(|key| (key.0, held.pipelines[key].clone())).collect();
        Ok(Self { uniforms: held.uniforms(gpu)?, all })
    }

    /// The pipeline of a kernel that runs with the loss.
    pub(super) fn of(&self, kind: KernelKind) -> &Pipeline {
        &self.all[&kind]
    }
}

/// Refuses a share that needs more workgroup memory or invocations than the adapter has.
fn check_memory(gpu: &Gpu, spec: &KernelSpec, share: Share) -> Result<()> {
    let limits = gpu.workgroup_limits();
    let needs = [
        ("bytes of workgroup memory", spec.workgroup_bytes(share), limits.bytes),
        ("invocations in a workgroup", spec.workgroup(share), limits.invocations),
    ];
    match needs.into_iter().find(|(_, needs, has)| needs > has) {
        Some((what, needs, has)) => Err(gpu.error(format!(
            "{} with a share of {share} needs {needs} {what}, the adapter has {has}: take a smaller share",
            spec.name
        ))),
        None => Ok(()),
    }
}

/// Sizes are checked here once, not at each dispatch.
fn layout_entry(
    binding: u32,
    ty: wgpu::BufferBindingType,
    (dynamic, least): (bool, u64),
) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: dynamic,
            min_binding_size: NonZeroU64::new(least),
        },
        count: None,
    }
}

fn module(
    device: &wgpu::Device,
    spec: &KernelSpec,
    share: Share,
    runtime_checks: bool,
) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(spec.name),
        source: wgpu::ShaderSource::Wgsl(spec.source(share).into()),
    };
    if runtime_checks { device.create_shader_module(descriptor) } else { trusted(device, descriptor) }
}

/// Makes a module without bounds checks and loop counters, which cost a multiple of the kernels' work.
///
/// This is one of the four places that use `unsafe`. The shaders are this
/// crate's own text. What they rely on is proven on the host before a dispatch:
/// - every index in the tables is below the size of its buffer (`Tables::check`); group factors and
///   connection numbers are read only in steps whose settings gave their buffers the full size,
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
    (spec, share): (&'static KernelSpec, Share),
    uniforms: &wgpu::BindGroupLayout,
    runtime_checks: bool,
) -> Pipeline {
    let module = module(device, spec, share, runtime_checks);
    let entries: Vec<_> = (0u32..)
        .zip(spec.bindings)
        .map(|(number, binding)| {
            let ty = wgpu::BufferBindingType::Storage { read_only: !binding.writable };
            layout_entry(number, ty, (false, LEAST_BYTES))
        })
        .collect();
    let label = Some(spec.name);
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
        module: &module,
        entry_point: label,
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: runtime_checks,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { spec, share, layout, pipeline }
}
