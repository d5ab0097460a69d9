// loss[b] = ln sum_c exp(z[c][b]) - sum_c t[c] z[c][b], t[c] = (1 - e) [c = label] + e / classes; delta = w (softmax(z) - t) / samples; w[b] weighs a sample.
// A workgroup owns COLUMNS columns of 4 samples and computes their logits z, like forward; then SLICES invocations own a column.
// Outputs (logits; only in training their deltas; one metric of each workgroup) are overwritten.
// Lanes beyond the batch's last sample have NO_LABEL, do not count, and get delta 0.
// Twin: src/engine/reference/softmax_cross_entropy.rs.

// Invocations that share the classes of a column; 16 are enough for typical numbers of classes.
const SLICES: u32 = min(SHARE, 16u);

// The results of the slices of each column, `[slice][column]`.
var<workgroup> greatests: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> bests: array<vec4<u32>, SLICES * COLUMNS>;
var<workgroup> owns: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> sums_of_exp: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> sums_below: array<vec4<f32>, SLICES * COLUMNS>;

// The classes of one slice: its greatest logit, the first class that has it, and the logit of the label.
fn look_for_greatest(at: u32, column: u32, slice: u32, label: vec4<u32>) {
    var greatest = logit(slice, column);
    var best = vec4<u32>(slice);
    var own = select(vec4<f32>(0.0), greatest, label == best);
    for (var c = slice + SLICES; c < network.classes; c += SLICES) {
        let z = logit(c, column);
        let greater = z > greatest;
        greatest = select(greatest, z, greater);
        best = select(best, vec4<u32>(c), greater);
        own = select(own, z, label == vec4<u32>(c));
    }
    greatests[at] = greatest;
    bests[at] = best;
    owns[at] = own;
}

// The combined results of all slices of a column.
struct Column {
    greatest: vec4<f32>,
    best: vec4<u32>,
    own: vec4<f32>,
    sum_of_exp: vec4<f32>,
    below: vec4<f32>,
}

fn greatest_of(index: u32) -> Column {
    var found = Column(greatests[index], bests[index], owns[index], vec4<f32>(0.0), vec4<f32>(0.0));
    for (var slice = 1u; slice < min(SLICES, network.classes); slice += 1u) {
        let at = slice * COLUMNS + index;
        let z = greatests[at];
        let first = (z > found.greatest) | ((z == found.greatest) & (bests[at] < found.best));
        found.greatest = select(found.greatest, z, first);
        found.best = select(found.best, bests[at], first);
        // One slice has the label, the others 0.
        found.own += owns[at];
    }
    return found;
}

fn sum_exp(at: u32, column: u32, slice: u32, greatest: vec4<f32>) {
    var sum = vec4<f32>(0.0);
    var below = vec4<f32>(0.0);
    for (var c = slice; c < network.classes; c += SLICES) {
        let distance = logit(c, column) - greatest;
        sum += exp(distance);
        below -= distance;
    }
    sums_of_exp[at] = sum;
    sums_below[at] = below;
}

fn write_deltas(column: u32, slice: u32, label: vec4<u32>, weight: vec4<f32>, found: Column) {
    let own_share = 1.0 - step.label_smoothing;
    let class_share = step.label_smoothing / f32(network.classes);
    let samples = f32(step.samples);
    for (var c = slice; c < network.classes; c += SLICES) {
        let share = exp(logit(c, column) - found.greatest) / found.sum_of_exp;
        let target_share = class_share + select(vec4<f32>(0.0), vec4<f32>(own_share), label == vec4<u32>(c));
        let delta = weight * ((share - target_share) / samples);
        let at = (network.logits_row + c) * network.stride + column;
        deltas[at] = select(vec4<f32>(0.0), delta, label != vec4<u32>(NO_LABEL));
    }
}

// Loss and correct samples of a column, for the workgroup's sum.
fn count(index: u32, label: vec4<u32>, weight: vec4<f32>, column: Column) {
    let own_share = 1.0 - step.label_smoothing;
    let class_share = step.label_smoothing / f32(network.classes);
    let loss = log(column.sum_of_exp) + own_share * (column.greatest - column.own) + class_share * column.below;
    let real = select(vec4<f32>(0.0), weight * loss, label != vec4<u32>(NO_LABEL));
    let correct = select(vec4<u32>(0u), vec4<u32>(1u), column.best == label);
    losses[index] = real.x + real.y + real.z + real.w;
    corrects[index] = correct.x + correct.y + correct.z + correct.w;
}

@compute @workgroup_size(WORKGROUP)
fn softmax_cross_entropy(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_number(group);
    let first_column = number * COLUMNS;
    make_logits(first_column, lane);

    // From here on a lane is a slice of a column.
    let index = lane % COLUMNS;
    let slice = lane / COLUMNS;
    let column = first_column + index;
    let works = slice < min(SLICES, network.classes) && column < step.columns;
    var label = vec4<u32>(NO_LABEL);
    var weight = vec4<f32>(0.0);
    if (works) {
        label = batch_labels[column];
        weight = weights_of(column);
        look_for_greatest(lane, column, slice, label);
    }
    workgroupBarrier();
    var found = Column();
    if (works) {
        found = greatest_of(index);
        sum_exp(lane, column, slice, found.greatest);
    }
    if (lane < COLUMNS) {
        losses[lane] = 0.0;
        corrects[lane] = 0u;
    }
    workgroupBarrier();
    if (works) {
        for (var other = 0u; other < min(SLICES, network.classes); other += 1u) {
            found.sum_of_exp += sums_of_exp[other * COLUMNS + index];
            found.below += sums_below[other * COLUMNS + index];
        }
        if (step.training != 0u) { write_deltas(column, slice, label, weight, found); }
        if (slice == 0u) { count(index, label, weight, found); }
    }
    workgroupBarrier();
    // The same tree in every run, so the sum has the same bits.
    for (var half = COLUMNS / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            losses[lane] += losses[lane + half];
            corrects[lane] += corrects[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u && first_column < step.columns) {
        let groups = (network.stride + COLUMNS - 1u) / COLUMNS;
        metrics[step.metrics_slot * groups + number] = Metric(losses[0], corrects[0], 0.0, 0.0);
    }
}
