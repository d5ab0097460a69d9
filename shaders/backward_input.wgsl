// delta[i][b] = slope(y[i][b]) * sum_o w[o][i] * delta[o][b], y being the activations that forward stored.
// A workgroup owns ITEMS consecutive (quad of inputs, column) pairs, columns fastest; SHARE invocations own 4 inputs of 4 samples.
// Outputs are overwritten.
// Outputs behind the end of their block are clamped to its last one (their weights are 0); inputs there are not written.
// Twin: src/engine/reference/backward_input.rs.

@group(1) @binding(0) var<storage, read_write> deltas: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> activations: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each.
@group(1) @binding(2) var<storage, read> dense: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> sparse: array<f32>;
@group(1) @binding(4) var<storage, read> quads: array<Quad>;
@group(1) @binding(5) var<storage, read> tiles: array<Tile>;
// First entry of each neuron behind the network's inputs; (row of the output, sparse value) of each entry.
@group(1) @binding(6) var<storage, read> column_start: array<u32>;
@group(1) @binding(7) var<storage, read> entries: array<vec2<u32>>;

fn list_of(neuron: u32) -> vec2<u32> {
    return vec2<u32>(column_start[neuron], column_start[neuron + 1u]);
}

fn listed(place: u32, column: u32) -> vec4<f32> {
    let entry = entries[place];
    return sparse[entry.y] * deltas[entry.x * network.stride + column];
}

fn far_values(row: u32, column: u32) -> vec4<f32> {
    return deltas[row * network.stride + column];
}

// Of the micro-block at `slot` with 4 deltas, for each of its 4 inputs.
fn products(slot: u32, d_0: vec4<f32>, d_1: vec4<f32>, d_2: vec4<f32>, d_3: vec4<f32>) -> Sums {
    let w_0 = dense[slot];
    let w_1 = dense[slot + 1u];
    let w_2 = dense[slot + 2u];
    let w_3 = dense[slot + 3u];
    return Sums(
        w_0.x * d_0 + w_0.y * d_1 + w_0.z * d_2 + w_0.w * d_3,
        w_1.x * d_0 + w_1.y * d_1 + w_1.z * d_2 + w_1.w * d_3,
        w_2.x * d_0 + w_2.y * d_1 + w_2.z * d_2 + w_2.w * d_3,
        w_3.x * d_0 + w_3.y * d_1 + w_3.z * d_2 + w_3.w * d_3,
    );
}

// Makes a delta of its whole weighted sum.
fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    let row = owner.row + member;
    let at = row * network.stride + owner.column;
    var delta = sum;
    var a = activations[at];
    if (drops()) {
        // Kept units were divided by the keep probability: so is their gradient, and `a` is what it was before.
        let keep = kept(row - layer.first_row, 4u * owner.column);
        delta = select(vec4<f32>(0.0), delta / dropout.keep_probability, keep);
        a *= dropout.keep_probability;
    }
    deltas[at] = delta * slope(layer.activation, a);
}

@compute @workgroup_size(WORKGROUP)
fn backward_input(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    sum_and_finish(group, lane);
}
