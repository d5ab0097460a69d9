//! The paper's Table 1: its cells, its numbers, and recipes.

use std::fmt;

use serde::Serialize;

use super::Entry;
use crate::engine::OptimizerKind;
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::named::named;
use crate::paper;
use crate::session::{Configuration, Settings};
use crate::training::Schedule;

/// One cell of the table; written as `pca-desc-sc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The importance that orders the inputs.
    pub importance: Importance,
    /// Which end comes first.
    pub order: Order,
    /// Which construction.
    pub arch: Arch,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.importance, self.order, self.arch)
    }
}

/// The constructions of the table, in its order.
const CONSTRUCTIONS: [Arch; 3] = [Arch::Sc, Arch::Rsp, Arch::Fc];

impl Cell {
    /// The 12 cells, in the paper's order.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for importance in [Importance::Pca, Importance::RandomForest] {
            for order in [Order::Descending, Order::Ascending] {
                cells.extend(CONSTRUCTIONS.map(|arch| Self { importance, order, arch }));
            }
        }
        cells
    }

    /// The accuracy in the paper, in per cent.
    #[must_use]
    #[doc(hidden)]
    pub fn paper_percent(&self) -> f64 {
        match (self.importance, self.order, self.arch) {
            (Importance::Pca, Order::Descending, Arch::Sc) => 87.18,
            (Importance::Pca, Order::Ascending, Arch::Sc) => 10.00,
            (Importance::Pca, _, Arch::Rsp) => 84.33,
            (Importance::Pca, ..) => 86.78,
            (_, Order::Descending, Arch::Sc) => 86.40,
            (_, Order::Ascending, Arch::Sc) => 85.26,
            (_, _, Arch::Rsp) => 84.54,
            (..) => 86.06,
        }
    }

    /// Whether a pattern such as `pca`, `desc-sc` or `rf-asc-fc` matches this cell:
    /// all parts of the pattern are parts of its name.
    #[must_use]
    #[doc(hidden)]
    pub fn matches(&self, pattern: &str) -> bool {
        let name = self.to_string();
        let parts: Vec<&str> = name.split('-').collect();
        pattern.split('-').all(|part| parts.contains(&part))
    }
}

named! {
    /// How the cells are trained.
    pub enum TableRecipe {
        /// The paper's, with common choices for what it does not specify: Adam at a constant rate, plain Glorot.
        Paper = "paper",
        /// The best recipe that a search on validation samples found for each construction.
        Tanner = "tanner",
    }
}

impl TableRecipe {
    /// The configuration of a cell.
    #[must_use]
    pub fn configuration(self, cell: Cell) -> Configuration {
        let settings = self.training(cell.arch).importance(cell.importance).order(cell.order).arch(cell.arch);
        Configuration { name: format!("{self}-{cell}"), settings }
    }

    /// How one construction is trained.
    fn training(self, arch: Arch) -> Settings {
        let adam = Settings::default().optimizer(OptimizerKind::Adam);
        let cosine = |settings: Settings| settings.schedule(Schedule::Cosine).epochs(30usize);
        let constant =
            |l2: f32| adam.clone().lr(0.001).schedule(Schedule::Constant).gain(1.0).l2(l2).epochs(40usize);
        match (self, arch) {
            (Self::Paper, Arch::Fc) => constant(0.0).dropout(0.5),
            (Self::Paper, _) => constant(paper::L2),
            (Self::Tanner, Arch::Fc) => cosine(adam).lr(0.002).gain(2.0).l2(0.0).dropout(0.2),
            (Self::Tanner, Arch::Rsp) => {
                cosine(Settings::default().optimizer(OptimizerKind::Momentum)).lr(0.2).gain(4.0).l2(2e-5)
            }
            (Self::Tanner, _) => cosine(adam).lr(0.004).gain(3.0).l2(2e-5),
        }
    }
}

/// A cell with the results of its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledCell {
    /// Which cell.
    pub cell: Cell,
    /// Its finished runs.
    pub entry: Entry,
}

#[derive(Serialize)]
struct CellReport<'a> {
    #[serde(flatten)]
    cell: Cell,
    paper_percent: f64,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// The content of the table's JSON file.
///
/// # Errors
/// Those of the encoder.
pub fn to_json(recipe: TableRecipe, cells: &[FilledCell]) -> serde_json::Result<String> {
    let cells = cells.iter().map(|FilledCell { cell, entry }| CellReport {
        cell: *cell,
        paper_percent: cell.paper_percent(),
        entry,
    });
    let table = serde_json::json!({ "recipe": recipe, "cells": cells.collect::<Vec<_>>() });
    Ok(serde_json::to_string_pretty(&table)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_12_cells_in_the_papers_order() {
        let names: Vec<String> = Cell::all().iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 12);
        assert_eq!(names[..4], ["pca-desc-sc", "pca-desc-rsp", "pca-desc-fc", "pca-asc-sc"]);
        let paper: Vec<f64> = Cell::all().iter().map(Cell::paper_percent).collect();
        let expected = [87.18, 84.33, 86.78, 10.0, 84.33, 86.78, 86.40, 84.54, 86.06, 85.26, 84.54, 86.06];
        assert_eq!(paper, expected);
    }

    #[test]
    fn patterns_choose_cells() {
        let chosen = |pattern: &str| Cell::all().iter().filter(|cell| cell.matches(pattern)).count();
        let counts = ["pca", "sc", "desc", "pca-desc-sc", "desc-sc", "sc-rf", "", "sa", "pca-rf"].map(chosen);
        assert_eq!(counts, [6, 4, 6, 1, 2, 2, 0, 0, 0]);
    }

    #[test]
    fn json_has_the_papers_number_and_ours() {
        let cell = Cell::all()[0];
        let configuration = TableRecipe::Paper.configuration(cell);
        assert_eq!(configuration.name, "paper-pca-desc-sc");
        let entry = Entry { configuration, runs: Vec::new() };
        let json = to_json(TableRecipe::Paper, &[FilledCell { cell, entry }]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["recipe"], &json["cells"][0]["paper_percent"]), (&"paper".into(), &87.18.into()));
        assert!(json["cells"][0]["accuracy"].is_null());
    }
}
