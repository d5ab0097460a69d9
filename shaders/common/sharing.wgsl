// How invocations share sums. The host prepends SHARE: 1, or the power of two of invocations of a workgroup
// that work on one item, each on every SHARE-th term of its sums. Twin: Share in src/engine/gpu/share.rs.

// Items of a workgroup.
const ITEMS: u32 = WORKGROUP / SHARE;

// Sums of up to 4 members of an item: the outputs or inputs of a quad, the inputs of a micro-block.
struct Sums {
    of_0: vec4<f32>,
    of_1: vec4<f32>,
    of_2: vec4<f32>,
    of_3: vec4<f32>,
}

// The work of an invocation.
struct Place {
    lane: u32,
    item: u32,              // number in the workgroup
    part: u32,              // its share of the sums, below SHARE
    first: u32,             // lane of part 0 of the same item
    stride: u32,            // lanes from one part to the next
}

// Consecutive lanes have consecutive items: if items are columns, these lanes read consecutive columns of a row.
fn items_first(lane: u32) -> Place {
    let item = lane % ITEMS;
    return Place(lane, item, lane / ITEMS, item, ITEMS);
}

// Consecutive lanes have consecutive parts of one item: if terms are columns, these lanes read consecutive columns.
fn parts_first(lane: u32) -> Place {
    let item = lane / SHARE;
    return Place(lane, item, lane % SHARE, item * SHARE, 1u);
}

// sum + scalar * x, with one rounding if the device supports it.
fn plus(sum: vec4<f32>, scalar: f32, x: vec4<f32>) -> vec4<f32> {
    return fma(vec4<f32>(scalar), x, sum);
}
