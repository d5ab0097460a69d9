// activations[f][b] = data[index[first_sample + b]][f], the rows of the network's inputs.
// A workgroup owns 64 consecutive (column, feature) pairs, features fastest; an invocation owns one feature of 4 samples.
// Outputs are overwritten.
// Lanes behind the batch's last sample read nothing and write 0.
// Twin: src/engine/reference/gather.rs.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> data: array<f32>;
@group(1) @binding(2) var<storage, read> sample_index: array<u32>;

fn feature_of(sample: u32, feature: u32) -> f32 {
    if (sample >= step.samples) {
        return 0.0;
    }
    return data[sample_index[step.first_sample + sample] * network.features + feature];
}

@compute @workgroup_size(WORKGROUP)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.features * step.columns) {
        return;
    }
    let column = id / network.features;
    let feature = id - column * network.features;
    let sample = 4u * column;
    activations[feature * network.stride + column] = vec4<f32>(
        feature_of(sample, feature),
        feature_of(sample + 1u, feature),
        feature_of(sample + 2u, feature),
        feature_of(sample + 3u, feature),
    );
}
