//! The places of neurons and blocks in [`figure1`](super::super::figure1()): two columns of equal height.

use std::ops::Range;

use crate::topology::{Partition, Topology};

/// Width of the drawing.
pub(super) const WIDTH: f64 = 780.0;
/// The top of the first block, below the headings.
pub(super) const HEAD: f64 = 92.0;
/// Space below the last block.
const FOOT: f64 = 52.0;
/// Distance of the columns' neurons from the left and from the right edge.
const SIDE: f64 = 205.0;
/// The distance between two blocks, and from a block's edge to its first neuron.
const GAP: f64 = 12.0;
const PADDING: f64 = 3.0;
/// The maximum and minimum distance between two neurons.
const PITCH: Range<f64> = 8.0..15.0;
/// The height up to which neurons keep the maximum distance.
const USUAL_HEIGHT: f64 = 640.0;

/// One side of the layer.
pub(super) struct NeuronColumn {
    /// The x coordinate of the neurons.
    pub(super) x: f64,
    /// The y coordinate of each neuron.
    pub(super) neurons: Vec<f64>,
    /// The y range of each block.
    pub(super) boxes: Vec<Range<f64>>,
    pub(super) box_width: f64,
    pub(super) radius: f64,
    /// The x coordinate at which labels end (inputs) or start (outputs).
    pub(super) label_x: f64,
}

/// The inputs on the left, the outputs on the right.
pub(super) fn columns(layer: &Topology) -> (NeuronColumn, NeuronColumn) {
    let sides = [layer.inputs(), layer.outputs()];
    let height = sides.map(usual_height).into_iter().fold(0.0, f64::max);
    let [inputs, outputs] = [(sides[0], SIDE), (sides[1], WIDTH - SIDE)].map(|(side, x)| {
        let pitch = (height - frames(side)) / side.width() as f64;
        let radius = (0.32 * pitch).min(4.5);
        let box_width = 2.0 * radius + 14.0;
        let away = if x < WIDTH / 2.0 { -1.0 } else { 1.0 };
        let label_x = x + away * (box_width / 2.0 + 9.0);
        let (neurons, boxes) = places(side, pitch);
        NeuronColumn { x, neurons, boxes, box_width, radius, label_x }
    });
    (inputs, outputs)
}

/// Height of the whole drawing.
pub(super) fn height(column: &NeuronColumn) -> f64 {
    column.boxes.last().map_or(HEAD, |last| last.end) + FOOT
}

/// The height of a side without its neurons.
fn frames(side: &Partition) -> f64 {
    let blocks = side.len() as f64;
    blocks * 2.0 * PADDING + (blocks - 1.0) * GAP
}

/// The preferred height of a side.
fn usual_height(side: &Partition) -> f64 {
    let neurons = side.width() as f64;
    let pitch = ((USUAL_HEIGHT - frames(side)) / neurons).clamp(PITCH.start, PITCH.end);
    neurons * pitch + frames(side)
}

fn places(side: &Partition, pitch: f64) -> (Vec<f64>, Vec<Range<f64>>) {
    let (mut neurons, mut boxes, mut top) = (Vec::new(), Vec::new(), HEAD);
    for block in side.blocks() {
        let bottom = top + block.len() as f64 * pitch + 2.0 * PADDING;
        neurons.extend((0..block.len()).map(|k| top + PADDING + (k as f64 + 0.5) * pitch));
        boxes.push(top..bottom);
        top = bottom + GAP;
    }
    (neurons, boxes)
}
