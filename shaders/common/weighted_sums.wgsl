// Weighted sums of quads of neurons over those on the far side of a layer: forward and, for the logits, softmax_cross_entropy
// own outputs and read inputs, backward_input owns inputs and reads outputs. Each gives `list_of`, `listed`, `far_values`,
// `products` and `finish`. Twin: src/engine/cpu/weighted_sums.rs.

// The neurons of a quad for 4 samples.
struct Owner {
    members: u32,           // neurons, 1 to 4; 0 where there is nothing to do
    row: u32,               // of the first one
    column: u32,
}

// Sums the sparse edges from place `next` of a neuron's list on, every SHARE-th one. `next` ends as the place in the
// following neuron's list: parts take turns over all lists of a quad, so that none gets the longer end of each.
fn sparse_share(neuron: u32, column: u32, next: ptr<function, u32>) -> vec4<f32> {
    let list = list_of(neuron);
    var sum = vec4<f32>(0.0);
    var entry = list.x + *next;
    for (; entry < list.y; entry += SHARE) {
        sum += listed(entry, column);
    }
    *next = entry - list.y;
    return sum;
}

// One part's share of the weighted sums of a quad: every SHARE-th micro-block, every SHARE-th sparse edge.
fn share_of_sums(quad: Quad, column: u32, part: u32) -> Sums {
    var sums = Sums();
    // Parts take turns over the micro-blocks of all tiles, as if these were one.
    var k = part;
    for (var t = quad.first_tile; t < quad.end_tile; t += 1u) {
        let tile = tiles[t];
        var slot = 4u * (tile.first_block + quad.place * tile.quad_step + k * tile.block_step);
        var row = tile.row + 4u * k;
        for (; k < tile.blocks; k += SHARE) {
            let added = products(
                slot,
                far_values(row, column),
                far_values(min(row + 1u, tile.last_row), column),
                far_values(min(row + 2u, tile.last_row), column),
                far_values(min(row + 3u, tile.last_row), column),
            );
            sums.of_0 += added.of_0;
            sums.of_1 += added.of_1;
            sums.of_2 += added.of_2;
            sums.of_3 += added.of_3;
            slot += SHARE * 4u * tile.block_step;
            row += SHARE * 4u;
        }
        k -= tile.blocks;
    }
    // Lists are numbered over all neurons behind the network's inputs.
    let neuron = quad.row - network.features;
    var next = part;
    sums.of_0 += sparse_share(neuron, column, &next);
    if (quad.lanes > 1u) { sums.of_1 += sparse_share(neuron + 1u, column, &next); }
    if (quad.lanes > 2u) { sums.of_2 += sparse_share(neuron + 2u, column, &next); }
    if (quad.lanes > 3u) { sums.of_3 += sparse_share(neuron + 3u, column, &next); }
    return sums;
}

// What one invocation does in forward and backward_input: items are (quad, column) pairs, columns fastest.
fn sum_and_finish(group: vec3<u32>, lane: u32) {
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
