//! The elements of [`figure1`](super::super::figure1()), with their places and colours.

use std::collections::BTreeSet;
use std::ops::Range;

use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::columns::{HEAD, NeuronColumn, WIDTH, columns, height};
use crate::report::style::{
    BOUNDARY, FIRST, FONT, HAIR, INK, LABEL, NO_EDGE, PAPER, SECOND, SOFT, TEXT, TITLE, Tone,
};
use crate::text::grouped;
use crate::topology::Topology;

/// The colours of the receptive field and of the chosen block, each with its box. Everything else is grey.
const FIELD: Color = FIRST.color();
const FIELD_BOX: Color = blended(FIRST);
const CHOSEN: Color = SECOND.color();
const CHOSEN_BOX: Color = blended(SECOND);
const OTHER: Color = BOUNDARY.color();
const OTHER_BOX: Color = NO_EDGE.color();
const NEURON: Color = SOFT.color();

/// A colour, mixed with seven parts of background.
const fn blended(tone: Tone) -> Color {
    let [r, g, b] = tone.rgb().0;
    Color::Rgb(223 + r / 8, 223 + g / 8, 223 + b / 8)
}

/// A layer with its places in the drawing.
pub(super) struct PlacedLayer<'a> {
    layer: &'a Topology,
    pub(super) inputs: NeuronColumn,
    pub(super) outputs: NeuronColumn,
    chosen: Option<usize>,
}

impl<'a> PlacedLayer<'a> {
    pub(super) fn new(layer: &'a Topology, chosen: Option<usize>) -> Self {
        let (inputs, outputs) = columns(layer);
        Self { layer, inputs, outputs, chosen }
    }

    /// Draws from background to foreground.
    pub(super) fn scene(&self, name: &str) -> Scene {
        let mut scene = Scene::new(WIDTH, height(&self.inputs));
        scene.font_family = Some(FONT.to_owned());
        let field = self.chosen.map(|block| receptive_field(self.layer, block)).unwrap_or_default();
        self.add_boxes(&mut scene, &field);
        self.add_edges(&mut scene);
        self.add_neurons(&mut scene, &field);
        self.add_labels(&mut scene, &field);
        self.add_heading(&mut scene, name);
        self.add_legend(&mut scene, &field);
        scene
    }

    fn add_boxes(&self, scene: &mut Scene, field: &BTreeSet<usize>) {
        for (block, span) in self.inputs.boxes.iter().enumerate() {
            let colors = if field.contains(&block) { (FIELD_BOX, FIELD) } else { (OTHER_BOX, OTHER) };
            scene.add(boxed(&self.inputs, span, colors));
        }
        for (block, span) in self.outputs.boxes.iter().enumerate() {
            let colors = if self.chosen == Some(block) { (CHOSEN_BOX, CHOSEN) } else { (OTHER_BOX, OTHER) };
            scene.add(boxed(&self.outputs, span, colors));
        }
    }

    /// The weights of the chosen block come last, above all others.
    fn add_edges(&self, scene: &mut Scene) {
        let chosen = |output: usize| {
            self.chosen.is_some_and(|block| self.layer.outputs().block(block).contains(&output))
        };
        for above in [false, true] {
            let (stroke, stroke_width) = match (above, self.chosen) {
                (true, _) => (FIELD, HAIR),
                (false, Some(_)) => (OTHER, 0.75),
                (false, None) => (NEURON, 0.75),
            };
            for (output, input) in self.layer.edge_ends().filter(|(output, _)| chosen(*output) == above) {
                scene.add(Primitive::Line {
                    x1: self.inputs.x,
                    y1: self.inputs.neurons[input],
                    x2: self.outputs.x,
                    y2: self.outputs.neurons[output],
                    stroke: stroke.clone(),
                    stroke_width,
                    stroke_dasharray: None,
                });
            }
        }
    }

    fn add_neurons(&self, scene: &mut Scene, field: &BTreeSet<usize>) {
        let circles = |column: &NeuronColumn, neurons: Range<usize>, fill: Color, stroke: Color| {
            Primitive::CircleBatch {
                cx: vec![column.x; neurons.len()],
                cy: column.neurons[neurons].to_vec(),
                r: column.radius,
                fill,
                fill_opacity: None,
                stroke: Some(stroke),
                stroke_width: Some(HAIR),
            }
        };
        for (block, neurons) in self.layer.inputs().blocks().enumerate() {
            let (fill, stroke) =
                if field.contains(&block) { (FIELD, FIELD) } else { (PAPER.color(), NEURON) };
            scene.add(circles(&self.inputs, neurons, fill, stroke));
        }
        for (block, neurons) in self.layer.outputs().blocks().enumerate() {
            let (fill, stroke) =
                if self.chosen == Some(block) { (CHOSEN, CHOSEN) } else { (PAPER.color(), NEURON) };
            scene.add(circles(&self.outputs, neurons, fill, stroke));
        }
    }

