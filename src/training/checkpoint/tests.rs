use proptest::prelude::*;

use super::*;
use crate::engine::{Errors, Values};
use crate::topology::GraphRows;
use crate::training::Metric;

fn metrics(epoch: usize) -> EpochMetrics {
    let share = 1.0 / (epoch + 2) as f64;
    EpochMetrics {
        epoch,
        train_loss: 0.1 + share,
        test_loss: 0.3 * share,
        train_accuracy: share,
        test_accuracy: share / 3.0,
        metric: Metric::Accuracy,
        learning_rate: 0.1,
        seconds: 1.25,
        seconds_steps: 1.0,
        scored_on: crate::training::ScoredOn::Validation,
        edges_moved: None,
    }
}

/// A checkpoint of a run in its fourth epoch.
fn checkpoint(memories: usize) -> Checkpoint {
    let values = |k: u16| Values::Single((0..7).map(|v| f32::from(v * 31 + k) / 7.0 - 9.0).collect());
    let so_far = EpochSoFar {
        steps: 3,
        samples: 30,
        correct: 11,
        errors: Errors { squared: 2.5, absolute: 3.5 },
        loss: 1.0 / 3.0,
        seconds: 0.1,
        seconds_steps: 0.05,
        edges_moved: None,
    };
    let engine = EngineState {
        parameters: values(0),
        optimizer: (1..).take(memories).map(|k| values(u16::try_from(k).unwrap())).collect(),
        optimizer_start: memories as u64,
    };
    Checkpoint {
        state: TrainingState { history: (1..=3).map(metrics).collect(), so_far, engine, graphs: None },
        identity: RunIdentity { config: "a".into(), start: "b".into(), data: "c".into() },
        clock: RunClock { seconds: 12.5, seconds_to_target: Some(1.0 / 7.0) },
    }
}

fn refused(change: impl FnOnce(&mut Checkpoint)) -> String {
    let mut checkpoint = checkpoint(2);
    change(&mut checkpoint);
    Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap_err()
}

/// The same file with other bytes of the same length in its header.
fn with_header(from: &str, to: &str) -> String {
    assert_eq!(from.len(), to.len());
    let mut bytes = checkpoint(2).to_bytes().unwrap();
    let place = bytes.windows(from.len()).position(|window| window == from.as_bytes());
    bytes[place.unwrap()..][..to.len()].copy_from_slice(to.as_bytes());
    Checkpoint::from_bytes(&bytes).unwrap_err()
}

#[test]
fn a_checkpoint_comes_back_to_the_bit() {
    for memories in 0..=12 {
        let saved = checkpoint(memories);
        let bytes = saved.to_bytes().unwrap();
        assert!(bytes == saved.to_bytes().unwrap(), "the same checkpoint gave other bytes");
        let read = Checkpoint::from_bytes(&bytes).unwrap();
        assert_eq!(read, saved);
        assert!(bytes == read.to_bytes().unwrap());
    }
    let graph = |edges: u32| GraphRows::Read { row_start: vec![0, edges], input: (0..edges).collect() };
    let mut moved = checkpoint(2);
    (moved.state.so_far.edges_moved, moved.state.graphs) = (Some(7), Some(vec![graph(3), graph(1)]));
    assert_eq!(Checkpoint::from_bytes(&moved.to_bytes().unwrap()).unwrap(), moved);
    let mut odd = checkpoint(0);
    // A 0 with a sign, the smallest numbers, an overflowed mean square.
    odd.state.engine.parameters = Values::Double(vec![-0.0, f64::MIN_POSITIVE / 4.0, f64::MAX, 1.0 / 3.0]);
    odd.state.engine.optimizer = vec![Values::Double(vec![0.0, -0.0, f64::INFINITY, 1e-300])];
    let bytes = odd.to_bytes().unwrap();
    assert!(bytes == Checkpoint::from_bytes(&bytes).unwrap().to_bytes().unwrap());
    odd.state = TrainingState { history: Vec::new(), so_far: EpochSoFar::default(), ..odd.state };
    assert_eq!(Checkpoint::from_bytes(&odd.to_bytes().unwrap()).unwrap(), odd);
}

