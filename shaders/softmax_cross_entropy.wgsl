// loss[b] = ln sum_c exp(z[c][b]) - sum_c t[c] z[c][b], t[c] = (1 - e) [c = label] + e / classes; delta = (softmax(z) - t) / samples.
// One workgroup owns the whole batch; an invocation owns every 256th column of 4 samples.
// Outputs (deltas of the logits, in training alone, and one slot of the metrics) are overwritten.
// Lanes behind the batch's last sample read no label, count for nothing, and get delta 0.
// Twin: src/engine/reference/softmax_cross_entropy.rs.

struct Metric {
    loss: f32,              // sum over the batch
    correct: u32,
}

@group(1) @binding(0) var<storage, read> activations: array<vec4<f32>>;
@group(1) @binding(1) var<storage, read_write> deltas: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read> labels: array<u32>;
@group(1) @binding(3) var<storage, read> sample_index: array<u32>;
@group(1) @binding(4) var<storage, read_write> metrics: array<Metric>;

// Twin: SOFTMAX_WORKGROUP in src/engine/gpu/shaders.rs.
const SOFTMAX_WORKGROUP: u32 = 256u;
const NO_LABEL: u32 = 0xffffffffu;

var<workgroup> losses: array<f32, SOFTMAX_WORKGROUP>;
var<workgroup> corrects: array<u32, SOFTMAX_WORKGROUP>;

fn label_of(sample: u32) -> u32 {
    if (sample >= step.samples) {
        return NO_LABEL;
    }
    return labels[sample_index[step.first_sample + sample]];
}

// Writes the deltas of one column and returns its loss and its correct samples.
fn column_metric(column: u32) -> Metric {
    let sample = 4u * column;
    let label = vec4<u32>(label_of(sample), label_of(sample + 1u), label_of(sample + 2u), label_of(sample + 3u));
    let real = label != vec4<u32>(NO_LABEL);
    let first = network.logits_row * network.stride + column;

    var greatest = activations[first];
    var best = vec4<u32>(0u);
    var own = greatest;
    for (var c = 1u; c < network.classes; c += 1u) {
        let z = activations[first + c * network.stride];
        let greater = z > greatest;
        greatest = select(greatest, z, greater);
        best = select(best, vec4<u32>(c), greater);
        own = select(own, z, label == vec4<u32>(c));
    }
    var sum = vec4<f32>(0.0);
    var below = vec4<f32>(0.0);
    for (var c = 0u; c < network.classes; c += 1u) {
        let distance = activations[first + c * network.stride] - greatest;
        sum += exp(distance);
        below -= distance;
    }
    let own_share = 1.0 - step.label_smoothing;
    let class_share = step.label_smoothing / f32(network.classes);
    if (step.training != 0u) {
        let samples = f32(step.samples);
        for (var c = 0u; c < network.classes; c += 1u) {
            let at = first + c * network.stride;
            let share = exp(activations[at] - greatest) / sum;
            let target_share = class_share + select(vec4<f32>(0.0), vec4<f32>(own_share), label == vec4<u32>(c));
            deltas[at] = select(vec4<f32>(0.0), (share - target_share) / samples, real);
        }
    }
    let loss = select(vec4<f32>(0.0), log(sum) + own_share * (greatest - own) + class_share * below, real);
    let correct = select(vec4<u32>(0u), vec4<u32>(1u), best == label);
    return Metric(loss.x + loss.y + loss.z + loss.w, correct.x + correct.y + correct.z + correct.w);
}

@compute @workgroup_size(SOFTMAX_WORKGROUP)
fn softmax_cross_entropy(@builtin(local_invocation_index) lane: u32) {
    var loss = 0.0;
    var correct = 0u;
    for (var column = lane; column < step.columns; column += SOFTMAX_WORKGROUP) {
        let metric = column_metric(column);
        loss += metric.loss;
        correct += metric.correct;
    }
    losses[lane] = loss;
    corrects[lane] = correct;
    workgroupBarrier();
    // The same tree in every run, so the sum has the same bits.
    for (var half = SOFTMAX_WORKGROUP / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            losses[lane] += losses[lane + half];
            corrects[lane] += corrects[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        metrics[step.metrics_slot] = Metric(losses[0], corrects[0]);
    }
}
