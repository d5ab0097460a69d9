// One step of an optimiser; twins: Optimizer in src/engine/optimizer.rs, which gives each rule its constant, and
// `update` in src/engine/reference/backward_weight.rs.

// 4 parameters with their optimiser state, in the order in which the rule counts it.
struct Updated {
    value: vec4<f32>,
    state: array<vec4<f32>, STATES>,
}

// `gradient` already includes the penalties'; `decay` is the decoupled one, which biases do not have.
fn updated(old: Updated, gradient: vec4<f32>, decay: f32) -> Updated {
    let rule = step.rule;
    var next = old;
    switch rule.kind {
        case SGD: {
            next.value = old.value - rule.learning_rate * gradient;
        }
        case MOMENTUM: {
            next.state[0] = rule.first * old.state[0] + gradient;
            next.value = old.value - rule.learning_rate * next.state[0];
        }
        case NESTEROV: {
            next.state[0] = rule.first * old.state[0] + gradient;
            next.value = old.value - rule.learning_rate * (gradient + rule.first * next.state[0]);
        }
        case LION: {
            let c = rule.first * old.state[0] + (1.0 - rule.first) * gradient;
            next.state[0] = rule.second * old.state[0] + (1.0 - rule.second) * gradient;
            next.value = old.value - rule.learning_rate * (sign(c) + decay * old.value);
        }
        case ADAM, ADAMW: {
            next.state[0] = rule.first * old.state[0] + (1.0 - rule.first) * gradient;
            next.state[1] = rule.second * old.state[1] + (1.0 - rule.second) * gradient * gradient;
            let root = sqrt(next.state[1] * rule.second_correction) + rule.epsilon;
            let by = rule.learning_rate * (next.state[0] * rule.first_correction) / root;
            next.value = old.value - by - rule.learning_rate * decay * old.value;
        }
        // An unknown rule: NaN, which every comparison detects.
        default: {
            next.value = vec4<f32>(bitcast<f32>(0x7fc00000u | rule.kind));
        }
    }
    return next;
}
