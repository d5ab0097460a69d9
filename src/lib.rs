//! Tanner: neural networks that are sparse before training starts.

pub mod dataset;
pub mod engine;
pub mod error;
pub mod files;
pub mod importance;
pub mod model;
pub mod network;
pub mod random;
pub mod report;
pub mod tiles;
pub mod topology;
pub mod training;

pub use error::{Error, Result};
