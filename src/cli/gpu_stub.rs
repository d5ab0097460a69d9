//! Stands in for the GPU engine until it is there.
#![allow(dead_code, unreachable_pub, reason = "goes away")]
use tanner::engine::*;
use tanner::network::{Network, Parameters};
pub struct AdapterReport {
    pub name: String,
    pub driver: String,
    pub driver_info: String,
    pub backend: String,
    pub device_type: &'static str,
    pub is_hardware: bool,
    pub max_buffer_size: u64,
    pub max_binding_size: u64,
    pub max_storage_buffers: u32,
    pub usable: Result<(), String>,
}
pub fn adapters() -> Vec<AdapterReport> {
    Vec::new()
}
pub enum AdapterChoice {
    Hardware,
    Any,
    Named(String),
}
pub struct GpuOptions {
    pub adapter: AdapterChoice,
    pub runtime_checks: bool,
}
impl Default for GpuOptions {
    fn default() -> Self {
        Self { adapter: AdapterChoice::Hardware, runtime_checks: false }
    }
}
pub struct GpuEngine;
impl GpuEngine {
    pub fn new(
        _: &Network,
        _: &Parameters,
        _: EngineSettings,
        _: &GpuOptions,
    ) -> tanner::Result<reference::ReferenceEngine> {
        Err(tanner::Error::NoAdapter("no GPU engine is built in".into()))
    }
}
