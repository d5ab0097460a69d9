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

// `gradient` has the weight decay added already.
fn updated(old: Updated, gradient: vec4<f32>) -> Updated {
    let rule = step.rule;
    var new = old;
    switch rule.kind {
        case MOMENTUM: {
            new.first = rule.first * old.first + gradient;
            new.value = old.value - rule.learning_rate * new.first;
        }
        case NESTEROV: {
            new.first = rule.first * old.first + gradient;
            new.value = old.value - rule.learning_rate * (gradient + rule.first * new.first);
        }
        case ADAM: {
            new.first = rule.first * old.first + (1.0 - rule.first) * gradient;
            new.second = rule.second * old.second + (1.0 - rule.second) * gradient * gradient;
            let root = sqrt(new.second * rule.second_correction) + rule.epsilon;
            new.value = old.value - rule.learning_rate * (new.first * rule.first_correction) / root;
        }
        default: {
            new.value = old.value - rule.learning_rate * gradient;
        }
    }
    return new;
}
