//! Benchmarks: how long a training step takes, and how time and memory grow with the width.
//!
//! [`BenchNetwork`] is the measured network: the paper's, at any width. A
//! [`Yardstick`] compares an engine with the float64 reference before anything
//! is timed. [`time_training`] and [`time_inference`] time an engine. A
//! [`Measurement`] is one result as stored in files, also by other
//! programs. [`Growth`] describes how several
//! of rising width grow, as a [`PowerLaw`]. A [`Profile`] shows where the time of a
//! training step goes, together with the [`Work`] of each stage.

mod growth;
mod logits;
mod machine;
mod measurement;
mod networks;
mod power_law;
mod profile;
mod spread;
mod timing;
mod work;
mod yardstick;

pub use growth::{Growth, dense_edges};
pub use logits::{LOGIT_BOUND, check_single_sample};
pub use machine::{Machine, peak_resident_bytes};
pub use measurement::{Measurement, Mode, read_measurements, rounds_joined};
pub use networks::{BenchNetwork, CLASSES};
pub use power_law::PowerLaw;
pub use profile::{Profile, StageProfile, StageTimes, profile_training};
pub use spread::Spread;
pub use timing::{Timing, data_bytes, noise, time_inference, time_single_sample, time_training};
pub use work::Work;
pub use yardstick::{CHANGE_BOUND, CheckReport, LOSS_BOUND, Yardstick};
