//! Tables of accuracies over several seeds.

use super::table::{CellOf, Mark, TextCell, TextColumn, TextTable, table_of};
use crate::experiments::table1::FilledCell;
use crate::experiments::{Comparison, Entry, MeanDeviation};
use crate::text::digits;
use crate::training::Metric;

/// A row for each configuration: accuracy, parameters, and the paired difference from the baseline. The best is green.
#[must_use]
pub fn comparison_table(comparison: &Comparison) -> TextTable {
    let scored_on = comparison.scored_on().unwrap_or_default();
    let metric = comparison.metric();
    let goodness =
        |entry: &Entry| Some(metric.goodness(entry.accuracy()?.mean)).filter(|_| entry.metric() == metric);
    let best = comparison.entries.iter().filter_map(goodness).fold(f64::NEG_INFINITY, f64::max);
    let accuracy = |entry: &Entry| {
        let is_best = goodness(entry).is_some_and(|score| score >= best);
        score(entry.metric(), entry.accuracy()).mark(if is_best { Mark::Good } else { Mark::Plain })
    };
    let difference = |index: usize| match comparison.minus_baseline(index) {
        Some(paired) => points(metric, &paired.difference),
        None if index == comparison.baseline => TextCell::split("baseline", [""; 2]),
        None => TextCell::default(),
    };
    let p = |index: usize| {
        let p = comparison.minus_baseline(index).and_then(|paired| paired.p);
        p.map_or_else(TextCell::default, |p| format!("{p:.3}").into())
    };
    let parameters = |entry: &Entry| {
        entry.runs.first().map_or_else(TextCell::default, |run| TextCell::count(run.parameters))
    };
    let name = |entry: &Entry| TextCell::text(entry.configuration.name.clone());
    let flags = |entry: &Entry| TextCell::text(entry.configuration.flags()).code();
    let accuracy_column = TextColumn::text(format!("{scored_on} {}", metric.title()));
    let unit = if metric.is_share() { "_percent" } else { "" };
    let difference_unit = if metric.is_share() { " (points)" } else { "" };
    let columns: [CellOf<(usize, &Entry)>; 8] =
        [
            (TextColumn::text("configuration").least(12), &|(_, entry)| name(entry)),
            (TextColumn::number("parameters").rank(4), &|(_, entry)| parameters(entry)),
            (TextColumn::number("seeds").rank(3), &|(_, entry)| entry.runs.len().to_string().into()),
            (
                accuracy_column.plain(&[&format!("{metric}{unit}"), &format!("{metric}_deviation")]),
                &|(_, entry)| accuracy(entry),
            ),
            (best_column(metric), &|(_, entry)| score(entry.metric(), entry.best_accuracy())),
            (
                TextColumn::text(format!("minus baseline{difference_unit}"))
                    .plain(&[
                        if metric.is_share() { "minus_baseline_points" } else { "minus_baseline" },
                        "minus_baseline_deviation",
                    ])
                    .rank(1),
                &|(index, _)| difference(*index),
            ),
            (TextColumn::number("p").rank(2), &|(index, _)| p(*index)),
            (TextColumn::text("flags").rank(6).least(24), &|(_, entry)| flags(entry)),
        ];
    table_of(comparison.entries.iter().enumerate(), &columns)
}

/// The score of the best epoch.
fn best_column(metric: Metric) -> TextColumn {
    let name = if metric.is_share() { "best_percent" } else { "best" };
    TextColumn::text("best epoch's").plain(&[name, "best_deviation"]).rank(5)
}

/// The cells of the paper's table: its number, and the mean and standard deviation measured here.
#[must_use]
pub fn table1_table(cells: &[FilledCell]) -> TextTable {
    let here_less_paper = |filled: &FilledCell| {
        let here = filled.entry.accuracy();
        let less = here.map(|here| 100.0 * here.mean - filled.cell.paper_percent());
        less.map_or_else(unknown, |points| format!("{points:+.2}").into())
    };
    let paper = |filled: &FilledCell| {
        let percent = filled.cell.paper_percent();
        TextCell::split(format!("{percent:.2} %"), [format!("{percent:.2}")])
    };
    let columns: [CellOf<&FilledCell>; 8] = [
        (TextColumn::text("importance"), &|filled| filled.cell.importance.to_string().into()),
        (TextColumn::text("order"), &|filled| filled.cell.order.to_string().into()),
        (TextColumn::text("construction"), &|filled| filled.cell.arch.to_string().into()),
        (TextColumn::text("paper").plain(&["paper_percent"]).rank(1), &|filled| paper(filled)),
        (TextColumn::text("here").plain(&["here_percent", "here_deviation"]), &|filled| {
            percent(filled.entry.accuracy())
        }),
        (TextColumn::number("seeds").rank(3), &|filled| filled.entry.runs.len().to_string().into()),
        (best_column(Metric::Accuracy), &|filled| percent(filled.entry.best_accuracy())),
        (TextColumn::number("here - paper").plain(&["here_minus_paper_points"]).rank(2), &|filled| {
            here_less_paper(filled)
        }),
    ];
    table_of(cells, &columns)
}

/// A cell that was not measured.
fn unknown() -> TextCell {
    TextCell::split("–", [""; 0])
}

/// A score, or a dash.
fn score(metric: Metric, score: Option<MeanDeviation>) -> TextCell {
    if metric.is_share() {
        return percent(score);
    }
    let Some(MeanDeviation { mean, deviation, .. }) = score else { return unknown() };
    let mean = metric.shown(mean);
    match deviation.map(|deviation| digits(deviation, 2)) {
        None => TextCell::split(mean.clone(), [mean]),
        Some(deviation) => TextCell::split(format!("{mean} ± {deviation}"), [mean, deviation]),
    }
}

/// `88.43 ± 0.12 %`, or a dash.
fn percent(accuracy: Option<MeanDeviation>) -> TextCell {
    let Some(MeanDeviation { mean, deviation, .. }) = accuracy else { return unknown() };
    let mean = format!("{:.2}", 100.0 * mean);
    match deviation.map(|deviation| format!("{:.2}", 100.0 * deviation)) {
        None => TextCell::split(format!("{mean} %"), [mean]),
        Some(deviation) => TextCell::split(format!("{mean} ± {deviation} %"), [mean, deviation]),
    }
}

/// A difference of shares in percentage points, of other scores in their units.
fn points(metric: Metric, difference: &MeanDeviation) -> TextCell {
    let is_share = metric.is_share();
    let sign = if difference.mean < 0.0 { "-" } else { "+" };
    let mean = if is_share {
        format!("{:+.2}", 100.0 * difference.mean)
    } else {
        format!("{sign}{}", digits(difference.mean.abs(), 3))
    };
    let shown =
        |deviation: f64| if is_share { format!("{:.2}", 100.0 * deviation) } else { digits(deviation, 2) };
    match difference.deviation.map(shown) {
        Some(deviation) => TextCell::split(format!("{mean} ± {deviation}"), [mean, deviation]),
        None => mean.into(),
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
        let table = comparison_table(&Comparison { entries, baseline: 0 }).markdown();
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
        let table =
            table1_table(&[FilledCell { cell, entry: filled }, FilledCell { cell, entry: empty }]).markdown();
        assert!(
            table.contains("| pca | desc | sc | 87.18 % | 88.00 ± 1.41 % | 2 | 89.00 ± 1.41 % | +0.82 |"),
            "{table}"
        );
        assert!(table.contains("| 87.18 % | – | 0 | – | – |"), "{table}");
    }
}
