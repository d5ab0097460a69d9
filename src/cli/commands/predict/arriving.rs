//! Predicts rows of text as they arrive.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use tanner::Error;
use tanner::dataset::table::{ArrivingRows, decompressed};
use tanner::inference::Predictor;
use tanner::session::ArrivingFeatures;

use super::answers::Answers;
use super::csv_options;
use crate::cli::flags::PredictArgs;
use crate::cli::ui::session;

/// Rows that are predicted together.
const ROWS: usize = 8192;
/// Bytes read at a time, and the limit of collected bytes.
const READ: usize = 1 << 20;
const MOST: usize = 64 << 20;

/// Predicts the rows of a file or of stdin part by part, in memory that does not grow with their number.
pub(super) fn predict(
    args: &PredictArgs,
    input: Option<&Path>,
    predictor: &Predictor,
    answers: &mut Answers<'_>,
) -> anyhow::Result<()> {
    let path = input.unwrap_or(Path::new("stdin"));
    let bytes = match input {
        Some(path) => {
            let file = File::open(path).map_err(|error| Error::io(path, error))?;
            if file.metadata().is_ok_and(|about| about.is_dir()) {
                return Err(Error::io(path, io::Error::other("is a folder, expected a table")).into());
            }
            decompressed(file)
        }
        None => decompressed(io::stdin()),
    }
    .map_err(|error| Error::io(path, error))?;
    let (session, model) = (session(), predictor.model());
    let mut features =
        session.arriving_features(model, &path.display().to_string(), csv_options(args), &args.keep);
    let mut records = Records { bytes, buffer: Vec::new(), used: 0, ended: false, waits: input.is_some() };
    while let Some(part) = records.next(path, &features)? {
        let Some(mut rows) = features.next(part)? else { continue };
        let width = model.preprocessing().input_features();
        // The product of a rotation and a single row differs in its last digits from that of many rows, but predictions
        // must not depend on when rows arrive.
        let alone = input.is_none() && rows.len() == width;
        if alone {
            rows.extend_from_within(..);
        }
        let predictions = predictor.predict(&rows)?;
        answers.write(&predictions, predictions.samples() - usize::from(alone), features.kept())?;
        if answers.reader_is_gone() {
            return Ok(());
        }
    }
    session.end_of_features(&features);
    if answers.samples() == 0 { Err(features.without_rows().into()) } else { Ok(()) }
}

/// The records of an input, cut into parts.
struct Records {
    bytes: Box<dyn Read>,
    buffer: Vec<u8>,
    /// Bytes of the buffer already returned.
    used: usize,
    ended: bool,
    /// Whether to wait until a part is full, as for a file, which does not have to be answered at once.
    waits: bool,
}

impl Records {
    /// The complete records so far; `None` at the end.
    fn next(&mut self, path: &Path, features: &ArrivingFeatures<'_>) -> anyhow::Result<Option<&[u8]>> {
        self.buffer.drain(..self.used);
        self.used = 0;
        loop {
            let (whole, count) = ArrivingRows::whole_records(&self.buffer, ROWS);
            let is_full = count == ROWS || self.buffer.len() >= MOST;
            self.used = if self.ended { if is_full { whole } else { self.buffer.len() } } else { whole };
            if self.used > 0 && (self.ended || is_full || !self.waits) {
                return Ok(Some(&self.buffer[..self.used]));
            }
            if self.ended {
                return Ok(None);
            }
            features.check_record(self.buffer.len() - whole)?;
            let before = self.buffer.len();
            self.buffer.resize(before + READ, 0);
            let read = loop {
                match self.bytes.read(&mut self.buffer[before..]) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read.map_err(|error| Error::io(path, error))?,
                }
            };
            self.buffer.truncate(before + read);
            self.ended = read == 0;
        }
    }
}
