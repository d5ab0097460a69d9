// SHARE is 1: each invocation finishes its own sums. For larger shares, sums_shared.wgsl replaces this file.

fn finish_members(place: Place, owner: Owner, sums: Sums) {
    if (owner.members > 0u) { finish(owner, 0u, sums.of_0); }
    if (owner.members > 1u) { finish(owner, 1u, sums.of_1); }
    if (owner.members > 2u) { finish(owner, 2u, sums.of_2); }
    if (owner.members > 3u) { finish(owner, 3u, sums.of_3); }
}

fn between_members() {}
