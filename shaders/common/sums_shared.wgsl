// SHARE is more than 1: shares are collected and added up in the order of the parts, so that sums have the same bits in
// every run. Different invocations finish the members of an item. If SHARE is 1, sums_alone.wgsl replaces this file.

// One longer than a workgroup, so that the members of an item are in different memory banks.
const SUMS_ROW: u32 = WORKGROUP + 1u;
var<workgroup> handed_in: array<vec4<f32>, 4u * SUMS_ROW>;

// All invocations of a workgroup call this; those without work pass an owner without members.
fn finish_members(place: Place, owner: Owner, sums: Sums) {
    handed_in[place.lane] = sums.of_0;
    handed_in[place.lane + SUMS_ROW] = sums.of_1;
    handed_in[place.lane + 2u * SUMS_ROW] = sums.of_2;
    handed_in[place.lane + 3u * SUMS_ROW] = sums.of_3;
    workgroupBarrier();
    for (var member = place.part; member < owner.members; member += SHARE) {
        let first = member * SUMS_ROW + place.first;
        var sum = handed_in[first];
        for (var part = 1u; part < SHARE; part += 1u) {
            sum += handed_in[first + part * place.stride];
        }
        finish(owner, member, sum);
    }
}

// Between two calls of finish_members: the first sums have been added up.
fn between_members() {
    workgroupBarrier();
}
