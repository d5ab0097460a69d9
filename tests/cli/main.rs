//! Tests of the binary: its output, its files, its refusals.

mod bad_input;
mod bench;
#[cfg(unix)]
mod bench_script;
mod causes;
mod comfort;
mod experiments;
mod exports;
#[cfg(unix)]
mod extending;
mod figure1;
mod filter;
mod folds;
mod graphs;
mod importance;
mod judging;
#[cfg(unix)]
mod killing;
mod own_data;
mod parity;
mod pixel_scale;
mod planar;
mod predicting;
mod profile;
#[cfg(unix)]
mod pty;
mod report;
#[cfg(unix)]
mod resume;
mod rewiring;
#[cfg(unix)]
mod run_files;
mod runs;
mod saved_models;
mod saying;
#[cfg(unix)]
mod signals;
mod support;
mod targets;
mod tasks;
mod terminal;
mod text_tables;
mod tune;
mod watching;
