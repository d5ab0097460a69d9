// gradient[o][i] = sum_b delta[o][b] * x[i][b] (+ penalties' of w[o][i]; biases: x = 1, no penalty), then the optimiser's step.
// A workgroup owns ITEMS pairs of micro-blocks, pairs of entries of lists, or quads of biases, in this order; SHARE invocations own one.
// Values and optimiser state are updated in place; there is no gradient in memory.
// Lanes of a micro-block or an entry without an edge read some row of the network and write back the old value.
// Twin: src/engine/reference/backward_weight.rs.

@group(1) @binding(0) var<storage, read> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> deltas: array<vec4<f32>>;
// As in outputs.wgsl; the optimiser's state `[state][value]`.
@group(1) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> state: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read> micro_blocks: array<MicroBlocks>;
@group(1) @binding(5) var<storage, read> entries: array<Entries>;
// Of each input of the network; read with a group lasso only. Numbers of connections; read with DropConnect only.
@group(1) @binding(6) var<storage, read> group_factors: array<f32>;
@group(1) @binding(7) var<storage, read> connections: array<vec4<u32>>;

// Kinds of items.
const MICRO_BLOCK: u32 = 0u;
const ENTRY: u32 = 1u;
const BIASES: u32 = 2u;

// One of the two of a pair, or 4 biases.
struct Owner {
    members: u32,           // inputs of a micro-block, 4; 1 of an entry or of biases; 0 where there is nothing to do
    kind: u32,
    first: u32,             // vec4 of the first member's values
    inputs: vec4<u32>,      // row of the first member's input in a micro-block; where the rows of an entry's inputs begin
    mask: u32,              // bit 4 k + j: value j of member k exists
}

// Two micro-blocks of one output quad, or one twice.
struct MicroBlocks {
    output_row: u32,
    masks: u32,             // bit 4 k + j: the edge from input k of the first one to output j exists; + 16 of the second
    input_row: u32,
    next_input_row: u32,
    place: u32,             // vec4 of its first values
    next_place: u32,
    reserved_0: u32,
    reserved_1: u32,
}

// Two entries of an output quad's list, or one twice.
struct Entries {
    inputs: vec4<u32>,      // where the rows of the inputs begin; in empty places any of them
    next_inputs: vec4<u32>,
    output_row: u32,
    masks: u32,             // bit j: output j has an edge in the first; + 4 in the second
    place: u32,             // vec4 of its first values
    next_place: u32,
}

// The 4 rows of a quad of neurons, clamped to the network's last one.
fn rows_from(row: u32) -> vec4<u32> {
    return min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(network.rows - 1u)) * network.stride;
}

// A pair's two sums.
struct Pair {
    first: Sums,
    second: Sums,
}

fn bits_of(mask: u32) -> vec4<bool> {
    return (vec4<u32>(mask) & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u);
}

// The penalties' part of the gradients of weights from the inputs of these rows, which are in one layer.
fn penalties_of(w: vec4<f32>, inputs: vec4<u32>) -> vec4<f32> {
    var sum = penalty_gradient(w, inputs.x);
    if (step.penalties.group_lasso > 0.0 && inputs.x < network.features) {
        let factors = vec4<f32>(
            group_factors[inputs.x],
            group_factors[inputs.y],
            group_factors[inputs.z],
            group_factors[inputs.w],
        );
        sum += factors * w;
    }
    return sum;
}

// Updates a vec4 of values: the weights of one input in a micro-block, the edges of an entry, or 4 biases.
fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    let exists = bits_of(owner.mask >> (4u * member));
    let is_weight = owner.kind != BIASES;
    let place = owner.first + member;
    var old = Updated();
    old.value = values[place];
    // A fixed number of iterations, so that compilers unroll the loop and the state stays in registers.
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { old.state[k] = state[k * network.values + place]; }
    }
    var loss_gradient = sum;
    if (drops_connections()) { loss_gradient *= connection_factor(connections[place]); }
    var gradient = loss_gradient + select(0.0, step.rule.decay, is_weight) * old.value;
    if (step.penalties.on != 0u && is_weight) {
        let of_block = vec4<u32>(owner.inputs.x + member);
        gradient += penalties_of(old.value, select(owner.inputs / network.stride, of_block, owner.kind == MICRO_BLOCK));
    }
    var next = updated(old, gradient, select(0.0, step.rule.decoupled_decay, is_weight));
    values[place] = select(old.value, next.value, exists);
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { state[k * network.values + place] = select(old.state[k], next.state[k], exists); }
    }
}

