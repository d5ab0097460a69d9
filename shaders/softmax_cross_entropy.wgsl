// loss[b] = ln sum_c exp(z[c][b]) - sum_c t[c] z[c][b], t[c] = (1 - e) [c = label] + e / classes; delta = (softmax(z) - t) / samples.
// A workgroup owns COLUMNS columns of 4 samples and computes their logits z, like forward; then SLICES invocations own a column.
// Outputs (logits; only in training their deltas; one metric of each workgroup) are overwritten.
// Lanes beyond the batch's last sample have NO_LABEL, do not count, and get delta 0.
// Twin: src/engine/reference/softmax_cross_entropy.rs.

// The metrics of a workgroup; the host adds them up.
struct Metric {
    loss: f32,              // sum over the workgroup's samples
    correct: u32,
}

@group(1) @binding(5) var<storage, read_write> deltas: array<vec4<f32>>;
// Labels of the batch, as gather wrote them: NO_LABEL beyond its last sample.
@group(1) @binding(6) var<storage, read> batch_labels: array<vec4<u32>>;
@group(1) @binding(7) var<storage, read_write> metrics: array<Metric>;

// Twin: Share::columns in src/engine/gpu/share.rs.
const COLUMNS: u32 = 64u / SHARE;
// Quads of logits that the workgroup sums at a time.
const QUADS: u32 = ITEMS / COLUMNS;
// Number of logits of the workgroup's columns kept in its memory, `[class][column]`, if they fit; otherwise all are read back
// from `activations`.
const LOGITS: u32 = 128u;
var<workgroup> logits: array<vec4<f32>, LOGITS>;
// Invocations that share the classes of a column; 16 are enough for typical numbers of classes.
const SLICES: u32 = min(SHARE, 16u);

// The results of the slices of each column, `[slice][column]`.
var<workgroup> greatests: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> bests: array<vec4<u32>, SLICES * COLUMNS>;
var<workgroup> owns: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> sums_of_exp: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> sums_below: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> losses: array<f32, COLUMNS>;
var<workgroup> corrects: array<u32, COLUMNS>;

fn logits_fit() -> bool {
    return network.classes * COLUMNS <= LOGITS;
}

fn finish(owner: Owner, member: u32, sum: vec4<f32>) {
    let row = owner.row + member;
    let z = output_of(owner, member, sum);
    activations[row * network.stride + owner.column] = z;
    if (logits_fit()) { logits[(row - network.logits_row) * COLUMNS + owner.column % COLUMNS] = z; }
}

fn logit(class_: u32, column: u32) -> vec4<f32> {
    if (logits_fit()) { return logits[class_ * COLUMNS + column % COLUMNS]; }
    return activations[(network.logits_row + class_) * network.stride + column];
}

// The logits of the workgroup's columns, which all its invocations can read afterwards.
fn make_logits(first_column: u32, lane: u32) {
    let place = items_first(lane);
    let column = first_column + place.item % COLUMNS;
    for (var first = 0u; first < layer.quads; first += QUADS) {
        let number = first + place.item / COLUMNS;
        var owner = Owner();
        var sums = Sums();
        if (number < layer.quads && column < step.columns) {
            let quad = quad_at(layer.first_quad + number);
            owner = Owner(quad.lanes, quad.row, column);
            sums = share_of_sums(quad, column, place.part);
        }
        finish_members(place, owner, sums);
        workgroupBarrier();
    }
    if (!logits_fit()) { storageBarrier(); }
}

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

fn write_deltas(column: u32, slice: u32, label: vec4<u32>, found: Column) {
    let own_share = 1.0 - step.label_smoothing;
    let class_share = step.label_smoothing / f32(network.classes);
    let samples = f32(step.samples);
    for (var c = slice; c < network.classes; c += SLICES) {
        let share = exp(logit(c, column) - found.greatest) / found.sum_of_exp;
        let target_share = class_share + select(vec4<f32>(0.0), vec4<f32>(own_share), label == vec4<u32>(c));
        let delta = (share - target_share) / samples;
        let at = (network.logits_row + c) * network.stride + column;
        deltas[at] = select(vec4<f32>(0.0), delta, label != vec4<u32>(NO_LABEL));
    }
}

// Loss and correct samples of a column, for the workgroup's sum.
fn count(index: u32, label: vec4<u32>, column: Column) {
    let own_share = 1.0 - step.label_smoothing;
    let class_share = step.label_smoothing / f32(network.classes);
    let loss = log(column.sum_of_exp) + own_share * (column.greatest - column.own) + class_share * column.below;
    let real = select(vec4<f32>(0.0), loss, label != vec4<u32>(NO_LABEL));
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
    if (works) {
        label = batch_labels[column];
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
        if (step.training != 0u) { write_deltas(column, slice, label, found); }
        if (slice == 0u) { count(index, label, found); }
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
        metrics[step.metrics_slot * groups + number] = Metric(losses[0], corrects[0]);
    }
}
