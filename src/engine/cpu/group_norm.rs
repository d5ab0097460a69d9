//! Factors of the group lasso: `strength * sqrt(d) / |w|` for the `d` weights of each input neuron.
//!
//! Twin: `src/engine/reference/group_norm.rs`.

use crate::engine::layout::PackedValues;
use crate::engine::packed_edges::InputGroups;

/// The factor of one input neuron; 0 if all its weights are 0 (or so small that their squares are, in float32).
pub fn group_factor(groups: &InputGroups, values: &PackedValues, strength: f32, input: usize) -> f32 {
    let group = &groups.value[groups.start[input] as usize..groups.start[input + 1] as usize];
    let value = |place: &u32| {
        let place = *place as usize;
        place
            .checked_sub(values.dense.len())
            .map_or_else(|| values.dense[place], |place| values.sparse[place])
    };
    let square: f32 = group.iter().map(value).map(|weight| weight * weight).sum();
    if square > 0.0 { strength * (group.len() as f32).sqrt() / square.sqrt() } else { 0.0 }
}
