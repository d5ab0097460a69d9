// A layer's outputs, quad by quad: what forward and, for the logits, softmax_cross_entropy have in common.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each.
@group(1) @binding(1) var<storage, read> dense: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> sparse: array<f32>;
@group(1) @binding(3) var<storage, read> quads: array<Quad>;
@group(1) @binding(4) var<storage, read> tiles: array<Tile>;
// First sparse value of each neuron behind the inputs; row of the input of each sparse value.
@group(1) @binding(5) var<storage, read> row_start: array<u32>;
@group(1) @binding(6) var<storage, read> sparse_input: array<u32>;

// The outputs of a quad for 4 samples.
struct Owner {
    members: u32,           // outputs, 1 to 4; 0 where there is nothing to do
    row: u32,               // of the first one
    column: u32,
}

// Sums the sparse edges from place `next` of a neuron's list on, every SHARE-th one. `next` ends as the place in the
// following neuron's list: parts take turns over all lists of a quad, so that none gets the longer end of each.
fn sparse_share(neuron: u32, column: u32, next: ptr<function, u32>) -> vec4<f32> {
    let start = row_start[neuron];
    let end = row_start[neuron + 1u];
    var sum = vec4<f32>(0.0);
    var value = start + *next;
    for (; value < end; value += SHARE) {
        sum += sparse[value] * activations[sparse_input[value] * network.stride + column];
    }
    *next = value - end;
    return sum;
}

// One part's share of the weighted sums of a quad: every SHARE-th micro-block, every SHARE-th sparse edge.
fn share_of_sums(quad: Quad, column: u32, part: u32) -> Sums {
    var sum_0 = vec4<f32>(0.0);
    var sum_1 = vec4<f32>(0.0);
    var sum_2 = vec4<f32>(0.0);
    var sum_3 = vec4<f32>(0.0);
    // Parts take turns over the micro-blocks of all tiles, as if these were one.
    var k = part;
    for (var t = quad.first_tile; t < quad.end_tile; t += 1u) {
        let tile = tiles[t];
        var slot = 4u * (tile.first_block + quad.place * tile.quad_step + k * tile.block_step);
        var row = tile.row + 4u * k;
        for (; k < tile.blocks; k += SHARE) {
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
            slot += SHARE * 4u * tile.block_step;
            row += SHARE * 4u;
        }
        k -= tile.blocks;
    }
    // Row starts are numbered over all neurons behind the inputs.
    let neuron = quad.row - network.features;
    var next = part;
    sum_0 += sparse_share(neuron, column, &next);
    if (quad.lanes > 1u) { sum_1 += sparse_share(neuron + 1u, column, &next); }
    if (quad.lanes > 2u) { sum_2 += sparse_share(neuron + 2u, column, &next); }
    if (quad.lanes > 3u) { sum_3 += sparse_share(neuron + 3u, column, &next); }
    return Sums(sum_0, sum_1, sum_2, sum_3);
}

// Makes an output of its whole weighted sum.
fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    let row = owner.row + member;
    // Biases, too, are numbered over all neurons behind the inputs.
    let bias = sparse[network.first_bias + row - network.features];
    var y = activate(layer.activation, sum + bias);
    if (drops()) {
        let keep = kept(row - layer.first_row, 4u * owner.column);
        y = select(vec4<f32>(0.0), y / dropout.keep_probability, keep);
    }
    activations[row * network.stride + owner.column] = y;
}
