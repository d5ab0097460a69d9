// Gradients of the penalties other than L2; twin: src/engine/penalty.rs.
const L_HALF_SMOOTHING: f32 = 0.05;
const WEIGHT_ELIMINATION_SCALE: f32 = 1.0;

// f'(w) / (2 f(w)^(1/2)), f being |w| with a smooth piece around 0.
fn slope_of_smoothed_root(w: vec4<f32>) -> vec4<f32> {
    let a = L_HALF_SMOOTHING;
    let square = w * w;
    let near = abs(w) < vec4<f32>(a);
    let near_f = square * (3.0 / (4.0 * a) - square / (8.0 * a * a * a)) + 3.0 * a / 8.0;
    let near_slope = w * (3.0 / (2.0 * a) - square / (2.0 * a * a * a));
    let f = select(abs(w), near_f, near);
    return select(sign(w), near_slope, near) / (2.0 * sqrt(f));
}

// 2 w / w0^2 / (1 + (w / w0)^2)^2.
fn slope_of_elimination(w: vec4<f32>) -> vec4<f32> {
    let scaled = w / WEIGHT_ELIMINATION_SCALE;
    let rest = 1.0 + scaled * scaled;
    return 2.0 * scaled / WEIGHT_ELIMINATION_SCALE / (rest * rest);
}

// The penalties' part of the gradients of 4 weights whose inputs are in the layer of row `input`.
fn penalty_gradient(w: vec4<f32>, input: u32) -> vec4<f32> {
    let rule = step.penalties;
    var sum = select(rule.l1, rule.l1_input, input < network.features) * sign(w);
    if (rule.l_half > 0.0) { sum += rule.l_half * slope_of_smoothed_root(w); }
    if (rule.weight_elimination > 0.0) { sum += rule.weight_elimination * slope_of_elimination(w); }
    return sum;
}
