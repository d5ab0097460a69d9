//! DropConnect: the weights that one step works with, `w * factor`; overwritten.
//!
//! Twin: `src/engine/reference/drop_connect.rs`.

use crate::network::drop_connect::ConnectionMask;

/// Masks consecutive packed values, given the number of the connection that each is.
pub fn drop_connect(mask: ConnectionMask, connections: &[u32], values: &[f32], masked: &mut [f32]) {
    for ((masked, value), connection) in masked.iter_mut().zip(values).zip(connections) {
        *masked = value * mask.factor(*connection);
    }
}