    /// The degrees of the input blocks and the receptive fields of the output blocks.
    fn add_labels(&self, scene: &mut Scene, field: &BTreeSet<usize>) {
        let (input_blocks, output_blocks) = (self.inputs.boxes.len(), self.outputs.boxes.len());
        for (block, span) in self.inputs.boxes.iter().enumerate() {
            let degree = out_degrees(self.layer, self.layer.inputs().block(block));
            let color = if field.contains(&block) { FIELD } else { INK.color() };
            let name = if input_blocks > 1 { format!("block {block}: ") } else { String::new() };
            let label = format!("{name}out-degree {degree}");
            scene.add(text(self.inputs.label_x, middle(span) + 4.0, &label, TEXT, TextAnchor::End, color));
        }
        if output_blocks == 1 {
            return;
        }
        for (block, span) in self.outputs.boxes.iter().enumerate() {
            let color = if self.chosen == Some(block) { CHOSEN } else { INK.color() };
            let label = format!("block {block} reads {}", listed(&receptive_field(self.layer, block)));
            scene.add(text(self.outputs.label_x, middle(span) + 4.0, &label, TEXT, TextAnchor::Start, color));
        }
    }

    fn add_heading(&self, scene: &mut Scene, name: &str) {
        let (edges, all) = (self.layer.edges(), self.layer.dense_edges());
        let weights = format!(
            "{} of {} possible weights exist ({:.1} %)",
            grouped(edges),
            grouped(all),
            100.0 * self.layer.density()
        );
        scene.add(text(WIDTH / 2.0, 26.0, name, TITLE, TextAnchor::Middle, INK.color()));
        scene.add(text(WIDTH / 2.0, 45.0, &weights, TEXT, TextAnchor::Middle, NEURON));
        for (column, side) in [(&self.inputs, "inputs"), (&self.outputs, "outputs")] {
            let label = format!("{} {side}", grouped(column.neurons.len()));
            scene.add(text(column.x, HEAD - 16.0, &label, LABEL, TextAnchor::Middle, INK.color()));
        }
    }

    fn add_legend(&self, scene: &mut Scene, field: &BTreeSet<usize>) {
        let Some(chosen) = self.chosen else { return };
        let rows = self.layer.outputs().block(chosen).map(|output| self.layer.in_degree(output));
        let weights: usize = rows.sum();
        let plural = if field.len() == 1 { "" } else { "s" };
        let legend = format!(
            "receptive field of output block {chosen}: input block{plural} {}, {} weights",
            listed(field),
            grouped(weights)
        );
        let below = scene.height - 20.0;
        scene.add(text(WIDTH / 2.0, below, &legend, TEXT, TextAnchor::Middle, FIELD));
    }
}

/// The input blocks from which an output block has a weight.
pub(super) fn receptive_field(layer: &Topology, output_block: usize) -> BTreeSet<usize> {
    let rows = layer.outputs().block(output_block).map(|output| layer.row(output));
    let inputs = rows.flat_map(|row| &layer.edge_inputs()[row]);
    inputs.map(|input| layer.inputs().block_of(*input as usize)).collect()
}

/// The out-degree of some inputs, or its range if they differ.
pub(super) fn out_degrees(layer: &Topology, neurons: Range<usize>) -> String {
    let degrees: BTreeSet<usize> = neurons.map(|neuron| layer.out_degree(neuron)).collect();
    match (degrees.first(), degrees.last()) {
        (Some(low), Some(high)) if low < high => format!("{low} to {high}"),
        (low, _) => low.copied().unwrap_or(0).to_string(),
    }
}

/// `0`, `0 and 1`, `0, 1 and 2`, and beyond four only the first and the last.
pub(super) fn listed(blocks: &BTreeSet<usize>) -> String {
    let names: Vec<String> = blocks.iter().map(ToString::to_string).collect();
    match &names[..] {
        [] => "none".into(),
        [one] => one.clone(),
        [most @ .., last] if names.len() <= 4 => format!("{} and {last}", most.join(", ")),
        [first, .., last] => format!("{first} to {last} ({} of them)", names.len()),
    }
}

fn middle(span: &Range<f64>) -> f64 {
    f64::midpoint(span.start, span.end)
}

fn boxed(column: &NeuronColumn, span: &Range<f64>, (fill, stroke): (Color, Color)) -> Primitive {
    Primitive::Rect {
        x: column.x - column.box_width / 2.0,
        y: span.start,
        width: column.box_width,
        height: span.end - span.start,
        fill,
        stroke: Some(stroke),
        stroke_width: Some(HAIR),
        opacity: None,
    }
}

fn text(x: f64, y: f64, content: &str, size: u32, anchor: TextAnchor, color: Color) -> Primitive {
    let content = content.to_owned();
    Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: Some(color) }
}
