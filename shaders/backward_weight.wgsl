// gradient[o][i] = sum_b delta[o][b] * x[i][b] (+ penalties' of w[o][i]; biases: x = 1, no penalty), then the optimiser's step.
// A workgroup owns ITEMS consecutive micro-blocks or, in the workgroups behind those, sparse values; SHARE invocations own one of them.
// Values and optimiser state are updated in place; there is no gradient in memory.
// Lanes of a micro-block that are no edge read some row of the network and write back what was there.
// Twin: src/engine/reference/backward_weight.rs.

@group(1) @binding(0) var<storage, read> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> deltas: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each; the optimiser's state `[state][micro-block][input of 4]`.
@group(1) @binding(2) var<storage, read_write> dense: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> dense_state: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read> micro_blocks: array<MicroBlock>;
// Sparse weights, then biases; the optimiser's state `[state][sparse value]`.
@group(1) @binding(5) var<storage, read_write> sparse: array<f32>;
@group(1) @binding(6) var<storage, read_write> sparse_state: array<f32>;
@group(1) @binding(7) var<storage, read> sparse_ends: array<vec2<u32>>;
// Of each input of the network; read with a group lasso only. Numbers of connections; read with DropConnect only.
@group(1) @binding(8) var<storage, read> group_factors: array<f32>;
@group(1) @binding(9) var<storage, read> dense_connections: array<vec4<u32>>;
@group(1) @binding(10) var<storage, read> sparse_connections: array<u32>;

// What an item is.
struct Owner {
    members: u32,           // inputs of a micro-block, 4; 1 of a sparse value; 0 where there is nothing to do
    is_dense: bool,
    item: u32,              // number of the micro-block, or of the sparse value
    input_row: u32,         // of the first member; of a bias it means nothing
    mask: u32,              // of a micro-block
}

struct MicroBlock {
    output_row: u32,
    input_row: u32,
    mask: u32,              // bit 4 k + j: the edge from input k to output j exists
}

// What the penalties add to the gradients of weights from the input of this row.
fn penalties_of(w: vec4<f32>, input: u32) -> vec4<f32> {
    var sum = penalty_gradient(w, input);
    if (step.penalties.group_lasso > 0.0 && input < network.features) { sum += group_factors[input] * w; }
    return sum;
}

// Updates the 4 weights of the input of this row in a micro-block.
fn update_dense(slot: u32, lanes: u32, sum: vec4<f32>, input: u32) {
    let exists = (vec4<u32>(lanes) & vec4<u32>(1u, 2u, 4u, 8u)) != vec4<u32>(0u);
    let slots = 4u * network.micro_blocks;
    var old = Updated();
    old.value = dense[slot];
    // As many turns in every step, so that compilers unroll the loop and the state stays in registers.
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { old.state[k] = dense_state[k * slots + slot]; }
    }
    var loss_gradient = sum;
    if (drops_connections()) { loss_gradient *= connection_factor(dense_connections[slot]); }
    var gradient = loss_gradient + step.rule.decay * old.value;
    if (step.penalties.on != 0u) { gradient += penalties_of(old.value, input); }
    var next = updated(old, gradient, step.rule.decoupled_decay);
    dense[slot] = select(old.value, next.value, exists);
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { dense_state[k * slots + slot] = select(old.state[k], next.state[k], exists); }
    }
}

fn update_sparse(id: u32, sum: vec4<f32>, input: u32) {
    let is_weight = id < network.first_bias;
    var old = Updated();
    old.value = vec4<f32>(sparse[id]);
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { old.state[k] = vec4<f32>(sparse_state[k * network.sparse_values + id]); }
    }
    var loss_gradient = vec4<f32>(sum.x + sum.y + sum.z + sum.w);
    if (drops_connections()) { loss_gradient *= connection_factor(vec4<u32>(sparse_connections[id])); }
    var gradient = loss_gradient + select(0.0, step.rule.decay, is_weight) * old.value;
    if (step.penalties.on != 0u && is_weight) { gradient += penalties_of(old.value, input); }
    var next = updated(old, gradient, select(0.0, step.rule.decoupled_decay, is_weight));
    sparse[id] = next.value.x;
    for (var k = 0u; k < STATES; k += 1u) {
        if (k < step.rule.states) { sparse_state[k * network.sparse_values + id] = next.state[k].x; }
    }
}

fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    if (owner.is_dense) {
        update_dense(4u * owner.item + member, owner.mask >> (4u * member), sum, owner.input_row + member);
    } else {
        update_sparse(owner.item, sum, owner.input_row);
    }
}

// One part's share of the gradients of a micro-block: every SHARE-th column.
fn dense_share(block: MicroBlock, part: u32) -> Sums {
    let last = network.rows - 1u;
    let in_0 = block.input_row * network.stride;
    let in_1 = min(block.input_row + 1u, last) * network.stride;
    let in_2 = min(block.input_row + 2u, last) * network.stride;
    let in_3 = min(block.input_row + 3u, last) * network.stride;
    let out_0 = block.output_row * network.stride;
    let out_1 = min(block.output_row + 1u, last) * network.stride;
    let out_2 = min(block.output_row + 2u, last) * network.stride;
    let out_3 = min(block.output_row + 3u, last) * network.stride;

    var sum_0 = vec4<f32>(0.0);
    var sum_1 = vec4<f32>(0.0);
    var sum_2 = vec4<f32>(0.0);
    var sum_3 = vec4<f32>(0.0);
    for (var column = part; column < step.columns; column += SHARE) {
        let x_0 = activations[in_0 + column];
        let x_1 = activations[in_1 + column];
        let x_2 = activations[in_2 + column];
        let x_3 = activations[in_3 + column];
        let d_0 = deltas[out_0 + column];
        let d_1 = deltas[out_1 + column];
        let d_2 = deltas[out_2 + column];
        let d_3 = deltas[out_3 + column];
        sum_0 += vec4<f32>(dot(x_0, d_0), dot(x_0, d_1), dot(x_0, d_2), dot(x_0, d_3));
        sum_1 += vec4<f32>(dot(x_1, d_0), dot(x_1, d_1), dot(x_1, d_2), dot(x_1, d_3));
        sum_2 += vec4<f32>(dot(x_2, d_0), dot(x_2, d_1), dot(x_2, d_2), dot(x_2, d_3));
        sum_3 += vec4<f32>(dot(x_3, d_0), dot(x_3, d_1), dot(x_3, d_2), dot(x_3, d_3));
    }
    return Sums(sum_0, sum_1, sum_2, sum_3);
}

// One part's share of the gradient of a sparse value: every SHARE-th column, 4 samples each still apart.
fn sparse_share(id: u32, ends: vec2<u32>, part: u32) -> vec4<f32> {
    let output = ends.x * network.stride;
    var sum = vec4<f32>(0.0);
    if (id < network.first_bias) {
        let input = ends.y * network.stride;
        for (var column = part; column < step.columns; column += SHARE) {
            sum += activations[input + column] * deltas[output + column];
        }
    } else {
        for (var column = part; column < step.columns; column += SHARE) {
            sum += deltas[output + column];
        }
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn backward_weight(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_number(group);
    let dense_groups = (network.micro_blocks + ITEMS - 1u) / ITEMS;
    var place: Place;
    var owner = Owner();
    var sums = Sums();
    if (number < dense_groups) {
        place = parts_first(number, lane);
        if (place.item < network.micro_blocks) {
            let block = micro_blocks[place.item];
            owner = Owner(4u, true, place.item, block.input_row, block.mask);
            sums = dense_share(block, place.part);
        }
    } else {
        place = parts_first(number - dense_groups, lane);
        if (place.item < network.sparse_values) {
            let ends = sparse_ends[place.item];
            owner = Owner(1u, false, place.item, ends.y, 0u);
            sums.of_0 = sparse_share(place.item, ends, place.part);
        }
    }
    finish_members(place, owner, sums);
}
