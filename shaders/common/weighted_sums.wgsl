// Weighted sums of quads of neurons over those on the far side of a layer: forward and, for the logits, softmax_cross_entropy
// own outputs and read inputs, backward_input owns inputs and reads outputs. Each defines `far`, `plus_block`, `edge_values`
// and `finish`. Twin: src/engine/cpu/weighted_sums.rs.

// The neurons of a quad for 4 samples.
struct Owner {
    members: u32,           // neurons, 1 to 4; 0 where there is nothing to do
    row: u32,               // of the first one
    column: u32,
}

// The values of a micro-block, one vec4 of 4 outputs for each input.
struct Block {
    of_0: vec4<f32>,
    of_1: vec4<f32>,
    of_2: vec4<f32>,
    of_3: vec4<f32>,
}

fn block_at(slot: u32) -> Block {
    return Block(values[slot], values[slot + 1u], values[slot + 2u], values[slot + 3u]);
}

// The 4 far rows of a micro-block, from place `at` on.
fn far_rows(at: u32) -> Block {
    let stride = network.stride;
    return Block(far(at), far(at + stride), far(at + 2u * stride), far(at + 3u * stride));
}

// The same for a micro-block that may reach beyond the tile's last row, at `last`: rows are clamped to it.
fn clamped_rows(at: u32, last: u32) -> Block {
    let stride = network.stride;
    return Block(
        far(at),
        far(min(at + stride, last)),
        far(min(at + 2u * stride, last)),
        far(min(at + 3u * stride, last)),
    );
}

// One part's share of the weighted sums of a quad: every SHARE-th micro-block, every SHARE-th entry of its lists; two
// at a time, so that the second one's values are loaded while the first one's are multiplied.
fn share_of_sums(quad: Quad, column: u32, part: u32) -> Sums {
    var sums = Sums();
    // Parts alternate over the micro-blocks of all tiles, as if these were one tile.
    var k = part;
    let rows_apart = 4u * SHARE * network.stride;
    for (var t = quad.first_tile; t < quad.end_tile; t += TILE_VECTORS) {
        let tile = tile_at(t);
        let slots_apart = 4u * SHARE * tile.block_step;
        let last = tile.last_row * network.stride + column;
        var slot = 4u * (tile.first_block + quad.place * tile.quad_step + k * tile.block_step);
        var at = (tile.row + 4u * k) * network.stride + column;
        let whole = (tile.last_row + 1u - tile.row) / 4u;
        for (; k + SHARE < whole; k += 2u * SHARE) {
            let b_0 = block_at(slot);
            let b_1 = block_at(slot + slots_apart);
            let x_0 = far_rows(at);
            let x_1 = far_rows(at + rows_apart);
            sums = plus_block(plus_block(sums, b_0, x_0), b_1, x_1);
            slot += 2u * slots_apart;
            at += 2u * rows_apart;
        }
        for (; k < tile.blocks; k += SHARE) {
            sums = plus_block(sums, block_at(slot), clamped_rows(at, last));
            slot += slots_apart;
            at += rows_apart;
        }
        k -= tile.blocks;
    }
    return plus_entries(plus_listed(sums, quad, column, part), quad, column, part);
}

// Adds the listed micro-blocks, which have all 16 weights.
fn plus_listed(begun: Sums, quad: Quad, column: u32, part: u32) -> Sums {
    var sums = begun;
    let end = quad.end_block;
    var k = quad.first_block + part;
    for (; k + SHARE < end; k += 2u * SHARE) {
        let l_0 = listed_blocks[k];
        let l_1 = listed_blocks[k + SHARE];
        let b_0 = block_at(l_0.slot);
        let b_1 = block_at(l_1.slot);
        let x_0 = far_rows(l_0.at + column);
        let x_1 = far_rows(l_1.at + column);
        sums = plus_block(plus_block(sums, b_0, x_0), b_1, x_1);
    }
    for (; k < end; k += SHARE) {
        let l_0 = listed_blocks[k];
        sums = plus_block(sums, block_at(l_0.slot), far_rows(l_0.at + column));
    }
    return sums;
}

// The far rows of an entry's 4 edges.
fn entry_far(entry: u32, column: u32) -> Block {
    let at = entry_rows[entry] + column;
    return Block(far(at.x), far(at.y), far(at.z), far(at.w));
}

// Adds the sparse edges: those of the 4 neurons in one entry at once.
fn plus_entries(begun: Sums, quad: Quad, column: u32, part: u32) -> Sums {
    var sums = begun;
    let end = quad.end_entry;
    var k = quad.first_entry + part;
    for (; k + SHARE < end; k += 2u * SHARE) {
        let x_0 = entry_far(k, column);
        let x_1 = entry_far(k + SHARE, column);
        let w_0 = edge_values(k);
        let w_1 = edge_values(k + SHARE);
        sums = plus_edges(plus_edges(sums, w_0, x_0), w_1, x_1);
    }
    for (; k < end; k += SHARE) {
        sums = plus_edges(sums, edge_values(k), entry_far(k, column));
    }
    return sums;
}

fn plus_edges(sums: Sums, values: vec4<f32>, x: Block) -> Sums {
    return Sums(
        plus(sums.of_0, values.x, x.of_0),
        plus(sums.of_1, values.y, x.of_1),
        plus(sums.of_2, values.z, x.of_2),
        plus(sums.of_3, values.w, x.of_3),
    );
}

// The work of one invocation in forward and backward_input: its item is a quad for one column. A workgroup has up to 32 columns
// side by side and as many quads as fit: these read the same rows, which then come from the cache.
fn sum_and_finish(group: vec3<u32>, lane: u32) {
    let place = items_first(lane);
    // Twin: KernelSpec::lane_bits in src/engine/gpu/kernel_spec.rs.
    let bits = min(MOST_LANE_BITS, 32u - countLeadingZeros(max(network.stride, 1u) - 1u));
    let chunks = (step.columns + (1u << bits) - 1u) >> bits;
    let number = group_number(group);
    let column = ((number % chunks) << bits) + (place.item & ((1u << bits) - 1u));
    let quad_number = (number / chunks) * (ITEMS >> bits) + (place.item >> bits);
    var owner = Owner();
    var sums = Sums();
    if (quad_number < layer.quads && column < step.columns) {
        let quad = quad_at(layer.first_quad + quad_number);
        owner = Owner(quad.lanes, quad.row, column);
        sums = share_of_sums(quad, column, place.part);
    }
    finish_members(place, owner, sums);
}
