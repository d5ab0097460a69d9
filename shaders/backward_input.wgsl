// delta[i][b] = slope(y[i][b]) * sum_o w[o][i] * delta[o][b], y being the activations that forward stored.
// A workgroup owns ITEMS (quad of inputs, column) pairs, up to 32 columns of each quad; SHARE invocations own 4 inputs of 4 samples.
// Outputs are overwritten.
// Outputs beyond the end of their block are clamped to its last one (their weights are 0); inputs there are not written.
// Twin: src/engine/reference/backward_input.rs.

@group(1) @binding(0) var<storage, read_write> deltas: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> activations: array<vec4<f32>>;
// As in outputs.wgsl.
@group(1) @binding(2) var<storage, read> values: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read> directory: array<vec4<u32>>;
// Of each entry, where the rows of its 4 outputs begin, and the places of its 4 values.
@group(1) @binding(4) var<storage, read> entry_rows: array<vec4<u32>>;
@group(1) @binding(5) var<storage, read> entry_values: array<vec4<u32>>;
@group(1) @binding(6) var<storage, read> listed_blocks: array<ListedBlock>;
// The same values as single numbers.
@group(1) @binding(7) var<storage, read> single_values: array<f32>;

fn far(at: u32) -> vec4<f32> {
    return deltas[at];
}

fn edge_values(entry: u32) -> vec4<f32> {
    let places = entry_values[entry];
    return vec4<f32>(
        single_values[places.x],
        single_values[places.y],
        single_values[places.z],
        single_values[places.w],
    );
}

// Adds a micro-block, with 4 deltas for each of its 4 inputs.
fn plus_block(sums: Sums, w: Block, d: Block) -> Sums {
    return Sums(
        plus(plus(plus(plus(sums.of_0, w.of_0.x, d.of_0), w.of_0.y, d.of_1), w.of_0.z, d.of_2), w.of_0.w, d.of_3),
        plus(plus(plus(plus(sums.of_1, w.of_1.x, d.of_0), w.of_1.y, d.of_1), w.of_1.z, d.of_2), w.of_1.w, d.of_3),
        plus(plus(plus(plus(sums.of_2, w.of_2.x, d.of_0), w.of_2.y, d.of_1), w.of_2.z, d.of_2), w.of_2.w, d.of_3),
        plus(plus(plus(plus(sums.of_3, w.of_3.x, d.of_0), w.of_3.y, d.of_1), w.of_3.z, d.of_2), w.of_3.w, d.of_3),
    );
}

// Turns a complete weighted sum into a delta.
fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    let row = owner.row + member;
    let at = row * network.stride + owner.column;
    var delta = sum;
    var a = activations[at];
    if (drops()) {
        // Kept units were divided by the keep probability, so their gradient is, too, and `a` is the value before that.
        let keep = kept(row - layer.first_row, 4u * owner.column);
        delta = select(vec4<f32>(0.0), delta / dropout.keep_probability, keep);
        a *= dropout.keep_probability;
    }
    deltas[at] = delta * slope(layer.activation, a);
}

@compute @workgroup_size(WORKGROUP)
fn backward_input(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    sum_and_finish(group, lane);
}
