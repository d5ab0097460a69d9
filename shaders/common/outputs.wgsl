// A layer's outputs: what forward and, for the logits, softmax_cross_entropy give weighted_sums.wgsl.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each.
@group(1) @binding(1) var<storage, read> dense: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> sparse: array<f32>;
@group(1) @binding(3) var<storage, read> quads: array<Quad>;
@group(1) @binding(4) var<storage, read> tiles: array<Tile>;
// First sparse value of each neuron behind the inputs; row of the input of each sparse value.
@group(1) @binding(5) var<storage, read> row_start: array<u32>;
@group(1) @binding(6) var<storage, read> sparse_input: array<u32>;

fn list_of(neuron: u32) -> vec2<u32> {
    return vec2<u32>(row_start[neuron], row_start[neuron + 1u]);
}

fn listed(value: u32, column: u32) -> vec4<f32> {
    return sparse[value] * activations[sparse_input[value] * network.stride + column];
}

fn far_values(row: u32, column: u32) -> vec4<f32> {
    return activations[row * network.stride + column];
}

// Of the micro-block at `slot` with 4 inputs, for each of its 4 outputs.
fn products(slot: u32, x_0: vec4<f32>, x_1: vec4<f32>, x_2: vec4<f32>, x_3: vec4<f32>) -> Sums {
    let w_0 = dense[slot];
    let w_1 = dense[slot + 1u];
    let w_2 = dense[slot + 2u];
    let w_3 = dense[slot + 3u];
    return Sums(
        w_0.x * x_0 + w_1.x * x_1 + w_2.x * x_2 + w_3.x * x_3,
        w_0.y * x_0 + w_1.y * x_1 + w_2.y * x_2 + w_3.y * x_3,
        w_0.z * x_0 + w_1.z * x_1 + w_2.z * x_2 + w_3.z * x_3,
        w_0.w * x_0 + w_1.w * x_1 + w_2.w * x_2 + w_3.w * x_3,
    );
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
