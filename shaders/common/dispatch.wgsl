// The number of the invocation. The host prepends WORKGROUP, the invocations of a workgroup.

// A dispatch of more workgroups than one dimension may have is folded into rows of this many; twin: FOLD in
// src/engine/gpu/shaders.rs.
const FOLD: u32 = 65535u;

fn group_number(group: vec3<u32>) -> u32 {
    return part.first_group + group.y * FOLD + group.x;
}

fn linear_id(group: vec3<u32>, lane: u32) -> u32 {
    return group_number(group) * WORKGROUP + lane;
}
