//! Neural networks whose layers are sparse before training starts.
//!
//! A random bipartite graph per layer, a Tanner graph, decides which weights exist; the others are never stored, moved or
//! computed. Spatial coupling gives the graph the shape of a band, with more edges where the inputs matter more. Training runs on
//! all cores of the CPU or on any GPU that wgpu supports, and the same seed on the same engine and device results in the same bits.
//!
//! # Train, save, load, predict
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use tanner::prelude::*;
//!
//! # fn main() -> tanner::Result<()> {
//! // 60 samples of 4 features in 3 classes, which the first feature determines.
//! let features = (0..60 * 4).map(|k| if k % 4 == 0 { (k / 4 % 3) as f32 } else { 0.1 }).collect();
//! let data = Dataset::new(features, 4, (0..60).map(|sample| sample % 3).collect(), 3)?;
//! let run = Classifier::new()
//!     .hidden([16, 16])
//!     .activation(Activation::Tanh)
//!     .epochs(2)
//!     .batch_size(10)
//!     .fit(&data, Some(&data), |_| ControlFlow::Continue(()))?;
//!
//! let bytes = run.model.to_bytes()?;
//! let predictor = Predictor::new(TrainedModel::from_bytes(&bytes)?, None)?;
//! assert_eq!(predictor.predict(data.features())?.labels().len(), 60);
//! # Ok(())
//! # }
//! ```
//!
//! [`prelude`] has what most programs need (in builds that train). [`Classifier`] is the simple interface; a [`Session`](session::Session) does all that
//! the command line does.
//!
//! # The modules, in the order of the data flow
//!
//! | module | what it does |
//! |---|---|
//! | [`dataset`] | reads samples, encodes tables, splits and augments |
//! | [`importance`] | orders features by importance |
//! | [`topology`] | draws which weights exist |
//! | [`network`] | layers and parameters on the graphs |
//! | [`engine`] | runs training steps: on the CPU, on a GPU, and in float64 as the reference |
//! | [`training`] | epochs, schedules, metrics |
//! | [`model`], [`inference`], [`export`] | save models, use them, convert them to other formats |
//! | [`session`] | all of that from [`Settings`], with run folders and checkpoints; [`Classifier`] in one call |
//! | [`experiments`] | the paper's table, pruning, importance through the layers |
//!
//! All parallel work runs on the library's [`Threads`].

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "train"),
    allow(
        dead_code,
        unused_imports,
        reason = "rooms that inference shares with training hold more than it needs"
    )
)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "ndarray")]
mod arrays;
mod named;
#[cfg(feature = "train")]
mod protobuf;
mod text;

#[cfg(feature = "train")]
#[doc(hidden)]
pub mod benchmark;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod classifier;
pub mod dataset;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod distributed;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod edges;
pub mod engine;
#[doc(hidden)]
pub mod error;
#[cfg(feature = "train")]
pub mod experiments;
#[cfg(feature = "train")]
pub mod export;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod files;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod host;
pub mod importance;
pub mod inference;
pub mod model;
pub mod network;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod npy;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod paper;
#[cfg(feature = "train")]
pub mod prelude;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod random;
#[cfg(feature = "report")]
#[doc(hidden)]
pub mod report;
#[cfg(feature = "train")]
pub mod session;
#[doc(hidden)]
pub mod threads;
#[doc(hidden)]
pub mod tiles;
pub mod topology;
#[cfg(feature = "train")]
pub mod training;

#[cfg(feature = "train")]
pub use classifier::{Classifier, EngineKind};
pub use error::{Error, Result, Setting};
#[cfg(feature = "train")]
#[doc(no_inline)]
pub use session::Settings;
pub use threads::Threads;
