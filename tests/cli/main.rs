//! The binary as a user meets it: what it prints, what it leaves, how it refuses.

mod bad_input;
mod bench;
#[cfg(unix)]
mod bench_script;
mod experiments;
mod figure1;
mod importance;
mod profile;
mod report;
mod runs;
mod saved_models;
mod support;
mod terminal;
