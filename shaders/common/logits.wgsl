// The last layer's outputs, computed in the loss kernel for its workgroup's columns, and what they are compared with.

// The metrics of a workgroup; the host adds them up.
struct Metric {
    loss: f32,              // sum over the workgroup's samples, each times its weight
    correct: u32,
    squared: f32,           // sums of the errors of regression
    absolute: f32,
}

@group(1) @binding(5) var<storage, read_write> deltas: array<vec4<f32>>;
// `[word][column]`, as gather wrote them: the label or the targets of each sample, then its weight; NO_LABEL beyond the
// batch's last sample.
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

// Sums over the columns of a workgroup, for its metric.
var<workgroup> losses: array<f32, COLUMNS>;
var<workgroup> corrects: array<u32, COLUMNS>;

// Weights of 4 samples in the loss; 0 beyond the batch's last one.
fn weights_of(column: u32) -> vec4<f32> {
    let word = batch_labels[(network.label_words - 1u) * network.stride + column];
    return select(bitcast<vec4<f32>>(word), vec4<f32>(0.0), word == vec4<u32>(NO_LABEL));
}
