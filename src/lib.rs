//! Tanner: neural networks that are sparse before training starts.

pub mod dataset;
pub mod engine;
pub mod error;
pub mod importance;
pub mod network;
pub mod random;
pub mod tiles;
pub mod topology;

pub use error::{Error, Result};