// Adds the products of 4 inputs with 4 outputs' deltas, given by sample, each a vec4 of the outputs.
fn plus_products(sums: Sums, x: vec4<u32>, d: Sums, column: u32) -> Sums {
    let x_0 = activations[x.x + column];
    let x_1 = activations[x.y + column];
    let x_2 = activations[x.z + column];
    let x_3 = activations[x.w + column];
    return Sums(
        plus(plus(plus(plus(sums.of_0, x_0.x, d.of_0), x_0.y, d.of_1), x_0.z, d.of_2), x_0.w, d.of_3),
        plus(plus(plus(plus(sums.of_1, x_1.x, d.of_0), x_1.y, d.of_1), x_1.z, d.of_2), x_1.w, d.of_3),
        plus(plus(plus(plus(sums.of_2, x_2.x, d.of_0), x_2.y, d.of_1), x_2.z, d.of_2), x_2.w, d.of_3),
        plus(plus(plus(plus(sums.of_3, x_3.x, d.of_0), x_3.y, d.of_1), x_3.z, d.of_2), x_3.w, d.of_3),
    );
}

// 4 rows of 4 samples as 4 samples of 4 rows.
fn by_sample(rows: Sums) -> Sums {
    return Sums(
        vec4<f32>(rows.of_0.x, rows.of_1.x, rows.of_2.x, rows.of_3.x),
        vec4<f32>(rows.of_0.y, rows.of_1.y, rows.of_2.y, rows.of_3.y),
        vec4<f32>(rows.of_0.z, rows.of_1.z, rows.of_2.z, rows.of_3.z),
        vec4<f32>(rows.of_0.w, rows.of_1.w, rows.of_2.w, rows.of_3.w),
    );
}

// The deltas of 4 outputs, by sample.
fn deltas_at(rows: vec4<u32>, column: u32) -> Sums {
    return by_sample(
        Sums(deltas[rows.x + column], deltas[rows.y + column], deltas[rows.z + column], deltas[rows.w + column]),
    );
}

// One part's share of the gradients of two micro-blocks: every SHARE-th column.
fn dense_share(blocks: MicroBlocks, part: u32) -> Pair {
    let x = rows_from(blocks.input_row);
    let next_x = rows_from(blocks.next_input_row);
    let outputs = rows_from(blocks.output_row);
    var sums = Pair();
    var column = part;
    for (; column + SHARE < step.columns; column += 2u * SHARE) {
        let d = deltas_at(outputs, column);
        let next_d = deltas_at(outputs, column + SHARE);
        sums.first = plus_products(sums.first, x, d, column);
        sums.second = plus_products(sums.second, next_x, d, column);
        sums.first = plus_products(sums.first, x, next_d, column + SHARE);
        sums.second = plus_products(sums.second, next_x, next_d, column + SHARE);
    }
    for (; column < step.columns; column += SHARE) {
        let d = deltas_at(outputs, column);
        sums.first = plus_products(sums.first, x, d, column);
        sums.second = plus_products(sums.second, next_x, d, column);
    }
    return sums;
}

// Adds the products of an entry's 4 inputs, each with its own output's delta.
fn plus_edge_products(sum: vec4<f32>, x: vec4<u32>, d: Sums, column: u32) -> vec4<f32> {
    let rows = Sums(
        activations[x.x + column],
        activations[x.y + column],
        activations[x.z + column],
        activations[x.w + column],
    );
    let inputs = by_sample(rows);
    return fma(inputs.of_3, d.of_3, fma(inputs.of_2, d.of_2, fma(inputs.of_1, d.of_1, fma(inputs.of_0, d.of_0, sum))));
}

