// y[o][b] = dropout(activation(bias[o] + sum_i w[o][i] * x[i][b])), x and y being rows of the activations.
// A workgroup owns ITEMS (quad of outputs, column) pairs, up to 32 columns of each quad; SHARE invocations own 4 outputs of 4 samples.
// Outputs are overwritten.
// Inputs beyond the end of their block are clamped to its last one (their weights are 0); outputs there are not written.
// Twin: src/engine/reference/forward.rs.

fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    activations[(owner.row + member) * network.stride + owner.column] = output_of(owner, member, sum);
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    sum_and_finish(group, lane);
}