/// Any flipped bit in the values is detected: training on it would change the run.
#[test]
fn a_flipped_bit_is_noticed() {
    let bytes = checkpoint(2).to_bytes().unwrap();
    for place in bytes.len() - 7 * 4 * 3..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(Checkpoint::from_bytes(&damaged).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn states_that_no_run_can_write_are_refused() {
    let nan = Values::Single([0.0, f32::NAN].repeat(4)[..7].to_vec());
    let infinite = Values::Single(vec![f32::INFINITY; 7]);
    let refusals = [
        (refused(|c| c.state.engine.parameters = nan.clone()), "not a finite number"),
        (refused(|c| c.state.engine.parameters = infinite), "not a finite number"),
        (refused(|c| c.state.engine.optimizer[1] = nan), "memory 1 has a value that is not a number"),
        (refused(|c| c.state.engine.optimizer[0] = Values::Single(vec![0.0; 6])), "memory 0 of 6 values"),
        (refused(|c| c.state.engine.optimizer[0] = Values::Double(vec![0.0; 7])), "not in the numbers"),
        (with_header("\"optimizer.1\"", "\"optimizer.3\""), "4 tensors, expected 3"),
        (refused(|c| c.state.history[1].epoch = 3), "the metrics of epoch 2 are impossible"),
        (refused(|c| c.state.history[2].test_accuracy = 1.5), "the metrics of epoch 3 are impossible"),
        (refused(|c| c.state.history[0].train_loss = -1.0), "the metrics of epoch 1 are impossible"),
        (refused(|c| c.state.so_far.correct = 31), "the sums of epoch 4 are impossible"),
        (refused(|c| c.state.so_far.steps = 0), "the sums of epoch 4 are impossible"),
        (refused(|c| c.state.so_far.loss = -1.0), "the sums of epoch 4 are impossible"),
        (refused(|c| c.clock.seconds = -1.0), "impossible seconds"),
        (with_header("tanner-checkpoint", "tanner-checkpoinT"), "format \"tanner-checkpoinT\""),
        (with_header("\\\"version\\\":1", "\\\"version\\\":9"), "format version 9"),
        (with_header("\\\"epochs\\\":3", "\\\"epochs\\\":4"), "metrics of 3 epochs, expected 4"),
        (with_header("\"parameters\"", "\"parametres\""), "tensor parameters is missing"),
        (with_header("\"U8\"", "\"I8\""), "tensor history holds I8"),
        (with_header("\\\"correct\\\"", "\\\"korrect\\\""), "header: unknown field"),
        (with_header("\\\"correct\\\"", "\\\"cor\\\\ne\\\""), "header: unknown field `cor e`"),
        (Checkpoint::from_bytes(b"").unwrap_err(), "not a safetensors file"),
    ];
    for (message, part) in refusals {
        assert!(message.contains(part) && !message.contains('\n'), "{message:?} does not say {part:?}");
    }
    let mut bytes = checkpoint(0).to_bytes().unwrap();
    let length = bytes.len();
    bytes[length - 1] = b'x';
    assert_eq!(Checkpoint::from_bytes(&bytes).unwrap_err(), "half a line of metrics");
}

#[test]
fn a_cut_file_is_refused_wherever_it_was_cut() {
    let bytes = checkpoint(2).to_bytes().unwrap();
    for length in 0..bytes.len() {
        assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
}

proptest! {
    /// Any changed bytes lead to an error or to a valid checkpoint.
    #[test]
    fn damage_never_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = checkpoint(2).to_bytes().unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = Checkpoint::from_bytes(&bytes) {
            read.state.check_itself().unwrap();
        }
    }
}

#[test]
fn a_state_beyond_the_recipe_is_refused() {
    let state = checkpoint(1).state;
    let recipe = |epochs| Recipe { epochs, ..Recipe::default() };
    state.check(&recipe(4)).unwrap();
    for epochs in [2, 3] {
        let message = state.check(&recipe(epochs)).unwrap_err().to_string();
        assert!(message.starts_with(&format!("epochs: {epochs} is less than")), "{message}");
    }
    TrainingState { so_far: EpochSoFar::default(), ..state }.check(&recipe(3)).unwrap();
}
