//! `tanner importance`: the ranking of the features, as a table and as a picture.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use tanner::dataset::load_idx_training;
use tanner::files::atomic_write;
use tanner::importance::{ImportanceSettings, Order, ranking};
use tanner::report::importance_picture;
use tanner::session::Data;
use tanner::session::settings::{DataSettings, check_threads};
use tanner::threads;

use crate::cli::flags::RankArgs;
use crate::cli::ui::{check_place, session, terminal};

/// Ranks the features of a training set.
pub(crate) fn run(args: &RankArgs) -> anyhow::Result<()> {
    let settings = args.settings()?;
    let data_settings = DataSettings::new(&args.data)?;
    args.out.as_deref().map_or(Ok(()), check_out)?;
    let _entered = threads::enter(check_threads(args.threads)?)?;
    let (scores, names, shape) = scores(&settings, &data_settings, args)?;
    let table = csv(&scores, &names)?;
    let Some(path) = &args.out else {
        return terminal::print(table.trim_end());
    };
    atomic_write(path, table.as_bytes()).context("--out")?;
    terminal::print(&format!("ranking {}", path.display()))?;
    let title = format!("importance {}", settings.importance);
    let Some(shape) = shape else { return Ok(()) };
    let picture = path.with_extension("png");
    atomic_write(&picture, &importance_picture(&scores, shape, &title)?).context("--out")?;
    terminal::print(&format!("picture {}", picture.display()))
}

/// The score of each feature, their names, and the shape of pictures.
type FeatureScores = (Vec<f64>, Vec<String>, Option<[usize; 2]>);

fn scores(
    settings: &ImportanceSettings,
    data: &DataSettings,
    args: &RankArgs,
) -> anyhow::Result<FeatureScores> {
    let session = session();
    if data.format.is_some() {
        let Data { splits, record, .. } = session.load(data, args.seed)?;
        let train = match args.train_limit {
            Some(limit) => splits.train.head(limit).context("--train-limit")?,
            None => splits.train,
        };
        return Ok((session.importance(settings, &train)?, record.feature_names, record.image_shape));
    }
    let train = load_idx_training(&data.path).context("--data")?;
    let train = match args.train_limit {
        Some(limit) => train.head(limit).context("--train-limit")?,
        None => train,
    };
    Ok((session.importance(settings, &train)?, Vec::new(), Some(train.shape())))
}

/// Refuses an unusable path before the work is done.
fn check_out(path: &Path) -> anyhow::Result<()> {
    let picture = path.with_extension("png");
    if picture == path {
        bail!("--out: {} is the heat map's place: name a .csv file for the ranking", path.display());
    }
    if let Some(there) = [path, &picture].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        bail!("--out: {} already exists: name another file or remove it", there.display());
    }
    check_place("--out", path)
}

/// A line for each feature, the most important first; ranks count from 1, features from 0. Names if there are any.
fn csv(scores: &[f64], names: &[String]) -> anyhow::Result<String> {
    let mut text = String::from("rank,feature,importance");
    text.push_str(if names.is_empty() { "\n" } else { ",name\n" });
    for (rank, feature) in (1..).zip(ranking(scores, Order::Descending)?) {
        write!(text, "{rank},{feature},{}", scores[feature as usize])?;
        if let Some(name) = names.get(feature as usize) {
            write!(text, ",\"{}\"", name.replace('"', "\"\""))?;
        }
        text.push('\n');
    }
    Ok(text)
}
