//! Properties of the graphs that the builders draw.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tanner::network::Architecture;
use tanner::topology::{
    DegreeDistribution, DegreeFamily, Partition, RandomSparse, SoftBand, SpatiallyCoupled, Topology,
    fully_connected,
};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Possible spatially-coupled layers of any shape, uneven blocks included.
fn coupled_layers() -> impl Strategy<Value = SpatiallyCoupled> {
    (1usize..60, 1usize..60)
        .prop_flat_map(|(inputs, outputs)| (Just(inputs), Just(outputs), 1..=inputs.min(outputs).min(9)))
        .prop_flat_map(|(inputs, outputs, blocks)| (Just((inputs, outputs, blocks)), 1..=blocks))
        .prop_flat_map(|((inputs, outputs, blocks), receptive_field)| {
            let partition = Partition::even(outputs, blocks).unwrap();
            let capacity = move |j: usize| -> usize {
                ((j + 1).saturating_sub(receptive_field)..=j).map(|block| partition.block(block).len()).sum()
            };
            let degrees: Vec<_> = (0..blocks).map(|j| usize::from(j == 0)..=capacity(j)).collect();
            degrees.prop_map(move |degrees| SpatiallyCoupled {
                inputs,
                outputs,
                blocks,
                receptive_field,
                degrees,
            })
        })
}

/// The soft band with the blocks and degrees of a coupled layer.
fn softened(request: &SpatiallyCoupled, softness: f64) -> SoftBand {
    let SpatiallyCoupled { inputs, outputs, blocks, degrees, .. } = request.clone();
    SoftBand { inputs, outputs, blocks, degrees, softness }
}

