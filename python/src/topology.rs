//! Graphs of layers, and networks of them.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use tanner::dataset::{Dataset, Targets};
use tanner::random::{Purpose, generator};
use tanner::session::settings::InputShape;
use tanner::topology::{
    Coupled2d, DegreeDistribution, Falloff, Grain, Grid, Partition, RandomSparse, SoftBand, SpatiallyCoupled,
    Topology as LibraryTopology, fully_connected,
};

use crate::errors::{detached, to_python};
use crate::settings;

/// Which weights of a layer exist.
#[pyclass(frozen, module = "tanner._native")]
pub(crate) struct Topology(LibraryTopology);

impl Topology {
    pub(crate) fn of(topology: LibraryTopology) -> Self {
        Self(topology)
    }

    pub(crate) fn topology(&self) -> &LibraryTopology {
        &self.0
    }
}

/// The first of a list of indices in a matrix that is below 0 or too large.
fn indices(values: &[i64], what: &str) -> PyResult<Vec<u32>> {
    let index = |value: &i64| {
        u32::try_from(*value)
            .map_err(|_| PyValueError::new_err(format!("{what} {value} is no index of a matrix")))
    };
    values.iter().map(index).collect()
}

#[pymethods]
impl Topology {
    /// Compressed sparse rows `[output][input]`.
    #[staticmethod]
    fn of_rows(
        py: Python<'_>,
        inputs: usize,
        row_start: PyReadonlyArray1<'_, i64>,
        columns: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<Self> {
        let row_start = indices(&row_start.as_array().to_vec(), "row start")?;
        let columns = indices(&columns.as_array().to_vec(), "column")?;
        detached(py, || {
            let outputs = Partition::whole(row_start.len().saturating_sub(1))?;
            LibraryTopology::from_rows(Partition::whole(inputs)?, outputs, row_start, columns)
        })
        .map(Self)
    }

    /// Pairs of input and output.
    #[staticmethod]
    fn of_edges(py: Python<'_>, inputs: usize, outputs: usize, edges: Vec<(u32, u32)>) -> PyResult<Self> {
        detached(py, || {
            LibraryTopology::from_edges(Partition::whole(inputs)?, Partition::whole(outputs)?, &edges)
        })
        .map(Self)
    }

    #[staticmethod]
    fn fully_connected(py: Python<'_>, inputs: usize, outputs: usize) -> PyResult<Self> {
        detached(py, || fully_connected(inputs, outputs)).map(Self)
    }

    /// Out-degrees of a distribution, written like the setting `degree_distribution`.
    #[staticmethod]
    fn random_sparse(
        py: Python<'_>,
        widths: (usize, usize),
        degrees: &str,
        stream: (u64, u32),
    ) -> PyResult<Self> {
        let (inputs, outputs) = widths;
        let degrees: DegreeDistribution = degrees.parse().map_err(|error| to_python(&error))?;
        detached(py, || {
            RandomSparse { inputs, outputs, degrees }
                .build(&mut generator(stream.0, Purpose::Topology(stream.1)))
        })
        .map(Self)
    }

    #[staticmethod]
    fn spatially_coupled(
        py: Python<'_>,
        widths: (usize, usize),
        blocks: (usize, usize),
        degrees: Vec<usize>,
        stream: (u64, u32),
    ) -> PyResult<Self> {
        let ((inputs, outputs), (blocks, receptive_field)) = (widths, blocks);
        let description = SpatiallyCoupled { inputs, outputs, blocks, receptive_field, degrees };
        detached(py, || description.build(&mut generator(stream.0, Purpose::Topology(stream.1)))).map(Self)
    }

    #[staticmethod]
    fn soft_band(
        py: Python<'_>,
        widths: (usize, usize),
        blocks: (usize, f64),
        degrees: Vec<usize>,
        stream: (u64, u32),
    ) -> PyResult<Self> {
        let ((inputs, outputs), (blocks, softness)) = (widths, blocks);
        let description = SoftBand { inputs, outputs, blocks, degrees, softness };
        detached(py, || description.build(&mut generator(stream.0, Purpose::Topology(stream.1)))).map(Self)
    }

    #[staticmethod]
    fn coupled_2d(
        py: Python<'_>,
        grids: ([usize; 3], [usize; 3]),
        reach: (f64, f64),
        kind: (&str, &str),
        picture: [usize; 2],
        stream: (u64, u32),
    ) -> PyResult<Self> {
        let ((inputs, outputs), (fan_in, reach), (falloff, grain)) = (grids, reach, kind);
        let grid = |[rows, columns, maps]: [usize; 3]| Grid { rows, columns, maps };
        let falloff: Falloff = falloff.parse().map_err(|error| to_python(&error))?;
        let grain: Grain = grain.parse().map_err(|error| to_python(&error))?;
        let description = Coupled2d {
            inputs: grid(inputs),
            outputs: grid(outputs),
            fan_in,
            reach,
            falloff,
            grain,
            picture,
            importance: Vec::new(),
        };
        detached(py, || description.build(&mut generator(stream.0, Purpose::Topology(stream.1)))).map(Self)
    }

    /// First edge of each output `[outputs + 1]` and input of each edge `[edges]`.
    fn rows<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>) {
        (PyArray1::from_slice(py, self.0.row_start()), PyArray1::from_slice(py, self.0.edge_inputs()))
    }

    #[getter]
    fn inputs(&self) -> usize {
        self.0.inputs().width()
    }

    #[getter]
    fn outputs(&self) -> usize {
        self.0.outputs().width()
    }

    #[getter]
    fn edges(&self) -> usize {
        self.0.edges()
    }

    #[getter]
    fn density(&self) -> f64 {
        self.0.density()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// The graphs of all layers that settings draw for data of this shape, the logits last.
#[pyfunction]
pub(crate) fn draw(
    py: Python<'_>,
    settings: &str,
    features: usize,
    outputs: usize,
    picture: Option<[usize; 2]>,
) -> PyResult<Vec<Topology>> {
    let mut settings = settings::read(settings)?;
    // What a preset does to data is unknown here.
    settings.preset.preset = settings.preset.preset.filter(|preset| *preset != tanner::session::Preset::Auto);
    let network = detached(py, || {
        let resolved = settings.resolve()?;
        let shape: InputShape = match picture {
            None => features.into(),
            Some(shape) => {
                let targets = Targets::Classes { labels: vec![0], count: 2 };
                (&Dataset::with_targets(vec![0.0; features], features, targets)?.with_image_shape(shape)?)
                    .into()
            }
        };
        resolved.architecture.fit_to(shape, outputs)?.build(resolved.recipe.seed)
    })?;
    let layers = network.layers().iter().map(|layer| Topology::of(layer.topology.as_ref().clone()));
    let layers: Vec<Topology> = layers.collect();
    if layers.is_empty() { Err(PyIndexError::new_err("a network without layers")) } else { Ok(layers) }
}
