//! A trained model.

use std::path::PathBuf;
use std::process;
use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde_json::Value;
use tanner::dataset::{Dataset, Task};
use tanner::experiments::permutation_importance;
use tanner::export::onnx::{self, Form};
use tanner::inference::{Predictions, Predictor};
use tanner::model::TrainedModel;
use tanner::session::{Reporter, Session};

use crate::errors::{detached, to_python, with_arguments};
use crate::prune::{self, PruneRequest};
use crate::table::{Known, Table, array2};
use crate::topology::Topology;

/// A trained network with its preprocessing.
#[pyclass(frozen, module = "tanner._native")]
pub(crate) struct Model {
    trained: TrainedModel,
    /// The last predictor, and its number of threads and process: a forked process has none of the threads.
    predictor: Mutex<Option<(ThreadsOf, Predictor)>>,
}

/// A number of threads in a process.
type ThreadsOf = (Option<usize>, u32);

/// Keeps warnings until they can be raised.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    /// All of them.
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Warnings {
    fn warn(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(with_arguments(text));
    }
}

impl Model {
    pub(crate) fn new(trained: TrainedModel) -> Self {
        Self { trained, predictor: Mutex::new(None) }
    }

    pub(crate) fn trained(&self) -> &TrainedModel {
        &self.trained
    }

    /// A predictor with this many threads.
    fn predictor(&self, threads: Option<usize>) -> tanner::Result<Predictor> {
        let key = (threads, process::id());
        let mut kept = self.predictor.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((own, predictor)) if *own == key => Ok(predictor.clone()),
            _ => {
                let predictor = Predictor::new(self.trained.clone(), threads)?;
                match kept.replace((key, predictor.clone())) {
                    // Threads of another process cannot be ended here.
                    Some((foreign, old)) if foreign.1 != key.1 => std::mem::forget(old),
                    _ => {}
                }
                Ok(predictor)
            }
        }
    }

    /// The predictions for a table, with warnings.
    fn predictions(
        &self,
        table: &Table,
        threads: Option<usize>,
    ) -> tanner::Result<(Predictions, Vec<String>)> {
        let predictor = self.predictor(threads)?;
        let warnings = Warnings::default();
        let make = |encoding: &_| table.make(Some(encoding));
        let features = Session::new(&warnings).features_in_memory(&self.trained, &make)?;
        Ok((predictor.predict(&features)?, warnings.into_lines()))
    }
}

