//! Tables of accuracies over several seeds, in Markdown.

use super::grouped;
use super::table::{Column, markdown};
use crate::experiments::table1::FilledCell;
use crate::experiments::{Comparison, Entry, MeanDeviation};

/// One configuration a row: accuracy, parameters, and the paired difference from the baseline.
#[must_use]
pub fn comparison_table(comparison: &Comparison) -> String {
    let accuracy = format!("{} accuracy", comparison.scored_on().unwrap_or_default());
    let difference = |index: usize| match comparison.minus_baseline(index) {
        Some(paired) => points(&paired.difference),
        None if index == comparison.baseline => "baseline".into(),
        None => String::new(),
    };
    let p = |index: usize| comparison.minus_baseline(index).and_then(|paired| paired.p);
    let columns: [Column<(usize, &Entry)>; 8] = [
        ("configuration", &|(_, entry)| entry.configuration.name.clone()),
        ("parameters", &|(_, entry)| entry.runs.first().map_or(String::new(), |run| grouped(run.parameters))),
        ("seeds", &|(_, entry)| entry.runs.len().to_string()),
        (&accuracy, &|(_, entry)| percent(entry.accuracy())),
        ("best epoch's", &|(_, entry)| percent(entry.best_accuracy())),
        ("minus baseline (points)", &|(index, _)| difference(*index)),
        ("p", &|(index, _)| p(*index).map_or(String::new(), |p| format!("{p:.3}"))),
        ("flags", &|(_, entry)| format!("`{}`", entry.configuration.flags())),
    ];
    markdown(comparison.entries.iter().enumerate(), &columns)
}

/// The cells of the paper's table: its number beside each mean and standard deviation.
#[must_use]
pub fn table1_table(cells: &[FilledCell]) -> String {
    let here_less_paper = |filled: &FilledCell| {
        filled.entry.accuracy().map(|here| 100.0 * here.mean - filled.cell.paper_percent())
    };
    let columns: [Column<&FilledCell>; 8] = [
        ("importance", &|filled| filled.cell.importance.to_string()),
        ("order", &|filled| filled.cell.order.to_string()),
        ("construction", &|filled| filled.cell.arch.to_string()),
        ("paper", &|filled| format!("{:.2} %", filled.cell.paper_percent())),
        ("here", &|filled| percent(filled.entry.accuracy())),
        ("seeds", &|filled| filled.entry.runs.len().to_string()),
        ("best epoch's", &|filled| percent(filled.entry.best_accuracy())),
        ("here - paper", &|filled| {
            here_less_paper(filled).map_or("–".into(), |points| format!("{points:+.2}"))
        }),
    ];
    markdown(cells, &columns)
}

/// `88.43 ± 0.12 %`, or a dash.
fn percent(accuracy: Option<MeanDeviation>) -> String {
    match accuracy {
        None => "–".into(),
        Some(MeanDeviation { mean, deviation: None, .. }) => format!("{:.2} %", 100.0 * mean),
        Some(MeanDeviation { mean, deviation: Some(deviation), .. }) => {
            format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation)
        }
    }
}

fn points(difference: &MeanDeviation) -> String {
    let mean = 100.0 * difference.mean;
    match difference.deviation {
        Some(deviation) => format!("{mean:+.2} ± {:.2}", 100.0 * deviation),
        None => format!("{mean:+.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::table1::{Cell, TableRecipe};

    #[test]
    fn rows_say_mean_deviation_and_the_paired_difference() {
        let entries = vec![
            Entry::example("sc", &[0.88, 0.89]),
            Entry::example("rsp", &[0.85, 0.88]),
            Entry::example("fc", &[]),
        ];
        let table = comparison_table(&Comparison { entries, baseline: 0 });
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        assert!(lines[2].contains("| 88.50 ± 0.71 % | 89.50 ± 0.71 % | baseline |"), "{table}");
        // Differences of -3 and -1 points.
        assert!(lines[3].contains("| 86.50 ± 2.12 % |") && lines[3].contains("| -2.00 ± 1.41 |"), "{table}");
        assert!(lines[4].contains("| 0 | – |"), "{table}");
        assert!(table.contains("220,020") && table.contains("`--arch=rsp`"));
    }

    #[test]
    fn the_table_has_the_papers_number_beside_ours() {
        let cell = Cell::all()[0];
        let runs = Entry::example("sc", &[0.87, 0.89]).runs;
        let filled = Entry { configuration: TableRecipe::Paper.configuration(cell), runs };
        let empty = Entry { runs: Vec::new(), ..filled.clone() };
        let table = table1_table(&[FilledCell { cell, entry: filled }, FilledCell { cell, entry: empty }]);
        assert!(
            table.contains("| pca | desc | sc | 87.18 % | 88.00 ± 1.41 % | 2 | 89.00 ± 1.41 % | +0.82 |"),
            "{table}"
        );
        assert!(table.contains("| 87.18 % | – | 0 | – | – |"), "{table}");
    }
}
