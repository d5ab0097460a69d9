//! A custom degree distribution: an irregular graph, drawn here and trained like any other.
//!
//! `cargo run --release --no-default-features --features train --example custom_degrees`

use std::ops::ControlFlow;

use tanner::prelude::*;

const INPUTS: u32 = 16;
const HIDDEN: u32 = 32;

fn main() -> tanner::Result<()> {
    let layer = power_law_layer()?;
    println!("{} of {} weights exist", layer.edges(), layer.dense_edges());
    let (train, test) = (samples(400, 1)?, samples(200, 2)?);
    let run = Classifier::new()
        .topologies(vec![layer])
        .activation(Activation::Relu)
        .epochs(15)
        .batch_size(20)
        .fit(&train, Some(&test), |epoch| {
            println!(
                "epoch {:2}: loss {:.3}, accuracy {:.3}",
                epoch.epoch, epoch.test_loss, epoch.test_accuracy
            );
            ControlFlow::Continue(())
        })?;
    println!("{} parameters", run.model.network().parameter_count());
    Ok(())
}

/// Input k has about 32 / (k + 1) edges, at least 2, to outputs that spread evenly over the layer.
fn power_law_layer() -> tanner::Result<Topology> {
    let mut edges = Vec::new();
    for input in 0..INPUTS {
        let degree = (HIDDEN / (input + 1)).max(2);
        edges.extend((0..degree).map(|edge| (input, (input * 7 + edge * HIDDEN / degree) % HIDDEN)));
    }
    Topology::from_edges(Partition::whole(INPUTS as usize)?, Partition::whole(HIDDEN as usize)?, &edges)
}

/// Noise in 16 features; the class is the sign of the difference of the first two.
fn samples(count: u32, seed: u32) -> tanner::Result<Dataset> {
    let mut state = seed;
    let mut noise = || {
        // A linear congruential generator is random enough for an example.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32768.0 - 1.0
    };
    let features: Vec<f32> = (0..count * INPUTS).map(|_| noise()).collect();
    let labels = features.chunks(INPUTS as usize).map(|sample| u32::from(sample[0] > sample[1])).collect();
    Dataset::new(features, INPUTS as usize, labels, 2)
}
