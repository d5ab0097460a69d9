//! Scores of raw features, and the resulting order.

use rand::RngExt;

use super::forest::{ForestOptions, gini_importance_of};
use super::moments::feature_variances;
use super::{Importance, ImportanceSettings, Order};
use crate::dataset::{Dataset, Samples};
use crate::random::{Purpose, generator};
use crate::topology::Grid;
use crate::{Error, Result};

/// The importance of each raw feature, `[feature]`: the larger, the more important.
///
/// The decrease in Gini impurity (sum 1), the variance with the divisor n, or a
/// random number from 0 to 1; standardising changes none of them, as
/// all use raw features. `progress` receives the number of finished trees of a forest.
///
/// # Errors
/// [`Error::Importance`] for a kind without scores, for 0 trees, and for
/// variances above what f32 can hold.
pub fn feature_scores(
    settings: &ImportanceSettings,
    train: &impl Samples,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<f64>> {
    match settings.importance {
        Importance::RandomForest => {
            let options = ForestOptions { trees: settings.trees, seed: settings.seed, max_rows: None };
            gini_importance_of(train, &options, progress)
        }
        Importance::Variance => {
            let variances = feature_variances(train);
            if let Some(feature) = variances.iter().position(|&variance| variance > f64::from(f32::MAX)) {
                return Err(Error::Importance(format!(
                    "the variance of feature {feature} overflows f32, scale the features down first"
                )));
            }
            Ok(variances)
        }
        Importance::Random => {
            let mut rng = generator(settings.seed, Purpose::FeatureOrder);
            Ok((0..train.feature_count()).map(|_| rng.random()).collect())
        }
        other => Err(Error::Importance(format!(
            "importance `{other}` has no scores of features; `rf`, `variance` and `random` do"
        ))),
    }
}

/// The features by their scores; of equal ones, the first comes first in descending order.
///
/// Ascending order is exactly the reverse of descending order.
///
/// # Errors
/// [`Error::Importance`] when there are more than 2^32 scores.
pub fn ranking(scores: &[f64], order: Order) -> Result<Vec<u32>> {
    let features = u32::try_from(scores.len())
        .map_err(|_| Error::Importance(format!("{} features are more than 2^32", scores.len())))?;
    let mut ranking: Vec<u32> = (0..features).collect();
    ranking.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
    if order == Order::Ascending {
        ranking.reverse();
    }
    Ok(ranking)
}
/// The pixels of a picture, patch by patch: `[position]`.
pub(super) fn places(train: &Dataset) -> Result<Vec<u32>> {
    let Some([rows, columns]) = train.image_shape() else {
        return Err(Error::Importance(
            "order `place` needs pictures: name the shape of a table's rows with `picture`".to_owned(),
        ));
    };
    let grid = Grid { rows, columns, maps: train.feature_count() / (rows * columns) };
    Ok(grid
        .pixels()
        .into_iter()
        .map(|pixel| u32::try_from(pixel).expect("a layer's neurons fit u32"))
        .collect())
}
