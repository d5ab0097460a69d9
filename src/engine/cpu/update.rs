//! The optimiser's step on packed values.
//!
//! Twin: `update` in `src/engine/reference/backward_weight.rs`.

use crate::engine::{MAX_STATES, OptimizerKind, UpdateRule};

/// Consecutive values and the optimiser's state of each; state that the rule does not use is empty.
#[derive(Debug)]
pub struct ValuesMut<'a> {
    /// The values.
    pub values: &'a mut [f32],
    /// The optimiser's state, in the order in which its rule counts it.
    pub state: [&'a mut [f32]; MAX_STATES],
    /// Sums of gradients over earlier groups of the batch, 0 before the first; empty if the batch is one group.
    pub sums: &'a mut [f32],
}

impl<'a> ValuesMut<'a> {
    /// Disjoint pieces of these lengths; an empty state remains empty in every piece.
    ///
    /// # Panics
    /// If there are fewer values than the lengths add up to.
    pub fn split(self, lengths: impl Iterator<Item = usize>) -> impl Iterator<Item = ValuesMut<'a>> {
        fn take<'a>(values: &mut &'a mut [f32], length: usize) -> &'a mut [f32] {
            let length = if values.is_empty() { 0 } else { length };
            values.split_off_mut(..length).expect("a value for every place")
        }
        let Self { mut values, mut state, mut sums } = self;
        lengths.map(move |length| ValuesMut {
            values: take(&mut values, length),
            state: state.each_mut().map(|values| take(values, length)),
            sums: take(&mut sums, length),
        })
    }
}

impl ValuesMut<'_> {
    /// Starts gradients from the sums over earlier groups.
    #[inline(always)]
    pub(super) fn load_sums(&self, first: usize, gradients: &mut [f32]) {
        if !self.sums.is_empty() {
            gradients.copy_from_slice(&self.sums[first..][..gradients.len()]);
        }
    }

    /// Saves gradients for the following groups, or 0 for the next batch.
    #[inline(always)]
    pub(super) fn store_sums(&mut self, first: usize, gradients: &[f32], more_follow: bool) {
        if !self.sums.is_empty() {
            let sums = &mut self.sums[first..][..gradients.len()];
            if more_follow { sums.copy_from_slice(gradients) } else { sums.fill(0.0) }
        }
    }

    /// Moves consecutive values from `first` on by one step.
    #[inline(always)]
    pub(super) fn update(&mut self, rule: &UpdateRule, first: usize, gradients: &[f32]) {
        let range = first..first + gradients.len();
        let steps = self.values[range.clone()].iter_mut().zip(gradients);
        let [means, squares, ..] = &mut self.state;
        match rule.kind {
            OptimizerKind::Sgd => {
                for (value, gradient) in steps {
                    *value -= rule.learning_rate * (gradient + rule.decay * *value);
                }
            }
            OptimizerKind::Momentum => {
                for ((value, gradient), momentum) in steps.zip(&mut means[range]) {
                    *momentum = rule.first * *momentum + (gradient + rule.decay * *value);
                    *value -= rule.learning_rate * *momentum;
                }
            }
            OptimizerKind::Nesterov => {
                for ((value, gradient), momentum) in steps.zip(&mut means[range]) {
                    let g = gradient + rule.decay * *value;
                    *momentum = rule.first * *momentum + g;
                    *value -= rule.learning_rate * (g + rule.first * *momentum);
                }
            }
            OptimizerKind::Lion => {
                for ((value, g), mean) in steps.zip(&mut means[range]) {
                    let c = rule.first * *mean + (1.0 - rule.first) * g;
                    *mean = rule.second * *mean + (1.0 - rule.second) * g;
                    // `signum` returns 1 or -1 for 0.
                    let sign = if c == 0.0 { 0.0 } else { c.signum() };
                    *value -= rule.learning_rate * (sign + rule.decoupled_decay * *value);
                }
            }
            OptimizerKind::Adam | OptimizerKind::AdamW => {
                let decay = rule.learning_rate * rule.decoupled_decay;
                let state = means[range.clone()].iter_mut().zip(&mut squares[range]);
                for ((value, gradient), (mean, square)) in steps.zip(state) {
                    let g = gradient + rule.decay * *value;
                    *mean = rule.first * *mean + (1.0 - rule.first) * g;
                    *square = rule.second * *square + (1.0 - rule.second) * g * g;
                    let scale = (*square * rule.second_correction).sqrt() + rule.epsilon;
                    let by = rule.learning_rate * (*mean * rule.first_correction) / scale;
                    *value = *value - by - decay * *value;
                }
            }
        }
    }
}
