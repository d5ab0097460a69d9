//! What is known of the data of a run before training: reported, and kept in `config.json`.

mod targets;

use serde::Serialize;

use self::targets::TargetFacts;
use super::Session;
use super::data::{Data, RawData};
use super::settings::DataSettings;
use crate::Result;
use crate::dataset::table::{
    Column, ColumnEncoding, Format, Ignored, LabelOrigin, Suspicion, Table, list_item, separate_spellings,
    shown, unquoted,
};
use crate::dataset::{DataRecord, Dataset, Task};
use crate::text::{grouped, shell_word};
use crate::training::ScoredOn;

/// Classes that are named in a line.
const NAMED_CLASSES: usize = 5;
/// A class with fewer rows is too small to be learned, or for its scores to mean anything.
const FEW_OF_CLASS: usize = 5;
/// With fewer samples to score on, one of them changes the score by more than 5 %.
const FEW_SCORED: usize = 20;

/// How a file was read: the part that its samples no longer show.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// CSV: whether the first row named the columns, and whether that is certain.
    header: String,
    /// What a reader of text decided.
    notes: Vec<String>,
    /// Name of the label, and why it is the label.
    label: Option<(String, LabelOrigin)>,
    ignored: Vec<Ignored>,
    /// About columns that should not be learned.
    warnings: Vec<String>,
}

/// The data of a run, in numbers.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DataFacts {
    train_rows: usize,
    /// Those that the run is scored on.
    scored_rows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_shape: Option<[usize; 2]>,
    /// Columns of numbers and of texts, and the categories of texts.
    numbers: usize,
    texts: usize,
    categories: usize,
    /// Features of a sample.
    inputs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_chosen: Option<LabelOrigin>,
    classes: Vec<ClassFacts>,
    /// Instead of classes, the numbers that are predicted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<TargetFacts>,
    #[serde(skip_serializing_if = "Task::is_classification")]
    task: Task,
    ignored: Vec<Ignored>,
}

/// The rows of a class.
#[derive(Clone, Debug, Serialize)]
struct ClassFacts {
    name: String,
    train_rows: usize,
    scored_rows: usize,
}

impl Origin {
    /// Examines a table that was just read, and removes columns that are certainly not features.
    pub(super) fn of(table: &mut Table, settings: &DataSettings) -> Self {
        let mut ignored = table.leave_out_nameless();
        let empty = std::mem::take(&mut table.left_out).into_iter();
        ignored.extend(empty.map(|column| Ignored { column, reason: "it has no name and is empty" }));
        let drop = settings.options.drop.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
        let drop = unquoted(drop.iter().map(String::as_str)).into_iter();
        ignored.extend(drop.map(|column| Ignored { column, reason: "dropped" }));
        Self {
            header: if settings.format == Some(Format::Csv) { table.header_note() } else { String::new() },
            notes: surprise(settings).into_iter().chain(table.reading_notes()).collect(),
            label: table.labels().map(|labels| (labels.name.clone(), labels.origin())),
            ignored,
            warnings: suspicions(table, settings),
        }
    }

    /// Adds a column that was not read.
    pub(super) fn ignoring(mut self, column: Option<Ignored>) -> Self {
        self.ignored.extend(column);
        self
    }
}

impl DataFacts {
    pub(super) fn new(origin: &Origin, record: &DataRecord, train: &Dataset, scored: &Dataset) -> Self {
        let columns = record.encoding.as_ref().map_or(&[][..], |encoding| &encoding.columns);
        let categories = |column: &ColumnEncoding| column.categories.as_ref().map(Vec::len);
        let texts = columns.iter().filter_map(categories);
        let (texts, categories) = texts.fold((0, 0), |(columns, all), more| (columns + 1, all + more));
        let [in_train, in_scored] = [train, scored].map(class_counts);
        let class = |number: usize| ClassFacts {
            name: record.class_names.get(number).cloned().unwrap_or_else(|| number.to_string()),
            train_rows: in_train[number],
            scored_rows: in_scored[number],
        };
        let label = origin.label.clone();
        Self {
            train_rows: train.samples(),
            scored_rows: scored.samples(),
            image_shape: train.image_shape(),
            numbers: train.feature_count() - categories,
            texts,
            categories,
            inputs: train.feature_count(),
            label_chosen: label.as_ref().map(|(_, origin)| *origin),
            label: label.map(|(name, _)| name),
            classes: (0..train.class_count()).map(class).collect(),
            targets: TargetFacts::all(record, [train, scored]),
            task: record.task,
            ignored: origin.ignored.clone(),
        }
    }

    /// The class that most of the scored samples have, and its share of them.
    pub(super) fn majority(&self) -> Option<(&str, f64)> {
        let rows = self.classes.iter().map(|class| class.scored_rows).max()?;
        let class = self.classes.iter().find(|class| class.scored_rows == rows)?;
        Some((&class.name, rows as f64 / self.scored_rows as f64))
    }

