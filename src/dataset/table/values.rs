//! Labels as numbers: the targets of regression, several labels of 0 and 1, and the weights of rows.

#[cfg(feature = "train")]
use super::guess::{LabelChoice, MAX_GUESSED};
#[cfg(feature = "train")]
use super::span::narrow;
use super::{Labels, Table, Unit, shown};
#[cfg(feature = "train")]
use super::{Read, Span};
use crate::Result;
use crate::dataset::{Targets, Task};

/// Steps of float32 between the least and the greatest of the numbers to predict, at least.
#[cfg(feature = "train")]
const STEPS: f64 = 1000.0;

#[cfg(feature = "train")]
impl Labels {
    /// Whether every label is a finite number; missing labels were refused.
    fn are_numbers(&self) -> bool {
        self.different_numbers().all(f64::is_finite)
    }

    /// Whether every label is 0 or 1.
    fn are_flags(&self) -> bool {
        self.different_numbers().all(|number| number == 0.0 || number == 1.0)
    }

    /// Whether these are meant as quantities: numbers with fractions or, of a label that was named, too many different ones
    /// for classes.
    pub(crate) fn are_quantities(&self) -> bool {
        let has_many = self.texts.has_overflown() || self.texts.list().len() > MAX_GUESSED;
        let has_fractions = self.different_numbers().any(|number| number.fract() != 0.0);
        let is_quantity = match self.choice {
            LabelChoice::Named => has_many || has_fractions,
            // What is neither few whole numbers nor a text is refused: it must be named.
            LabelChoice::Usual | LabelChoice::Guessed(_) => false,
        };
        is_quantity && self.are_numbers()
    }
}

impl Table {
    /// The same table with labels of another file.
    ///
    /// # Errors
    /// [`Error::Table`] when there is not one label of each kind for each row.
    pub fn with_labels(mut self, labels: Vec<Labels>) -> Result<Self> {
        if let Some(labels) = labels.iter().find(|labels| labels.codes.len() != self.rows) {
            let reason = format!(
                "has {} rows, but there are {} labels: one is needed for each row",
                self.rows,
                labels.codes.len()
            );
            return Err(self.refused(reason));
        }
        self.labels = labels;
        Ok(self)
    }

    /// The task that the labels suggest: of one column that was named and holds quantities, regression, otherwise
    /// classification; of several columns of 0 and 1 several labels, of other numbers regression.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) when several columns hold texts.
    #[cfg(feature = "train")]
    pub fn suggested_task(&self) -> Result<Task> {
        let [only] = self.labels.as_slice() else {
            if self.labels.iter().all(Labels::are_flags) && !self.labels.is_empty() {
                let are_classes = self.labels.iter().all(|labels| labels.position.is_none());
                let mut ones = vec![0.0; if are_classes { self.rows } else { 0 }];
                for labels in &self.labels {
                    ones.iter_mut().zip(labels.numbers()).for_each(|(ones, number)| *ones += number);
                }
                if are_classes && ones.iter().all(|ones| *ones == 1.0) {
                    return Err(self.refused(
                        "the labels have one column for each class, as exactly one is 1 in each row: save y.argmax(axis=1), or take \
                         `task` multilabel",
                    ));
                }
                return Ok(Task::MultiLabel);
            }
            return match self.labels.iter().find(|labels| !labels.are_numbers()) {
                None if self.labels.is_empty() => Ok(Task::Classification),
                None => Ok(Task::Regression),
                Some(labels) => Err(self.refused(format!(
                    "label column {} holds texts: of several labels each must be 0 or 1, or a number to predict; name \
                     one column with `label` for classes",
                    shown(&labels.name, self.named)
                ))),
            };
        };
        Ok(if only.are_quantities() { Task::Regression } else { Task::Classification })
    }

