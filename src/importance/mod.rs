//! What is done to raw features before the network sees them: the order of importance.
//!
//! A spatially-coupled layer gives more edges to its first blocks, so the inputs
//! are ordered by importance first. A [`Preprocessing`] is fitted on the training
//! set only and applied to whatever comes later: the training set itself, the
//! test set, a single picture in production. It says which [`Importance`] in
//! which [`Order`] it was fitted with, and holds the [`Transform`] that came out,
//! which is all that a model file has to keep.

mod choice;
mod pca;

use crate::dataset::Dataset;
use crate::{Error, Result};

pub use choice::{Importance, Order};

/// The numbers that a fitted preprocessing consists of.
///
/// A random forest will add a permutation of the features, which carries no
/// f32 number at all.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// Features pass as they are.
    Identity {
        /// Number of features.
        features: usize,
    },
    /// `y = rotation (x - mean)`.
    Rotation {
        /// `[feature]`, the mean of each feature over the training set.
        mean: Vec<f32>,
        /// `[component][feature]`, components of unit length in their final order.
        rotation: Vec<f32>,
        /// `[component]`, in the final order: variance of the training set along
        /// the component, with the divisor n.
        explained_variance: Vec<f32>,
    },
}

/// A fitted [`Transform`] with the setting that it was fitted for.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessing {
    importance: Importance,
    order: Order,
    transform: Transform,
}

impl Preprocessing {
    /// Fits on `train`, which must be the training set and nothing else.
    ///
    /// The result does not depend on the number of threads: it is the same, bit
    /// for bit, in every run on the same kind of processor.
    ///
    /// # Errors
    /// [`Error::Importance`] when [`Order::Ascending`] is asked of
    /// [`Importance::None`], and when PCA is asked of fewer than 2 samples, of
    /// more than 16,384 features or of values whose covariance overflows.
    pub fn fit(importance: Importance, order: Order, train: &Dataset) -> Result<Self> {
        check_combination(importance, order)?;
        let transform = match importance {
            Importance::None => Transform::Identity { features: train.feature_count() },
            Importance::Pca => pca::fit(train, order)?,
        };
        Self::from_parts(importance, order, transform)
    }

    /// Puts together what a model file has kept.
    ///
    /// # Errors
    /// [`Error::Importance`] when the transform is not of the kind that
    /// `importance` makes, when its lengths do not fit each other, when it holds a
    /// number that is not finite, or variances that are negative or not in `order`.
    pub fn from_parts(importance: Importance, order: Order, transform: Transform) -> Result<Self> {
        check_combination(importance, order)?;
        match (importance, &transform) {
            (Importance::None, Transform::Identity { features: 1.. }) => {}
            (Importance::None, Transform::Identity { features: 0 }) => {
                return Err(Error::Importance("identity of 0 features, at least 1 is needed".to_owned()));
            }
            (Importance::Pca, Transform::Rotation { mean, rotation, explained_variance }) => {
                check_rotation(order, mean, rotation, explained_variance)?;
            }
            (Importance::None, Transform::Rotation { .. }) => {
                return Err(wrong_kind(importance, "a rotation"));
            }
            (Importance::Pca, Transform::Identity { .. }) => {
                return Err(wrong_kind(importance, "the identity"));
            }
        }
        Ok(Self { importance, order, transform })
    }

    /// Transforms samples: `[sample][input feature]` in, `[sample][output feature]` out.
    ///
    /// For a rotation, a sample's result can differ in its last bits with its
    /// position in `features`, because long and short blocks of samples are
    /// multiplied differently; it does not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::Importance`] when the length is not a multiple of [`Self::input_features`].
    pub fn apply(&self, features: &[f32]) -> Result<Vec<f32>> {
        let (given, each) = (features.len(), self.input_features());
        if !given.is_multiple_of(each) {
            return Err(Error::Importance(format!(
                "{given} feature values cannot be transformed, it must be a multiple of {each}, \
                 the number of features this was fitted on"
            )));
        }
        Ok(match &self.transform {
            Transform::Identity { .. } => features.to_vec(),
            Transform::Rotation { mean, rotation, .. } => pca::rotate(features, mean, rotation),
        })
    }

