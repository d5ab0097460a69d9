use std::collections::BTreeSet;

use super::columns::{HEAD, height};
use super::drawing::{listed, out_degrees, receptive_field};
use super::*;
use crate::random::{Purpose, generator};
use crate::topology::{Partition, RandomSparse, SpatiallyCoupled, fully_connected};

fn coupled(degrees: &[usize], receptive_field: usize) -> Topology {
    let request =
        SpatiallyCoupled { inputs: 32, outputs: 32, blocks: 4, receptive_field, degrees: degrees.to_vec() };
    request.build(&mut generator(0, Purpose::Topology(0))).unwrap()
}

fn count(svg: &str, part: &str) -> usize {
    svg.matches(part).count()
}

/// The numbers in an attribute of all elements that contain `part`.
fn numbers(svg: &str, part: &str, attribute: &str) -> Vec<f64> {
    let key = format!(" {attribute}=\"");
    let lines = svg.lines().filter(|line| line.contains(part));
    let value = |line: &str| line.split_once(&key).unwrap().1.split('"').next().unwrap().parse().unwrap();
    lines.map(value).collect()
}

#[test]
fn every_weight_is_a_line_and_every_neuron_a_circle() {
    let layer = coupled(&[4, 5, 3, 2], 2);
    let drawn = figure1(&layer, "a name", None).unwrap().svg;
    assert_eq!(count(&drawn, "<line"), layer.edges());
    assert_eq!(count(&drawn, "<circle"), 64);
    assert_eq!(count(&drawn, "<rect"), 8 + 1, "4 blocks a side, and the paper");
    // Lines end at circles.
    let at = |part, attribute| {
        numbers(&drawn, part, attribute).iter().map(f64::to_string).collect::<BTreeSet<_>>()
    };
    let heights = at("<circle", "cy");
    assert_eq!(heights.len(), 32);
    assert!(at("<line", "y1").is_subset(&heights) && at("<line", "y2").is_subset(&heights));
    // Edge by edge, in any order.
    let column = |line: &str| {
        let number = |name| numbers(line, "<line", name)[0].to_string();
        (number("y2"), number("y1"))
    };
    let lines: BTreeSet<_> = drawn.lines().filter(|line| line.contains("<line")).map(column).collect();
    let drawing = PlacedLayer::new(&layer, Some(1));
    let short = |y: f64| ((y * 100.0).round() * 0.01).to_string();
    let ends =
        layer.edge_ends().map(|(o, i)| (short(drawing.outputs.neurons[o]), short(drawing.inputs.neurons[i])));
    assert_eq!(lines, ends.collect());
}

#[test]
fn the_receptive_field_of_the_chosen_block_is_coloured() {
    for (chosen, field, label) in [
        (None, vec![1, 2], "receptive field of output block 1: input blocks 1 and 2"),
        (Some(0), vec![0, 1], "receptive field of output block 0: input blocks 0 and 1"),
        (Some(3), vec![3], "receptive field of output block 3: input block 3,"),
    ] {
        let layer = coupled(&[4, 5, 3, 2], 2);
        let drawn = figure1(&layer, "a name", chosen).unwrap().svg;
        let chosen = chosen.unwrap_or(1);
        assert_eq!(receptive_field(&layer, chosen), field.iter().copied().collect());
        assert!(drawn.contains(label), "{label}");
        let weights: usize = layer.outputs().block(chosen).map(|output| layer.in_degree(output)).sum();
        let lines = drawn.lines().filter(|line| line.contains("<line") && line.contains("#0072b2"));
        assert_eq!(lines.count(), weights, "output block {chosen}");
        let filled =
            |color: &str| drawn.lines().filter(|line| line.contains("<rect") && line.contains(color)).count();
        assert_eq!((filled("#dfedf5"), filled("#f9eadf")), (field.len(), 1));
    }
    let message = figure1(&coupled(&[1], 1), "", Some(4)).unwrap_err().to_string();
    assert!(message.contains("output block 4 is not there, the last one is 3"), "{message}");
}

