use std::collections::BTreeSet;

use super::super::grid::Place;
use super::*;
use crate::random::{Purpose, generator};

fn layer(inputs: &str, outputs: &str, fan_in: u32, reach: f64, grain: Grain) -> Coupled2d {
    let fan_in = f64::from(fan_in);
    let [inputs, outputs] = [inputs, outputs].map(|text| text.parse::<Grid>().unwrap());
    let picture = [inputs.rows, inputs.columns];
    Coupled2d {
        inputs,
        outputs,
        fan_in,
        reach,
        falloff: Falloff::Gauss,
        grain,
        picture,
        importance: Vec::new(),
    }
}

fn draw(layer: &Coupled2d, seed: u64) -> Topology {
    layer.build(&mut generator(seed, Purpose::Topology(0))).unwrap()
}

fn inputs_of(topology: &Topology, output: usize) -> &[u32] {
    &topology.edge_inputs()[topology.row(output)]
}

#[test]
fn every_output_has_its_fan_in_of_distinct_inputs_and_seeds_repeat() {
    let cases = [
        layer("28x28", "28x28", 40, 1.5, Grain::Edges),
        layer("28x28", "14x14x4", 36, 3.0, Grain::MicroBlocks),
        layer("7x5x3", "3x4", 105, 0.1, Grain::Edges),
        layer("8x8", "2x2x16", 64, 1e-3, Grain::MicroBlocks),
        Coupled2d { falloff: Falloff::Window, ..layer("9x9", "9x9x2", 9, 2.0, Grain::Edges) },
        Coupled2d {
            importance: (1..=64).map(f64::from).collect(),
            ..layer("8x8", "8x8", 8, 2.0, Grain::MicroBlocks)
        },
    ];
    for layer in cases {
        let topology = draw(&layer, 3);
        assert_eq!(topology.edges(), layer.edges().unwrap(), "{layer:?}");
        for output in 0..layer.outputs.neurons() {
            // A topology has no duplicate edges.
            assert_eq!(topology.in_degree(output) as f64, layer.fan_in, "{layer:?}");
        }
        assert_eq!(topology, draw(&layer, 3), "{layer:?}");
        let is_whole = layer.fan_in == layer.inputs.neurons() as f64;
        assert_eq!(topology == draw(&layer, 4), is_whole, "{layer:?}");
    }
}

#[test]
fn fractions_of_a_fan_in_are_spread_evenly() {
    for (grain, fan_in, few, edges) in [(Grain::Edges, 5.25, 5, 336), (Grain::MicroBlocks, 9.0, 8, 576)] {
        let layer = Coupled2d { fan_in, ..layer("8x8", "8x8", 1, 2.0, grain) };
        let topology = draw(&layer, 0);
        assert_eq!((layer.edges().unwrap(), topology.edges()), (edges, edges));
        let group_size = grain.group_size();
        let more: Vec<bool> = (0..64)
            .step_by(group_size)
            .map(|output| topology.in_degree(output) == few + group_size)
            .collect();
        assert!((0..64).all(|output| [few, few + group_size].contains(&topology.in_degree(output))));
        // Every fourth group has more than the others.
        assert!(more.chunks(4).all(|four| four.iter().filter(|more| **more).count() == 1), "{more:?}");
    }
}

#[test]
fn micro_blocks_are_whole() {
    let layer = layer("12x8x2", "6x6x3", 20, 2.0, Grain::MicroBlocks);
    let topology = draw(&layer, 1);
    for quad in (0..layer.outputs.neurons()).step_by(4) {
        let inputs = inputs_of(&topology, quad);
        assert!((1..4).all(|lane| inputs_of(&topology, quad + lane) == inputs));
        let (groups, rest) = inputs.as_chunks::<4>();
        let is_whole = |group: &[u32; 4]| group[0].is_multiple_of(4) && group[3] == group[0] + 3;
        assert!(rest.is_empty() && groups.iter().all(is_whole));
    }
}

