//! Arrays and frames as tables of the library.

use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods as _};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tanner::Error;
use tanner::dataset::table::{
    Array, MemoryCells, MemoryColumn, ReadOptions, Table as LibraryTable, TableEncoding,
};
use tanner::dataset::{KnownTargets, Targets, Task};

/// Features of samples: a two-dimensional array of numbers, or the columns of a frame.
#[pyclass(frozen, module = "tanner._native")]
pub(crate) struct Table {
    content: Content,
    #[pyo3(get)]
    rows: usize,
}

enum Content {
    /// C-contiguous float32, float64 or uint8, `[row][column]`.
    Array {
        array: Py<PyAny>,
        names: Option<Vec<String>>,
        width: usize,
    },
    Columns(Vec<MemoryColumn>),
}

#[pymethods]
impl Table {
    /// An array, whose columns may have names.
    #[staticmethod]
    #[pyo3(signature = (array, names=None))]
    fn of_array(array: &Bound<'_, PyUntypedArray>, names: Option<Vec<String>>) -> PyResult<Self> {
        let (rows, width) = match array.shape() {
            [rows, width] => (*rows, *width),
            shape => {
                let reason = format!("an array of {} dimensions, expected [samples, features]", shape.len());
                return Err(PyValueError::new_err(reason));
            }
        };
        if !array.is_c_contiguous() {
            return Err(PyValueError::new_err("the array is not C-contiguous"));
        }
        if names.as_ref().is_some_and(|names| names.len() != width) {
            return Err(PyValueError::new_err(format!("the names do not fit {width} columns")));
        }
        Ok(Self { content: Content::Array { array: array.clone().unbind().into_any(), names, width }, rows })
    }

    /// The columns of a frame, `(name, cells, whether these are categories)`, cells being float64 numbers or a list of
    /// texts and None.
    #[staticmethod]
    fn of_columns(columns: Vec<(String, Bound<'_, PyAny>, bool)>) -> PyResult<Self> {
        let column = |(name, cells, is_category): (_, Bound<'_, PyAny>, _)| -> PyResult<MemoryColumn> {
            let cells = if is_category {
                MemoryCells::Categories(cells.extract()?)
            } else if cells.is_instance_of::<PyList>() {
                MemoryCells::Texts(cells.extract()?)
            } else {
                MemoryCells::Numbers(cells.extract::<PyReadonlyArray1<'_, f64>>()?.as_array().to_vec())
            };
            Ok(MemoryColumn { name, cells })
        };
        let columns: Vec<MemoryColumn> = columns.into_iter().map(column).collect::<PyResult<_>>()?;
        let rows = columns.first().map_or(0, |column| match &column.cells {
            MemoryCells::Numbers(numbers) => numbers.len(),
            MemoryCells::Texts(texts) | MemoryCells::Categories(texts) => texts.len(),
        });
        Ok(Self { content: Content::Columns(columns), rows })
    }
}

impl Table {
    /// The table, with the columns of an encoding if one is known. Only arrays are read with the interpreter.
    pub(crate) fn make(&self, known: Option<&TableEncoding>) -> tanner::Result<LibraryTable> {
        match &self.content {
            Content::Columns(columns) => {
                LibraryTable::of_columns(columns.clone(), known, &ReadOptions::default())
            }
            Content::Array { array, names, width } => Python::attach(|py| {
                let array = array.bind(py);
                let names = names.as_deref();
                if let Ok(values) = array.extract::<PyReadonlyArray2<'_, f32>>() {
                    let values = contiguous(values.as_slice().ok())?.to_vec();
                    return LibraryTable::of_array(Array::Float32(values), *width, names, known);
                }
                if let Ok(values) = array.extract::<PyReadonlyArray2<'_, f64>>() {
                    let values = contiguous(values.as_slice().ok())?;
                    return LibraryTable::of_array(Array::Float64(values), *width, names, known);
                }
                let Ok(values) = array.extract::<PyReadonlyArray2<'_, u8>>() else {
                    let reason = "an array of other numbers than float32, float64 and uint8";
                    return Err(Error::Dataset(reason.into()));
                };
                let values = contiguous(values.as_slice().ok())?;
                LibraryTable::of_array(Array::Bytes(values), *width, names, known)
            }),
        }
    }
}

fn contiguous<T>(values: Option<&[T]>) -> tanner::Result<&[T]> {
    values.ok_or_else(|| Error::Dataset("the array is not C-contiguous".into()))
}

/// What each sample is: classes, or numbers to predict.
#[pyclass(frozen, module = "tanner._native")]
pub(crate) struct Known {
    pub(crate) known: KnownTargets,
}

#[pymethods]
impl Known {
    /// Classes: the number of each sample's, and the names of all.
    #[staticmethod]
    #[pyo3(signature = (labels, names, weights=None))]
    fn classes(
        labels: PyReadonlyArray1<'_, u32>,
        names: Vec<String>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
    ) -> Self {
        let targets = Targets::Classes { labels: labels.as_array().to_vec(), count: names.len() };
        let weights = weights.map(|weights| weights.as_array().to_vec());
        Self { known: KnownTargets { targets, names, weights } }
    }

    /// Numbers `[sample][target]`, of regression or, if each is 0 or 1, several labels of a sample.
    #[staticmethod]
    #[pyo3(signature = (task, values, names, weights=None))]
    fn numbers(
        task: &str,
        values: PyReadonlyArray2<'_, f32>,
        names: Vec<String>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
    ) -> PyResult<Self> {
        let weights = weights.map(|weights| weights.as_array().to_vec());
        let task = match task {
            "regression" => Task::Regression,
            "multilabel" => Task::MultiLabel,
            other => return Err(PyValueError::new_err(format!("{other:?} is not a task of numbers"))),
        };
        let count = names.len();
        let targets = Targets::Numbers { task, values: values.as_array().iter().copied().collect(), count };
        Ok(Self { known: KnownTargets { targets, names, weights } })
    }
}

/// A two-dimensional array of float32 numbers `[sample][output]`.
pub(crate) fn array2<'py>(
    py: Python<'py>,
    values: &[f32],
    width: usize,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    use numpy::{PyArray1, PyArrayMethods as _};
    PyArray1::from_slice(py, values).reshape([values.len() / width.max(1), width])
}

/// A JSON value as objects of Python.
pub(crate) fn of_json<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value;
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(on) => on.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), ..) => whole.into_pyobject(py)?.into_any(),
            (_, Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (.., Some(number)) => number.into_pyobject(py)?.into_any(),
            _ => return Err(PyTypeError::new_err("a number that Python cannot hold")),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| of_json(py, item)).collect::<PyResult<_>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (key, value) in fields {
                dict.set_item(key, of_json(py, value)?)?;
            }
            dict.into_any()
        }
    })
}
