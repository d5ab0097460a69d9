// y[o][b] = dropout(activation(bias[o] + sum_i w[o][i] * x[i][b])), x and y being rows of the activations.
// A workgroup owns 64 consecutive (quad of outputs, column) pairs, columns fastest; an invocation owns 4 outputs of 4 samples.
// Outputs are overwritten.
// Inputs behind the end of their block are clamped to its last one (their weights are 0); outputs there are not written.
// Twin: src/engine/reference/forward.rs.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each.
@group(1) @binding(1) var<storage, read> dense: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> sparse: array<f32>;
@group(1) @binding(3) var<storage, read> quads: array<Quad>;
@group(1) @binding(4) var<storage, read> tiles: array<Tile>;
// First sparse value of each neuron behind the inputs; row of the input of each sparse value.
@group(1) @binding(5) var<storage, read> row_start: array<u32>;
@group(1) @binding(6) var<storage, read> sparse_input: array<u32>;

fn sparse_sum(neuron: u32, column: u32) -> vec4<f32> {
    let end = row_start[neuron + 1u];
    var sum = vec4<f32>(0.0);
    for (var value = row_start[neuron]; value < end; value += 1u) {
        sum += sparse[value] * activations[sparse_input[value] * network.stride + column];
    }
    return sum;
}

fn finish(row: u32, column: u32, dense_sum: vec4<f32>) {
    // Biases and row starts are numbered over all neurons behind the inputs.
    let neuron = row - network.features;
    let bias = sparse[network.first_bias + neuron];
    var y = activate(layer.activation, dense_sum + sparse_sum(neuron, column) + bias);
    if (drops()) {
        let keep = kept(row - layer.first_row, 4u * column);
        y = select(vec4<f32>(0.0), y / dropout.keep_probability, keep);
    }
    activations[row * network.stride + column] = y;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
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
            let x_0 = activations[row * network.stride + column];
            let x_1 = activations[min(row + 1u, tile.last_row) * network.stride + column];
            let x_2 = activations[min(row + 2u, tile.last_row) * network.stride + column];
            let x_3 = activations[min(row + 3u, tile.last_row) * network.stride + column];
            let w_0 = dense[slot];
            let w_1 = dense[slot + 1u];
            let w_2 = dense[slot + 2u];
            let w_3 = dense[slot + 3u];
            sum_0 += w_0.x * x_0 + w_1.x * x_1 + w_2.x * x_2 + w_3.x * x_3;
            sum_1 += w_0.y * x_0 + w_1.y * x_1 + w_2.y * x_2 + w_3.y * x_3;
            sum_2 += w_0.z * x_0 + w_1.z * x_1 + w_2.z * x_2 + w_3.z * x_3;
            sum_3 += w_0.w * x_0 + w_1.w * x_1 + w_2.w * x_2 + w_3.w * x_3;
            slot += 4u * tile.block_step;
            row += 4u;
        }
    }

    finish(quad.row, column, sum_0);
    if (quad.lanes > 1u) { finish(quad.row + 1u, column, sum_1); }
    if (quad.lanes > 2u) { finish(quad.row + 2u, column, sum_2); }
    if (quad.lanes > 3u) { finish(quad.row + 3u, column, sum_3); }
}