#[test]
fn a_window_has_its_edges() {
    let layer = Coupled2d { falloff: Falloff::Window, ..layer("9x7", "9x7", 9, 1.0, Grain::Edges) };
    let refused = layer.build(&mut generator(0, Purpose::Topology(0))).unwrap_err().to_string();
    assert!(refused.contains("sees 4 inputs in its window"), "{refused}");
    let topology = draw(&Coupled2d { fan_in: 4.0, ..layer.clone() }, 0);
    let mut there = BTreeSet::new();
    for (output, input) in topology.edge_ends() {
        let (to, from) = (layer.outputs.place(output), layer.inputs.place(input));
        assert!(to.row.abs_diff(from.row) <= 1 && to.column.abs_diff(from.column) <= 1);
        there.insert((to.row as i64 - from.row as i64, to.column as i64 - from.column as i64));
    }
    assert_eq!(there.len(), 9);
}

/// Sum of `(found - expected)^2 / expected`.
fn chi_square(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(found, expected)| (found - expected).powi(2) / expected).sum()
}

/// The first input that an output draws follows the weights themselves.
#[test]
fn first_draws_follow_the_law_of_the_distance() {
    let importance: Vec<f64> = (0..144).map(|input| 1.0 + f64::from(input % 5)).collect();
    for importance in [Vec::new(), importance] {
        let layer =
            Coupled2d { importance: importance.clone(), ..layer("12x12", "12x12", 1, 2.0, Grain::Edges) };
        // Rings of half a pixel, the last one without an end.
        let ring = |a: Place, b: Place| {
            let squared = a.row.abs_diff(b.row).pow(2) + a.column.abs_diff(b.column).pow(2);
            // Halves of the root of the square: the root of four times it, rounded down.
            (4 * squared).isqrt().min(13)
        };
        let (mut found, mut expected) = ([0.0; 14], [0.0; 14]);
        let seeds = 200;
        for seed in 0..seeds {
            for (output, input) in draw(&layer, seed).edge_ends() {
                found[ring(layer.outputs.place(output), layer.inputs.place(input))] += 1.0;
            }
        }
        for output in 0..144 {
            let to = layer.outputs.place(output);
            let weights: Vec<f64> = (0..144)
                .map(|input| {
                    let from = layer.inputs.place(input);
                    let squared = to.row.abs_diff(from.row).pow(2) + to.column.abs_diff(from.column).pow(2);
                    let weight = (-(squared as f64) / 8.0).exp().max(FLOOR);
                    weight * importance.get(input).unwrap_or(&1.0)
                })
                .collect();
            let total: f64 = weights.iter().sum();
            for (input, weight) in weights.iter().enumerate() {
                expected[ring(to, layer.inputs.place(input))] += seeds as f64 * weight / total;
            }
        }
        let (found, expected): (Vec<f64>, Vec<f64>) =
            found.into_iter().zip(expected).filter(|(_, expected)| *expected > 0.0).unzip();
        assert!(found.len() >= 10 && expected.iter().all(|count| *count > 5.0), "{expected:?}");
        // Of 13 degrees of freedom one in a thousand is above 34.5.
        let chi_square = chi_square(&found, &expected);
        assert!(chi_square < 34.5, "{chi_square}: {found:?} for {expected:?}");
    }
}

/// A pair out of three, by the formula for two draws without replacement.
#[test]
fn later_draws_are_without_replacement() {
    let layer = Coupled2d { importance: vec![1.0, 2.0, 5.0], ..layer("1x3", "1x1", 2, 1e6, Grain::Edges) };
    let mut found = [0.0; 3];
    for seed in 0..20_000 {
        let missing = 3 - draw(&layer, seed).edge_inputs().iter().sum::<u32>();
        found[missing as usize] += 1.0;
    }
    let shares = [1.0 / 8.0, 2.0 / 8.0, 5.0 / 8.0];
    let pair = |a: f64, b: f64| a * b / (1.0 - a) + b * a / (1.0 - b);
    let expected = [pair(shares[1], shares[2]), pair(shares[0], shares[2]), pair(shares[0], shares[1])];
    // Of 2 degrees of freedom one in a thousand is above 13.8.
    assert!(chi_square(&found, &expected.map(|share| 20_000.0 * share)) < 13.8, "{found:?}");
}

