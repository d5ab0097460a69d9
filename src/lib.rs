//! Tanner: neural networks that are sparse before training starts.

pub mod error;

pub use error::{Error, Result};
