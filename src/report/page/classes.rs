//! The confusion matrix and the scores of each class.

use maud::{Markup, html};

use super::markup::percent;
use super::{MAX_CLASSES, ScoredRun};
use crate::inference::ThresholdTable;
use crate::report::grouped;
use crate::report::scores::shown_threshold;

/// Maximum number of confused pairs that are named in words.
const NAMED_PAIRS: usize = 3;

/// The matrix and the table, side by side if there is room.
pub(super) fn figures(id: &str, scored: &ScoredRun) -> Markup {
    let shown = shown(&scored.scores.confusion);
    let all = scored.scores.confusion.len();
    let of_all = (shown.len() < all)
        .then(|| format!("{} of {all} classes, those with the most mistakes. ", shown.len()));
    html! {
        div.pair {
            figure id={ (id) "-confusion" } {
                h3 { "Confusion matrix" }
                div.scroll { (matrix(scored, &shown)) }
                figcaption { @if let Some(text) = &of_all { (text) } (most_frequent(scored)) }
            }
            figure id={ (id) "-classes" } {
                h3 { "Classes" }
                div.scroll { (table(scored, &shown)) }
                figcaption { @for class in scored.scores.classes_without_samples().into_iter().take(MAX_CLASSES) {
                        "Class " (scored.names.class(class)) " has no samples and is not counted. " }
                    "Macro F1 " (percent(scored.scores.macro_f1)) ", log-loss "
                    (format!("{:.4}", scored.scores.log_loss)) ", " (ranking(scored)) ". A bar is the F1 score." }
            }
        }
        @if let Some(table) = &scored.scores.thresholds { (thresholds(id, &scored.names.class(1), table)) }
    }
}

/// AUC and Brier score.
fn ranking(scored: &ScoredRun) -> String {
    let scores = &scored.scores;
    let number = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
    let (roc, precision) = (number(scores.roc_auc), number(scores.average_precision));
    let about = match scores.per_class.len() {
        2 => format!("for {}", scored.names.class(1)),
        _ if scores.classes_without_auc.is_empty() => {
            "means over the classes, each against the rest".to_owned()
        }
        all => format!(
            "means over the {} of {all} classes that have samples, each against the rest",
            all - scores.classes_without_auc.len()
        ),
    };
    format!("ROC AUC {roc}, PR AUC {precision} ({about}), Brier score {:.4}", scores.brier)
}

/// Precision and recall of the second of two classes by threshold.
fn thresholds(id: &str, positive: &str, table: &ThresholdTable) -> Markup {
    let rows = table.at.iter().map(|at| (at, "")).chain([(&table.best_f1, " (best F1)")]);
    html! {
        figure id={ (id) "-thresholds" } {
            h3 { "Thresholds" span.unit { "for " (positive) } }
            div.scroll { table.classes {
                caption { "Precision and recall if " (positive) " is predicted from this probability on." }
                thead { tr {
                    @for name in ["Probability", "Precision", "Recall", "F1"] { th.number scope="col" { (name) } }
                } }
                tbody {
                    @for (at, which) in rows {
                        tr {
                            th.number scope="row" { (shown_threshold(at.threshold)) (which) }
                            td.number { (percent(at.precision)) }
                            td.number { (percent(at.recall)) }
                            td.number.bar style={ "--share:" (format!("{:.4}", at.f1)) } { (percent(at.f1)) }
                        }
                    }
                }
            } }
            figcaption { "Of the probabilities that occur, the last one has the highest F1 on these samples." }
        }
    }
}

/// All classes, or those with the most mistakes, in their order.
fn shown(confusion: &[Vec<usize>]) -> Vec<usize> {
    let mistakes = |class: usize| -> usize {
        let row: usize = confusion[class].iter().sum();
        let column: usize = confusion.iter().map(|row| row[class]).sum();
        row + column - 2 * confusion[class][class]
    };
    let mut classes: Vec<usize> = (0..confusion.len()).collect();
    classes.sort_by_key(|class| std::cmp::Reverse(mistakes(*class)));
    classes.truncate(MAX_CLASSES);
    classes.sort_unstable();
    classes
}

