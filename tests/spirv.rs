//! The cost of the innermost loops of the kernels, counted in the SPIR-V that drivers receive.
//!
//! An instruction on a vector of 4 counts as 4, except for a load, which devices do at once. Calls are counted as inlined
//! code, as in drivers. Uncounted parts (branches, address arithmetic of drivers) are the same for all sources.

use std::collections::HashMap;

use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use tanner::engine::gpu::{KernelKind, Share};

/// The work of one iteration of a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    loads: u32,
    floats: u32,
    integers: u32,
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            loads: self.loads + other.loads,
            floats: self.floats + other.floats,
            integers: self.integers + other.integers,
        }
    }
}

/// Opcodes of SPIR-V.
const EXT_INST: u16 = 12;
const NAME: u16 = 5;
const TYPE_FLOAT: u16 = 22;
const TYPE_VECTOR: u16 = 23;
const TYPE_POINTER: u16 = 32;
const FUNCTION: u16 = 54;
const CALL: u16 = 57;
const LOAD: u16 = 61;
const ACCESS_CHAIN: u16 = 65;
const LOOP_MERGE: u16 = 246;
const LABEL: u16 = 248;
/// The class of pointers to storage buffers.
const STORAGE_BUFFER: u32 = 12;

/// A parsed module.
#[derive(Default)]
struct Spirv {
    names: HashMap<u32, String>,
    /// Number of components of a type, and whether they are floats.
    types: HashMap<u32, (u32, bool)>,
    /// Types of pointers to storage buffers, and pointers of such a type.
    to_storage: Vec<u32>,
    /// Instructions of each function: opcode and operands.
    functions: HashMap<u32, Vec<(u16, Vec<u32>)>>,
}

impl Spirv {
    fn of(kind: KernelKind, share: Share) -> Self {
        let module = naga::front::wgsl::parse_str(&kind.spec().source(share)).unwrap();
        let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).unwrap();
        // As modules without run-time checks are translated, but with names.
        let mut options = spv::Options { force_loop_bounding: false, ..spv::Options::default() };
        options.flags |= spv::WriterFlags::DEBUG;
        let words = spv::write_vec(&module, &info, &options, None).unwrap();
        let mut found = Self::default();
        let (mut rest, mut function) = (&words[5..], 0);
        while let Some(first) = rest.first() {
            let (opcode, len) = ((first & 0xffff) as u16, (first >> 16) as usize);
            let operands = rest[1..len].to_vec();
            rest = &rest[len..];
            match opcode {
                NAME => {
                    let bytes: Vec<u8> = operands[1..].iter().flat_map(|word| word.to_le_bytes()).collect();
                    let text = String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned();
                    found.names.insert(operands[0], text);
                }
                TYPE_FLOAT => drop(found.types.insert(operands[0], (1, true))),
                TYPE_VECTOR => {
                    let (_, is_float) = found.types.get(&operands[1]).copied().unwrap_or((1, false));
                    found.types.insert(operands[0], (operands[2], is_float));
                }
                TYPE_POINTER if operands[1] == STORAGE_BUFFER => found.to_storage.push(operands[0]),
                FUNCTION => function = operands[1],
                _ => {}
            }
            if opcode == ACCESS_CHAIN && found.to_storage.contains(&operands[0]) {
                found.to_storage.push(operands[1]);
            }
            if function != 0 {
                found.functions.entry(function).or_default().push((opcode, operands));
            }
        }
        found
    }

    fn cost(&self, instructions: &[(u16, Vec<u32>)]) -> Cost {
        instructions.iter().fold(Cost::default(), |sum, (opcode, operands)| {
            let (size, is_float) =
                operands.first().and_then(|ty| self.types.get(ty)).copied().unwrap_or((1, false));
            let floats = |floats| Cost { floats, ..Cost::default() };
            let integers = |integers| Cost { integers, ..Cost::default() };
            sum.plus(match *opcode {
                CALL => self.cost(&self.functions[&operands[2]]),
                LOAD if self.to_storage.contains(&operands[2]) => Cost { loads: 1, ..Cost::default() },
                // Dot products are a product and 3 multiply-adds; other arithmetic is from OpSNegate to OpFMod.
                148 => floats(4),
                126..=147 if is_float => floats(size),
                EXT_INST if is_float => floats(size),
                126..=147 | 170..=179 | 194..=200 | EXT_INST => integers(size),
                _ => Cost::default(),
            })
        })
    }

    /// The cost of an iteration of each innermost loop of a function, in source order.
    fn loops(&self, name: &str) -> Vec<Cost> {
        let (id, _) =
            self.names.iter().find(|(id, of)| *of == name && self.functions.contains_key(id)).unwrap();
        let instructions = &self.functions[id];
        let merges = instructions.iter().enumerate().filter(|(_, (opcode, _))| *opcode == LOOP_MERGE);
        let bodies = merges.map(|(begin, (_, operands))| {
            let is_end = |(opcode, of): &(u16, Vec<u32>)| *opcode == LABEL && of[0] == operands[0];
            &instructions[begin + 1..begin + instructions[begin..].iter().position(is_end).unwrap()]
        });
        let innermost = bodies.filter(|body| body.iter().all(|(opcode, _)| *opcode != LOOP_MERGE));
        innermost.map(|body| self.cost(body)).collect()
    }
}

/// The loop with most of the work, its multiply-adds per iteration, and the maximum number of instructions for each.
#[test]
fn inner_loops_stay_within_their_limits() {
    for (kind, function, multiply_adds, most) in [
        (KernelKind::Forward, "share_of_sums", 128, 1.33),
        (KernelKind::Forward, "plus_listed", 128, 1.33),
        (KernelKind::Forward, "plus_entries", 32, 1.85),
        (KernelKind::SoftmaxCrossEntropy, "share_of_sums", 128, 1.33),
        (KernelKind::BackwardInput, "share_of_sums", 128, 1.33),
        (KernelKind::BackwardInput, "plus_listed", 128, 1.33),
        (KernelKind::BackwardInput, "plus_entries", 32, 2.04),
        (KernelKind::BackwardWeight, "dense_share", 256, 1.22),
        (KernelKind::BackwardWeight, "entry_share", 64, 1.85),
    ] {
        for share in Share::ALL {
            let loops = Spirv::of(kind, share).loops(function);
            // Two at a time, then the remainder.
            assert_eq!(loops.len(), 2, "{kind:?}, share {share}: {function}");
            let Cost { loads, floats, integers } = loops[0];
            assert_eq!(
                floats, multiply_adds,
                "{kind:?}, share {share}: {function} has other arithmetic than multiply-adds"
            );
            let each = f64::from(loads + floats + integers) / f64::from(multiply_adds);
            assert!(
                each <= most,
                "{kind:?}, share {share}: {function} needs {each:.3} instructions, {most} are the limit"
            );
        }
    }
}
