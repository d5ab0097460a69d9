// DropConnect masks, bit for bit those of src/network/drop_connect.rs; the hash is in dropout.wgsl.
const NO_CONNECTION: u32 = 0xffffffffu;

// The factors of 4 connections, and of their gradients: 0, or 1 / keep probability.
fn connection_factor(number: vec4<u32>) -> vec4<f32> {
    let mask = step.connections;
    let hash = vec4<u32>(
        pcg4d_w(vec4<u32>(number.x, 0u, mask.key_0, mask.key_1)),
        pcg4d_w(vec4<u32>(number.y, 0u, mask.key_0, mask.key_1)),
        pcg4d_w(vec4<u32>(number.z, 0u, mask.key_0, mask.key_1)),
        pcg4d_w(vec4<u32>(number.w, 0u, mask.key_0, mask.key_1)),
    );
    let factor = select(vec4<f32>(0.0), vec4<f32>(mask.scale), hash < vec4<u32>(mask.threshold));
    return select(factor, vec4<f32>(1.0), number == vec4<u32>(NO_CONNECTION));
}

fn drops_connections() -> bool {
    return step.connections.threshold != 0xffffffffu;
}
