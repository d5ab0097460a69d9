// masked[e] = w[e] * factor[e]: 0 if this step drops connection e, otherwise w[e] / keep probability.
// A workgroup owns 64 consecutive vec4s of values; an invocation owns 4 weights.
// Outputs are overwritten.
// Padding, empty places, biases and the weights of the logits have no connection number and are copied.
// Twin: src/engine/reference/drop_connect.rs.

@group(1) @binding(0) var<storage, read_write> masked: array<vec4<f32>>;
// As in outputs.wgsl.
@group(1) @binding(1) var<storage, read> values: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> connections: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP)
fn drop_connect(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.values) {
        return;
    }
    masked[id] = values[id] * connection_factor(connections[id]);
}
