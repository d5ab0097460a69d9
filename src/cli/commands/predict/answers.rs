//! Destination and format of predictions.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tanner::files::atomic_write;
use tanner::inference::Predictions;
use tanner::npy;

use crate::cli::ui::terminal;

/// The destination of predictions.
pub(super) enum Target<'a> {
    Stdout,
    Csv(&'a Path),
    Npy(&'a Path),
}

/// Writes predictions: to stdout at once, to a file at the end.
pub(super) struct Answers<'a> {
    target: Target<'a>,
    names: &'a [String],
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
    pub(super) fn new(target: Target<'a>, names: &'a [String], by_line: bool) -> Self {
        let (text, probabilities) = (Vec::new(), Vec::new());
        Self { target, names, by_line, samples: 0, text, probabilities, reader_is_gone: false }
    }

    /// Samples so far.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// Whether the reader of stdout has gone (`| head`).
    pub(super) fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }

    pub(super) fn write(&mut self, predictions: &Predictions) -> anyhow::Result<()> {
        self.write_first(predictions, predictions.samples())
    }

    /// Writes the predictions of the first samples.
    pub(super) fn write_first(&mut self, predictions: &Predictions, samples: usize) -> anyhow::Result<()> {
        let is_first = self.samples == 0;
        self.samples += samples;
        match &self.target {
            Target::Npy(_) => {
                let numbers = samples * predictions.classes();
                self.probabilities.extend_from_slice(&predictions.probabilities()[..numbers]);
            }
            Target::Csv(_) => self.text.extend(csv(predictions, samples, self.names, is_first)?),
            Target::Stdout if terminal::wants_json() => {
                self.print(&json_lines(predictions, samples, self.names)?)?;
            }
            Target::Stdout => self.print(&csv(predictions, samples, self.names, is_first)?)?,
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
        atomic_write(path, &bytes).context("--out")?;
        let samples = tanner::report::grouped(self.samples);
        terminal::note(&format!("predictions of {samples} samples: {}", path.display()));
        Ok(())
    }
}

/// A row for each sample: its label, then the probability of each class.
fn csv(
    predictions: &Predictions,
    samples: usize,
    names: &[String],
    with_header: bool,
) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_header {
        let header = names.iter().map(|name| format!("probability {name}"));
        writer.write_record(std::iter::once("label".to_owned()).chain(header))?;
    }
    for sample in 0..samples {
        writer.write_field(&names[predictions.label(sample) as usize])?;
        for probability in predictions.of(sample) {
            writer.write_field(probability.to_string())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.into_inner()?)
}

/// One JSON object per sample, each on a line.
fn json_lines(predictions: &Predictions, samples: usize, names: &[String]) -> anyhow::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Line<'a> {
        label: &'a str,
        probabilities: &'a [f32],
    }
    let mut lines = Vec::new();
    for sample in 0..samples {
        let label = &names[predictions.label(sample) as usize];
        serde_json::to_writer(&mut lines, &Line { label, probabilities: predictions.of(sample) })?;
        lines.push(b'\n');
    }
    Ok(lines)
}
