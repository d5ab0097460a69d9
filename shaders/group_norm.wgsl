// factor[i] = strength * sqrt(d[i]) / sqrt(sum_o w[o][i]^2), the group lasso's gradient being factor[i] * w[o][i]; 0 where the sum is 0.
// A workgroup owns 64 consecutive inputs of the network; an invocation owns one of them with all its d[i] weights.
// Outputs are overwritten.
// Invocations beyond the last input write nothing; padding of dense tiles is in no group.
// Twin: src/engine/reference/group_norm.rs.

@group(1) @binding(0) var<storage, read_write> group_factors: array<f32>;
@group(1) @binding(1) var<storage, read> values: array<f32>;
// First weight of each input; place of each weight among the values.
@group(1) @binding(2) var<storage, read> group_start: array<u32>;
@group(1) @binding(3) var<storage, read> group_values: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn group_norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let id = linear_id(group, lane);
    if (id >= network.features) {
        return;
    }
    let start = group_start[id];
    let end = group_start[id + 1u];
    var sum = 0.0;
    for (var e = start; e < end; e += 1u) {
        let weight = values[group_values[e]];
        sum += weight * weight;
    }
    var factor = 0.0;
    if (sum > 0.0) { factor = step.penalties.group_lasso * sqrt(f32(end - start)) / sqrt(sum); }
    group_factors[id] = factor;
}
