//! Scores of features cached on disk, so that the same forest is not grown twice.
//!
//! A file is named after the SHA-256 of everything that its scores depend on: the data to
//! the last bit, the kind, the number of trees, the seed, and the version of the format. It
//! holds a magic word, the scores and the SHA-256 of both; an inconsistent file is
//! ignored and rewritten. Only random forests are cached:
//! other scores take less time to compute than to look up.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Importance, ImportanceSettings, NumberForm, Preprocessing, feature_scores};
use crate::Result;
use crate::dataset::{Dataset, Samples, update_digest};
use crate::files::CacheFile;
use crate::text::hex;

/// Changes whenever the scores of the same data with the same settings change.
const FORMAT: u32 = 1;
/// First bytes of a file.
const MAGIC: &[u8; 8] = b"tnr-imp1";
/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// Where scores came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreSource {
    /// They were computed.
    Fitted,
    /// They were read from the cache.
    Cache,
}

/// As [`Preprocessing::fit`], but with the scores of features cached in a folder.
///
/// `None` for no cache. Failures to read or write the cache are the
/// logged and otherwise ignored.
///
/// # Errors
/// As [`Preprocessing::fit`].
pub fn fit(
    settings: &ImportanceSettings,
    train: &Dataset,
    folder: Option<&Path>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Preprocessing, ScoreSource)> {
    // An encoding of numbers changes the features that are scored, so those are not cached.
    if !settings.importance.scores_features() || settings.numbers != NumberForm::Plain {
        return Ok((Preprocessing::fit(settings, train)?, ScoreSource::Fitted));
    }
    settings.check()?;
    let (scores, source) = scores(settings, train, folder, progress)?;
    Ok((Preprocessing::from_scores(settings, train, &scores)?, source))
}

/// As [`feature_scores`], with the folder of [`fit`].
///
/// # Errors
/// As [`feature_scores`].
pub fn scores(
    settings: &ImportanceSettings,
    train: &impl Samples,
    folder: Option<&Path>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(Vec<f64>, ScoreSource)> {
    let folder = folder.filter(|_| settings.importance == Importance::RandomForest);
    let file = folder.map(|folder| CacheFile::new(folder, &key(settings, train), "importance"));
    let decode = |bytes: &[u8]| decode(bytes, train.feature_count());
    if let Some(scores) = file.as_ref().and_then(|file| file.read(decode)) {
        return Ok((scores, ScoreSource::Cache));
    }
    let scores = feature_scores(settings, train, progress)?;
    if let Some(file) = file {
        file.write(&encode(&scores));
    }
    Ok((scores, ScoreSource::Fitted))
}

/// SHA-256 of all that the scores depend on, in hexadecimal.
fn key(settings: &ImportanceSettings, train: &impl Samples) -> String {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(FORMAT.to_le_bytes());
    let numbers = [settings.trees, train.samples(), train.feature_count(), train.targets().outputs()];
    numbers.iter().for_each(|number| hash.update((*number as u64).to_le_bytes()));
    hash.update(settings.seed.to_le_bytes());
    hash.update(settings.importance.name());
    update_digest(train, &mut hash);
    hex(hash.finalize())
}

fn decode(bytes: &[u8], features: usize) -> Option<Vec<f64>> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST)?)?;
    if Sha256::digest(content).as_slice() != digest {
        return None;
    }
    let (values, rest) = content.strip_prefix(MAGIC)?.as_chunks::<8>();
    let scores: Vec<f64> = values.iter().map(|value| f64::from_le_bytes(*value)).collect();
    let usable = rest.is_empty() && scores.len() == features;
    (usable && scores.iter().all(|score| score.is_finite())).then_some(scores)
}