    /// The numbers to predict, `[row][target]`.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) with the first row whose label is not such a number.
    pub fn numbers(&self, task: Task) -> Result<Targets> {
        let count = self.labels.len();
        if count == 0 {
            return Err(self.refused("there are no labels"));
        }
        self.labels.iter().try_for_each(|labels| labels.check_complete(self))?;
        let mut values = Vec::with_capacity(count * self.rows);
        let mut columns: Vec<_> = self.labels.iter().map(|labels| (labels, labels.numbers())).collect();
        for row in 0..self.rows {
            for (labels, numbers) in &mut columns {
                let Some(number) = numbers.next() else { return Err(self.refused("fewer labels than rows")) };
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "checked: what becomes infinite is refused"
                )]
                let value = number as f32;
                let expected = match task {
                    Task::MultiLabel if value != 0.0 && value != 1.0 => {
                        "0 or 1, which each of several labels must be"
                    }
                    _ if !value.is_finite() => "a number that float32 can hold, as regression needs",
                    _ => "",
                };
                if !expected.is_empty() {
                    let text = labels.codes.get(row).and_then(|code| labels.texts.list().get(*code as usize));
                    let shown_text = text.map_or_else(|| number.to_string(), |text| format!("{text:?}"));
                    let has_unit = text.is_some_and(|text| Unit::split(text).is_some());
                    let remedy = if has_unit { ": write it without a unit" } else { "" };
                    return Err(self.refused(format!(
                        "row {}, column {}: label {shown_text} is not {expected}{remedy}",
                        row + 1,
                        shown(&labels.name, self.named)
                    )));
                }
                values.push(value);
            }
        }
        Ok(Targets::Numbers { task, values, count })
    }

    /// Refuses numbers to predict that are so far from 0 that float32 loses their differences.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) with the column and what to subtract.
    #[cfg(feature = "train")]
    pub(crate) fn check_differences(&self) -> Result<()> {
        for labels in &self.labels {
            let mut span = Span::default();
            labels
                .different_numbers()
                .filter(|number| number.is_finite())
                .for_each(|number| span.add(number));
            let Some([low, high]) = span.range() else { continue };
            let (size, width) = (narrow(low.abs().max(high.abs())), high - low);
            let step = f64::from(size.next_up()) - f64::from(size);
            if !span.is_exact() && width > 0.0 && step.is_finite() && step * STEPS > width {
                let middle = (low + 0.5 * width).round();
                return Err(self.refused(format!(
                    "label column {} goes from {low} to {high}, where float32 has steps of {step}: subtract {middle} from it, and add that to \
                     the predictions",
                    shown(&labels.name, self.named)
                )));
            }
        }
        Ok(())
    }

    /// Takes the weights out of the labels, and removes the rows of weight 0: they count as if they were not there.
    #[cfg(feature = "train")]
    pub(super) fn with_weights_apart(mut self) -> Read<Self> {
        if !std::mem::take(&mut self.has_weights) {
            return Ok(self);
        }
        let Some(mut weights) = self.labels.pop() else { return Ok(self) };
        let column = shown(&weights.name, self.named);
        // Engines weigh with float32, in which a weight may become 0 or infinite.
        let is_valid = |weight: &f64| {
            let limits = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
            *weight == 0.0 || limits.contains(weight)
        };
        if let Some((row, weight)) = weights.numbers().enumerate().find(|(_, weight)| !is_valid(weight)) {
            let text = weights.codes.get(row).and_then(|code| weights.texts.list().get(*code as usize));
            let given = text.map_or_else(|| weight.to_string(), |text| format!("{text:?}"));
            return Err(format!(
                "row {}: the weight {given} in column {column} is invalid, it must be 0, or a number from 1.2e-38 to 3.4e38 (`weights`)",
                row + 1
            ));
        }
        let keep: Vec<bool> = weights.numbers().map(|weight| weight > 0.0).collect();
        let kept = keep.iter().filter(|keep| **keep).count();
        if kept == 0 {
            return Err(format!(
                "all weights in column {column} are 0: at least one must be above 0 (`weights`)"
            ));
        }
        let sizes = || weights.numbers().enumerate().filter(|(_, weight)| *weight > 0.0);
        let by_size = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        if let (Some((low_row, low)), Some((high_row, high))) =
            (sizes().min_by(by_size), sizes().max_by(by_size))
            && low / high < f64::from(f32::MIN_POSITIVE)
        {
            return Err(format!(
                "the weights in column {column} differ by more than float32 can hold: {low:e} in row {} beside {high:e} in row {}; take 0, \
                 which leaves a row out, or weights that differ less (`weights`)",
                low_row + 1,
                high_row + 1
            ));
        }
        if kept < self.rows {
            weights.retain(&keep);
            self.retain(&keep, kept);
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The weight of each row, `[row]`, if there are any.
    #[must_use]
    pub fn weights(&self) -> Option<Vec<f32>> {
        #[expect(clippy::cast_possible_truncation, reason = "checked when they were read")]
        self.weights.as_ref().map(|weights| weights.numbers().map(|weight| weight as f32).collect())
    }
}