    fn lines(&self, origin: &Origin, on: ScoredOn) -> Vec<String> {
        let rows = self.train_rows + self.scored_rows;
        let parts = format!("{} training, {} {on}", grouped(self.train_rows), grouped(self.scored_rows));
        let header = &origin.header;
        if let Some([height, width]) = self.image_shape {
            let first = format!("data: {} pictures of {height}x{width} ({parts}){header}", grouped(rows));
            return vec![first, self.label_line()].into_iter().chain(self.ignored_line()).collect();
        }
        let plural = |count: usize, word: &str| {
            format!("{} {word}{}", grouped(count), if count == 1 { "" } else { "s" })
        };
        let texts = match self.texts {
            0 => String::new(),
            texts => {
                let noun = if self.categories == 1 { "category" } else { "categories" };
                format!(", {} of {} {noun}", plural(texts, "text"), grouped(self.categories))
            }
        };
        let features = format!(
            "features: {}{texts} -> {}",
            plural(self.numbers, "number"),
            plural(self.inputs, "input")
        );
        let first = format!("table: {} rows ({parts}){header}", grouped(rows));
        let lines = vec![first, features, self.label_line()].into_iter().chain(self.ignored_line());
        lines.chain(origin.notes.iter().cloned()).collect()
    }

    /// The label, why it was chosen, and its biggest classes.
    fn label_line(&self) -> String {
        let label = match (self.label.as_deref().map(quoted), self.label_chosen) {
            (Some(label), Some(LabelOrigin::Named)) => format!("{label}, named; "),
            (Some(label), Some(LabelOrigin::UsualName)) => {
                format!("{label}, chosen by its name (`label` names another); ")
            }
            (Some(label), Some(LabelOrigin::LastColumn)) => {
                format!("{label}, guessed as the last column (`label` names another); ")
            }
            (Some(_), Some(LabelOrigin::Separate)) => "a separate array; ".into(),
            _ => String::new(),
        };
        if !self.targets.is_empty() {
            let shown = self.targets.iter().take(NAMED_CLASSES).map(|target| target.line(self.task));
            let shown = shown.collect::<Vec<_>>().join("; ");
            let more = match self.targets.len().saturating_sub(NAMED_CLASSES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return format!("label: {shown}{more}");
        }
        let all = self.train_rows + self.scored_rows;
        let rows = |class: &ClassFacts| class.train_rows + class.scored_rows;
        let mut classes: Vec<&ClassFacts> = self.classes.iter().filter(|class| rows(class) > 0).collect();
        classes.sort_by_key(|class| std::cmp::Reverse(rows(class)));
        let share = |class: &ClassFacts| 100.0 * rows(class) as f64 / all as f64;
        let named = classes
            .iter()
            .take(NAMED_CLASSES)
            .map(|class| format!("{} {} ({:.1} %)", quoted(&class.name), grouped(rows(class)), share(class)));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = match classes.len().saturating_sub(NAMED_CLASSES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("label: {label}{} classes: {named}{more}", classes.len())
    }

    fn ignored_line(&self) -> Option<String> {
        let one = |ignored: &Ignored| format!("{} ({})", quoted(&ignored.column), ignored.reason);
        let all: Vec<String> = self.ignored.iter().map(one).collect();
        (!all.is_empty()).then(|| format!("ignored: {}", all.join(", ")))
    }

    /// About classes and test sets that are too small for their scores to mean much.
    fn few(&self, on: ScoredOn) -> Vec<String> {
        let mut warnings = Vec::new();
        let listed = |few: &dyn Fn(&&ClassFacts) -> bool, count: fn(&ClassFacts) -> usize| {
            let classes: Vec<&ClassFacts> = self.classes.iter().filter(few).collect();
            let named = classes
                .iter()
                .take(NAMED_CLASSES)
                .map(|class| format!("{} ({})", quoted(&class.name), count(class)));
            let more = classes.len().saturating_sub(NAMED_CLASSES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!classes.is_empty()).then(|| named.collect::<Vec<_>>().join(", ") + &more)
        };
        let unscored = |class: &&ClassFacts| class.scored_rows == 0 && class.train_rows > 0;
        if let Some(classes) = listed(&unscored, |class| class.train_rows) {
            warnings.push(format!(
                "no {on} sample of a class, so nothing is known of how well it is recognised: class (training samples) {classes}; \
                 more rows or a larger part to score on would help"
            ));
        }
        let rows = |class: &ClassFacts| class.train_rows + class.scored_rows;
        if let Some(classes) = listed(&|class| (1..FEW_OF_CLASS).contains(&rows(class)), rows) {
            warnings.push(format!(
                "fewer than {FEW_OF_CLASS} samples of a class, too few to learn it: class (samples) {classes}"
            ));
        }
        if self.scored_rows < FEW_SCORED && !self.targets.is_empty() {
            warnings
                .push(format!("only {} {on} samples, whose score therefore says little", self.scored_rows));
        } else if self.scored_rows < FEW_SCORED {
            warnings.push(format!(
                "only {} {on} sample{}: each is {:.1} % of the accuracy, which therefore says little",
                self.scored_rows,
                if self.scored_rows == 1 { "" } else { "s" },
                100.0 / self.scored_rows as f64
            ));
        }
        warnings
    }
}

impl Session<'_> {
    /// Reports the data of a run, and what may be wrong with them.
    pub(super) fn report_data(&self, origin: &Origin, facts: &DataFacts, on: ScoredOn) {
        facts.lines(origin, on).iter().for_each(|line| self.note(line));
        origin.warnings.iter().for_each(|line| self.warn(line));
        facts.few(on).iter().for_each(|line| self.warn(line));
    }

    /// As [`Session::report_data`], for a table of several runs, which differ only in which rows they test on.
    pub(super) fn report_raw(&self, raw: &RawData, settings: &DataSettings) -> Result<()> {
        if let RawData::Table(..) = raw {
            self.report_loaded(&raw.origin(), &self.split_data(raw.clone(), settings, 0)?);
        }
        Ok(())
    }

    /// As [`Session::report_data`], for data that are scored on their test set.
    pub(super) fn report_loaded(&self, origin: &Origin, data: &Data) {
        let facts = DataFacts::new(origin, &data.record, &data.splits.train, &data.splits.test);
        self.report_data(origin, &facts, ScoredOn::Test);
        data.warnings.iter().for_each(|line| self.warn(line));
    }
}

/// A note about a file that is not what its name says.
fn surprise(settings: &DataSettings) -> Option<String> {
    let format = settings
        .format
        .filter(|format| Format::of_path(&settings.path).is_some_and(|named| named != *format))?;
    Some(format!("{} is {}, whatever its name says", settings.path.display(), format.described()))
}

/// Samples by class.
fn class_counts(data: &Dataset) -> Vec<usize> {
    let mut counts = vec![0; data.class_count()];
    data.labels().iter().for_each(|label| counts[*label as usize] += 1);
    counts
}

/// A name, in quotes unless it is a number.
fn quoted(name: &str) -> String {
    if name.parse::<f64>().is_ok() { name.to_owned() } else { format!("{name:?}") }
}

/// Warnings about the columns that a network should not learn, each with the command that drops them.
fn suspicions(table: &Table, settings: &DataSettings) -> Vec<String> {
    let suspects = table.suspects();
    let of = |kinds: &[Suspicion]| -> Vec<_> {
        suspects
            .iter()
            .filter(|(_, suspicion)| kinds.contains(suspicion))
            .map(|(column, _)| *column)
            .collect()
    };
    let dropped = settings.options.drop.as_deref().unwrap_or_default().iter().map(ToString::to_string);
    let drop = |columns: &[&Column]| {
        let all: Vec<String> =
            dropped.clone().chain(columns.iter().map(|column| list_item(&column.name))).collect();
        format!("`drop` {}", shell_word(&all.join(",")))
    };
    let listed = |columns: &[&Column]| {
        let names = columns.iter().map(|column| shown(&column.name, table.is_named()));
        let plural = if columns.len() == 1 { "column" } else { "columns" };
        format!("{plural} {}", names.collect::<Vec<_>>().join(", "))
    };
    let mut warnings: Vec<String> =
        table.labels().and_then(|labels| labels.doubt(table)).into_iter().collect();
    warnings.extend(table.labels().filter(|labels| !labels.are_quantities()).and_then(separate_spellings));
    let rows = of(&[Suspicion::Counts, Suspicion::Differs]);
    if !rows.is_empty() {
        let (names, drop) = (listed(&rows), drop(&rows));
        let differs = if rows.len() == 1 { "differs" } else { "differ" };
        warnings.push(format!(
            "{names} {differs} from row to row like a row number or a name, from which nothing general can be learned: leave it out with {drop}"
        ));
    }
    let nameless = of(&[Suspicion::Nameless]);
    if !nameless.is_empty() {
        let (names, drop) = (listed(&nameless), drop(&nameless));
        warnings
            .push(format!("{names} had no name in the file: if it is an index, leave it out with {drop}"));
    }
    let twins = of(&[Suspicion::Decides]);
    if !twins.is_empty() {
        let (names, drop) = (listed(&twins), drop(&twins));
        warnings.push(format!(
            "the label follows from {names} alone: each value has one class; if that is the label in other words, leave it out with {drop}"
        ));
    }
    warnings.extend(table.doubts());
    warnings
}
