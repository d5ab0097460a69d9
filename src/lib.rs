#![doc = include_str!("../README.md")]
//!
//! # The crate, in the order data take through it
//!
//! [`dataset`] reads samples; [`importance`] orders their features; [`topology`] draws which weights exist;
//! [`network`] puts layers and parameters over them; [`tiles`] packs them for the [`engine`]s, which run the steps
//! that [`training`] asks for; [`model`] keeps the result, [`inference`] uses it, [`export`] turns it into the formats
//! of other programs; [`classifier`] does all of that in one call. [`experiments`] put many runs together or work on
//! trained models, [`benchmark`] times engines, and [`report`] shows it all. [`random`], [`files`], [`npy`] and
//! [`settings_file`] serve everyone.

mod named;
mod text;

pub mod benchmark;
pub mod classifier;
pub mod dataset;
pub mod engine;
pub mod error;
pub mod experiments;
pub mod export;
pub mod files;
pub mod importance;
pub mod inference;
pub mod model;
pub mod network;
pub mod npy;
pub mod paper;
pub mod prelude;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod session;
pub mod tiles;
pub mod topology;
pub mod training;

pub use classifier::{Classifier, EngineKind};
pub use error::{Error, Result, Setting};
pub use session::Settings;
