//! Choices of a mutation, drawn from the seed that the fuzzer gives it.

/// The SplitMix64 generator.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The bytes after the fuzzer's own mutation, at most `longer` bytes longer.
pub fn mutated(mut bytes: Vec<u8>, longer: usize) -> Vec<u8> {
    let size = bytes.len();
    bytes.resize((size + longer).max(1), 0);
    let max_size = bytes.len();
    let size = libfuzzer_sys::fuzzer_mutate(&mut bytes, size, max_size);
    bytes.truncate(size);
    bytes
}

/// Replaces the first `size` bytes by a mutation; if there is none, or it is too long, by the fuzzer's own.
pub fn replace(data: &mut [u8], size: usize, max_size: usize, mutation: Option<Vec<u8>>) -> usize {
    match mutation {
        Some(bytes) if bytes.len() <= max_size => {
            data[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
}
