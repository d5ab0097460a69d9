// y[o][b] = dropout(activation(bias[o] + sum_i w[o][i] * x[i][b])), x and y being rows of the activations.
// A workgroup owns ITEMS consecutive (quad of outputs, column) pairs, columns fastest; SHARE invocations own 4 outputs of 4 samples.
// Outputs are overwritten.
// Inputs behind the end of their block are clamped to its last one (their weights are 0); outputs there are not written.
// Twin: src/engine/reference/forward.rs.

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    sum_and_finish(group, lane);
}
