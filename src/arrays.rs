//! Samples and probabilities as `ndarray` arrays of any memory layout.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::dataset::Dataset;
use crate::inference::Predictor;
use crate::{Error, Result};

impl Dataset {
    /// Copies features `[sample][feature]` and labels `[sample]`, as [`Dataset::new`] takes them.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn from_arrays(
        features: ArrayView2<'_, f32>,
        labels: ArrayView1<'_, u32>,
        class_count: usize,
    ) -> Result<Self> {
        let values = features.iter().copied().collect();
        Self::new(values, features.ncols(), labels.iter().copied().collect(), class_count)
    }
}

impl Predictor {
    /// The probabilities `[sample][class]` of samples whose raw features are `[sample][feature]`.
    ///
    /// # Errors
    /// As [`Predictor::predict`], and [`Error::Dataset`] when the width is not the model's number of features.
    pub fn predict_array(&self, features: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        let (given, expected) = (features.ncols(), self.model().preprocessing().input_features());
        if given != expected {
            let reason =
                format!("samples of {given} features cannot be predicted, the model takes {expected}");
            return Err(Error::Dataset(reason));
        }
        let values: Vec<f32> = features.iter().copied().collect();
        let predictions = self.predict(&values)?;
        let shape = (predictions.samples(), predictions.classes());
        Ok(Array2::from_shape_fn(shape, |(sample, class)| predictions.of(sample)[class]))
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use std::ops::ControlFlow;

    use ndarray::{Array1, Array2, ShapeBuilder as _};

    use super::*;
    use crate::Classifier;

    #[test]
    fn arrays_of_any_layout_match_slices() {
        let values: Vec<f32> = (0..60_u8).map(|k| f32::from(k * 37 % 11)).collect();
        let labels: Vec<u32> = (0..20).map(|k| k % 2).collect();
        let data = Dataset::new(values.clone(), 3, labels.clone(), 2).unwrap();
        let rows = Array2::from_shape_vec((20, 3), values).unwrap();
        let mut columns = Array2::zeros((20, 3).f());
        columns.assign(&rows);
        assert!(!columns.is_standard_layout());
        let labels = Array1::from(labels);
        assert_eq!(Dataset::from_arrays(columns.view(), labels.view(), 2).unwrap(), data);

        let run = Classifier::new().hidden([8]).epochs(1);
        let run = run.fit(&data, None, |_| ControlFlow::Continue(())).unwrap();
        let predictor = Predictor::new(run.model, Some(1)).unwrap();
        let expected = predictor.predict(data.features()).unwrap();
        for features in [rows.view(), columns.view()] {
            let probabilities = predictor.predict_array(features).unwrap();
            assert_eq!(probabilities.dim(), (20, 2));
            assert!(probabilities.iter().eq(expected.probabilities()));
        }
        let error = predictor.predict_array(rows.t()).unwrap_err().to_string();
        assert!(error.contains("20 features") && error.contains("takes 3"), "{error}");
    }
}
