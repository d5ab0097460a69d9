//! Destination and format of predictions.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde_json::{Map, Value};
use tanner::dataset::Task;
use tanner::dataset::table::KeptColumns;
use tanner::files::atomic_write;
use tanner::inference::Predictions;
use tanner::npy;

use super::super::refuse;
use crate::cli::ui::terminal;

/// The beginning of every NPY file.
const NPY: &[u8] = b"\x93NUMPY";

/// The destination of predictions.
pub(super) enum Target<'a> {
    Stdout,
    Csv(&'a Path),
    Npy(&'a Path),
}

/// What is written of a prediction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// The label and the probability of each class.
    All,
    LabelOnly,
}

/// Writes predictions: to stdout at once, to a file at the end.
pub(super) struct Answers<'a> {
    target: Target<'a>,
    names: &'a [String],
    content: Content,
    /// Whether each line is written separately.
    by_line: bool,
    samples: usize,
    /// The text of a CSV file.
    text: Vec<u8>,
    /// The values of an NPY file, `[sample][class]`.
    probabilities: Vec<f32>,
    reader_is_gone: bool,
}

impl<'a> Answers<'a> {
    pub(super) fn new(target: Target<'a>, names: &'a [String], content: Content, by_line: bool) -> Self {
        let (text, probabilities) = (Vec::new(), Vec::new());
        Self { target, names, content, by_line, samples: 0, text, probabilities, reader_is_gone: false }
    }

    /// Samples so far.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// Whether the reader of stdout has gone (`| head`).
    pub(super) fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }

    /// Writes the predictions of the first samples, behind the columns that are kept of their rows.
    pub(super) fn write(
        &mut self,
        predictions: &Predictions,
        samples: usize,
        kept: &KeptColumns,
    ) -> anyhow::Result<()> {
        let is_first = self.samples == 0;
        self.samples += samples;
        let rows = Rows { predictions, samples, kept, names: self.names, content: self.content };
        match &self.target {
            Target::Npy(_) => {
                let numbers = samples * predictions.classes();
                self.probabilities.extend_from_slice(&predictions.probabilities()[..numbers]);
            }
            Target::Csv(path) => {
                if is_first {
                    check_replaced(path, &rows.header())?;
                }
                self.text.extend(rows.csv(is_first)?);
            }
            Target::Stdout if terminal::wants_json() => self.print(&rows.json_lines()?)?,
            Target::Stdout => self.print(&rows.csv(is_first)?)?,
        }
        Ok(())
    }

    /// Writes to stdout and flushes it.
    fn print(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        let written = if self.by_line {
            text.split_inclusive(|byte| *byte == b'\n')
                .try_for_each(|line| stdout.write_all(line).and_then(|()| stdout.flush()))
        } else {
            stdout.write_all(text).and_then(|()| stdout.flush())
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.reader_is_gone = true,
            written => written.map_err(|error| anyhow!("stdout: {error}"))?,
        }
        Ok(())
    }

    /// Writes a file.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let (path, bytes) = match self.target {
            Target::Stdout => return Ok(()),
            Target::Csv(path) => (path, self.text),
            Target::Npy(path) => (path, npy::floats(&[self.samples, self.names.len()], &self.probabilities)),
        };
        let replaced = if path.exists() { ", in place of earlier ones" } else { "" };
        atomic_write(path, &bytes).context("--out")?;
        let samples = tanner::report::grouped(self.samples);
        terminal::note(&format!("predictions of {samples} samples{replaced}: {}", path.display()));
        Ok(())
    }
}

/// Predictions of some samples, and the columns kept of their rows.
struct Rows<'a> {
    predictions: &'a Predictions,
    samples: usize,
    kept: &'a KeptColumns,
    names: &'a [String],
    content: Content,
}

