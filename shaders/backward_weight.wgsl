// gradient[o][i] = sum_b delta[o][b] * x[i][b] (+ penalties' of w[o][i]; biases: x = 1, no penalty), then the optimiser's step.
// A workgroup owns 64 consecutive micro-blocks (dense) or sparse values of all layers; an invocation owns one of them.
// Values and optimiser state are updated in place; there is no gradient in memory.
// Lanes of a micro-block that are no edge read some row of the network and write back what was there.
// Twin: src/engine/reference/backward_weight.rs.

@group(1) @binding(0) var<storage, read> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> deltas: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each; state that the rule has no use for is never touched.
@group(1) @binding(2) var<storage, read_write> dense: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> dense_first: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> dense_second: array<vec4<f32>>;
@group(1) @binding(5) var<storage, read> micro_blocks: array<MicroBlock>;
// Sparse weights, then biases.
@group(1) @binding(6) var<storage, read_write> sparse: array<f32>;
@group(1) @binding(7) var<storage, read_write> sparse_first: array<f32>;
@group(1) @binding(8) var<storage, read_write> sparse_second: array<f32>;
@group(1) @binding(9) var<storage, read> sparse_ends: array<vec2<u32>>;
// Of each input of the network; read with a group lasso only. Numbers of connections; read with DropConnect only.
@group(1) @binding(10) var<storage, read> group_factors: array<f32>;
@group(1) @binding(11) var<storage, read> dense_connections: array<vec4<u32>>;
@group(1) @binding(12) var<storage, read> sparse_connections: array<u32>;

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
    var old = Updated(dense[slot], vec4<f32>(0.0), vec4<f32>(0.0));
    if (step.rule.kind >= MOMENTUM) { old.first = dense_first[slot]; }
    if (step.rule.kind == ADAM) { old.second = dense_second[slot]; }
    var loss_gradient = sum;
    if (drops_connections()) { loss_gradient *= connection_factor(dense_connections[slot]); }
    var gradient = loss_gradient + step.rule.decay * old.value;
    if (step.penalties.on != 0u) { gradient += penalties_of(old.value, input); }
    let next = updated(old, gradient);
    dense[slot] = select(old.value, next.value, exists);
    if (step.rule.kind >= MOMENTUM) { dense_first[slot] = select(old.first, next.first, exists); }
    if (step.rule.kind == ADAM) { dense_second[slot] = select(old.second, next.second, exists); }
}

@compute @workgroup_size(WORKGROUP)
fn backward_weight_dense(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.micro_blocks) {
        return;
    }
    let block = micro_blocks[id];
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
    for (var column = 0u; column < step.columns; column += 1u) {
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

    update_dense(4u * id, block.mask, sum_0, block.input_row);
    update_dense(4u * id + 1u, block.mask >> 4u, sum_1, block.input_row + 1u);
    update_dense(4u * id + 2u, block.mask >> 8u, sum_2, block.input_row + 2u);
    update_dense(4u * id + 3u, block.mask >> 12u, sum_3, block.input_row + 3u);
}

@compute @workgroup_size(WORKGROUP)
fn backward_weight_sparse(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.sparse_values) {
        return;
    }
    let ends = sparse_ends[id];
    let output = ends.x * network.stride;
    var sum = vec4<f32>(0.0);
    var decay = 0.0;
    if (id < network.first_bias) {
        let input = ends.y * network.stride;
        for (var column = 0u; column < step.columns; column += 1u) {
            sum += activations[input + column] * deltas[output + column];
        }
        decay = step.rule.decay;
    } else {
        for (var column = 0u; column < step.columns; column += 1u) {
            sum += deltas[output + column];
        }
    }

    var old = Updated(vec4<f32>(sparse[id]), vec4<f32>(0.0), vec4<f32>(0.0));
    if (step.rule.kind >= MOMENTUM) { old.first = vec4<f32>(sparse_first[id]); }
    if (step.rule.kind == ADAM) { old.second = vec4<f32>(sparse_second[id]); }
    var loss_gradient = vec4<f32>(sum.x + sum.y + sum.z + sum.w);
    if (drops_connections()) { loss_gradient *= connection_factor(vec4<u32>(sparse_connections[id])); }
    var gradient = loss_gradient + decay * old.value;
    if (step.penalties.on != 0u && id < network.first_bias) { gradient += penalties_of(old.value, ends.y); }
    let next = updated(old, gradient);
    sparse[id] = next.value.x;
    if (step.rule.kind >= MOMENTUM) { sparse_first[id] = next.first.x; }
    if (step.rule.kind == ADAM) { sparse_second[id] = next.second.x; }
}
