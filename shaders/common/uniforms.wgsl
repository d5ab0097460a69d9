// Uniforms of every kernel (group 0); twins: src/engine/gpu/uniforms.rs.

// One vec4 holds one neuron's values for 4 consecutive samples of the batch.
struct Network {
    stride: u32,            // vec4s in one row of activations or deltas
    rows: u32,              // neurons of the whole network
    features: u32,          // input neurons; also the row of the first hidden or output neuron
    classes: u32,           // logits
    logits_row: u32,        // row of the first logit
    values: u32,            // vec4s of micro-blocks, then entries of lists, then biases, then 4 zeros
    first_entry: u32,       // vec4 of the first entry
    first_bias: u32,        // place of the first bias among all values
    micro_block_pairs: u32,
    entry_pairs: u32,
    label_words: u32,       // of each sample: its label, or its targets; then its weight
}

// The rule of one step; the rule itself is in update.wgsl.
struct UpdateRule {
    kind: u32,
    states: u32,            // state values of each parameter, at most STATES
    learning_rate: f32,
    decay: f32,             // in the gradient
    decoupled_decay: f32,   // outside of it
    first: f32,
    second: f32,
    epsilon: f32,
    first_correction: f32,
    second_correction: f32,
    reserved_0: u32,
    reserved_1: u32,
}

// Strengths of the penalties other than L2, which is the rule's decay; their gradients are in penalty.wgsl.
struct PenaltyRule {
    on: u32,                // 0: all that follow are 0
    l1: f32,
    l1_input: f32,          // of the weights from the network's inputs
    l_half: f32,
    weight_elimination: f32,
    group_lasso: f32,       // of the weights from the network's inputs
    reserved_0: u32,
    reserved_1: u32,
}

// DropConnect of all connections in this step.
struct Connections {
    key_0: u32,
    key_1: u32,
    threshold: u32,         // 0xffffffff keeps all
    scale: f32,             // 1 / keep probability
}

struct Step {
    samples: u32,           // samples of this batch
    columns: u32,           // vec4s that hold them, ceil(samples / 4)
    first_sample: u32,      // place of the batch's first sample in the index list
    metrics_slot: u32,
    training: u32,          // 0 in evaluation, where no delta is written
    label_smoothing: f32,   // share of the targets that goes to all classes alike; 0 in evaluation
    loss: u32,              // which loss, of those that separable_loss.wgsl has
    loss_delta: f32,        // the error from which Huber's loss is linear
    rule: UpdateRule,
    penalties: PenaltyRule,
    connections: Connections,
}

// The neurons that a kernel writes: a layer's outputs in forward, its inputs in backward_input.
struct Layer {
    first_quad: u32,
    quads: u32,
    activation: u32,        // of these neurons
    first_row: u32,
}

// Dropout of these neurons in this step.
struct Dropout {
    key_0: u32,
    key_1: u32,
    threshold: u32,         // 0xffffffff keeps all
    keep_probability: f32,
}

// The workgroups of a kernel in one dispatch: a slow device gets them in parts.
struct Part {
    first_group: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
}

// The label of a missing sample.
const NO_LABEL: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> network: Network;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<uniform> layer: Layer;
@group(0) @binding(3) var<uniform> dropout: Dropout;
@group(0) @binding(4) var<uniform> part: Part;
