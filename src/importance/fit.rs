//! Fitting a preprocessing to a training set.

use std::borrow::Cow;

use super::moments::narrow;
use super::{
    Importance, ImportanceSettings, NumberEncoding, NumberForm, Order, Preprocessing, Standardisation,
    Transform, feature_scores, pca, ranking,
};
use crate::dataset::Dataset;
use crate::{Error, Result};

impl Preprocessing {
    /// Fits on `train`, which must be only the training set.
    ///
    /// The result does not depend on the number of threads: it is the same, bit
    /// for bit, in every run on the same kind of processor.
    ///
    /// # Errors
    /// [`Error::Importance`] when [`Order::Ascending`] is asked of
    /// [`Importance::None`], when PCA is asked of fewer than 2 samples, of
    /// more than 16,384 features or of values whose covariance overflows, for 0
    /// trees, and for variances above what f32 can hold.
    pub fn fit(settings: &ImportanceSettings, train: &Dataset) -> Result<Self> {
        settings.check()?;
        if let Some(encoding) =
            NumberEncoding::fit(settings.numbers, settings.bins, train.features(), train.feature_count())
        {
            return Self::fit_behind(encoding, settings, train, Self::fit);
        }
        if settings.importance.scores_features() {
            let scores = feature_scores(settings, train, &|_| {})?;
            return Self::from_scores(settings, train, &scores);
        }
        if settings.order == Order::Place {
            return Self::from_scores(settings, train, &vec![0.0; train.feature_count()]);
        }
        let standardisation = Self::standardisation_for(settings, train);
        let transform = match settings.importance {
            Importance::Pca => {
                let samples = match &standardisation {
                    Some(fitted) => Cow::Owned(fitted.apply(train.features())),
                    None => Cow::Borrowed(train.features()),
                };
                pca::fit(&samples, train.feature_count(), settings.order)?
            }
            _ => Transform::Identity { features: train.feature_count() },
        };
        Self::from_parts(settings.importance, settings.order, standardisation, transform)
    }

    /// Fits all that follows an encoding of numbers, by `fit`, to the encoded samples.
    fn fit_behind(
        encoding: NumberEncoding,
        settings: &ImportanceSettings,
        train: &Dataset,
        fit: impl FnOnce(&ImportanceSettings, &Dataset) -> Result<Self>,
    ) -> Result<Self> {
        let (features, rest) =
            (encoding.outputs(), ImportanceSettings { numbers: NumberForm::Plain, ..*settings });
        let is_identity = settings.importance == Importance::None && settings.order != Order::Place;
        let behind = if is_identity && !settings.standardize {
            // Known without encoding every sample.
            let transform = Transform::Identity { features };
            Self::from_parts(settings.importance, settings.order, None, transform)?
        } else {
            crate::host::require(
                "the encoded data set",
                (size_of::<f32>() * train.samples() * features) as f64,
            )?;
            let mut encoded = vec![0.0; train.samples() * features];
            encoding.apply(train.features(), &mut encoded);
            let encoded = Dataset::with_targets(encoded, features, train.targets().clone())?;
            fit(&rest, &encoded.with_weights(train.weights().map(<[f32]>::to_vec))?)?
        };
        behind.with_numbers(encoding)
    }

    /// Orders the features of `train` by known scores, `[feature]`; see [`feature_scores`].
    ///
    /// # Errors
    /// [`Error::Importance`] when there is not one finite score, not negative, for each
    /// feature, or when the kind does not score features.
    #[doc(hidden)]
    pub fn from_scores(settings: &ImportanceSettings, train: &Dataset, scores: &[f64]) -> Result<Self> {
        if scores.len() != train.feature_count() {
            let (given, features) = (scores.len(), train.feature_count());
            return Err(Error::Importance(format!("{given} scores do not fit {features} features")));
        }
        let order = match settings.order {
            Order::Place => ranking::places(train)?,
            order => ranking(scores, order)?,
        };
        let importance = order.iter().map(|&feature| narrow(scores[feature as usize])).collect();
        let transform = Transform::Permutation { order, importance };
        let standardisation = Self::standardisation_for(settings, train);
        Self::from_parts(settings.importance, settings.order, standardisation, transform)
    }

    fn standardisation_for(settings: &ImportanceSettings, train: &Dataset) -> Option<Standardisation> {
        settings.standardize.then(|| Standardisation::fit(train.features(), train.feature_count()))
    }
}
