// loss[b] = w[b] mean_o f(z[o][b], t[o][b]) for a function f by `step.loss`; delta = w f'(z, t) / outputs / samples; w[b] weighs a sample.
// A workgroup owns COLUMNS columns of 4 samples and computes their outputs z, like forward; then SLICES invocations own a column.
// Outputs (z; only in training their deltas; one metric of each workgroup) are overwritten.
// Lanes beyond the batch's last sample have NO_LABEL as their weight, do not count, and get delta 0.
// Twin: src/engine/reference/separable_loss.rs.

// Invocations that share the outputs of a column.
const SLICES: u32 = min(SHARE, 16u);

// The results of the slices of each column, `[slice][column]`.
var<workgroup> slice_losses: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> slice_squared: array<vec4<f32>, SLICES * COLUMNS>;
var<workgroup> slice_absolute: array<vec4<f32>, SLICES * COLUMNS>;
// Outputs on the wrong side of 0.
var<workgroup> slice_wrong: array<vec4<u32>, SLICES * COLUMNS>;
// Sums over the columns of a workgroup.
var<workgroup> squared: array<f32, COLUMNS>;
var<workgroup> absolute: array<f32, COLUMNS>;

// The loss of an output of 4 samples, and its derivative; an unknown code results in NaN.
struct ValueAndSlope {
    value: vec4<f32>,
    slope: vec4<f32>,
}

fn value_and_slope(z: vec4<f32>, target_: vec4<f32>) -> ValueAndSlope {
    let error = z - target_;
    switch step.loss {
        case SQUARED: { return ValueAndSlope(0.5 * error * error, error); }
        case ABSOLUTE: { return ValueAndSlope(abs(error), sign(error)); }
        case HUBER: {
            let d = step.loss_delta;
            let far = abs(error) > vec4<f32>(d);
            let value = select(0.5 * error * error, d * (abs(error) - 0.5 * d), far);
            return ValueAndSlope(value, select(error, d * sign(error), far));
        }
        case BINARY_CROSS_ENTROPY: {
            let below = exp(-abs(z));
            let less_likely = below / (1.0 + below);
            let probability = select(less_likely, 1.0 - less_likely, z > vec4<f32>(0.0));
            // ln(1 + x) would lose x where it is small: there it is x - x^2 / 2.
            let rest = select(log(1.0 + below), below - 0.5 * below * below, below < vec4<f32>(1e-3));
            return ValueAndSlope(max(z, vec4<f32>(0.0)) - z * target_ + rest, probability - target_);
        }
        default: {
            let nan = vec4<f32>(bitcast<f32>(0x7fc00000u | step.loss));
            return ValueAndSlope(nan, nan);
        }
    }
}

// The outputs of one slice: their losses and errors, and in training their deltas.
fn compare(at: u32, column: u32, slice: u32, weight: vec4<f32>) {
    var loss = vec4<f32>(0.0);
    var square = vec4<f32>(0.0);
    var size = vec4<f32>(0.0);
    var wrong = vec4<u32>(0u);
    let real = batch_labels[(network.label_words - 1u) * network.stride + column] != vec4<u32>(NO_LABEL);
    let share = 1.0 / f32(network.classes);
    for (var o = slice; o < network.classes; o += SLICES) {
        let z = logit(o, column);
        let target_ = bitcast<vec4<f32>>(batch_labels[o * network.stride + column]);
        let found = value_and_slope(z, target_);
        let error = z - target_;
        loss += select(vec4<f32>(0.0), found.value, real);
        square += select(vec4<f32>(0.0), error * error, real);
        size += select(vec4<f32>(0.0), abs(error), real);
        wrong += select(vec4<u32>(0u), vec4<u32>(1u), (z > vec4<f32>(0.0)) != (target_ > vec4<f32>(0.5)));
        if (step.training != 0u) {
            let delta = weight * (found.slope * (share / f32(step.samples)));
            let place = (network.logits_row + o) * network.stride + column;
            deltas[place] = select(vec4<f32>(0.0), delta, real);
        }
    }
    slice_losses[at] = share * weight * loss;
    slice_squared[at] = share * square;
    slice_absolute[at] = share * size;
    slice_wrong[at] = wrong;
}

fn sum_of(v: vec4<f32>) -> f32 {
    return v.x + v.y + v.z + v.w;
}

// The sums of a column, over its slices.
fn count(index: u32, column: u32) {
    var wrong = vec4<u32>(0u);
    for (var slice = 0u; slice < min(SLICES, network.classes); slice += 1u) {
        let at = slice * COLUMNS + index;
        losses[index] += sum_of(slice_losses[at]);
        squared[index] += sum_of(slice_squared[at]);
        absolute[index] += sum_of(slice_absolute[at]);
        wrong += slice_wrong[at];
    }
    let real = batch_labels[(network.label_words - 1u) * network.stride + column] != vec4<u32>(NO_LABEL);
    let has_labels = step.loss == BINARY_CROSS_ENTROPY;
    let right = select(vec4<u32>(0u), vec4<u32>(1u), real & (wrong == vec4<u32>(0u)) & vec4<bool>(has_labels));
    corrects[index] = right.x + right.y + right.z + right.w;
}

@compute @workgroup_size(WORKGROUP)
fn separable_loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_number(group);
    let first_column = number * COLUMNS;
    make_logits(first_column, lane);

    // From here on a lane is a slice of a column.
    let index = lane % COLUMNS;
    let slice = lane / COLUMNS;
    let column = first_column + index;
    let works = slice < min(SLICES, network.classes) && column < step.columns;
    if (works) { compare(lane, column, slice, weights_of(column)); }
    if (lane < COLUMNS) {
        losses[lane] = 0.0;
        squared[lane] = 0.0;
        absolute[lane] = 0.0;
        corrects[lane] = 0u;
    }
    workgroupBarrier();
    if (works && slice == 0u) { count(index, column); }
    workgroupBarrier();
    // The same tree in every run, so the sum has the same bits.
    for (var half = COLUMNS / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            losses[lane] += losses[lane + half];
            squared[lane] += squared[lane + half];
            absolute[lane] += absolute[lane + half];
            corrects[lane] += corrects[lane + half];
        }
        workgroupBarrier();
    }
    if (lane == 0u && first_column < step.columns) {
        let groups = (network.stride + COLUMNS - 1u) / COLUMNS;
        metrics[step.metrics_slot * groups + number] = Metric(losses[0], corrects[0], squared[0], absolute[0]);
    }
}
