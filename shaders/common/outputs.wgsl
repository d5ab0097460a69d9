// A layer's outputs: the part of forward and, for the logits, of softmax_cross_entropy that weighted_sums.wgsl needs.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
// `[micro-block][input of 4]`, one vec4 of 4 outputs each; `[entry]`, one vec4 of an edge of each of 4 outputs; biases.
@group(1) @binding(1) var<storage, read> values: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> directory: array<vec4<u32>>;
// Of each entry, where the rows of its 4 inputs begin.
@group(1) @binding(3) var<storage, read> entry_rows: array<vec4<u32>>;
@group(1) @binding(4) var<storage, read> listed_blocks: array<ListedBlock>;

fn far(at: u32) -> vec4<f32> {
    return activations[at];
}

fn edge_values(entry: u32) -> vec4<f32> {
    return values[network.first_entry + entry];
}

// Adds a micro-block with 4 inputs for each of its 4 outputs.
fn plus_block(sums: Sums, w: Block, x: Block) -> Sums {
    return Sums(
        plus(plus(plus(plus(sums.of_0, w.of_0.x, x.of_0), w.of_1.x, x.of_1), w.of_2.x, x.of_2), w.of_3.x, x.of_3),
        plus(plus(plus(plus(sums.of_1, w.of_0.y, x.of_0), w.of_1.y, x.of_1), w.of_2.y, x.of_2), w.of_3.y, x.of_3),
        plus(plus(plus(plus(sums.of_2, w.of_0.z, x.of_0), w.of_1.z, x.of_1), w.of_2.z, x.of_2), w.of_3.z, x.of_3),
        plus(plus(plus(plus(sums.of_3, w.of_0.w, x.of_0), w.of_1.w, x.of_1), w.of_2.w, x.of_2), w.of_3.w, x.of_3),
    );
}

// An output, from its complete weighted sum.
fn output_of(owner: Owner, member: u32, sum: vec4<f32>) -> vec4<f32> {
    let row = owner.row + member;
    // Biases are numbered over all neurons after the inputs.
    let bias = network.first_bias + row - network.features;
    var y = activate(layer.activation, sum + values[bias >> 2u][bias & 3u]);
    if (drops()) {
        let keep = kept(row - layer.first_row, 4u * owner.column);
        y = select(vec4<f32>(0.0), y / dropout.keep_probability, keep);
    }
    return y;
}
