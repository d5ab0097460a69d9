//! Trained models in the formats of other programs: [`onnx`] for runtimes, [`csr`] for scipy.
//!
//! Both take a [`TrainedModel`](crate::model::TrainedModel) and give the bytes of
//! files; neither writes any. What is done to raw features is always part of them.

pub mod csr;
mod npz;
pub mod onnx;
