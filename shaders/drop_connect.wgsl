// masked[e] = w[e] * factor[e]: 0 where this step drops connection e, w[e] / keep probability where it keeps it.
// A workgroup owns 64 consecutive inputs of micro-blocks (dense) or values (sparse); an invocation owns 4 weights or one value.
// Outputs are overwritten.
// Padding, biases and the weights of the logits have no connection's number and are copied.
// Twin: src/engine/reference/drop_connect.rs.

// `[micro-block][input of 4]`, one vec4 of 4 outputs each.
@group(1) @binding(0) var<storage, read_write> masked_dense: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> dense: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> dense_connections: array<vec4<u32>>;
// Places of entries' edges, then biases, then 4 zeros; places without an edge are copied, too.
@group(1) @binding(3) var<storage, read_write> masked_sparse: array<f32>;
@group(1) @binding(4) var<storage, read> sparse: array<f32>;
@group(1) @binding(5) var<storage, read> sparse_connections: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn drop_connect_dense(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= 4u * network.micro_blocks) {
        return;
    }
    masked_dense[id] = dense[id] * connection_factor(dense_connections[id]);
}

@compute @workgroup_size(WORKGROUP)
fn drop_connect_sparse(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.sparse_values) {
        return;
    }
    masked_sparse[id] = sparse[id] * connection_factor(vec4<u32>(sparse_connections[id])).x;
}
