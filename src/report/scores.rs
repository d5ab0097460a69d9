//! How good a classifier is: a table of its classes, and the confusion matrix as table and picture.

use std::sync::Arc;

use kuva::plot::{ColorMap, Heatmap};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{Drawing, figure};
use super::layer_importance::shade;
use super::table::{TextCell, TextColumn, TextTable};
use crate::inference::{AtThreshold, Scores, ThresholdTable};
use crate::{Error, Result};

/// Maximum number of classes of a confusion matrix in a terminal.
pub const MAX_TABLE_CLASSES: usize = 30;
/// Maximum number of characters of a class name in a table or picture.
const NAME_LENGTH: usize = 20;

/// A row for each class: precision, recall and F1 (as percentages), and number of samples. `names` has one name per class.
#[must_use]
pub fn class_table(scores: &Scores, names: &[String]) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::text("class").least(8),
        percentage("precision", "precision_percent"),
        percentage("recall", "recall_percent"),
        percentage("F1", "f1_percent"),
        TextColumn::number("samples").rank(1),
        TextColumn::number("ROC AUC").plain(&["roc_auc"]).rank(2),
    ]);
    for (name, class) in names.iter().zip(&scores.per_class) {
        // Of a class without samples, nothing is known.
        let known = |share| if class.support > 0 { TextCell::percent(share) } else { TextCell::missing() };
        let shares = [class.precision, class.recall, class.f1].map(known);
        let auc = TextCell::known(class.roc_auc, |value| format!("{value:.4}").into());
        table.row([named(name)].into_iter().chain(shares).chain([TextCell::count(class.support), auc]));
    }
    table
}

fn percentage(name: &str, plain: &str) -> TextColumn {
    TextColumn::number(name).plain(&[plain])
}

/// A row for each threshold of the probability of the second of two classes, and one for the best F1.
#[doc(hidden)]
#[must_use]
pub fn threshold_table(thresholds: &ThresholdTable) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::number("threshold"),
        percentage("precision", "precision_percent"),
        percentage("recall", "recall_percent"),
        percentage("F1", "f1_percent"),
        TextColumn::text("").plain(&["which"]),
    ]);
    let rows = thresholds.at.iter().map(|at| (at, "")).chain([(&thresholds.best_f1, "best F1")]);
    for (AtThreshold { threshold, precision, recall, f1 }, which) in rows {
        let shares = [*precision, *recall, *f1].map(TextCell::percent);
        let threshold = TextCell::split(shown_threshold(*threshold), [threshold]);
        table.row([threshold].into_iter().chain(shares).chain([which.into()]));
    }
    table
}

/// A threshold in few digits; programs get all.
pub(super) fn shown_threshold(threshold: f32) -> String {
    let short = format!("{threshold:.4}");
    // Rounding must neither hide a small threshold nor make 1 of one below it.
    if ["0.0000", "1.0000"].contains(&short.as_str()) {
        return threshold.to_string();
    }
    short.trim_end_matches('0').to_owned()
}

/// The confusion matrix: true classes downwards, predicted classes to the right; `None` for more
/// than [`MAX_TABLE_CLASSES`].
#[must_use]
pub fn confusion_table(scores: &Scores, names: &[String]) -> Option<TextTable> {
    if names.len() > MAX_TABLE_CLASSES {
        return None;
    }
    let columns = names.iter().map(|name| TextColumn::number(short(name)).plain(&[name]));
    let mut table = TextTable::new(
        std::iter::once(TextColumn::text("is \\ called").plain(&["is \\ called"])).chain(columns),
    );
    for (name, row) in names.iter().zip(&scores.confusion) {
        let counts = row
            .iter()
            .map(|count| if *count == 0 { TextCell::split("·", [0]) } else { TextCell::count(*count) });
        table.row(std::iter::once(named(name)).chain(counts));
    }
    Some(table)
}

/// The name of a class, cut for display.
fn named(name: &String) -> TextCell {
    TextCell::split(short(name), [name])
}

