// activations[f][b] = data[index[first_sample + b]][f], the rows of the network's inputs; batch_labels[word][b] likewise.
// A workgroup owns 32 consecutive features of 8 consecutive columns; an invocation reads one feature of 4 samples and writes another.
// Outputs are overwritten.
// Lanes beyond the batch's last sample read another sample and write 0, and NO_LABEL.
// Twin: src/engine/reference/gather.rs.

@group(1) @binding(0) var<storage, read_write> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read> data: array<f32>;
@group(1) @binding(2) var<storage, read> sample_index: array<u32>;
@group(1) @binding(3) var<storage, read> labels: array<u32>;
@group(1) @binding(4) var<storage, read_write> batch_labels: array<vec4<u32>>;

// Twin: GATHERED in src/engine/gpu/workgroups.rs.
const FEATURES: u32 = 32u;
const COLUMNS: u32 = 8u;
// One longer than the columns, so that the features of a column are in different memory banks.
const ROW: u32 = COLUMNS + 1u;
// Neighbours read consecutive features of a sample, and write consecutive columns of a row.
var<workgroup> gathered: array<vec4<f32>, FEATURES * ROW>;

// The 4 samples of a column, as numbers in the batch, and which of them exist.
struct Samples {
    index: vec4<u32>,       // of those there are; elsewhere that of the batch's last sample
    real: vec4<bool>,
}

fn samples_of(column: u32) -> Samples {
    let sample = vec4<u32>(4u * column) + vec4<u32>(0u, 1u, 2u, 3u);
    // All at once: reads that wait for each other would take four times as long.
    let places = step.first_sample + min(sample, vec4<u32>(step.samples - 1u));
    let index = vec4<u32>(
        sample_index[places.x],
        sample_index[places.y],
        sample_index[places.z],
        sample_index[places.w],
    );
    return Samples(index, sample < vec4<u32>(step.samples));
}

@compute @workgroup_size(WORKGROUP)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_number(group);
    let feature_groups = (network.features + FEATURES - 1u) / FEATURES;
    let first_feature = (number % feature_groups) * FEATURES;
    let first_column = (number / feature_groups) * COLUMNS;
    let last_feature = network.features - 1u;
    for (var item = lane; item < FEATURES * COLUMNS; item += WORKGROUP) {
        let feature = min(first_feature + item % FEATURES, last_feature);
        let column = item / FEATURES;
        let samples = samples_of(first_column + column);
        let at = samples.index * network.features + feature;
        let values = vec4<f32>(data[at.x], data[at.y], data[at.z], data[at.w]);
        gathered[(item % FEATURES) * ROW + column] = select(vec4<f32>(0.0), values, samples.real);
    }
    workgroupBarrier();
    for (var item = lane; item < FEATURES * COLUMNS; item += WORKGROUP) {
        let feature = first_feature + item / COLUMNS;
        let column = first_column + item % COLUMNS;
        if (feature < network.features && column < step.columns) {
            activations[feature * network.stride + column] = gathered[(item / COLUMNS) * ROW + item % COLUMNS];
        }
    }
    // One of the workgroups of these columns has their labels.
    let column = first_column + lane;
    if (first_feature == 0u && lane < COLUMNS && column < step.columns) {
        let samples = samples_of(column);
        for (var word = 0u; word < network.label_words; word += 1u) {
            let at = samples.index * network.label_words + word;
            let found = vec4<u32>(labels[at.x], labels[at.y], labels[at.z], labels[at.w]);
            batch_labels[word * network.stride + column] = select(vec4<u32>(NO_LABEL), found, samples.real);
        }
    }
}