fn encode(scores: &[f64]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(scores.iter().flat_map(|score| score.to_le_bytes()));
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn data(last: f32) -> Dataset {
        let mut features: Vec<f32> = (0..40_u8).map(|k| f32::from(k.wrapping_mul(37) % 11)).collect();
        features[39] = last;
        Dataset::new(features, 4, (0..10).map(|k| k % 2).collect(), 2).unwrap()
    }

    fn forest() -> ImportanceSettings {
        ImportanceSettings { trees: 3, ..ImportanceSettings::new(Importance::RandomForest) }
    }

    fn get(settings: &ImportanceSettings, data: &Dataset, folder: &Path) -> (Vec<f64>, ScoreSource) {
        scores(settings, data, Some(folder), &|_| {}).unwrap()
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect()
    }

    #[test]
    fn the_second_fit_is_read_and_the_same_to_the_last_bit() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("not/yet/there");
        let (first, source) = get(&forest(), &data(1.0), &folder);
        assert_eq!(source, ScoreSource::Fitted);
        let (second, source) = get(&forest(), &data(1.0), &folder);
        assert_eq!((second, source), (first, ScoreSource::Cache));
        let preprocessing = |folder| fit(&forest(), &data(1.0), folder, &|_| {}).unwrap();
        let ((cached, source), (fitted, _)) = (preprocessing(Some(&folder)), preprocessing(None));
        assert_eq!((cached, source), (fitted, ScoreSource::Cache));
    }

    #[test]
    fn anything_else_is_fitted_again() {
        let folder = tempfile::tempdir().unwrap();
        get(&forest(), &data(1.0), folder.path());
        let labels = Dataset::new(data(1.0).features().to_vec(), 4, vec![0, 1, 1, 0, 0, 1, 0, 1, 0, 1], 2);
        let more_classes = Dataset::new(data(1.0).features().to_vec(), 4, data(1.0).labels().to_vec(), 3);
        let others = [
            (ImportanceSettings { trees: 4, ..forest() }, data(1.0)),
            (ImportanceSettings { seed: 1, ..forest() }, data(1.0)),
            (forest(), data(1.000_001)),
            (forest(), labels.unwrap()),
            (forest(), more_classes.unwrap()),
        ];
        for (settings, data) in &others {
            assert_eq!(get(settings, data, folder.path()).1, ScoreSource::Fitted, "{settings:?}");
        }
        assert_eq!(files(folder.path()).len(), 6);
        // The order follows from the scores and is not part of them.
        let ascending = ImportanceSettings { order: super::super::Order::Ascending, ..forest() };
        assert_eq!(get(&ascending, &data(1.0), folder.path()).1, ScoreSource::Cache);
    }

    #[test]
    fn damaged_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, _) = get(&forest(), &data(1.0), folder.path());
        let path = files(folder.path())[0].clone();
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[9] ^= 1;
        let longer = [&good[..], &[0]].concat();
        // Intact files, one with another width, one with a score that is not a number.
        let (other, not_finite) = (encode(&[0.5; 3]), encode(&[f64::NAN; 4]));
        for bytes in [&good[..good.len() - 1], &[], &flipped, &longer, &other, &not_finite] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(get(&forest(), &data(1.0), folder.path()), (whole.clone(), ScoreSource::Fitted));
            assert_eq!(fs::read(&path).unwrap(), good, "the damaged file stayed");
        }
    }

    #[test]
    fn an_unusable_folder_is_ignored() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        for _ in 0..2 {
            assert_eq!(get(&forest(), &data(1.0), &file.join("below")).1, ScoreSource::Fitted);
        }
    }

    #[test]
    fn quick_computations_are_not_cached() {
        let folder = tempfile::tempdir().unwrap();
        for importance in [Importance::Variance, Importance::Random, Importance::Pca, Importance::None] {
            let settings = ImportanceSettings::new(importance);
            assert_eq!(
                fit(&settings, &data(1.0), Some(folder.path()), &|_| {}).unwrap().1,
                ScoreSource::Fitted
            );
        }
        assert!(files(folder.path()).is_empty());
    }
}