#[test]
fn grids_of_different_sizes_cover_the_same_picture() {
    let layer = layer("28x28", "14x14", 4, 0.3, Grain::MicroBlocks);
    for (output, input) in draw(&layer, 0).edge_ends() {
        let (to, from) = (layer.outputs.place(output), layer.inputs.place(input));
        // A patch of the outputs covers 4 x 4 pixels, whose nearest patches are within it.
        assert_eq!((to.row / 2, to.column / 2), (from.row / 4, from.column / 4));
    }
}

#[test]
fn the_usual_reach_is_as_far_as_a_fan_in_needs() {
    let usual = |layer: &Coupled2d| {
        let grids = [layer.inputs, layer.outputs, layer.outputs, layer.outputs];
        usual_reach(&grids, &[layer.fan_in], layer.falloff, layer.grain)
    };
    // 28 x 28 pixels are just enough for the default fan-ins.
    assert_eq!(usual(&layer("28x28", "28x28", 40, 0.0, Grain::MicroBlocks)), [1.5, 2.74, 5.0]);
    assert!(usual(&layer("28x28", "28x28", 144, 0.0, Grain::MicroBlocks))[0] > 2.0);
    // 40 inputs are within 20 pixels to both sides of a line, which are 3 reaches.
    assert_eq!(usual(&layer("1x128", "1x128", 40, 0.0, Grain::Edges))[0], 6.67);
    for shape in ["1x128", "128x1", "2x64", "8x16", "12x65"] {
        let mut layer = layer(shape, shape, 40, 0.0, Grain::Edges);
        layer.reach = usual(&layer)[0];
        let share = layer.far_share(&draw(&layer, 0));
        assert!(share < 0.25, "{shape}: {share}");
    }
    let mut narrow = layer("28x28", "28x28", 40, 0.3, Grain::Edges);
    assert!(narrow.far_share(&draw(&narrow, 0)) > 0.3);
    // A corner sees a quarter of a window.
    narrow.falloff = Falloff::Window;
    narrow.reach = usual(&narrow)[0];
    assert_eq!(narrow.reach, 6.0);
    assert_eq!(draw(&narrow, 0).edges(), 784 * 40);
}

#[test]
fn impossible_values_are_named_with_their_limit() {
    let fine = layer("8x8", "8x8", 8, 2.0, Grain::MicroBlocks);
    let odd = "7x8".parse().unwrap();
    let cases = [
        (Coupled2d { fan_in: 0.0, ..fine.clone() }, "a fan-in of 0 is invalid, it must be 4 to 64"),
        (
            Coupled2d { fan_in: 65.0, ..fine.clone() },
            "a fan-in of 65 is invalid, it must be 4 to 64, the number of inputs with a grain of 4",
        ),
        (Coupled2d { fan_in: f64::NAN, ..fine.clone() }, "a fan-in of NaN is invalid"),
        (Coupled2d { reach: 0.0, ..fine.clone() }, "a reach of 0 pixels is invalid"),
        (Coupled2d { reach: f64::NAN, ..fine.clone() }, "a reach of NaN pixels is invalid"),
        (Coupled2d { inputs: odd, ..fine.clone() }, "the grid of the inputs is 7x8: take a grain of 1"),
        (Coupled2d { outputs: odd, ..fine.clone() }, "the grid of the outputs is 7x8"),
        (Coupled2d { importance: vec![1.0], ..fine.clone() }, "1 importances for 64 inputs"),
        (Coupled2d { importance: vec![0.0; 64], ..fine }, "an importance of 0 is invalid"),
    ];
    for (layer, part) in cases {
        let refused = layer.build(&mut generator(0, Purpose::Topology(0))).unwrap_err().to_string();
        assert!(refused.contains(part), "{refused}");
    }
}