// One part's share of the gradients of the edges of two entries: every SHARE-th column.
fn entry_share(entries: Entries, part: u32) -> Pair {
    let outputs = rows_from(entries.output_row);
    var sums = Pair();
    var column = part;
    for (; column + SHARE < step.columns; column += 2u * SHARE) {
        let d = deltas_at(outputs, column);
        let next_d = deltas_at(outputs, column + SHARE);
        sums.first.of_0 = plus_edge_products(sums.first.of_0, entries.inputs, d, column);
        sums.second.of_0 = plus_edge_products(sums.second.of_0, entries.next_inputs, d, column);
        sums.first.of_0 = plus_edge_products(sums.first.of_0, entries.inputs, next_d, column + SHARE);
        sums.second.of_0 = plus_edge_products(sums.second.of_0, entries.next_inputs, next_d, column + SHARE);
    }
    for (; column < step.columns; column += SHARE) {
        let d = deltas_at(outputs, column);
        sums.first.of_0 = plus_edge_products(sums.first.of_0, entries.inputs, d, column);
        sums.second.of_0 = plus_edge_products(sums.second.of_0, entries.next_inputs, d, column);
    }
    return sums;
}

// One part's share of the gradients of the biases of 4 neurons from `row` on: every SHARE-th column.
fn bias_share(row: u32, part: u32) -> vec4<f32> {
    let outputs = rows_from(row);
    var sum = vec4<f32>(0.0);
    for (var column = part; column < step.columns; column += SHARE) {
        let d = deltas_at(outputs, column);
        sum += (d.of_0 + d.of_1) + (d.of_2 + d.of_3);
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn backward_weight(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Twin: of_parameters in src/engine/gpu/amounts.rs.
    let number = group_number(group);
    let block_groups = (network.micro_block_pairs + ITEMS - 1u) / ITEMS;
    let entry_groups = (network.entry_pairs + ITEMS - 1u) / ITEMS;
    let place = parts_first(lane);
    var owner = Owner();
    var next_owner = Owner();
    var sums = Pair();
    if (number < block_groups) {
        let item = number * ITEMS + place.item;
        if (item < network.micro_block_pairs) {
            let blocks = micro_blocks[item];
            let mask = blocks.masks & 0xffffu;
            owner = Owner(4u, MICRO_BLOCK, blocks.place, vec4<u32>(blocks.input_row), mask);
            next_owner = owner;
            next_owner.first = blocks.next_place;
            next_owner.inputs = vec4<u32>(blocks.next_input_row);
            next_owner.mask = blocks.masks >> 16u;
            next_owner.members = select(0u, 4u, blocks.next_place != blocks.place);
            sums = dense_share(blocks, place.part);
        }
    } else if (number < block_groups + entry_groups) {
        let item = (number - block_groups) * ITEMS + place.item;
        if (item < network.entry_pairs) {
            let pair = entries[item];
            owner = Owner(1u, ENTRY, pair.place, pair.inputs, pair.masks & 15u);
            let members = select(0u, 1u, pair.next_place != pair.place);
            next_owner = Owner(members, ENTRY, pair.next_place, pair.next_inputs, pair.masks >> 4u);
            sums = entry_share(pair, place.part);
        }
    } else {
        let item = (number - block_groups - entry_groups) * ITEMS + place.item;
        let row = network.features + 4u * item;
        if (row < network.rows) {
            let mask = 15u >> (4u - min(4u, network.rows - row));
            owner = Owner(1u, BIASES, network.first_bias / 4u + item, vec4<u32>(0u), mask);
            sums.first.of_0 = bias_share(row, place.part);
        }
    }
    finish_members(place, owner, sums.first);
    between_members();
    finish_members(place, next_owner, sums.second);
}
