use std::collections::HashSet;

use proptest::prelude::*;
use rand::RngExt;

use super::*;
use crate::random::{Purpose, generator};
use crate::topology::{Coupled2d, Falloff, Partition, Region};

/// A layer drawn in two dimensions, in edges or in whole micro-blocks.
fn planar(grain: Grain) -> Coupled2d {
    Coupled2d {
        inputs: "8x6".parse().unwrap(),
        outputs: "4x6x2".parse().unwrap(),
        fan_in: 8.0,
        reach: 2.0,
        falloff: Falloff::Gauss,
        grain,
        picture: [8, 6],
        importance: (0..48).map(|input| f64::from(input % 5) + 0.5).collect(),
    }
}

/// Some of a graph's links, and as many missing ones.
fn chosen(topology: &Topology, grain: Grain, count: usize, seed: u64) -> Edit {
    let mut rng = generator(seed, Purpose::Permutation(7));
    let there: HashSet<Link> = topology.links(grain).collect();
    let [outputs, inputs] = topology.groups(grain);
    let mut absent: Vec<Link> = (0..outputs)
        .flat_map(|output| (0..inputs).map(move |input| (output, input)))
        .filter(|link| !there.contains(link))
        .collect();
    let mut there: Vec<Link> = there.into_iter().collect();
    there.sort_unstable();
    let mut draw = |from: &mut Vec<Link>| from.swap_remove(rng.random_range(0..from.len()));
    let count = count.min(there.len()).min(absent.len());
    let dropped = (0..count).map(|_| draw(&mut there)).collect();
    Edit { grain, dropped, added: (0..count).map(|_| draw(&mut absent)).collect() }
}

/// The ends of the edges of a link, (output, input).
fn ends(grain: Grain, link: Link) -> impl Iterator<Item = (usize, usize)> {
    let group_size = grain.group_size();
    let [output, input] = [link.0, link.1].map(|group| group as usize * group_size);
    (0..group_size * group_size).map(move |lane| (output + lane / group_size, input + lane % group_size))
}

proptest! {
    /// The new graph has the expected edges, as many as before, and every edge that stayed is found.
    #[test]
    fn an_edit_moves_only_its_edges(
        is_of_blocks in any::<bool>(), count in 0usize..60, seed in 0u64..1000,
    ) {
        let grain = if is_of_blocks { Grain::MicroBlocks } else { Grain::Edges };
        let old = planar(grain).build(&mut generator(seed, Purpose::Topology(0))).unwrap();
        prop_assert_eq!(old.grain(), grain);
        let edit = chosen(&old, grain, count, seed);
        let Edited { topology: new, now } = old.edit(edit.clone()).unwrap();
        prop_assert_eq!((new.edges(), new.grain()), (old.edges(), grain));
        prop_assert_eq!((new.inputs(), new.outputs()), (old.inputs(), old.outputs()));
        let of = |links: &[Link]| -> HashSet<(usize, usize)> {
            links.iter().flat_map(|link| ends(grain, *link)).collect()
        };
        let (dropped, added) = (of(&edit.dropped), of(&edit.added));
        let expected: HashSet<_> =
            old.edge_ends().filter(|ends| !dropped.contains(ends)).chain(added.iter().copied()).collect();
        prop_assert_eq!(new.edge_ends().collect::<HashSet<_>>(), expected);
        let new_ends: Vec<_> = new.edge_ends().collect();
        let mut found = HashSet::new();
        for (ends, now) in old.edge_ends().zip(&now) {
            match now {
                Some(edge) => {
                    prop_assert_eq!(new_ends[*edge as usize], ends);
                    prop_assert!(found.insert(*edge));
                }
                None => prop_assert!(dropped.contains(&ends)),
            }
        }
        prop_assert_eq!(found.len(), old.edges() - dropped.len());
        // The inverse edit restores the old graph.
        let back = Edit { grain, dropped: edit.added, added: edit.dropped };
        prop_assert_eq!(new.edit(back).unwrap().topology, old);
    }

    /// A region offers exactly the free places within it.
    #[test]
    fn a_region_offers_every_free_place_once(is_of_blocks in any::<bool>(), seed in 0u64..200) {
        let grain = if is_of_blocks { Grain::MicroBlocks } else { Grain::Edges };
        let layer = planar(grain);
        let topology = layer.build(&mut generator(seed, Purpose::Topology(0))).unwrap();
        let region = Region::planar(&layer);
        let [outputs, inputs] = topology.groups(grain);
        let (to, from) = (layer.outputs.middles(grain.group_size()), layer.inputs.middles(grain.group_size()));
        let there: HashSet<Link> = topology.links(grain).collect();
        for output in 0..outputs {
            let mut offered = Vec::new();
            region.free(output, topology.joined(grain, output), |link, weight| offered.push((link, weight)));
            let mut expected = Vec::new();
            for input in 0..inputs {
                let away = [0, 1].map(|side| {
                    (to[output as usize][side] - from[input as usize][side]) * layer.picture[side] as f64
                });
                let squared = away[0] * away[0] + away[1] * away[1];
                if squared <= 36.0 && !there.contains(&(output, input)) {
                    let members = layer.importance.chunks(grain.group_size()).nth(input as usize).unwrap();
                    let importance = members.iter().sum::<f64>() / members.len() as f64;
                    expected.push(((output, input), -squared / 8.0 + importance.ln()));
                }
            }
            prop_assert_eq!(offered, expected);
        }
    }
}

