//! `tanner predict`: the classes of new samples, and their probabilities.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tanner::Error;
use tanner::dataset::idx::read_images;
use tanner::dataset::table::{Format, Source};
use tanner::files::atomic_write;
use tanner::inference::{Predictions, Predictor};
use tanner::model::TrainedModel;
use tanner::npy;
use tanner::session::settings::check_threads;

use super::refuse;
use crate::cli::flags::{InputFormat, PredictArgs};
use crate::cli::ui::{session, terminal};

/// Where predictions go.
enum Target<'a> {
    Stdout,
    Csv(&'a Path),
    Npy(&'a Path),
}

/// Reads samples, predicts, writes.
pub(crate) fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let threads = check_threads(args.threads)?;
    let target = target(args.out.as_deref())?;
    let model = TrainedModel::load(&args.model)?;
    let features = features(args, &model)?;
    let names = model.class_names();
    let predictions = Predictor::new(model, threads)?.predict(&features)?;
    drop(features);
    match target {
        Target::Stdout if terminal::wants_json() => terminal::print(&json_lines(&predictions, &names)?),
        Target::Stdout => terminal::print(csv(&predictions, &names)?.trim_end()),
        Target::Csv(path) => write(path, csv(&predictions, &names)?.as_bytes(), &predictions),
        Target::Npy(path) => {
            let shape = [predictions.samples(), predictions.classes()];
            write(path, &npy::floats(&shape, predictions.probabilities()), &predictions)
        }
    }
}

/// Refuses a name that says of no format, before anything is read.
fn target(out: Option<&Path>) -> anyhow::Result<Target<'_>> {
    let Some(path) = out else { return Ok(Target::Stdout) };
    if terminal::wants_json() {
        return refuse("--json", "has no meaning with --out, it is for stdout");
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Target::Csv(path)),
        Some("npy") => Ok(Target::Npy(path)),
        _ => refuse("--out", format!("{} ends neither in .csv nor in .npy", path.display())),
    }
}

/// Raw features, `[sample][feature]`.
fn features(args: &PredictArgs, model: &TrainedModel) -> anyhow::Result<Vec<f32>> {
    let input = args.input.as_deref().filter(|path| *path != Path::new("-"));
    let format = match (args.format, input) {
        (Some(format), _) => format,
        (None, None) => InputFormat::Table(Format::Csv),
        (None, Some(path)) => format_of(path)?,
    };
    let InputFormat::Table(format) = format else { return pixels(input, model) };
    let source = match input {
        Some(path) => Source::open(path)?,
        None => stdin()?,
    };
    let csv = (args.header.unwrap_or_default(), args.delimiter.map(|delimiter| delimiter.0));
    Ok(session().features_for(model, source, format, csv)?)
}

fn format_of(path: &Path) -> anyhow::Result<InputFormat> {
    if path.to_string_lossy().contains("idx3-ubyte") {
        return Ok(InputFormat::Idx);
    }
    let format = Format::of_path(path).map(InputFormat::Table);
    format.with_context(|| format!("{}: its name tells no format, say it with --format", path.display()))
}

fn stdin() -> anyhow::Result<Source> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Error::io("stdin", error))?;
    Ok(Source::from_bytes("stdin", bytes))
}

/// The pixels of an IDX file, from 0 to 1.
fn pixels(input: Option<&Path>, model: &TrainedModel) -> anyhow::Result<Vec<f32>> {
    let Some(path) = input else { bail!("--format idx: images cannot come from stdin, name their file") };
    let images = read_images(path)?;
    let expected = model.preprocessing().input_features();
    if images.rows * images.columns != expected {
        bail!(
            "{}: images of {} x {} pixels, the model takes {expected} features",
            path.display(),
            images.rows,
            images.columns
        );
    }
    Ok(images.pixels.iter().map(|pixel| f32::from(*pixel) / 255.0).collect())
}

/// A row for each sample: its label, then the probability of each class.
fn csv(predictions: &Predictions, names: &[String]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = names.iter().map(|name| format!("probability {name}"));
    writer.write_record(std::iter::once("label".to_owned()).chain(header))?;
    for sample in 0..predictions.samples() {
        writer.write_field(&names[predictions.label(sample) as usize])?;
        for probability in predictions.of(sample) {
            writer.write_field(probability.to_string())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// One object a line and sample.
fn json_lines(predictions: &Predictions, names: &[String]) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        label: &'a str,
        probabilities: &'a [f32],
    }
    let line = |sample: usize| {
        let label = &names[predictions.label(sample) as usize];
        serde_json::to_string(&Line { label, probabilities: predictions.of(sample) })
    };
    Ok((0..predictions.samples()).map(line).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn write(path: &Path, bytes: &[u8], predictions: &Predictions) -> anyhow::Result<()> {
    atomic_write(path, bytes).context("--out")?;
    let samples = tanner::report::grouped(predictions.samples());
    terminal::note(&format!("predictions of {samples} samples: {}", path.display()));
    Ok(())
}
