// activations[f][b] = data[index[first_sample + b]][f], the rows of the network's inputs.
// A workgroup owns 32 consecutive features of 8 consecutive columns; an invocation reads one feature of 4 samples and writes another.
// Outputs are overwritten.
// Lanes behind the batch's last sample read another sample and write 0.
// Twin: src/engine/reference/gather.rs.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> data: array<f32>;
@group(1) @binding(2) var<storage, read> sample_index: array<u32>;

// Twins: GATHER_FEATURES and GATHER_COLUMNS in src/engine/gpu/shaders.rs.
const FEATURES: u32 = 32u;
const COLUMNS: u32 = 8u;
// One longer than the columns: so the features of a column stand in different banks of the memory.
const ROW: u32 = COLUMNS + 1u;
// Neighbours read consecutive features of a sample, and write consecutive columns of a row.
var<workgroup> gathered: array<vec4<f32>, FEATURES * ROW>;

@compute @workgroup_size(WORKGROUP)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_number(group);
    let feature_groups = (network.features + FEATURES - 1u) / FEATURES;
    let first_feature = (number % feature_groups) * FEATURES;
    let first_column = (number / feature_groups) * COLUMNS;
    let last_feature = network.features - 1u;
    let last_sample = step.samples - 1u;
    for (var item = lane; item < FEATURES * COLUMNS; item += WORKGROUP) {
        let feature = min(first_feature + item % FEATURES, last_feature);
        let column = item / FEATURES;
        let sample = 4u * (first_column + column);
        // All at once: reads that wait for each other would take four times as long.
        let places = min(vec4<u32>(sample, sample + 1u, sample + 2u, sample + 3u), vec4<u32>(last_sample));
        let index = vec4<u32>(
            sample_index[step.first_sample + places.x],
            sample_index[step.first_sample + places.y],
            sample_index[step.first_sample + places.z],
            sample_index[step.first_sample + places.w],
        );
        let at = index * network.features + feature;
        let values = vec4<f32>(data[at.x], data[at.y], data[at.z], data[at.w]);
        let real = vec4<u32>(sample, sample + 1u, sample + 2u, sample + 3u) < vec4<u32>(step.samples);
        gathered[(item % FEATURES) * ROW + column] = select(vec4<f32>(0.0), values, real);
    }
    workgroupBarrier();
    for (var item = lane; item < FEATURES * COLUMNS; item += WORKGROUP) {
        let feature = first_feature + item / COLUMNS;
        let column = first_column + item % COLUMNS;
        if (feature < network.features && column < step.columns) {
            activations[feature * network.stride + column] = gathered[(item / COLUMNS) * ROW + item % COLUMNS];
        }
    }
}
