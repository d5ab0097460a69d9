//! `tanner predict`: the classes of new samples and their probabilities, or numbers.

mod answers;
mod arriving;

#[cfg(unix)]
use std::fs::Metadata;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use tanner::Error;
use tanner::dataset::Task;
use tanner::dataset::idx::read_images;
use tanner::dataset::table::{Format, KeptColumns, ReadOptions, Source};
use tanner::inference::Predictor;
use tanner::model::TrainedModel;
use tanner::session::settings::check_threads;

use answers::{Answers, Content, Target, check_replaced_array};

use super::refuse;
use crate::cli::flags::{InputFormat, PredictArgs};
use crate::cli::ui::{session, terminal};

/// Reads samples, predicts, writes.
pub(crate) fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let threads = check_threads(args.threads)?;
    let target = target(args)?;
    let input = args.input.as_deref().or(args.data.as_deref()).filter(|path| *path != Path::new("-"));
    if let Some(out) = args.out.as_deref().filter(|out| is_input(out, input)) {
        return refuse(
            "--out",
            format!("{} is the input, which would be overwritten: name another file", out.display()),
        );
    }
    let format = match (args.format, input) {
        (Some(format), _) => format,
        (None, None) => InputFormat::Table(Format::Csv),
        (None, Some(path)) => format_of(path)?,
    };
    let mut predictor = Predictor::new(super::load_model(&args.model)?, threads)?;
    if let Some(average) = &args.average {
        predictor = predictor.averaging(average)?;
    }
    let model = predictor.model();
    if args.proba && model.data().task == Task::Regression {
        return refuse("--proba", "the model predicts numbers, which have no probabilities: leave it out");
    }
    let names = model.output_names();
    let content = if args.label_only { Content::LabelOnly } else { Content::All };
    let mut answers = Answers::new(target, &names, content, args.stream);
    if format == InputFormat::Table(Format::Csv) {
        arriving::predict(args, input, &predictor, &mut answers)?;
    } else {
        let kept = kept(args, input, format)?;
        let features = features(args, input, format, model)?;
        let predictions = predictor.predict(&features)?;
        drop(features);
        answers.write(&predictions, predictions.samples(), &kept)?;
    }
    answers.finish()
}

/// Whether a file is the input; without a path, the input is stdin.
fn is_input(out: &Path, input: Option<&Path>) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let of =
            |path: &Path| path.metadata().ok().filter(Metadata::is_file).map(|file| (file.dev(), file.ino()));
        of(out).is_some_and(|file| of(input.unwrap_or(Path::new("/dev/stdin"))) == Some(file))
    }
    #[cfg(not(unix))]
    {
        let of = |path: &Path| path.canonicalize().ok();
        input.is_some_and(|input| of(out).is_some() && of(out) == of(input))
    }
}

/// Refuses a name without a known format, before anything is read.
fn target(args: &PredictArgs) -> anyhow::Result<Target<'_>> {
    let Some(path) = args.out.as_deref() else { return Ok(Target::Stdout) };
    if terminal::wants_json() {
        return refuse("--json", "cannot be used with --out, it prints to stdout");
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(Target::Csv(path)),
        Some("npy") if args.label_only || !args.keep.is_empty() => {
            refuse("--out", format!("{} takes probabilities only: name a .csv file", path.display()))
        }
        Some("npy") => check_replaced_array(path).map(|()| Target::Npy(path)),
        _ => refuse("--out", format!("{} ends neither in .csv nor in .npy", path.display())),
    }
}

/// Raw features of a whole input, `[sample][feature]`.
fn features(
    args: &PredictArgs,
    input: Option<&Path>,
    format: InputFormat,
    model: &TrainedModel,
) -> anyhow::Result<Vec<f32>> {
    let InputFormat::Table(format) = format else { return pixels(input, model) };
    let source = match input {
        Some(path) => Source::open(path)?,
        None => stdin()?,
    };
    Ok(session().features_for(model, source, format, csv_options(args))?)
}

/// The columns that are written beside the predictions.
fn kept(args: &PredictArgs, input: Option<&Path>, format: InputFormat) -> anyhow::Result<KeptColumns> {
    match (format, input) {
        _ if args.keep.is_empty() => Ok(KeptColumns::default()),
        (InputFormat::Table(format @ Format::Parquet), Some(path)) => {
            Ok(session().kept(Source::open(path)?, format, &args.keep)?)
        }
        (InputFormat::Table(Format::Parquet), None) => {
            refuse("--keep", "name the Parquet file, stdin is read only once")
        }
        _ => refuse("--keep", "only CSV and Parquet tables have columns to keep"),
    }
}

/// The options of CSV.
fn csv_options(args: &PredictArgs) -> ReadOptions {
    ReadOptions {
        header: args.header.unwrap_or_default(),
        delimiter: args.delimiter.map(|delimiter| delimiter.0),
        decimal: args.decimal.unwrap_or_default(),
        ..ReadOptions::default()
    }
}

fn format_of(path: &Path) -> anyhow::Result<InputFormat> {
    if path.to_string_lossy().contains("idx3-ubyte") {
        return Ok(InputFormat::Idx);
    }
    let format = Format::of_file(path).map_err(anyhow::Error::msg)?.map(InputFormat::Table);
    format.with_context(|| format!("{}: its name does not show the format, give --format", path.display()))
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
    model
        .data()
        .check_pictures(Some([images.rows, images.columns]))
        .with_context(|| path.display().to_string())?;
    let divisor = model.data().byte_divisor();
    Ok(images.pixels.iter().map(|pixel| f32::from(*pixel) / divisor).collect())
}