/// Labels `[sample]` and probabilities `[sample][class]`; of regression no labels and numbers; and warnings.
type Predicted<'py> =
    (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray2<f32>>, Option<Bound<'py, PyArray2<f64>>>, Vec<String>);

#[pymethods]
impl Model {
    /// Reads a model file, or the model in a run folder.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || TrainedModel::load(path)).map(Self::new)
    }

    /// Reads the bytes of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        detached(py, || TrainedModel::from_bytes(bytes)).map(Self::new)
    }

    /// Writes the model file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        detached(py, || self.trained.save(path))
    }

    /// The bytes of the model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &detached(py, || self.trained.to_bytes())?))
    }

    /// The bytes of an ONNX file; the form of the weights is auto, dense, scatter or gather.
    fn to_onnx<'py>(&self, py: Python<'py>, form: &str) -> PyResult<Bound<'py, PyBytes>> {
        let form = match form {
            "auto" => Form::Auto,
            "dense" => Form::Dense,
            "scatter" => Form::Scatter,
            "gather" => Form::Gather,
            other => {
                let reason = format!("form: {other:?} is not one of auto, dense, scatter, gather");
                return Err(pyo3::exceptions::PyValueError::new_err(reason));
            }
        };
        Ok(PyBytes::new(py, &detached(py, || onnx::to_bytes(&self.trained, form))?))
    }

    /// Predicts the rows of a table.
    #[pyo3(signature = (table, threads=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        table: &Table,
        threads: Option<usize>,
    ) -> PyResult<Predicted<'py>> {
        let (predictions, warnings) = detached(py, || self.predictions(table, threads))?;
        let outputs = self.trained.network().classes();
        let (labels, values) = match predictions.task() {
            Task::Regression => {
                let all: Vec<f64> = (0..predictions.samples())
                    .flat_map(|sample| predictions.values_of(sample).to_vec())
                    .collect();
                use numpy::PyArrayMethods as _;
                let values = PyArray1::from_vec(py, all).reshape([predictions.samples(), outputs])?;
                (Vec::new(), Some(values))
            }
            _ => (predictions.labels(), None),
        };
        let probabilities = array2(py, predictions.probabilities(), outputs)?;
        Ok((PyArray1::from_vec(py, labels), probabilities, values, warnings))
    }

    /// By how much each column of a table matters: the mean drop of the score when its values are shuffled.
    #[pyo3(signature = (table, known, repeats=5, seed=0, threads=None))]
    fn importance(
        &self,
        py: Python<'_>,
        table: &Table,
        known: &Known,
        repeats: usize,
        seed: u64,
        threads: Option<usize>,
    ) -> PyResult<Vec<(String, f64, f64)>> {
        let measured = detached(py, || {
            let samples = self.samples(table, known)?;
            permutation_importance(&self.predictor(threads)?, &samples, (repeats, seed), &|_, _| true)
        })?;
        let column = |column: tanner::experiments::ColumnImportance| {
            (column.name, column.worse.mean, column.loss_rise.mean)
        };
        Ok(measured.columns.into_iter().map(column).collect())
    }

    /// A smaller model, pruned on these samples, its curve as dicts, and why it ended early, if it did.
    #[pyo3(signature = (options, table, known, test=None))]
    fn prune(
        &self,
        py: Python<'_>,
        options: &str,
        table: &Table,
        known: &Known,
        test: Option<(Py<Table>, Py<Known>)>,
    ) -> PyResult<(Self, Vec<Py<PyAny>>, Option<String>)> {
        let request = PruneRequest::read(options)?;
        let test = test.as_ref().map(|(table, known)| (table.get(), known.get()));
        let pruned = detached(py, || {
            let train = self.samples(table, known)?;
            let test = test.map_or_else(|| Ok(train.clone()), |(table, known)| self.samples(table, known))?;
            prune::prune(&self.trained, &request, train, test)
        })?;
        let curve = pruned.curve.iter().map(|point| {
            let json = serde_json::to_value(point).unwrap_or(Value::Null);
            crate::table::of_json(py, &json).map(Bound::unbind)
        });
        let failure = pruned.failure.map(|error| to_python(&error).value(py).to_string());
        Ok((Self::new(pruned.model), curve.collect::<PyResult<_>>()?, failure))
    }

    /// Weights, input of each, first weight of each output, and biases of a layer, in compressed sparse rows.
    fn layer<'py>(&self, py: Python<'py>, layer: usize) -> PyResult<Bound<'py, PyDict>> {
        let mut layers = self.trained.network().layers().iter().zip(&self.trained.parameters().layers);
        let Some((layer, values)) = layers.nth(layer) else {
            return Err(pyo3::exceptions::PyIndexError::new_err("there is no such layer"));
        };
        let dict = PyDict::new(py);
        dict.set_item("weights", PyArray1::from_slice(py, &values.weights))?;
        dict.set_item("biases", PyArray1::from_slice(py, &values.biases))?;
        dict.set_item("topology", Topology::of(layer.topology.as_ref().clone()))?;
        dict.set_item("activation", layer.activation.to_string())?;
        Ok(dict)
    }

    /// What the model file says of it, as JSON.
    fn header(&self) -> PyResult<String> {
        self.trained.header_json().map_err(pyo3::exceptions::PyValueError::new_err)
    }

    #[getter]
    fn widths(&self) -> Vec<usize> {
        self.trained.network().widths()
    }

    #[getter]
    fn parameters(&self) -> usize {
        self.trained.network().parameter_count()
    }

    #[getter]
    fn dense_parameters(&self) -> usize {
        self.trained.dense_parameter_count()
    }

    #[getter]
    fn epochs(&self) -> usize {
        self.trained.epochs_trained()
    }

    #[getter]
    fn task(&self) -> String {
        self.trained.data().task.to_string()
    }

    #[getter]
    fn arch(&self) -> String {
        self.trained.record().arch.to_string()
    }

    #[getter]
    fn output_names(&self) -> Vec<String> {
        self.trained.output_names()
    }

    /// The names of the columns that it takes; None if they have none.
    #[getter]
    fn column_names(&self) -> Option<Vec<String>> {
        let encoding = self.trained.data().encoding.as_ref().filter(|encoding| encoding.named)?;
        Some(encoding.columns.iter().map(|column| column.name.clone()).collect())
    }

    /// Whether one of its columns holds texts or categories.
    #[getter]
    fn takes_texts(&self) -> bool {
        let encoding = self.trained.data().encoding.as_ref();
        encoding.is_some_and(|encoding| encoding.columns.iter().any(|column| column.categories.is_some()))
    }

    /// Number of columns that it takes.
    #[getter]
    fn columns(&self) -> usize {
        let encoding = self.trained.data().encoding.as_ref();
        encoding.map_or(self.trained.preprocessing().input_features(), |encoding| encoding.columns.len())
    }

    #[getter]
    fn image_shape(&self) -> Option<[usize; 2]> {
        self.trained.data().image_shape
    }
}

impl Model {
    /// The samples of a table.
    fn samples(&self, table: &Table, known: &Known) -> tanner::Result<Dataset> {
        let make = |encoding: &_| table.make(Some(encoding));
        let warnings = Warnings::default();
        let data =
            Session::new(&warnings).data_in_memory_for(&self.trained, (&make, known.known.clone()), None)?;
        Ok(data.splits.train)
    }
}
