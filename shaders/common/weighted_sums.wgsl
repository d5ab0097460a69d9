// Weighted sums of quads of neurons over those on the far side of a layer: forward and, for the logits, softmax_cross_entropy
// own outputs and read inputs, backward_input owns inputs and reads outputs. Each gives `far`, `plus_block`, `edge_values`
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
    return Block(dense[slot], dense[slot + 1u], dense[slot + 2u], dense[slot + 3u]);
}

// The 4 far rows of a micro-block, from place `at` on; those behind the tile's last one, at `last`, are that one.
fn far_rows(at: u32, last: u32) -> Block {
    let stride = network.stride;
    return Block(far(at), far(min(at + stride, last)), far(min(at + 2u * stride, last)), far(min(at + 3u * stride, last)));
}

// Sums for one column of 4 samples or, where SPAN is 2, for two of them, which share what is read of the weights.
struct Span {
    first: Sums,
    second: Sums,
}

// Adds a micro-block whose far rows are read from `at` on; the second column is `apart` columns away.
fn plus_micro_block(sums: Span, values: Block, at: u32, last: u32, apart: u32) -> Span {
    var next = sums;
    next.first = plus_block(sums.first, values, far_rows(at, last));
    if (SPAN == 2u) { next.second = plus_block(sums.second, values, far_rows(at + apart, last + apart)); }
    return next;
}

// One part's share of the weighted sums of a quad: every SHARE-th micro-block, every SHARE-th entry of its list.
fn share_of_sums(quad: Quad, column: u32, apart: u32, part: u32) -> Span {
    var sums = Span();
    // Parts take turns over the micro-blocks of all tiles, as if these were one.
    var k = part;
    let rows_apart = 4u * SHARE * network.stride;
    for (var t = quad.first_tile; t < quad.end_tile; t += 1u) {
        let tile = tiles[t];
        let slots_apart = 4u * SHARE * tile.block_step;
        let last = tile.last_row * network.stride + column;
        var slot = 4u * (tile.first_block + quad.place * tile.quad_step + k * tile.block_step);
        var at = (tile.row + 4u * k) * network.stride + column;
        // Two at a time, so that the second one's values are on their way while the first one's are multiplied.
        for (; k + SHARE < tile.blocks; k += 2u * SHARE) {
            let values = block_at(slot);
            let next = block_at(slot + slots_apart);
            sums = plus_micro_block(sums, values, at, last, apart);
            sums = plus_micro_block(sums, next, at + rows_apart, last, apart);
            slot += 2u * slots_apart;
            at += 2u * rows_apart;
        }
        if (k < tile.blocks) {
            sums = plus_micro_block(sums, block_at(slot), at, last, apart);
            k += SHARE;
        }
        k -= tile.blocks;
    }
    sums = plus_listed(sums, quad, column, apart, part);
    return plus_entries(sums, quad, column, apart, part);
}

// Adds the listed micro-blocks, which are whole: none has a row behind the last one of its side.
fn plus_listed(begun: Span, quad: Quad, column: u32, apart: u32, part: u32) -> Span {
    var sums = begun;
    let rows = 3u * network.stride;
    var block = quad.first_block + part;
    for (; block + SHARE < quad.end_block; block += 2u * SHARE) {
        let one = listed_blocks[block];
        let other = listed_blocks[block + SHARE];
        let values = block_at(one.slot);
        let next = block_at(other.slot);
        sums = plus_micro_block(sums, values, one.at + column, one.at + column + rows, apart);
        sums = plus_micro_block(sums, next, other.at + column, other.at + column + rows, apart);
    }
    if (block < quad.end_block) {
        let one = listed_blocks[block];
        sums = plus_micro_block(sums, block_at(one.slot), one.at + column, one.at + column + rows, apart);
    }
    return sums;
}

// Adds the sparse edges: those of the 4 neurons in one entry at once, two entries at a time.
fn plus_entries(begun: Span, quad: Quad, column: u32, apart: u32, part: u32) -> Span {
    var sums = begun;
    var entry = quad.first_entry + part;
    for (; entry + SHARE < quad.end_entry; entry += 2u * SHARE) {
        let rows = entry_rows[entry];
        let next_rows = entry_rows[entry + SHARE];
        let values = edge_values(entry);
        let next_values = edge_values(entry + SHARE);
        sums = plus_entry(sums, values, rows + column, apart);
        sums = plus_entry(sums, next_values, next_rows + column, apart);
    }
    if (entry < quad.end_entry) {
        sums = plus_entry(sums, edge_values(entry), entry_rows[entry] + column, apart);
    }
    return sums;
}

fn plus_entry(sums: Span, values: vec4<f32>, at: vec4<u32>, apart: u32) -> Span {
    var next = sums;
    next.first = plus_edges(sums.first, values, Block(far(at.x), far(at.y), far(at.z), far(at.w)));
    if (SPAN == 2u) {
        let x = Block(far(at.x + apart), far(at.y + apart), far(at.z + apart), far(at.w + apart));
        next.second = plus_edges(sums.second, values, x);
    }
    return next;
}

fn plus_edges(sums: Sums, values: vec4<f32>, x: Block) -> Sums {
    return Sums(
        plus(sums.of_0, values.x, x.of_0),
        plus(sums.of_1, values.y, x.of_1),
        plus(sums.of_2, values.z, x.of_2),
        plus(sums.of_3, values.w, x.of_3),
    );
}

// What one invocation does in forward and backward_input: its item is a quad for SPAN columns. A workgroup has up to 32 columns
// side by side and as many quads as there is room for: these read the same rows, which then come out of the cache.
fn sum_and_finish(group: vec3<u32>, lane: u32) {
    let place = items_first(lane);
    // Twin: Shader::lane_bits in src/engine/gpu/shaders.rs.
    let bits = min(MOST_LANE_BITS, 32u - countLeadingZeros(max(network.stride, 1u) - 1u));
    let lanes = 1u << bits;
    let chunks = (step.columns + SPAN * lanes - 1u) / (SPAN * lanes);
    let number = group_number(group);
    let column = (number % chunks) * SPAN * lanes + (place.item & (lanes - 1u));
    let quad_number = (number / chunks) * (ITEMS >> bits) + (place.item >> bits);
    var owner = Owner();
    var second = Owner();
    var sums = Span();
    if (quad_number < layer.quads && column < step.columns) {
        let quad = quads[layer.first_quad + quad_number];
        owner = Owner(quad.lanes, quad.row, column);
        var apart = 0u;
        if (SPAN == 2u && column + lanes < step.columns) {
            apart = lanes;
            second = Owner(quad.lanes, quad.row, column + lanes);
        }
        sums = share_of_sums(quad, column, apart, place.part);
    }
    finish_members(place, owner, sums.first);
    if (SPAN == 2u) {
        between_members();
        finish_members(place, second, sums.second);
    }
}