proptest! {
    #[test]
    fn coupled_layers_are_as_requested(request in coupled_layers(), seed: u64) {
        let topology = request.build(&mut rng(seed)).unwrap();
        let inputs = Partition::even(request.inputs, request.blocks).unwrap();
        let outputs = Partition::even(request.outputs, request.blocks).unwrap();
        let mut edges = 0;
        for (j, block) in inputs.blocks().enumerate() {
            edges += block.len() * request.degrees[j];
            for input in block {
                prop_assert_eq!(topology.out_degree(input), request.degrees[j]);
                let mut shares = vec![0; request.blocks];
                for (output, _) in topology.column(input) {
                    shares[outputs.block_of(output)] += 1;
                }
                let band = (j + 1).saturating_sub(request.receptive_field)..=j;
                for (i, share) in shares.iter().enumerate() {
                    prop_assert!(*share == 0 || band.contains(&i), "input block {} feeds output block {}", j, i);
                }
                // Even, except for full blocks; an earlier block never has less than a later one.
                let open: Vec<_> = band.filter(|i| shares[*i] < outputs.block(*i).len()).collect();
                for pair in open.windows(2) {
                    prop_assert!(shares[pair[0]] == shares[pair[1]] || shares[pair[0]] == shares[pair[1]] + 1);
                }
            }
        }
        prop_assert_eq!(topology.edges(), edges);
        prop_assert_eq!(request.edges().unwrap(), edges);
    }

    #[test]
    fn soft_bands_have_the_degrees_and_blocks_of_coupled_layers(
        request in coupled_layers(),
        softness in prop_oneof![0.01f64..8.0, Just(1e-300), Just(1e300)],
        seed: u64,
    ) {
        let coupled = request.build(&mut rng(seed)).unwrap();
        let request = softened(&request, softness);
        let topology = request.build(&mut rng(seed)).unwrap();
        prop_assert!((0..request.inputs).all(|input| topology.out_degree(input) == coupled.out_degree(input)));
        prop_assert_eq!((topology.inputs(), topology.outputs()), (coupled.inputs(), coupled.outputs()));
        prop_assert_eq!(request.edges().unwrap(), coupled.edges());
        prop_assert_eq!(topology, request.build(&mut rng(seed)).unwrap());
    }

    #[test]
    fn lists_by_input_are_the_transpose(request in coupled_layers(), seed: u64) {
        let topology = request.build(&mut rng(seed)).unwrap();
        let mut by_output: Vec<_> = topology.edge_ends().enumerate().map(|(edge, (o, i))| (i, o, edge)).collect();
        by_output.sort_unstable();
        let by_input: Vec<_> = (0..request.inputs)
            .flat_map(|input| topology.column(input).map(move |(output, edge)| (input, output, edge)))
            .collect();
        prop_assert_eq!(by_input, by_output);
        // Canonical order: by output, then input, without repeats.
        let ends: Vec<_> = topology.edge_ends().collect();
        prop_assert!(ends.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_same_seed_gives_the_same_graph(request in coupled_layers(), seed: u64) {
        prop_assert_eq!(request.build(&mut rng(seed)).unwrap(), request.build(&mut rng(seed)).unwrap());
    }

    #[test]
    fn degrees_above_the_capacity_are_refused(request in coupled_layers(), pick: prop::sample::Index) {
        let mut request = request;
        let block = pick.index(request.blocks);
        request.degrees[block] = request.outputs + 1;
        let message = request.build(&mut rng(0)).unwrap_err().to_string();
        let expected = format!("block {block}: a degree of {} is impossible", request.outputs + 1);
        prop_assert!(message.contains(&expected), "{}", message);
        prop_assert!(message.contains("neurons"), "{}", message);
    }

    #[test]
    fn random_sparse_layers_keep_their_degrees(inputs in 1usize..50, outputs in 1usize..50, seed: u64, a: usize, b: usize) {
        let (a, b) = (1 + a % outputs, 1 + b % outputs);
        let (low, high) = (a.min(b), a.max(b));
        let regular = RandomSparse { inputs, outputs, degrees: DegreeDistribution::Regular(low) };
        let topology = regular.build(&mut rng(seed)).unwrap();
        prop_assert!((0..inputs).all(|input| topology.out_degree(input) == low));
        prop_assert_eq!(topology.edges(), inputs * low);
        prop_assert_eq!(&topology, &regular.build(&mut rng(seed)).unwrap());
        let uniform = RandomSparse { inputs, outputs, degrees: DegreeDistribution::Uniform(low, high) };
        let topology = uniform.build(&mut rng(seed)).unwrap();
        prop_assert!((0..inputs).all(|input| (low..=high).contains(&topology.out_degree(input))));
    }

    #[test]
    fn degree_distributions_read_their_own_text(
        family in prop::sample::select(DegreeFamily::ALL.to_vec()),
        (a, b) in (0usize..200, 0usize..200),
        (x, y) in (0.0..1.0, 1e-9..1e9),
    ) {
        let distribution = match family {
            DegreeFamily::Regular => DegreeDistribution::Regular(a),
            DegreeFamily::Uniform => DegreeDistribution::Uniform(a, b),
            DegreeFamily::Poisson => DegreeDistribution::Poisson(y),
            DegreeFamily::Explicit => DegreeDistribution::Explicit(vec![(a, x), (b, 1.0 - x)]),
        };
        prop_assert_eq!(distribution.family(), family);
        prop_assert_eq!(distribution.to_string().parse::<DegreeDistribution>().unwrap(), distribution);
    }

    #[test]
    fn degree_distributions_never_panic_on_any_text(text in ".{0,24}") {
        let _ = text.parse::<DegreeDistribution>();
    }
}

/// Every form with every pair of extreme numbers: an accepted distribution draws possible degrees.
#[test]
fn accepted_degree_distributions_draw_possible_degrees() {
    const OUTPUTS: usize = 10;
    let numbers = [
        "",
        " 7 ",
        "0",
        "1",
        "10",
        "11",
        "-1",
        "0.5",
        "1e-300",
        "1e300",
        "inf",
        "NaN",
        "18446744073709551615",
        "18446744073709551616",
    ];
    let mut seen = DegreeFamily::ALL.map(|family| (family, 0, 0));
    for (a, b) in numbers.iter().flat_map(|a| numbers.map(|b| (a, b))) {
        for text in [
            (*a).to_owned(),
            format!("regular:{a}"),
            format!("uniform:{a}-{b}"),
            format!("poisson:{a}"),
            format!("{a}:1"),
            format!("{a}:0.5,{b}:0.5"),
            format!("3:{a},4:{b}"),
        ] {
            let Ok(distribution) = text.parse::<DegreeDistribution>() else { continue };
            let (_, read, accepted) =
                seen.iter_mut().find(|(family, ..)| *family == distribution.family()).unwrap();
            *read += 1;
            let mean = distribution.mean();
            let Ok(degrees) = distribution.for_layer(OUTPUTS) else { continue };
            *accepted += 1;
            assert!((0.0..=OUTPUTS as f64).contains(&mean), "{text}: mean {mean}");
            for seed in 0..20 {
                let degree = degrees.draw(&mut rng(seed));
                assert!(degree <= OUTPUTS, "{text}: {degree}");
            }
        }
    }
    for (family, read, accepted) in seen {
        assert!(accepted > 0 && read > accepted, "{family:?}: {accepted} of {read} accepted");
    }
}

#[test]
fn the_paper_network_has_its_numbers() {
    let network = Architecture::paper(784, 10).build(0).unwrap();
    for layer in &network.layers()[..5] {
        assert_eq!(layer.topology.edges(), 41_650);
        assert!((layer.topology.density() - 0.0678).abs() < 5e-5);
    }
    assert_eq!(network.parameter_count(), 220_020);
    assert_eq!(network.dense_parameter_count(), 5 * (784 * 784 + 784) + 784 * 10 + 10);
}

#[test]
fn targets_are_drawn_uniformly() {
    // Each of 20 outputs is drawn with probability 5/20 by each of 4000 inputs: mean 1000, deviation 27.4.
    let request = RandomSparse { inputs: 4000, outputs: 20, degrees: DegreeDistribution::Regular(5) };
    let topology = request.build(&mut rng(3)).unwrap();
    for output in 0..20 {
        let drawn = topology.in_degree(output);
        assert!(
            (863..=1137).contains(&drawn),
            "output {output} was drawn {drawn} times, 5 deviations are 137"
        );
    }
}

/// One draw of one output for each of many equal inputs: frequencies are the weights.
#[test]
fn soft_bands_draw_by_the_exponential_of_the_distance() {
    let request = SoftBand { inputs: 1, outputs: 8, blocks: 1, degrees: vec![1], softness: 0.25 };
    let mut drawn = [0usize; 8];
    let (draws, mut rng) = (40_000, rng(6));
    for _ in 0..draws {
        let topology = request.build(&mut rng).unwrap();
        drawn[topology.column(0).next().unwrap().0] += 1;
    }
    // The input is at 1/2, output k at (k + 1/2) / 8.
    let weights: Vec<f64> =
        (0..8).map(|k| (-((f64::from(k) + 0.5) / 8.0 - 0.5).abs() / 0.25).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (output, weight) in weights.iter().enumerate() {
        let share = weight / total;
        let bound = 5.0 * (share * (1.0 - share) * f64::from(draws)).sqrt();
        let off = (drawn[output] as f64 - share * f64::from(draws)).abs();
        assert!(off < bound, "output {output}: {} drawn, {share} expected", drawn[output]);
    }
}

/// Two draws without replacement: the second by the remaining weights.
#[test]
fn soft_bands_draw_without_replacement() {
    let request = SoftBand { inputs: 1, outputs: 4, blocks: 1, degrees: vec![2], softness: 0.25 };
    let (draws, mut rng) = (40_000, rng(7));
    let mut drawn = std::collections::BTreeMap::new();
    for _ in 0..draws {
        let topology = request.build(&mut rng).unwrap();
        let pair: Vec<usize> = topology.column(0).map(|(output, _)| output).collect();
        *drawn.entry((pair[0], pair[1])).or_insert(0) += 1;
    }
    // Outputs are 3/8 and 1/8 away from the input: weights exp(-1.5), exp(-0.5) and the same again.
    let weights = [-1.5f64, -0.5, -0.5, -1.5].map(f64::exp);
    let total: f64 = weights.iter().sum();
    for ((a, b), count) in drawn {
        let share =
            weights[a] * weights[b] / total * (1.0 / (total - weights[a]) + 1.0 / (total - weights[b]));
        let bound = 5.0 * (share * (1.0 - share) * f64::from(draws)).sqrt();
        let off = (f64::from(count) - share * f64::from(draws)).abs();
        assert!(off < bound, "{a} and {b}: {count} drawn, {share} expected");
    }
}

/// From the nearest outputs to a random sparse layer: the softness says how far edges reach.
#[test]
fn softness_reaches_from_a_diagonal_to_a_random_sparse_layer() {
    let mean_distance = |softness| {
        let request = SoftBand { inputs: 200, outputs: 200, blocks: 8, degrees: vec![5], softness };
        let topology = request.build(&mut rng(8)).unwrap();
        let distances = topology.edge_ends().map(|(output, input)| output.abs_diff(input) as f64);
        distances.sum::<f64>() / topology.edges() as f64
    };
    let distances = [1e-6, 0.5, 1.0, 2.0, 1e6].map(mean_distance);
    assert!(distances.windows(2).all(|pair| pair[0] < pair[1]), "{distances:?}");
    // The five nearest: distances 0, 1, 1, 2, 2, except for inputs at the ends.
    assert!((1.2..1.3).contains(&distances[0]), "{distances:?}");
    // Two uniform places of 200 are 200 / 3 apart on average, with deviation 47.1; 1000 edges.
    assert!((distances[4] - 66.7).abs() < 5.0 * 47.1 / 1000f64.sqrt(), "{distances:?}");
}

/// The graph of a seed must not change; the weights of other widths are at other places.
#[test]
fn a_soft_band_of_the_papers_degrees_has_its_edges() {
    let degrees = vec![98, 130, 98, 49, 20, 10, 10, 10];
    let request = SoftBand { inputs: 784, outputs: 784, blocks: 8, degrees, softness: 1.0 };
    let topology = request.build(&mut rng(0)).unwrap();
    assert_eq!((topology.edges(), request.edges().unwrap()), (41_650, 41_650));
    assert_eq!(topology.inputs().len(), 8);
    // Outside the window of the coupled layer, inside the band.
    let far = topology.edge_ends().filter(|(output, input)| output.abs_diff(*input) > 4 * 98).count();
    assert!(far > 0 && far < 41_650 / 50, "{far} edges reach further than 4 blocks");
    assert_ne!(topology, request.build(&mut rng(1)).unwrap());
}

/// The sampler keeps its pool from draw to draw; a draw must not remember the one before.
#[test]
fn draws_are_independent() {
    let request = RandomSparse { inputs: 4000, outputs: 20, degrees: DegreeDistribution::Regular(5) };
    let topology = request.build(&mut rng(4)).unwrap();
    let targets = |input| topology.column(input).map(|(output, _)| output).collect::<Vec<_>>();
    let shared = |input| {
        let before = targets(input - 1);
        targets(input).iter().filter(|output| before.contains(output)).count()
    };
    let mean = (1..4000).map(shared).sum::<usize>() as f64 / 3999.0;
    // Two draws of 5 of 20 share 1.25 on average, with variance 0.740 (hypergeometric): 5 deviations of the mean.
    assert!((mean - 1.25).abs() < 5.0 * (0.740f64 / 3999.0).sqrt(), "neighbours share {mean} targets");
}

#[test]
fn drawn_degrees_follow_the_distribution() {
    let mean_degree = |text: &str| {
        let degrees: DegreeDistribution = text.parse().unwrap();
        let topology = RandomSparse { inputs: 5000, outputs: 100, degrees }.build(&mut rng(5)).unwrap();
        topology.edges() as f64 / 5000.0
    };
    // Within 5 deviations of the mean of 5000 draws.
    assert!((mean_degree("poisson:20") - 20.0).abs() < 5.0 * (20.0f64 / 5000.0).sqrt());
    assert!((mean_degree("uniform:10-30") - 20.0).abs() < 5.0 * (36.7f64 / 5000.0).sqrt());
    assert!((mean_degree("10:0.75,50:0.25") - 20.0).abs() < 5.0 * (300.0f64 / 5000.0).sqrt());
    // Truncation: no draw is above the number of outputs.
    let degrees: DegreeDistribution = "poisson:9".parse().unwrap();
    let topology = RandomSparse { inputs: 2000, outputs: 10, degrees }.build(&mut rng(5)).unwrap();
    assert!((0..2000).all(|input| topology.out_degree(input) <= 10));
}

#[test]
fn impossible_requests_say_why() {
    let possible =
        SpatiallyCoupled { inputs: 10, outputs: 10, blocks: 2, receptive_field: 2, degrees: vec![3, 4] };
    let refused = |change: fn(&mut SpatiallyCoupled)| {
        let mut request = possible.clone();
        change(&mut request);
        request.build(&mut rng(0)).unwrap_err().to_string()
    };
    for (message, reason) in [
        (refused(|w| w.blocks = 0), "cannot cut 10 neurons into 0 blocks"),
        (refused(|w| w.blocks = 11), "must be 1 to 10"),
        (refused(|w| w.outputs = 1), "outputs: cannot cut 1 neurons into 2 blocks"),
        (refused(|w| w.receptive_field = 0), "must be 1 to 2"),
        (refused(|w| w.receptive_field = 3), "must be 1 to 2"),
        (refused(|w| w.degrees = vec![1, 2, 3]), "3 degrees for 2 blocks"),
        (refused(|w| w.degrees = vec![]), "0 degrees for 2 blocks"),
        (
            refused(|w| w.degrees = vec![6, 1]),
            "block 0: a degree of 6 is impossible, its 1 output blocks hold 5",
        ),
        (refused(|w| w.degrees = vec![0]), "at least 1 edge"),
        (fully_connected(0, 4).unwrap_err().to_string(), "at least 1 neuron"),
        (fully_connected(1 << 16, 1 << 16).unwrap_err().to_string(), "too many edges"),
    ] {
        assert!(message.contains(reason), "{message:?} should say {reason:?}");
    }
    let soft = |change: fn(&mut SoftBand)| {
        let mut request = SoftBand { degrees: vec![3, 4], ..softened(&possible, 1.0) };
        change(&mut request);
        assert_eq!(
            request.edges().unwrap_err().to_string(),
            request.build(&mut rng(0)).unwrap_err().to_string()
        );
        request.build(&mut rng(0)).unwrap_err().to_string()
    };
    assert!(soft(|w| w.blocks = 11).contains("inputs: cannot cut 10 neurons into 11 blocks"));
    assert!(soft(|w| w.degrees = vec![1, 2, 3]).contains("3 degrees for 2 blocks"));
    let message = soft(|w| w.degrees = vec![1, 11]);
    assert!(message.contains("block 1: a degree of 11 is impossible, the layer has 10 outputs"), "{message}");
    for softness in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let request = softened(&possible, softness);
        let message = request.build(&mut rng(0)).unwrap_err().to_string();
        assert!(message.contains("softness of"), "{message}");
    }
    let sparse = |text: &str| {
        let degrees: DegreeDistribution = text.parse().unwrap();
        RandomSparse { inputs: 10, outputs: 10, degrees }.build(&mut rng(0)).unwrap_err().to_string()
    };
    assert!(sparse("11").contains("a degree of 11 is impossible, the layer has 10 outputs"));
    assert!(sparse("0").contains("no edge"));
    assert!(sparse("uniform:5-3").contains("empty"));
    assert!(sparse("uniform:3-11").contains("11 is impossible"));
    assert!(sparse("poisson:NaN").contains("must be above 0"));
    assert!(sparse("poisson:-1").contains("must be above 0"));
    assert!(sparse("1:0.5,2:0.6").contains("sum to 1.1"));
    assert!(sparse("1:-0.5,2:1.5").contains("must not be negative"));
    assert!("gauss:3".parse::<DegreeDistribution>().is_err());
}

#[test]
fn broken_rows_are_refused() {
    let build = |row_start: &[u32], input: &[u32]| {
        let (inputs, outputs) = (Partition::whole(3).unwrap(), Partition::whole(2).unwrap());
        Topology::from_rows(inputs, outputs, row_start.to_vec(), input.to_vec())
    };
    assert!(build(&[0, 2, 3], &[0, 2, 1]).is_ok());
    for (row_start, input, reason) in [
        (&[0, 2][..], &[0, 2][..], "need 3 row starts"),
        (&[1, 2, 3], &[0, 2, 1], "must run from 0"),
        (&[0, 2, 2], &[0, 2, 1], "must run from 0"),
        (&[0, 4, 3], &[0, 1, 2], "ends before it starts"),
        (&[0, 2, 3], &[2, 0, 1], "strictly increase"),
        (&[0, 2, 3], &[1, 1, 1], "strictly increase"),
        (&[0, 2, 3], &[0, 3, 1], "reads input 3, the layer has 3"),
        (&[0, 0, 0], &[], "at least 1 edge"),
    ] {
        let message = build(row_start, input).unwrap_err().to_string();
        assert!(message.contains(reason), "{message:?} should say {reason:?}");
    }
}
