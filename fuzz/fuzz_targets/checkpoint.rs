//! Checkpoints: an error, or a checkpoint that is unchanged when written and read again.
#![no_main]

mod chance;
mod container;
mod promises;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tanner::training::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    let bound = (1 << 20) + 32 * bytes.len();
    let Some(checkpoint) = promises::kept(bound, || Checkpoint::from_bytes(bytes)) else { return };
    let written = checkpoint.to_bytes().expect("a checkpoint that was read");
    assert!(Checkpoint::from_bytes(&written).expect("a checkpoint that was written") == checkpoint);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    container::mutate(data, size, max_size, seed)
});
