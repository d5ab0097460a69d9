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

// The inputs of a quad for 4 samples.
struct Owner {
    members: u32,           // inputs, 1 to 4; 0 where there is nothing to do
    row: u32,               // of the first one
    column: u32,
}

// Sums the sparse edges from place `next` of a neuron's list on, every SHARE-th one. `next` ends as the place in the
// following neuron's list: parts take turns over all lists of a quad, so that none gets the longer end of each.
fn sparse_share(neuron: u32, column: u32, next: ptr<function, u32>) -> vec4<f32> {
    let start = column_start[neuron];
    let end = column_start[neuron + 1u];
    var sum = vec4<f32>(0.0);
    var e = start + *next;
    for (; e < end; e += SHARE) {
        let entry = entries[e];
        sum += sparse[entry.y] * deltas[entry.x * network.stride + column];
    }
    *next = e - end;
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
            slot += SHARE * 4u * tile.block_step;
            row += SHARE * 4u;
        }
        k -= tile.blocks;
    }
    // List starts are numbered over all neurons behind the network's inputs.
    let neuron = quad.row - network.features;
    var next = part;
    sum_0 += sparse_share(neuron, column, &next);
    if (quad.lanes > 1u) { sum_1 += sparse_share(neuron + 1u, column, &next); }
    if (quad.lanes > 2u) { sum_2 += sparse_share(neuron + 2u, column, &next); }
    if (quad.lanes > 3u) { sum_3 += sparse_share(neuron + 3u, column, &next); }
    return Sums(sum_0, sum_1, sum_2, sum_3);
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
    let place = items_first(group_number(group), lane);
    var owner = Owner();
    var sums = Sums();
    if (place.item < layer.quads * step.columns) {
        let number = place.item / step.columns;
        let column = place.item - number * step.columns;
        let quad = quads[layer.first_quad + number];
        owner = Owner(quad.lanes, quad.row, column);
        sums = share_of_sums(quad, column, place.part);
    }
    finish_members(place, owner, sums);
}
