//! Trained models in the formats of other programs: [`onnx`] for runtimes, [`csr`] for scipy.
//!
//! Both take a [`TrainedModel`](crate::model::TrainedModel) and return the bytes of
//! files; neither writes files. The preprocessing is always included.

pub mod csr;
mod npz;
pub mod onnx;
