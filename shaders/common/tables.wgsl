// Tables of which values belong to which neurons; twins: src/engine/gpu/tables.rs.
// Quads and tiles are in one buffer, `directory`: all quads, then all tiles, each in whole vec4s.

// Up to 4 consecutive neurons of one block, that one invocation owns.
struct Quad {
    row: u32,               // first neuron
    lanes: u32,             // neurons, 1 to 4
    place: u32,             // number of the quad in its block
    first_tile: u32,        // dense tiles of the block, as vec4s of the directory
    end_tile: u32,
    first_block: u32,       // its list of micro-blocks outside of tiles
    end_block: u32,
    first_entry: u32,       // its list of sparse edges
    end_entry: u32,
}

// A micro-block of a quad's list.
struct ListedBlock {
    slot: u32,
    at: u32,                // where its first row on the far side begins
}

// A dense tile as seen from the owned neurons. Block k of the quad in
// place q is micro-block `first_block + q * quad_step + k * block_step`.
struct Tile {
    first_block: u32,
    quad_step: u32,
    block_step: u32,
    blocks: u32,            // number along the far side
    row: u32,               // first neuron of the far side
    last_row: u32,          // its last neuron; padding lanes are clamped to it
}

const QUAD_VECTORS: u32 = 3u;
const TILE_VECTORS: u32 = 2u;

fn quad_at(number: u32) -> Quad {
    let at = QUAD_VECTORS * number;
    let a = directory[at];
    let b = directory[at + 1u];
    let c = directory[at + 2u];
    return Quad(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x);
}

fn tile_at(at: u32) -> Tile {
    let a = directory[at];
    let b = directory[at + 1u];
    return Tile(a.x, a.y, a.z, a.w, b.x, b.y);
}