fn matrix(scored: &ScoredRun, shown: &[usize]) -> Markup {
    let names = &scored.names;
    // Long names are vertical, so that columns stay narrow.
    let upright = shown.iter().any(|class| names.class(*class).chars().count() > 4);
    html! {
        table.confusion class=[upright.then_some("upright")] {
            caption { "Rows are true classes, columns predicted classes." }
            thead {
                tr {
                    td {}
                    @for class in shown { th scope="col" { span { (names.class(*class)) } } }
                }
            }
            tbody {
                @for label in shown {
                    tr {
                        th scope="row" { (names.class(*label)) }
                        @for predicted in shown { (cell(scored, *label, *predicted)) }
                    }
                }
            }
        }
    }
}

fn cell(scored: &ScoredRun, label: usize, predicted: usize) -> Markup {
    let row = &scored.scores.confusion[label];
    let (count, of) = (row[predicted], row.iter().sum::<usize>());
    let share = count as f64 / of.max(1) as f64;
    // Mistakes are rare; the square root makes them visible.
    let heat = if label == predicted { share } else { share.sqrt() };
    let kind = match (label == predicted, count) {
        (_, 0) => "none",
        (true, _) => "right",
        (false, _) => "wrong",
    };
    let names = &scored.names;
    let title = format!(
        "{} of {} {}: classified as {} ({})",
        grouped(count),
        grouped(of),
        names.class(label),
        names.class(predicted),
        percent(share)
    );
    html! {
        td class={ (kind) @if heat > 0.55 { " strong" } } style={ "--heat:" (format!("{heat:.3}")) } title=(title) { (count) }
    }
}

/// The most common mistakes in words.
fn most_frequent(scored: &ScoredRun) -> String {
    let mut pairs = Vec::new();
    for (label, row) in scored.scores.confusion.iter().enumerate() {
        for (predicted, count) in
            row.iter().enumerate().filter(|(class, count)| *class != label && **count > 0)
        {
            pairs.push((*count, label, predicted));
        }
    }
    if pairs.is_empty() {
        return "No mistakes.".into();
    }
    pairs.sort_by_key(|(count, label, predicted)| (std::cmp::Reverse(*count), *label, *predicted));
    let named = pairs.iter().take(NAMED_PAIRS).map(|(count, label, predicted)| {
        let names = &scored.names;
        format!("{} classified as {} ({})", names.class(*label), names.class(*predicted), grouped(*count))
    });
    format!("Most often: {}.", named.collect::<Vec<_>>().join(", "))
}

fn table(scored: &ScoredRun, shown: &[usize]) -> Markup {
    html! {
        table.classes {
            caption { "Precision: share of the predictions of a class that are right. Recall: share of the samples of a class that are found." }
            thead { tr {
                th scope="col" { "Class" }
                @for name in ["Precision", "Recall", "F1", "Samples"] { th.number scope="col" { (name) } }
            } }
            tbody {
                @for class in shown {
                    @let scores = &scored.scores.per_class[*class];
                    tr {
                        th scope="row" { (scored.names.class(*class)) }
                        @if scores.support > 0 {
                            td.number { (percent(scores.precision)) }
                            td.number { (percent(scores.recall)) }
                            td.number.bar style={ "--share:" (format!("{:.4}", scores.f1)) } { (percent(scores.f1)) }
                        } @else {
                            td.number { "–" } td.number { "–" } td.number { "–" }
                        }
                        td.number { (grouped(scores.support)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_classes_those_with_mistakes_are_shown() {
        let mut confusion = vec![vec![0; 50]; 50];
        (0..50).for_each(|class| confusion[class][class] = 5);
        (confusion[49][7], confusion[45][0]) = (3, 1);
        let shown = shown(&confusion);
        assert_eq!(shown.len(), MAX_CLASSES);
        assert!([0, 7, 45, 49].iter().all(|class| shown.contains(class)), "{shown:?}");
        assert!(shown.is_sorted());
    }
}