#[test]
fn degrees_are_reported_by_block() {
    let drawn = figure1(&coupled(&[4, 5, 3, 2], 2), "a name", None).unwrap().svg;
    for label in
        ["block 0: out-degree 4", "block 1: out-degree 5", "block 3: out-degree 2", "block 2 reads 2 and 3"]
    {
        assert!(drawn.contains(label), "{label}");
    }
    let degrees = "uniform:2-5".parse().unwrap();
    let layer = RandomSparse { inputs: 40, outputs: 20, degrees };
    let layer = layer.build(&mut generator(0, Purpose::Topology(0))).unwrap();
    assert_eq!(out_degrees(&layer, 0..40), "2 to 5");
    let words = |count: usize| listed(&(0..count).collect());
    assert_eq!([0, 1, 2, 4, 8].map(words), ["none", "0", "0 and 1", "0, 1, 2 and 3", "0 to 7 (8 of them)"]);
}

#[test]
fn layers_without_blocks_have_nothing_to_choose() {
    let drawn = figure1(&fully_connected(12, 5).unwrap(), "dense", None).unwrap();
    assert_eq!(count(&drawn.svg, "<line"), 60);
    assert_eq!((count(&drawn.svg, "receptive field"), count(&drawn.svg, "block")), (0, 0));
    assert_eq!(count(&drawn.svg, "out-degree 5"), 1);
}

#[test]
fn both_files_have_the_same_size_and_repeat() {
    let layer = coupled(&[4, 5, 3, 2], 2);
    let drawn = figure1(&layer, "a name", None).unwrap();
    let again = figure1(&layer, "a name", None).unwrap();
    assert!(drawn.svg == again.svg && drawn.png == again.png);
    let picture = image::load_from_memory(&drawn.png).unwrap().to_rgb8();
    let side = |name: &str| numbers(&drawn.svg, "<svg", name)[0];
    assert_eq!(f64::from(picture.width()), 2.0 * side("width"));
    assert!((f64::from(picture.height()) - 2.0 * side("height")).abs() <= 1.0);
    for color in [[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]] {
        let pixels = picture.pixels().filter(|pixel| pixel.0 == color).count();
        assert!(pixels > 200, "{pixels} pixels of {color:?}");
    }
}

/// Nothing is outside the drawing, whatever the shape.
#[test]
fn everything_stays_on_the_paper() {
    let shapes = [(1, 1, 1), (128, 3, 3), (4, 128, 4), (128, 128, 128)];
    for (inputs, outputs, blocks) in shapes {
        let (inputs, outputs) =
            (Partition::even(inputs, blocks).unwrap(), Partition::even(outputs, blocks).unwrap());
        let targets = vec![vec![0]; inputs.width()];
        let layer = Topology::from_targets(inputs, outputs, &targets).unwrap();
        let drawing = PlacedLayer::new(&layer, None);
        let bottom = height(&drawing.inputs);
        assert!((height(&drawing.outputs) - bottom).abs() < 1e-9, "columns end together");
        for column in [&drawing.inputs, &drawing.outputs] {
            assert!(
                column.radius > 2.0
                    && column.neurons.windows(2).all(|pair| pair[1] - pair[0] > 2.0 * column.radius)
            );
            assert!(column.boxes.iter().all(|span| span.start >= HEAD && span.end < bottom));
            assert!(column.boxes.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
        drawing.scene("edge");
    }
}

#[test]
fn layers_that_are_too_large_are_refused_with_the_limit() {
    let message = |layer: &Topology| figure1(layer, "", None).unwrap_err().to_string();
    let weights = message(&fully_connected(50, 41).unwrap());
    assert_eq!(weights, "picture: 2,050 weights are too many to draw as lines, the limit is 2,000");
    let neurons = message(&fully_connected(129, 2).unwrap());
    assert_eq!(neurons, "picture: 129 neurons are too many to draw as circles, the limit is 128 on a side");
    assert!(figure1(&fully_connected(50, 40).unwrap(), "", None).is_ok());
}
