// Numbers of invocations; twins: WORKGROUP and FOLD in src/engine/gpu/shaders.rs.
const WORKGROUP: u32 = 64u;
// A dispatch of more workgroups than one dimension may have is folded into rows of this many.
const FOLD: u32 = 65535u;

fn linear_id(group: vec3<u32>, lane: u32) -> u32 {
    return (group.y * FOLD + group.x) * WORKGROUP + lane;
}
