// One step of an optimiser; twins: Optimizer and UpdateRule in src/engine/optimizer.rs.
const MOMENTUM: u32 = 1u;
const NESTEROV: u32 = 2u;
const ADAM: u32 = 3u;

// Parameters with their optimiser state.
struct Updated {
    value: vec4<f32>,
    first: vec4<f32>,       // momentum, or Adam's mean of gradients
    second: vec4<f32>,      // Adam's mean of squared gradients
}

// `gradient` has the penalties' added already.
fn updated(old: Updated, gradient: vec4<f32>) -> Updated {
    let rule = step.rule;
    var next = old;
    switch rule.kind {
        case MOMENTUM: {
            next.first = rule.first * old.first + gradient;
            next.value = old.value - rule.learning_rate * next.first;
        }
        case NESTEROV: {
            next.first = rule.first * old.first + gradient;
            next.value = old.value - rule.learning_rate * (gradient + rule.first * next.first);
        }
        case ADAM: {
            next.first = rule.first * old.first + (1.0 - rule.first) * gradient;
            next.second = rule.second * old.second + (1.0 - rule.second) * gradient * gradient;
            let root = sqrt(next.second * rule.second_correction) + rule.epsilon;
            next.value = old.value - rule.learning_rate * (next.first * rule.first_correction) / root;
        }
        default: {
            next.value = old.value - rule.learning_rate * gradient;
        }
    }
    return next;
}
