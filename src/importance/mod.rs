//! Preprocessing of raw features: standardisation, rotation, and the order of importance.
//!
//! A spatially-coupled layer gives more edges to its first blocks, so the inputs
//! are ordered by importance first. A [`Preprocessing`] is fitted on the training
//! set only and applied to all other samples: the training set itself, the
//! test set, a single picture in production. It records which [`Importance`] and
//! [`Order`] it was fitted with, and holds the result, all that
//! a model file needs: how features are standardised, if requested,
//! and the rotation or the order that follows.
//!
//! Raw features are ordered by the scores of a random forest, by their variance or
//! at random.

#[cfg(feature = "train")]
#[doc(hidden)]
pub mod cache;
mod choice;
mod elementwise;
#[cfg(feature = "train")]
mod fit;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod forest;
mod moments;
mod numbers;
mod parts;
#[cfg(feature = "train")]
mod pca;
#[cfg(feature = "train")]
mod ranking;
mod rotation;
#[cfg(feature = "train")]
mod settings;
mod standardisation;

use self::elementwise::Elementwise;
use crate::dataset::Dataset;
use crate::{Error, Result};

pub use choice::{Importance, Order};
#[doc(hidden)]
pub use numbers::{NumberEncoding, NumberForm};
#[cfg(feature = "train")]
#[doc(hidden)]
pub use ranking::{feature_scores, ranking};
#[cfg(feature = "train")]
pub use settings::ImportanceSettings;
#[doc(hidden)]
pub use standardisation::Standardisation;

/// The transform of features after the optional standardisation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[doc(hidden)]
pub enum Transform {
    /// Features are unchanged.
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
    /// `y[j] = x[order[j]]`.
    Permutation {
        /// `[position]`, the feature at that position.
        order: Vec<u32>,
        /// `[position]`, the importance of that feature.
        importance: Vec<f32>,
    },
}

impl Transform {
    fn input_features(&self) -> usize {
        match self {
            Self::Identity { features } => *features,
            Self::Rotation { mean, .. } => mean.len(),
            Self::Permutation { order, .. } => order.len(),
        }
    }
}

/// A fitted preprocessing, with its settings.
///
/// Numbers are encoded first, if requested; then features are standardised, if requested, and rotated or ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessing {
    numbers: Option<NumberEncoding>,
    importance: Importance,
    order: Order,
    standardisation: Option<Standardisation>,
    transform: Transform,
}

impl Preprocessing {
    /// Restores the parts of a model file.
    ///
    /// # Errors
    /// [`Error::Importance`] when the transform is not of the kind that
    /// `importance` makes, when its lengths do not fit each other or the
    /// standardisation, when it holds a number that is not finite, variances or
    /// importances that are negative or not in `order`, or no permutation.
    #[doc(hidden)]
    pub fn from_parts(
        importance: Importance,
        order: Order,
        standardisation: Option<Standardisation>,
        transform: Transform,
    ) -> Result<Self> {
        parts::check(importance, order, standardisation.as_ref(), &transform)?;
        Ok(Self { numbers: None, importance, order, standardisation, transform })
    }

    /// Adds an encoding of numbers in front.
    ///
    /// # Errors
    /// [`Error::Importance`] when the numbers of features do not match.
    #[doc(hidden)]
    pub fn with_numbers(mut self, encoding: NumberEncoding) -> Result<Self> {
        let (outputs, features) = (encoding.outputs(), self.transform.input_features());
        if outputs != features {
            return Err(Error::Importance(format!(
                "numbers: {outputs} outputs do not fit {features} features"
            )));
        }
        self.numbers = Some(encoding);
        Ok(self)
    }

