//! The importance of every block of every layer, as tables, lines of text and a picture.

use std::sync::Arc;

use kuva::plot::{ColorMap, Heatmap};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::Primitive;

use super::connectivity::blend;
use super::drawing::{Drawing, figure};
use super::style::{FULL, PAPER};
use super::table::{CellOf, CsvColumn, TextCell, TextColumn, TextTable, csv, table_of};
use crate::experiments::layer_importance::{Agreement, BlockImportance, LayerImportance};
use crate::{Error, Result};

/// A row for each block of each layer.
pub fn block_table(layers: &[LayerImportance]) -> TextTable {
    let measure = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let columns: [CellOf<Block>; 6] = [
        (TextColumn::text("layer"), &|(layer, _)| name(*layer).into()),
        (TextColumn::number("block"), &|(_, block)| block.block.to_string().into()),
        (TextColumn::number("neurons").rank(2), &|(_, block)| block.neurons.to_string().into()),
        (measure("forest, % of the layer", "forest_percent").rank(1), &|(_, block)| {
            TextCell::known(block.gini, TextCell::percent)
        }),
        (measure("accuracy lost, points", "accuracy_lost_points"), &|(_, block)| {
            fixed(100.0 * block.accuracy_lost, 2).into()
        }),
        (measure("loss added, nats", "loss_added_nats").rank(1), &|(_, block)| {
            fixed(block.loss_added, 4).into()
        }),
    ];
    table_of(blocks(layers), &columns)
}

/// A block, with the number of its layer.
type Block<'a> = (usize, &'a BlockImportance);

fn blocks(layers: &[LayerImportance]) -> impl Iterator<Item = Block<'_>> {
    layers.iter().flat_map(|layer| layer.blocks.iter().map(|block| (layer.layer, block)))
}

/// A row for each layer: Spearman's rank correlation of the block order with both measures.
pub fn agreement_table(layers: &[LayerImportance]) -> TextTable {
    let column = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let mut table = TextTable::new([
        TextColumn::text("layer"),
        column("rho, forest", "rho_forest"),
        column("chance", "chance_forest"),
        column("rho, silence", "rho_silence"),
        column("chance", "chance_silence"),
    ]);
    for layer in layers {
        let mut row: Vec<TextCell> = vec![name(layer.layer).into()];
        for agreement in [layer.gini_agreement, layer.silence_agreement] {
            let show = |value: fn(Agreement) -> f64, digits| {
                TextCell::known(agreement, |agreement| format!("{:.digits$}", value(agreement)).into())
            };
            row.extend([show(|a| a.rho, 3), show(|a| a.chance, 5)]);
        }
        table.row(row);
    }
    table
}

/// Comma-separated values, with a header and a line for each block; values that were not measured are empty.
pub fn block_csv(layers: &[LayerImportance]) -> String {
    let columns: [CsvColumn<Block>; 6] = [
        ("layer", &|(layer, _)| layer.to_string()),
        ("block", &|(_, block)| block.block.to_string()),
        ("neurons", &|(_, block)| block.neurons.to_string()),
        ("gini", &|(_, block)| block.gini.map(|gini| gini.to_string()).unwrap_or_default()),
        ("accuracy_lost", &|(_, block)| block.accuracy_lost.to_string()),
        ("loss_added", &|(_, block)| block.loss_added.to_string()),
    ];
    csv(blocks(layers), &columns)
}

/// Draws both measures as grids, layers downwards, blocks to the right; colours on a fourth-root scale.
///
/// # Errors
/// [`Error::Picture`] when there is no layer or the drawing fails.
pub fn layer_importance_picture(layers: &[LayerImportance], title: &str) -> Result<Drawing> {
    let Some(blocks) = layers.iter().map(|layer| layer.blocks.len()).max() else {
        return Err(Error::Picture("the importance of 0 layers".into()));
    };
    let mut panels: Vec<(&str, Heatmap)> = Vec::new();
    if layers.iter().flat_map(|layer| &layer.blocks).all(|block| block.gini.is_some()) {
        let forest = grid(layers, blocks, |block| 100.0 * block.gini.unwrap_or(0.0));
        panels.push(("random forest: share of the layer's importance (%)", forest));
    }
    let lost = grid(layers, blocks, |block| 100.0 * block.accuracy_lost);
    panels.push(("accuracy lost when the block is silenced (points)", lost));
    let width = (60.0 * blocks as f64).clamp(420.0, 1600.0) + 180.0;
    let panels = panels.into_iter().map(|(heading, heatmap)| {
        let plots = vec![Plot::Heatmap(heatmap)];
        let blocks = (0..blocks).map(|block| block.to_string()).collect();
        // The axis counts from the bottom.
        let names = layers.iter().rev().map(|layer| name(layer.layer)).collect();
        let layout = Layout::auto_from_plots(&plots).with_title(heading);
        let layout = layout.with_x_categories(blocks).with_y_categories(names);
        (plots, layout.with_x_label("block (0 is the first)"))
    });
    let size = [width, 120.0 + 48.0 * layers.len() as f64];
    let mut scene = figure(title, size, panels.collect(), &[]);
    // A missing block has no number.
    scene.elements.retain(|element| !matches!(element, Primitive::Text { content, .. } if content == "NaN"));
    Drawing::of(&scene)
}