/// Draws the confusion matrix, each row as percentages of the samples of its class.
///
/// # Errors
/// [`Error::Picture`] when there is no class, the number of names is wrong, or the drawing fails.
pub fn confusion_picture(scores: &Scores, names: &[String], title: &str) -> Result<Drawing> {
    let classes = scores.confusion.len();
    if classes == 0 || names.len() != classes {
        return Err(Error::Picture(format!("{} names for the confusion of {classes} classes", names.len())));
    }
    let row = |row: &Vec<usize>| -> Vec<f64> {
        let all = row.iter().sum::<usize>().max(1);
        // A cell has room for one decimal.
        row.iter().map(|count| (1000.0 * *count as f64 / all as f64).round() / 10.0).collect()
    };
    // The first row is drawn at the bottom.
    let rows: Vec<Vec<f64>> = scores.confusion.iter().rev().map(row).collect();
    let heatmap = Heatmap::new().with_data(rows).with_color_map(ColorMap::Custom(Arc::new(shade)));
    let heatmap = if classes <= MAX_TABLE_CLASSES { heatmap.with_values() } else { heatmap };
    let plots = vec![Plot::Heatmap(heatmap)];
    let names: Vec<String> = names.iter().map(|name| short(name)).collect();
    let layout = Layout::auto_from_plots(&plots).with_x_categories(names.clone());
    let layout = layout.with_y_categories(names.into_iter().rev().collect());
    let layout = layout
        .with_x_label("predicted class (% of the true class)")
        .with_y_label("true class")
        .with_x_tick_rotate(-35.0);
    let side = (48.0 * classes as f64).clamp(360.0, 1600.0);
    Drawing::of(&figure(title, [side + 160.0, side + 80.0], vec![(plots, layout)], &[]))
}

/// A name that fits a column: its beginning, without control characters.
fn short(name: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = name.chars().map(clean).take(NAME_LENGTH).collect();
    if name.chars().nth(NAME_LENGTH).is_some() {
        text.pop();
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::Predictions;

    /// Three classes: class 2 does not occur, and class 0 is once classified as class 1.
    fn scores() -> Scores {
        let logits = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        Scores::new(&Predictions::new(logits, 3).unwrap(), &[0, 0, 1]).unwrap()
    }

    fn names() -> Vec<String> {
        ["cat", "a name that is far too long for a table", "<b>\n"].map(Into::into).to_vec()
    }

    #[test]
    fn tables_tell_every_class() {
        let text = class_table(&scores(), &names()).to_string();
        let line =
            |start: &str| text.lines().find(|line| line.trim_start().starts_with(start)).unwrap().to_owned();
        let cells = |start: &str| line(start).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells("cat"), ["cat", "100.00", "50.00", "66.67", "2", "0.7500"]);
        assert!(line("a name").starts_with("a name that is far …  "), "{text}");
        assert_eq!(cells("<b>"), ["<b>", "-", "-", "-", "0", "-"]);
        let confusion = confusion_table(&scores(), &names()).unwrap().to_string();
        let row = confusion.lines().find(|line| line.trim_start().starts_with("cat")).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["cat", "1", "1", "·"]);
    }

    #[test]
    fn thresholds_have_few_digits_that_do_not_mislead() {
        let shown = [0.1, 0.5, 0.348_12, 3e-7, 0.999_999_9, 0.0, 1.0].map(shown_threshold);
        assert_eq!(shown, ["0.1", "0.5", "0.3481", "0.0000003", "0.9999999", "0", "1"]);
        let predictions = Predictions::new(vec![0.0, 1.0, 1.0, 0.0, 0.0, 2.0], 2).unwrap();
        let scores = Scores::new(&predictions, &[1, 0, 0]).unwrap();
        let text = threshold_table(scores.thresholds.as_ref().unwrap()).tsv();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            (lines.len(), lines[0]),
            (11, "threshold\tprecision_percent\trecall_percent\tf1_percent\twhich")
        );
        assert_eq!(lines[10], "0.7310586\t50.00\t100.00\t66.67\tbest F1");
    }

    #[test]
    fn a_confusion_of_many_classes_is_drawn_and_not_printed() {
        let classes = MAX_TABLE_CLASSES + 1;
        let logits = (0..classes * classes).map(|k| if k % (classes + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let labels: Vec<u32> = (0..).take(classes).collect();
        let scores = Scores::new(&Predictions::new(logits, classes).unwrap(), &labels).unwrap();
        let names: Vec<String> = labels.iter().map(ToString::to_string).collect();
        assert!(confusion_table(&scores, &names).is_none());
        assert!(confusion_picture(&scores, &names, "t").is_ok());
    }

    #[test]
    fn the_picture_has_the_diagonal_of_a_right_classifier() {
        let right = Predictions::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap();
        let scores = Scores::new(&right, &[0, 1]).unwrap();
        let names = ["a", "b"].map(String::from);
        let drawing = confusion_picture(&scores, &names, "title").unwrap();
        let picture = image::load_from_memory(&drawing.png).unwrap().to_rgb8();
        let (mut left_up, mut right_up) = (0, 0);
        for (x, y, pixel) in picture.enumerate_pixels() {
            if pixel.0 == [86, 180, 233] && y < picture.height() / 2 {
                *(if x < picture.width() / 2 { &mut left_up } else { &mut right_up }) += 1;
            }
        }
        assert!(left_up > 1000 && left_up > 5 * right_up, "{left_up} {right_up}");
        assert!(confusion_picture(&scores, &names[..1], "t").is_err());
    }
}