impl Rows<'_> {
    /// The names of the columns: those of the input first, under other names if they would be mistaken for answers.
    fn header(&self) -> Vec<String> {
        let is_number = self.predictions.task() != Task::Classification;
        let is_taken = |name: &String| {
            name == "label" || name.starts_with("probability ") || is_number && self.names.contains(name)
        };
        let kept = self.kept.names.iter();
        let kept = kept.map(|name| if is_taken(name) { format!("input {name}") } else { name.clone() });
        let classes = self.names.iter().map(|name| format!("probability {name}"));
        let classes = classes.take(if self.content == Content::All { usize::MAX } else { 0 });
        match self.predictions.task() {
            Task::Classification => kept.chain(["label".to_owned()]).chain(classes).collect(),
            Task::MultiLabel => kept.chain(self.names.iter().cloned()).chain(classes).collect(),
            Task::Regression => kept.chain(self.names.iter().cloned()).collect(),
        }
    }

    fn label(&self, sample: usize) -> &str {
        &self.names[self.predictions.label(sample) as usize]
    }

    /// The probabilities of a sample, if they are written; of regression its numbers.
    fn probabilities(&self, sample: usize) -> Option<&[f32]> {
        let are_written = self.content == Content::All || self.predictions.task() == Task::Regression;
        are_written.then(|| self.predictions.of(sample))
    }

    /// Which of several labels are predicted for a sample.
    fn has_labels(&self, sample: usize) -> impl Iterator<Item = bool> {
        let labels = self.predictions.classes();
        self.predictions.logits()[sample * labels..][..labels].iter().map(|logit| *logit > 0.0)
    }

    /// A row for each sample: what is kept of the input, the label, then the probability of each class; of several labels 0 or
    /// 1 for each instead of the label, of regression only the numbers.
    fn csv(&self, with_header: bool) -> anyhow::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        if with_header {
            writer.write_record(self.header())?;
        }
        for sample in 0..self.samples {
            for text in self.kept.rows.get(sample).into_iter().flatten() {
                writer.write_field(text)?;
            }
            match self.predictions.task() {
                Task::Classification => writer.write_field(self.label(sample))?,
                Task::MultiLabel => {
                    for has in self.has_labels(sample) {
                        writer.write_field(if has { "1" } else { "0" })?;
                    }
                }
                Task::Regression => {}
            }
            for probability in self.probabilities(sample).into_iter().flatten() {
                writer.write_field(probability.to_string())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        Ok(writer.into_inner()?)
    }

    /// One JSON object per sample, each on a line.
    fn json_lines(&self) -> anyhow::Result<Vec<u8>> {
        if self.predictions.task() != Task::Classification {
            return self.json_lines_by_name();
        }
        #[derive(Serialize)]
        struct Line<'a> {
            #[serde(skip_serializing_if = "Map::is_empty")]
            kept: Map<String, Value>,
            label: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            probabilities: Option<&'a [f32]>,
        }
        let mut lines = Vec::new();
        for sample in 0..self.samples {
            let texts = self.kept.rows.get(sample).into_iter().flatten();
            let kept =
                self.kept.names.iter().zip(texts).map(|(name, text)| (name.clone(), text.as_str().into()));
            let line = Line {
                kept: kept.collect(),
                label: self.label(sample),
                probabilities: self.probabilities(sample),
            };
            serde_json::to_writer(&mut lines, &line)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The same of numbers or several labels, by their names.
    fn json_lines_by_name(&self) -> anyhow::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for sample in 0..self.samples {
            let texts = self.kept.rows.get(sample).into_iter().flatten();
            let kept: Map<String, Value> = self
                .kept
                .names
                .iter()
                .zip(texts)
                .map(|(name, text)| (name.clone(), text.as_str().into()))
                .collect();
            let mut line = Map::new();
            if !kept.is_empty() {
                line.insert("kept".into(), kept.into());
            }
            let values = self.probabilities(sample).into_iter().flatten().map(|value| json_number(*value));
            let values: Map<String, Value> = self.names.iter().cloned().zip(values).collect();
            if self.predictions.task() == Task::Regression {
                line.insert("predictions".into(), values.into());
            } else {
                let has = self.names.iter().zip(self.has_labels(sample)).filter(|(_, has)| *has);
                line.insert("labels".into(), has.map(|(name, _)| name.as_str()).collect());
                if !values.is_empty() {
                    line.insert("probabilities".into(), values.into());
                }
            }
            serde_json::to_writer(&mut lines, &line)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

/// A number with the digits of float32.
fn json_number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// Refuses to replace a file that does not have the columns of these predictions: it is something else.
fn check_replaced(path: &Path, header: &[String]) -> anyhow::Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    let mut first = csv::ByteRecord::new();
    let is_empty = !reader.read_byte_record(&mut first).unwrap_or(true);
    if is_empty || first.iter().eq(header.iter().map(String::as_bytes)) {
        return Ok(());
    }
    refuse(
        "--out",
        format!(
            "{} exists and does not hold such predictions: name another file, or remove it",
            path.display()
        ),
    )
}

/// Refuses to replace a file that is not an NPY array.
pub(super) fn check_replaced_array(path: &Path) -> anyhow::Result<()> {
    let mut start = Vec::new();
    let Ok(file) = File::open(path) else { return Ok(()) };
    // A read error shows up again when writing.
    let _ = file.take(NPY.len() as u64).read_to_end(&mut start);
    if start.is_empty() || start == NPY {
        return Ok(());
    }
    refuse("--out", format!("{} exists and is not an array: name another file, or remove it", path.display()))
}