/// A grid of one measure, `[layer][block]`, the last layer first; a layer with fewer blocks ends with gaps.
fn grid(layers: &[LayerImportance], blocks: usize, value: impl Fn(&BlockImportance) -> f64) -> Heatmap {
    let row = |layer: &LayerImportance| -> Vec<f64> {
        let mut row: Vec<f64> = layer.blocks.iter().map(&value).collect();
        row.resize(blocks, f64::NAN);
        row
    };
    // The first row is drawn at the bottom.
    let rows: Vec<Vec<f64>> = layers.iter().rev().map(row).collect();
    // With more blocks than this there is no room for numbers.
    let heatmap = Heatmap::new().with_data(rows).with_color_map(ColorMap::Custom(Arc::new(shade)));
    if blocks <= 32 { heatmap.with_values() } else { heatmap }
}

/// A number with a fixed number of decimals, without the sign of a zero.
fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text }
}

/// White to a blue on which black numbers are readable. The fourth root makes small values visible. A gap has the
/// background colour.
pub(super) fn shade(share: f64) -> String {
    if share.is_nan() {
        return PAPER.light.into();
    }
    let [r, g, b] = blend(PAPER.rgb(), FULL.rgb(), share.clamp(0.0, 1.0).sqrt().sqrt()).0;
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn name(layer: usize) -> String {
    if layer == 0 { "inputs".into() } else { format!("hidden {layer}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(gini: bool) -> Vec<LayerImportance> {
        let block = |block: usize| BlockImportance {
            block,
            neurons: 98,
            gini: gini.then_some(0.5 / (block + 1) as f64),
            accuracy_lost: 0.125 / (block + 1) as f64,
            loss_added: 0.01,
        };
        let agreement = gini.then_some(Agreement { rho: 0.75, chance: 0.01 });
        let layer = |layer| LayerImportance {
            layer,
            blocks: (0..4).map(block).collect(),
            gini_agreement: agreement,
            silence_agreement: Some(Agreement { rho: -0.5, chance: 0.9 }),
        };
        (0..3).map(layer).collect()
    }

    #[test]
    fn tables_and_lines_say_what_was_measured_and_no_more() {
        let (with, without) = (layers(true), layers(false));
        assert!(block_table(&with).to_string().contains("50.00"));
        assert!(block_table(&without).to_string().contains("12.50"));
        let text = agreement_table(&with).to_string();
        assert!(text.contains("0.750") && text.contains("-0.500"), "{text}");
        assert!(!agreement_table(&without).to_string().contains("0.750"));
        assert_eq!(block_csv(&with).lines().nth(1), Some("0,0,98,0.5,0.125,0.01"));
        assert_eq!(block_csv(&without).lines().nth(1), Some("0,0,98,,0.125,0.01"));
    }

    #[test]
    fn the_rows_of_a_grid_are_those_of_its_labels() {
        let mut layers = layers(false);
        layers[0].blocks[1].accuracy_lost = 0.75;
        let grid = grid(&layers, 5, |block| block.accuracy_lost);
        assert_eq!(grid.data[2][..4], [0.125, 0.75, 0.125 / 3.0, 0.125 / 4.0]);
        assert!(grid.data[2][4].is_nan());
        // The inputs, which lose most, are at the top, so their label is the last.
        let svg = layer_importance_picture(&layers, "test").unwrap().svg;
        let height = |text: &str| {
            let line = svg.split("<text").find(|part| part.contains(&format!(">{text}<"))).expect(text);
            line.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
        };
        assert!((height("inputs") - height("75.00")).abs() < 10.0 && height("inputs") < height("hidden 1"));
    }

    #[test]
    fn blocks_that_are_not_there_are_gaps_and_no_zeros() {
        let numbers = |layers: &[LayerImportance]| {
            let svg = layer_importance_picture(layers, "test").unwrap().svg;
            assert!(!svg.contains("NaN"));
            (svg.matches(">0.00<").count(), svg.matches(">12.50<").count())
        };
        let mut layers = layers(false);
        assert_eq!(numbers(&layers), (0, 3));
        layers[2].blocks.truncate(1);
        assert_eq!(numbers(&layers), (0, 3));
        let none = BlockImportance { accuracy_lost: 0.0, ..layers[1].blocks[1] };
        layers[2].blocks.push(none);
        assert_eq!(numbers(&layers).0, 1);
    }

    #[test]
    fn zeros_have_no_sign_and_shades_grow() {
        assert_eq!(
            [-0.00001, 0.0, -0.01, 3.125].map(|value| fixed(value, 2)),
            ["0.00", "0.00", "-0.01", "3.12"]
        );
        assert_eq!((shade(0.0).as_str(), shade(1.0).as_str()), ("#ffffff", "#56b4e9"));
    }

    #[test]
    fn pictures_have_a_panel_for_each_measure() {
        let width = |gini| {
            let drawing = layer_importance_picture(&layers(gini), "test").unwrap();
            assert!(drawing.svg.contains("hidden 2"));
            image::load_from_memory(&drawing.png).unwrap().width()
        };
        assert!(width(true) > width(false) * 3 / 2);
        assert!(layer_importance_picture(&[], "").is_err());
    }
}
