//! Checkpoints: an error, or one that is written again as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanner::training::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return };
    let written = checkpoint.to_bytes().expect("a checkpoint that was read");
    assert!(Checkpoint::from_bytes(&written).is_ok());
});
