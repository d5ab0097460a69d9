//! The device, and every way in which it can fail.
//!
//! wgpu panics on unhandled errors. Here each one becomes an
//! [`Error::Device`]: what happens while something is created is caught in error
//! scopes, what happens later is remembered by two callbacks and found by
//! [`Gpu::check`], which runs after each submit and each wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adapter;
use super::options::GpuOptions;
use super::share::WorkgroupLimits;
use crate::{Error, Result};

/// Bytes of the smallest buffer: a binding may not be empty, so empty lists get space for the largest entry.
pub(super) const LEAST_BYTES: u64 = 64;
/// Timeout of a submission. Submits take a small part of it; a device that needs longer hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);
/// Contents go to the device in parts of this many bytes.
const UPLOAD_BYTES: usize = 64 << 20;

/// An opened device.
#[derive(Clone)]
pub(super) struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    pub(super) adapter: String,
    /// Whether it is hardware, not software on the CPU.
    pub(super) is_hardware: bool,
    /// The adapter and its driver, as precisely as possible.
    pub(super) identity: String,
    /// The first thing that went wrong outside any error scope.
    fault: Arc<Mutex<Option<String>>>,
}

impl Gpu {
    /// Opens the adapter of the options with all its features and limits.
    pub(super) fn open(options: &GpuOptions) -> Result<Self> {
        let adapter = adapter::choose(&options.adapter)?;
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let name = format!("{} ({}, {})", info.name, info.backend, info.driver_info.trim());
        let wanted = match options.timestamps {
            true => wgpu::Features::TIMESTAMP_QUERY,
            false => wgpu::Features::empty(),
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("tanner"),
            required_features: wanted & adapter.features(),
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        }))
        .map_err(|error| Error::Device { adapter: name.clone(), reason: chain(&error) })?;
        let fault = Arc::new(Mutex::new(None));
        let remember = |fault: &Arc<Mutex<Option<String>>>| {
            let fault = Arc::clone(fault);
            move |reason: String| {
                log::debug!("GPU: {reason}");
                fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
            }
        };
        let (uncaptured, lost) = (remember(&fault), remember(&fault));
        device.on_uncaptured_error(Arc::new(move |error| uncaptured(chain(&error))));
        device.set_device_lost_callback(move |reason, message| {
            lost(format!("the device was lost ({reason:?}): {message}"));
        });
        let is_hardware = info.device_type != wgpu::DeviceType::Cpu;
        let identity = format!("{info:?}");
        Ok(Self { device, queue, limits, adapter: name, is_hardware, identity, fault })
    }

    /// The limits of one workgroup.
    pub(super) fn workgroup_limits(&self) -> WorkgroupLimits {
        let limits = &self.limits;
        WorkgroupLimits {
            bytes: limits.max_compute_workgroup_storage_size,
            invocations: limits
                .max_compute_invocations_per_workgroup
                .min(limits.max_compute_workgroup_size_x),
        }
    }

    /// Whether the device has timestamps; only if requested.
    pub(super) fn has_timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// An error of this device.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Device { adapter: self.adapter.clone(), reason: reason.into() }
    }

    /// Fails if anything went wrong since the device was opened.
    pub(super) fn check(&self) -> Result<()> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.as_ref().map_or(Ok(()), |reason| Err(self.error(reason.clone())))
    }

    /// Creates something, turning failures into an error.
    pub(super) fn create<T>(&self, what: &str, create: impl FnOnce(&wgpu::Device) -> T) -> Result<T> {
        self.check()?;
        let filters =
            [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let made = create(&self.device);
        // Scopes are popped in the reverse order of their creation; all of them, even after an error.
        let errors = scopes.into_iter().rev().map(|scope| pollster::block_on(scope.pop()));
        let errors: Vec<_> = errors.flatten().collect();
        if let Some(error) = errors.first() {
            return Err(self.error(format!("creating {what} failed: {}", chain(error))));
        }
        self.check()?;
        Ok(made)
    }

    /// Creates a buffer of at least `bytes` bytes, filled with 0.
    pub(super) fn buffer(&self, what: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer> {
        let size = bytes.next_multiple_of(4).max(LEAST_BYTES);
        self.check_size(what, size, usage)?;
        let descriptor = wgpu::BufferDescriptor { label: Some(what), size, usage, mapped_at_creation: false };
        self.create(&format!("the buffer of {what}, {size} bytes,"), |device| {
            device.create_buffer(&descriptor)
        })
    }

    /// Creates a storage buffer that tests and readbacks can copy from and to.
    pub(super) fn storage(&self, what: &str, bytes: u64) -> Result<wgpu::Buffer> {
        use wgpu::BufferUsages as Usage;
        self.buffer(what, bytes, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC)
    }

    /// Creates a storage buffer with contents.
    pub(super) fn storage_of<T: bytemuck::NoUninit>(&self, what: &str, values: &[T]) -> Result<wgpu::Buffer> {
        let buffer = self.storage(what, size_of_val(values) as u64)?;
        let contents: &[u8] = bytemuck::cast_slice(values);
        self.create(&format!("the contents of {what}"), |_| {
            for (number, part) in (0u64..).zip(contents.chunks(UPLOAD_BYTES)) {
                self.queue.write_buffer(&buffer, number * UPLOAD_BYTES as u64, part);
                // Submits the part, so that staging memory can be reused.
                self.queue.submit([]);
            }
        })?;
        Ok(buffer)
    }

    /// Creates a uniform buffer.
    pub(super) fn uniform(&self, what: &str, bytes: u64) -> Result<wgpu::Buffer> {
        self.buffer(what, bytes, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)
    }

    /// Refuses buffers that exceed the adapter's limits.
    fn check_size(&self, what: &str, size: u64, usage: wgpu::BufferUsages) -> Result<()> {
        let bound = usage.contains(wgpu::BufferUsages::STORAGE);
        let limit = if bound { self.storage_limit() } else { self.limits.max_buffer_size };
        if size > limit {
            return Err(self.error(format!(
                "the buffer of {what} needs {size} bytes, the adapter's limit is {limit}: take a smaller batch or network, or the CPU engine"
            )));
        }
        Ok(())
    }

    /// Maximum number of bytes that one kernel can see of one buffer.
    pub(super) fn storage_limit(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }

    /// Waits for a submission, or for all of them.
    pub(super) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        self.check()?;
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: Some(PATIENCE) };
        // A lost device makes poll panic instead of returning an error.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(wgpu::PollError::Timeout)) => self.check().and(Err(self.error(format!(
                "no answer for {} s: the device hangs, or is far too slow for this network and batch",
                PATIENCE.as_secs()
            )))),
            Ok(Err(error)) => self.check().and(Err(self.error(format!("waiting failed: {error}")))),
            Err(_) => self.check().and(Err(self.error("waiting failed: the device was lost"))),
        }
    }
}

/// An error with all its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
