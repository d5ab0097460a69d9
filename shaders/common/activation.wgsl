// Activations and their slopes; src/network/activation.rs gives each its constant. An unknown code results in NaN.

fn activate(code: u32, z: vec4<f32>) -> vec4<f32> {
    switch code {
        // Below -80 exp(-z) would overflow on some devices; the sigmoid is 0 in float32 terms anyway.
        case SIGMOID: { return 1.0 / (1.0 + exp(-max(z, vec4<f32>(-80.0)))); }
        // select, not max, so that NaN stays NaN.
        case RELU: { return select(z, vec4<f32>(0.0), z < vec4<f32>(0.0)); }
        // Some devices compute tanh from exponentials that overflow; it is 1 in float32 beyond 15.
        case TANH: { return tanh(clamp(z, vec4<f32>(-15.0), vec4<f32>(15.0))); }
        case IDENTITY: { return z; }
        default: { return vec4<f32>(bitcast<f32>(0x7fc00000u | code)); }
    }
}

// Derivative of the activation at the value `a`.
fn slope(code: u32, a: vec4<f32>) -> vec4<f32> {
    switch code {
        case SIGMOID: { return a * (1.0 - a); }
        case RELU: { return select(vec4<f32>(0.0), vec4<f32>(1.0), a > vec4<f32>(0.0)); }
        case TANH: { return 1.0 - a * a; }
        case IDENTITY: { return vec4<f32>(1.0); }
        default: { return vec4<f32>(bitcast<f32>(0x7fc00000u | code)); }
    }
}