    /// Transforms samples: `[sample][input feature]` in, `[sample][output feature]` out.
    ///
    /// The result does not depend on the number of threads. For a rotation, a
    /// sample's result can differ in its last bits with its position in
    /// `features`, because long and short blocks of samples are multiplied differently.
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
        let values = given / each * self.output_features();
        #[cfg(feature = "train")]
        self.check_memory((size_of::<f32>() * values) as f64)?;
        let mut out = vec![0.0; values];
        self.apply_into(features, &mut out)?;
        Ok(out)
    }

    /// As [`Self::apply`], into existing memory.
    ///
    /// # Errors
    /// [`Error::Importance`] when the lengths are not those of the same number of samples.
    #[doc(hidden)]
    pub fn apply_into(&self, features: &[f32], out: &mut [f32]) -> Result<()> {
        let (inputs, outputs) = (self.input_features(), self.output_features());
        let samples = features.len() / inputs;
        if features.len() != samples * inputs || out.len() != samples * outputs {
            return Err(Error::Importance(format!(
                "{} feature values cannot be transformed to {}: samples of {inputs} become samples of {outputs}",
                features.len(),
                out.len()
            )));
        }
        let Some(encoding) = &self.numbers else {
            self.apply_rest(features, out);
            return Ok(());
        };
        if matches!(self.transform, Transform::Identity { .. }) && self.standardisation.is_none() {
            encoding.apply(features, out);
        } else {
            let mut encoded = vec![0.0; samples * encoding.outputs()];
            encoding.apply(features, &mut encoded);
            self.apply_rest(&encoded, out);
        }
        Ok(())
    }

    /// All that follows the encoding of numbers.
    fn apply_rest(&self, features: &[f32], out: &mut [f32]) {
        let standardisation = self.standardisation.as_ref();
        match &self.transform {
            Transform::Identity { .. } if standardisation.is_none() => out.copy_from_slice(features),
            Transform::Identity { features: width } => {
                let order = 0..u32::try_from(*width).expect("checked: a standardised width fits u32");
                Elementwise::new(standardisation, order).apply(features, out);
            }
            Transform::Permutation { order, .. } => {
                Elementwise::new(standardisation, order.iter().copied()).apply(features, out);
            }
            Transform::Rotation { mean, rotation, .. } => {
                rotation::rotate(features, standardisation, mean, rotation, out);
            }
        }
    }

    /// Transforms every sample of a data set; labels stay, and the image shape is dropped unless features keep their places.
    ///
    /// # Errors
    /// [`Error::Importance`] when the data set has another number of features,
    /// [`Error::Dataset`] when a result is too large for f32.
    #[doc(hidden)]
    pub fn apply_dataset(&self, dataset: Dataset) -> Result<Dataset> {
        let (given, expected) = (dataset.feature_count(), self.input_features());
        if given != expected {
            return Err(Error::Importance(format!(
                "samples of {given} features cannot be transformed, this was fitted on {expected} features"
            )));
        }
        let in_place = matches!(self.transform, Transform::Identity { .. }) && self.numbers.is_none();
        if in_place && self.standardisation.is_none() {
            return Ok(dataset);
        }
        let shape = dataset.image_shape().filter(|_| in_place);
        let features = self.apply(dataset.features())?;
        let dataset = dataset.with_features(features, self.output_features())?;
        match shape {
            Some(shape) => dataset.with_image_shape(shape),
            None => Ok(dataset),
        }
    }

    #[cfg(feature = "train")]
    fn check_memory(&self, bytes: f64) -> Result<()> {
        match self.transform {
            Transform::Rotation { .. } => {
                let blocks = rotation::block_bytes(self.input_features());
                crate::host::require_products("the rotated data set", bytes + blocks)
            }
            _ => crate::host::require("the transformed data set", bytes),
        }
    }

    /// Features of a sample before the transform.
    #[must_use]
    pub fn input_features(&self) -> usize {
        self.numbers.as_ref().map_or_else(|| self.transform.input_features(), NumberEncoding::features)
    }
}

#[doc(hidden)]
impl Preprocessing {
    /// Features of a sample after the transform.
    #[must_use]
    pub fn output_features(&self) -> usize {
        match &self.transform {
            Transform::Rotation { explained_variance, .. } => explained_variance.len(),
            others => others.input_features(),
        }
    }

    /// The number of f32 values of the preprocessing: the rotation, the mean
    /// and the variances for PCA (614,656 + 784 + 784 for 784 features), none for a
    /// permutation, which has only indices, and for the identity; two more for each
    /// feature if features are standardised, and four for each output of an encoding of numbers.
    #[must_use]
    pub fn number_count(&self) -> usize {
        let standardisation = self.standardisation.as_ref().map_or(0, |fitted| 2 * fitted.features());
        let numbers = self.numbers.as_ref().map_or(0, |encoding| 4 * encoding.outputs());
        numbers
            + standardisation
            + match &self.transform {
                Transform::Identity { .. } | Transform::Permutation { .. } => 0,
                Transform::Rotation { mean, rotation, explained_variance } => {
                    mean.len() + rotation.len() + explained_variance.len()
                }
            }
    }

    /// The encoding of numbers, if there is one.
    #[must_use]
    pub fn numbers(&self) -> Option<&NumberEncoding> {
        self.numbers.as_ref()
    }

    /// The standardisation, if there is one.
    #[must_use]
    pub fn standardisation(&self) -> Option<&Standardisation> {
        self.standardisation.as_ref()
    }

    /// Its kind of importance.
    #[must_use]
    pub fn importance(&self) -> Importance {
        self.importance
    }

    /// The direction of the order.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// The importance of the feature that comes at each position, `[position]`; empty if features are not scored.
    #[must_use]
    pub fn position_importance(&self) -> Vec<f64> {
        match &self.transform {
            Transform::Permutation { importance, .. } => {
                importance.iter().map(|value| f64::from(*value)).collect()
            }
            Transform::Identity { .. } | Transform::Rotation { .. } => Vec::new(),
        }
    }

    /// The numbers themselves.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }
}