#[test]
fn an_impossible_edit_is_refused() {
    let sides = || (Partition::whole(3).unwrap(), Partition::whole(2).unwrap());
    let (inputs, outputs) = sides();
    let graph = Topology::from_edges(inputs, outputs, &[(0, 0), (2, 1), (1, 0)]).unwrap();
    let edit = |dropped: &[Link], added: &[Link]| {
        let edit = Edit { grain: Grain::Edges, dropped: dropped.to_vec(), added: added.to_vec() };
        graph.edit(edit).map_err(|error| error.to_string())
    };
    assert!(edit(&[(0, 0)], &[(1, 0)]).is_ok());
    assert!(edit(&[(0, 0)], &[(0, 0)]).is_ok_and(|edited| edited.now == [None, Some(1), Some(2)]));
    for (dropped, added, part) in [
        (&[(0, 0)][..], &[][..], "0 links are added and 1 removed"),
        (&[(1, 1)], &[(0, 2)], "links to 1: one from 1 cannot be removed, there is none"),
        (&[(0, 0), (0, 0)], &[(0, 2), (1, 0)], "links to 0: one from 0 cannot be removed, there is none"),
        (&[(2, 0)], &[(0, 2)], "a link from 0 to 2 cannot be removed, there is none"),
        (&[(0, 0)], &[(0, 1)], "links to 0: one from 1 cannot be added, there is one"),
        (&[(0, 0)], &[(2, 0)], "a link from 0 to 2 cannot be added, there are 3 inputs and 2 outputs"),
        (&[(0, 0)], &[(0, 3)], "a link from 3 to 0 cannot be added, there are 3 inputs and 2 outputs"),
    ] {
        let message = edit(dropped, added).unwrap_err();
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
    let blocks = Edit { grain: Grain::MicroBlocks, dropped: vec![], added: vec![] };
    assert!(graph.edit(blocks).unwrap_err().to_string().contains("whole micro-blocks"));
}

#[test]
fn the_region_of_blocks_is_where_they_are_joined() {
    let [inputs, outputs] = [[0, 3, 5], [0, 2, 4]].map(|bounds| Partition::from_bounds(bounds).unwrap());
    let graph = Topology::from_edges(inputs, outputs, &[(0, 0), (3, 1), (4, 3)]).unwrap();
    let region = Region::of(&graph);
    let free = |output| {
        let mut free = Vec::new();
        region.free(output, graph.joined(Grain::Edges, output), |link, _| free.push(link.1));
        free
    };
    assert_eq!(
        [free(0), free(1), free(2), free(3)],
        [vec![1, 2, 3, 4], vec![0, 1, 2, 4], vec![3, 4], vec![3]]
    );
}
