//! `tanner paper table1`: the paper's table, cell by cell.

use anyhow::bail;
use tanner::experiments::Entry;
use tanner::experiments::table1::{Cell, FilledCell, TableRecipe, to_json};
use tanner::files::atomic_write;
use tanner::report::{Dot, DotRow, Drawing, interval_chart, table1_table};

use super::batch::{self, FinishedBatch};
use super::compare;
use crate::cli::flags::Table1Args;
use crate::cli::ui::terminal;

/// Runs the requested cells, then writes the table of all finished ones.
pub(crate) fn run(args: &Table1Args) -> anyhow::Result<()> {
    let recipe = args.recipe;
    let chosen = chosen(&args.cells)?;
    let configurations: Vec<_> = chosen.into_iter().map(|cell| recipe.configuration(cell)).collect();
    let all: Vec<Cell> = Cell::all();
    let every: Vec<_> = all.iter().map(|cell| recipe.configuration(*cell)).collect();
    let FinishedBatch { entries, unfinished, .. } = batch::run(&args.batch, configurations, every)?;
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

/// Each cell, with the paper's number.
fn chart(recipe: TableRecipe, cells: &[FilledCell]) -> anyhow::Result<Drawing> {
    let rows: Vec<DotRow> = cells.iter().map(row).collect();
    let scored = cells.iter().find_map(|cell| cell.entry.scored_on()).unwrap_or_default();
    let title = format!("Table 1, recipe {recipe}: {scored} accuracy of the last epoch");
    let seeds = compare::over_seeds(cells.iter().map(|cell| &cell.entry));
    let axis = format!("accuracy (%), {seeds}");
    Ok(interval_chart(&title, &axis, &["here", "the paper"], &rows)?)
}

/// What was measured, a gap where nothing was, and the paper's number.
fn row(filled: &FilledCell) -> DotRow {
    let paper = Dot { value: filled.cell.paper_percent(), deviation: None };
    let Cell { importance, order, arch } = filled.cell;
    DotRow {
        label: format!("{importance} {order} {arch}"),
        dots: vec![compare::dot(&filled.entry), Some(paper)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_without_runs_is_a_gap() {
        let cell = Cell::all()[3];
        let entry = Entry { configuration: TableRecipe::Paper.configuration(cell), runs: Vec::new() };
        let row = row(&FilledCell { cell, entry });
        assert_eq!(row.label, "pca asc sc");
        assert_eq!(row.dots, [None, Some(Dot { value: 10.0, deviation: None })]);
    }
}
