//! TensorBoard's event files: records of serialised `Event` messages.
//!
//! The file is a sequence of TFRecords. Each is, little-endian,
//!
//! | bytes | |
//! |---|---|
//! | 8 | length of the data |
//! | 4 | masked CRC-32C of these 8 bytes |
//! | length | data |
//! | 4 | masked CRC-32C of the data |
//!
//! with `mask(crc) = rotate_right(crc, 15) + 0xa282ead8`, as TensorFlow's
//! `core/lib/io/record_writer.cc` and `core/lib/hash/crc32c.h` write it. The numbers of the fields
//! are those of `event.proto`, `summary.proto`, `histogram.proto` and `tensor.proto` in TensorBoard's
//! `compat/proto`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::protobuf::Message;
use crate::{Error, Result};

/// The beginning of the names of event files, by which TensorBoard finds them.
pub(crate) const EVENTS_PREFIX: &str = "events.out.tfevents.";

/// One value of a summary.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SummaryValue {
    Scalar(f32),
    Histogram(Histogram),
    /// Markdown.
    Text(String),
    /// The bytes of a PNG file.
    Picture(Vec<u8>),
    /// Data of a plugin, with its name.
    Plugin(&'static str, Vec<u8>),
}

/// A histogram, as in `HistogramProto`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Histogram {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) sum_of_squares: f64,
    /// Upper end of each bucket.
    pub(super) limits: Vec<f64>,
    /// Numbers in each bucket.
    pub(super) counts: Vec<f64>,
}

impl Histogram {
    /// Sorts values into `buckets` of equal width; `None` if there are no values.
    pub(super) fn of(values: &[f32], buckets: usize) -> Option<Self> {
        let (first, buckets) = (f64::from(*values.first()?), buckets.max(1));
        let mut histogram = Self {
            min: first,
            max: first,
            count: values.len() as f64,
            sum: 0.0,
            sum_of_squares: 0.0,
            limits: Vec::new(),
            counts: vec![0.0; buckets],
        };
        for value in values.iter().map(|value| f64::from(*value)) {
            histogram.min = histogram.min.min(value);
            histogram.max = histogram.max.max(value);
            histogram.sum += value;
            histogram.sum_of_squares += value * value;
        }
        let width = (histogram.max - histogram.min) / buckets as f64;
        histogram.limits = (1..=buckets).map(|bucket| histogram.min + width * bucket as f64).collect();
        histogram.limits[buckets - 1] = histogram.max;
        for value in values.iter().map(|value| f64::from(*value)) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative; casts saturate, and NaN, where all values are the same, becomes 0"
            )]
            let bucket = ((value - histogram.min) / width) as usize;
            histogram.counts[bucket.min(buckets - 1)] += 1.0;
        }
        Some(histogram)
    }
}

/// A file that events are appended to.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Creates a new file in a folder, whose name sorts after earlier ones.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be created or written.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let (seconds, process) = (jiff::Timestamp::now().as_second(), std::process::id());
        let mut number = 0;
        loop {
            let path = folder.join(format!("{EVENTS_PREFIX}{seconds:010}.tanner.{process}.{number}"));
            match OpenOptions::new().create_new(true).append(true).open(&path) {
                Ok(file) => {
                    let mut events = Self { path, file };
                    events.append(vec![event(0).text(3, "brain.Event:2")])?;
                    return Ok(events);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::io(path, error)),
            }
        }
    }

    /// Marks data of earlier files from this step on as obsolete.
    pub(super) fn restart(&mut self, step: u64) -> Result<()> {
        const START: u64 = 1;
        self.append(vec![event(step).message(7, &Message::default().int(1, START))])
    }

    /// Appends one event for each value: TensorBoard keeps single scalars apart by event.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written; it then ends with a complete record, if possible.
    pub(super) fn summaries(&mut self, step: u64, values: &[(String, SummaryValue)]) -> Result<()> {
        self.append(values.iter().map(|(tag, value)| event(step).message(5, &summary(tag, value))).collect())
    }

    fn append(&mut self, events: Vec<Message>) -> Result<()> {
        let bytes: Vec<u8> = events.into_iter().flat_map(|event| record(&event.into_bytes())).collect();
        let failed = |error| Error::io(&self.path, error);
        let whole = self.file.metadata().map_err(failed)?.len();
        self.file.write_all(&bytes).and_then(|()| self.file.flush()).map_err(|error| {
            // An incomplete record would end the reading of the file.
            let _ = self.file.set_len(whole);
            Error::io(&self.path, error)
        })
    }
}

/// An `Event` of this moment.
fn event(step: u64) -> Message {
    Message::default().double(1, jiff::Timestamp::now().as_microsecond() as f64 / 1e6).int(2, step)
}

/// `Summary { value: [Value { tag, simple_value | image | histo | tensor, metadata }] }`.
fn summary(tag: &str, value: &SummaryValue) -> Message {
    let inner = Message::default().text(1, tag);
    let inner = match value {
        SummaryValue::Scalar(value) => inner.float(2, *value),
        SummaryValue::Histogram(histogram) => {
            let Histogram { min, max, count, sum, sum_of_squares, limits, counts } = histogram;
            let numbers = (1..).zip([min, max, count, sum, sum_of_squares]);
            let histo = numbers.fold(Message::default(), |histo, (field, value)| histo.double(field, *value));
            inner.message(5, &histo.doubles(6, limits).doubles(7, counts))
        }
        SummaryValue::Text(text) => {
            inner.message(8, &tensor(DT_STRING).text(8, text)).message(9, &metadata("text", &[]))
        }
        SummaryValue::Picture(png) => {
            const RGB: u64 = 3;
            let [width, height] = png_size(png);
            inner.message(4, &Message::default().int(1, height).int(2, width).int(3, RGB).bytes(4, png))
        }
        // Its tensor has an unused number.
        SummaryValue::Plugin(name, content) => inner
            .message(8, &tensor(DT_FLOAT).bytes(5, &0f32.to_le_bytes()))
            .message(9, &metadata(name, content)),
    };
    Message::default().message(1, &inner)
}

const DT_FLOAT: u64 = 1;
const DT_STRING: u64 = 7;

/// A `TensorProto` of one element, whose value is still to be added.
fn tensor(kind: u64) -> Message {
    let one = Message::default().message(2, &Message::default().int(1, 1));
    Message::default().int(1, kind).message(2, &one)
}

/// `SummaryMetadata`: the plugin, what it reads, and that the value is a tensor.
fn metadata(plugin: &str, content: &[u8]) -> Message {
    const DATA_CLASS_TENSOR: u64 = 2;
    let plugin = Message::default().text(1, plugin).bytes(2, content);
    Message::default().message(1, &plugin).int(4, DATA_CLASS_TENSOR)
}

/// Width and height, at a fixed place in the header of a PNG file; 0 for anything else.
fn png_size(png: &[u8]) -> [u64; 2] {
    [16, 20].map(|at| {
        let bytes = png.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| u64::from(u32::from_be_bytes(bytes)))
    })
}

/// A TFRecord.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(data);
    record.extend(masked(crc32c(data)).to_le_bytes());
    record
}

fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), as RFC 3720 has it: reflected, all bits inverted at both ends.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let shifted = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ POLYNOMIAL } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shifted(crc)))
}

#[cfg(test)]
#[path = "event_file_tests.rs"]
mod tests;
