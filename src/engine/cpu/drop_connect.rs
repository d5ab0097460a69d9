//! DropConnect: the weights of one step, `w * factor`; overwritten.
//!
//! Twin: `src/engine/reference/drop_connect.rs`.

use crate::network::drop_connect::ConnectionMask;

/// Masks consecutive packed values, given the connection number of each.
pub fn drop_connect(mask: ConnectionMask, connections: &[u32], values: &[f32], masked: &mut [f32]) {
    for ((masked, value), connection) in masked.iter_mut().zip(values).zip(connections) {
        *masked = value * mask.factor(*connection);
    }
}
