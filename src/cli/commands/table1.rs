//! `tanner paper table1`: the paper's table, cell by cell.

use anyhow::bail;
use tanner::experiments::Entry;
use tanner::experiments::table1::{Cell, FilledCell, TableRecipe, to_json};
use tanner::files::atomic_write;
use tanner::report::{Bar, BarGroup, Drawing, bar_chart, table1_table};

use super::batch::{self, Finished};
use crate::cli::flags::Table1Args;
use crate::cli::ui::terminal;

/// Runs the requested cells, then writes the table of all finished ones.
pub(crate) fn run(args: &Table1Args) -> anyhow::Result<()> {
    let recipe = args.recipe;
    let chosen = chosen(&args.cells)?;
    let configurations: Vec<_> = chosen.into_iter().map(|cell| recipe.configuration(cell)).collect();
    let all: Vec<Cell> = Cell::all();
    let every: Vec<_> = all.iter().map(|cell| recipe.configuration(*cell)).collect();
    let Finished { entries, unfinished, .. } = batch::run(&args.batch, configurations, every)?;
    let filled = |(cell, entry): (Cell, Entry)| FilledCell { cell, entry };
    let cells: Vec<FilledCell> = all.into_iter().zip(entries).map(filled).collect();

    let (table, name) = (table1_table(&cells), format!("table1-{recipe}"));
    let file = |extension| args.batch.out.join(format!("{name}.{extension}"));
    atomic_write(file("md"), table.markdown().as_bytes())?;
    atomic_write(file("json"), to_json(recipe, &cells)?.as_bytes())?;
    chart(recipe, &cells)?.write(&args.batch.out, &name)?;
    terminal::print_table(&table)?;
    terminal::remark(&format!("{} (also .json, .png, .svg)", file("md").display()))?;
    Ok(unfinished.check()?)
}

/// Cells that match at least one pattern, in the table's order.
fn chosen(patterns: &[String]) -> anyhow::Result<Vec<Cell>> {
    if let Some(pattern) = patterns.iter().find(|pattern| !Cell::all().iter().any(|c| c.matches(pattern))) {
        bail!(
            "--cells: {pattern:?} matches no cell; write parts of names, pca or rf, desc or asc, sc or rsp or fc, \
             joined by dashes: pca-desc-sc"
        );
    }
    let wanted = |cell: &Cell| patterns.is_empty() || patterns.iter().any(|pattern| cell.matches(pattern));
    Ok(Cell::all().into_iter().filter(wanted).collect())
}

/// The bar of each construction next to the paper's, one group for each importance and order.
fn chart(recipe: TableRecipe, cells: &[FilledCell]) -> anyhow::Result<Drawing> {
    let series = ["sc", "sc, paper", "rsp", "rsp, paper", "fc", "fc, paper"];
    let group = |cells: &[FilledCell]| BarGroup {
        label: format!("{} {}", cells[0].cell.importance, cells[0].cell.order),
        bars: cells.iter().flat_map(pair).collect(),
    };
    let groups: Vec<BarGroup> = cells.chunks(series.len() / 2).map(group).collect();
    let scored = cells.iter().find_map(|cell| cell.entry.scored_on()).unwrap_or_default();
    let title = format!("Table 1, recipe {recipe}: {scored} accuracy of the last epoch");
    Ok(bar_chart(&title, "accuracy (%)", &series, &groups)?)
}

/// The measured value (a bar of height 0 if there is none) and the paper's.
fn pair(filled: &FilledCell) -> [Bar; 2] {
    let accuracy = filled.entry.accuracy();
    let deviation = accuracy.and_then(|accuracy| accuracy.deviation).unwrap_or(0.0);
    let value = accuracy.map_or(0.0, |accuracy| accuracy.mean);
    let here = Bar { value: 100.0 * value, deviation: 100.0 * deviation };
    [here, Bar { value: filled.cell.paper_percent(), deviation: 0.0 }]
}