    /// Transforms every sample of a data set; labels stay, the image shape goes unless nothing changes.
    ///
    /// # Errors
    /// [`Error::Importance`] when the data set has another number of features,
    /// [`Error::Dataset`] when a result is too large for f32.
    pub fn apply_dataset(&self, dataset: Dataset) -> Result<Dataset> {
        let (given, expected) = (dataset.feature_count(), self.input_features());
        if given != expected {
            return Err(Error::Importance(format!(
                "samples of {given} features cannot be transformed, this was fitted on {expected} features"
            )));
        }
        if matches!(self.transform, Transform::Identity { .. }) {
            return Ok(dataset);
        }
        let features = self.apply(dataset.features())?;
        dataset.with_features(features, self.output_features())
    }

    /// Features of a sample before the transform.
    #[must_use]
    pub fn input_features(&self) -> usize {
        match &self.transform {
            Transform::Identity { features } => *features,
            Transform::Rotation { mean, .. } => mean.len(),
        }
    }

    /// Features of a sample after the transform.
    #[must_use]
    pub fn output_features(&self) -> usize {
        match &self.transform {
            Transform::Identity { features } => *features,
            Transform::Rotation { explained_variance, .. } => explained_variance.len(),
        }
    }

    /// How many f32 numbers travel with the model: 0 for the identity; the
    /// rotation, the mean and the variances for PCA (614,656 + 784 + 784 for 784 features).
    #[must_use]
    pub fn number_count(&self) -> usize {
        match &self.transform {
            Transform::Identity { .. } => 0,
            Transform::Rotation { mean, rotation, explained_variance } => {
                mean.len() + rotation.len() + explained_variance.len()
            }
        }
    }

    /// What it was fitted for.
    #[must_use]
    pub fn importance(&self) -> Importance {
        self.importance
    }

    /// Which end of the order comes first.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// The numbers themselves.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }
}

fn check_combination(importance: Importance, order: Order) -> Result<()> {
    if importance == Importance::None && order == Order::Ascending {
        return Err(Error::Importance(
            "order `asc` has no meaning with importance `none`, use `desc` or choose an importance such as `pca`"
                .to_owned(),
        ));
    }
    Ok(())
}

fn wrong_kind(importance: Importance, found: &str) -> Error {
    Error::Importance(format!("{found} does not belong to importance `{importance}`"))
}

fn check_rotation(order: Order, mean: &[f32], rotation: &[f32], variance: &[f32]) -> Result<()> {
    let fail = |reason: String| Err(Error::Importance(format!("rotation: {reason}")));
    let (features, components) = (mean.len(), variance.len());
    if features == 0 || components == 0 || components > features {
        return fail(format!(
            "{components} components of {features} features, at least 1 and at most as many"
        ));
    }
    if components.checked_mul(features) != Some(rotation.len()) {
        let given = rotation.len();
        return fail(format!("{given} numbers do not fit {components} components of {features} features"));
    }
    if ![mean, rotation, variance].iter().all(|part| part.iter().all(|value| value.is_finite())) {
        return fail("a number is not finite".to_owned());
    }
    if let Some(component) = variance.iter().position(|&value| value < 0.0) {
        return fail(format!("component {component} has the negative variance {}", variance[component]));
    }
    let in_order = |pair: &[f32]| match order {
        Order::Descending => pair[0] >= pair[1],
        Order::Ascending => pair[0] <= pair[1],
    };
    if let Some(component) = variance.windows(2).position(|pair| !in_order(pair)) {
        let (here, next) = (variance[component], variance[component + 1]);
        return fail(format!(
            "variance {here} of component {component} before {next} is not in order `{order}`"
        ));
    }
    Ok(())
}
