// delta[i][b] = slope(y[i][b]) * sum_o w[o][i] * delta[o][b], y being the activations that forward stored.
// A workgroup owns 64 consecutive (quad of inputs, column) pairs, columns fastest; an invocation owns 4 inputs of 4 samples.
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

fn sparse_sum(neuron: u32, column: u32) -> vec4<f32> {
    let end = column_start[neuron + 1u];
    var sum = vec4<f32>(0.0);
    for (var e = column_start[neuron]; e < end; e += 1u) {
        let entry = entries[e];
        sum += sparse[entry.y] * deltas[entry.x * network.stride + column];
    }
    return sum;
}

fn finish(row: u32, column: u32, dense_sum: vec4<f32>) {
    let at = row * network.stride + column;
    var delta = dense_sum + sparse_sum(row - network.features, column);
    var a = activations[at];
    if (drops()) {
        // Kept units were divided by the keep probability: so is their gradient, and `a` is what it was before.
        let keep = kept(row - layer.first_row, 4u * column);
        delta = select(vec4<f32>(0.0), delta / dropout.keep_probability, keep);
        a *= dropout.keep_probability;
    }
    deltas[at] = delta * slope(layer.activation, a);
}

@compute @workgroup_size(WORKGROUP)
fn backward_input(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= layer.quads * step.columns) {
        return;
    }
    let number = id / step.columns;
    let column = id - number * step.columns;
    let quad = quads[layer.first_quad + number];

    var sum_0 = vec4<f32>(0.0);
    var sum_1 = vec4<f32>(0.0);
    var sum_2 = vec4<f32>(0.0);
    var sum_3 = vec4<f32>(0.0);
    for (var t = quad.first_tile; t < quad.end_tile; t += 1u) {
        let tile = tiles[t];
        var slot = 4u * (tile.first_block + quad.place * tile.quad_step);
        var row = tile.row;
        for (var k = 0u; k < tile.blocks; k += 1u) {
            let d_0 = deltas[row * network.stride + column];
            let d_1 = deltas[min(row + 1u, tile.last_row) * network.stride + column];
            let d_2 = deltas[min(row + 2u, tile.last_row) * network.stride + column];
            let d_3 = deltas[min(row + 3u, tile.last_row) * network.stride + column];
            let w_0 = dense[slot];
            let w_1 = dense[slot + 1u];
            let w_2 = dense[slot + 2u];
            let w_3 = dense[slot + 3u];
            sum_0 += w_0.x * d_0 + w_0.y * d_1 + w_0.z * d_2 + w_0.w * d_3;
            sum_1 += w_1.x * d_0 + w_1.y * d_1 + w_1.z * d_2 + w_1.w * d_3;
            sum_2 += w_2.x * d_0 + w_2.y * d_1 + w_2.z * d_2 + w_2.w * d_3;
            sum_3 += w_3.x * d_0 + w_3.y * d_1 + w_3.z * d_2 + w_3.w * d_3;
            slot += 4u * tile.block_step;
            row += 4u;
        }
    }

    finish(quad.row, column, sum_0);
    if (quad.lanes > 1u) { finish(quad.row + 1u, column, sum_1); }
    if (quad.lanes > 2u) { finish(quad.row + 2u, column, sum_2); }
    if (quad.lanes > 3u) { finish(quad.row + 3u, column, sum_3); }
}
