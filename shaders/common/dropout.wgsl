// Dropout masks, bit for bit those of src/network/dropout.rs.

// pcg4d (Jarzynski and Olano, JCGT 9(3), 2020); only the last word is used.
fn pcg4d_w(v: vec4<u32>) -> u32 {
    var h = v * 1664525u + 1013904223u;
    h.x += h.y * h.w;
    h.y += h.z * h.x;
    h.z += h.x * h.y;
    h.w += h.y * h.z;
    h ^= h >> vec4<u32>(16u);
    h.x += h.y * h.w;
    h.y += h.z * h.x;
    h.z += h.x * h.y;
    h.w += h.y * h.z;
    return h.w;
}

// Which of 4 samples, the first at `sample` of the batch, keep the unit.
fn kept(unit: u32, sample: u32) -> vec4<bool> {
    let hash = vec4<u32>(
        pcg4d_w(vec4<u32>(unit, sample, dropout.key_0, dropout.key_1)),
        pcg4d_w(vec4<u32>(unit, sample + 1u, dropout.key_0, dropout.key_1)),
        pcg4d_w(vec4<u32>(unit, sample + 2u, dropout.key_0, dropout.key_1)),
        pcg4d_w(vec4<u32>(unit, sample + 3u, dropout.key_0, dropout.key_1)),
    );
    return hash < vec4<u32>(dropout.threshold);
}

fn drops() -> bool {
    return dropout.threshold != 0xffffffffu;
}
