//! The forms that a layer's weights can have in ONNX, which has no operator for sparse matrices.

use super::Form;
use super::degrees::{DegreeGroups, EDGE_BYTES};
use super::graph::Graph;
use crate::network::{Activation, Layer, LayerParameters};
use crate::topology::Topology;
use crate::{Error, Result};

/// Approximate bytes of the form [`Form::Scatter`] without its edges: three more nodes and two more names.
const SCATTER_BYTES: u64 = 360;
/// Indices into a layer's weights are int32.
const MAX_FLAT: u64 = i32::MAX as u64;

/// How one layer is written.
pub(super) enum LayerForm {
    /// All weights, zeros among them.
    Dense,
    /// The edges' weights and their places, from which the dense weights are made at load time.
    Scatter,
    /// Only the edges, the only weights that are multiplied.
    Gather(DegreeGroups),
}

impl LayerForm {
    /// The form of a layer for a requested `form`.
    ///
    /// # Errors
    /// [`Error::Export`] when the layer is too wide for [`Form::Scatter`].
    pub(super) fn new(form: Form, topology: &Topology) -> Result<Self> {
        let flat = topology.dense_edges() as u64;
        let smaller = EDGE_BYTES * topology.edges() as u64 + SCATTER_BYTES < 4 * flat;
        match form {
            _ if topology.is_fully_connected() => Ok(Self::Dense),
            Form::Auto if !smaller => Ok(Self::Dense),
            Form::Dense => Ok(Self::Dense),
            Form::Auto | Form::Scatter if flat <= MAX_FLAT => Ok(Self::Scatter),
            Form::Scatter => Err(Error::Export(format!(
                "scatter: a layer of {} x {} neurons is too wide, the limit is {MAX_FLAT} places: use gather",
                topology.inputs().width(),
                topology.outputs().width()
            ))),
            Form::Auto | Form::Gather => Ok(Self::Gather(DegreeGroups::new(topology))),
        }
    }

    /// Bytes of the constants, without their names.
    pub(super) fn bytes(&self, topology: &Topology) -> u64 {
        let (edges, outputs) = (topology.edges() as u64, topology.outputs().width() as u64);
        let weights = match self {
            Self::Dense => 4 * topology.dense_edges() as u64,
            Self::Scatter => EDGE_BYTES * edges + SCATTER_BYTES,
            Self::Gather(groups) => groups.bytes() + 4 * outputs,
        };
        weights + 4 * outputs
    }
}

/// Adds one layer to the graph, from the values named `input`, and returns the name of its result.
pub(super) fn add(
    graph: &mut Graph,
    name: &str,
    input: &str,
    (layer, values): (&Layer, &LayerParameters),
    form: &LayerForm,
) -> String {
    let (topology, weights) = (&*layer.topology, &values.weights[..]);
    let part = |part: &str| format!("{name}.{part}");
    let biases = graph.floats(&part("biases"), &[values.biases.len()], values.biases.iter().copied());
    let sums = match form {
        LayerForm::Dense => {
            let weights = dense(graph, &part("weights"), topology, weights);
            graph.node("Gemm", &[input, &weights, &biases], &part("sums"), &[("transB", 1)])
        }
        LayerForm::Scatter => {
            let weights = scattered(graph, name, topology, weights);
            graph.node("Gemm", &[input, &weights, &biases], &part("sums"), &[("transB", 1)])
        }
        LayerForm::Gather(groups) => {
            let products = groups.add(graph, name, input, topology, weights);
            graph.node("Add", &[&products, &biases], &part("sums"), &[])
        }
    };
    let operator = match layer.activation {
        Activation::Sigmoid => "Sigmoid",
        Activation::Relu => "Relu",
        Activation::Tanh => "Tanh",
        Activation::Identity => return sums,
    };
    graph.node(operator, &[&sums], &part("activations"), &[])
}

/// All weights, `[output][input]`.
fn dense(graph: &mut Graph, name: &str, topology: &Topology, weights: &[f32]) -> String {
    let inputs = topology.inputs().width();
    let mut all = vec![0.0; topology.dense_edges()];
    for ((output, input), weight) in topology.edge_ends().zip(weights) {
        all[output * inputs + input] = *weight;
    }
    graph.floats(name, &[topology.outputs().width(), inputs], all)
}

/// The same, from the edges: it does not depend on samples, so runtimes compute it once, at load time.
fn scattered(graph: &mut Graph, name: &str, topology: &Topology, weights: &[f32]) -> String {
    let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
    let part = |part: &str| format!("{name}.{part}");
    let place = |(output, input): (usize, usize)| {
        u32::try_from(output * inputs + input).expect("the form is refused for wider layers")
    };
    let edges = [topology.edges()];
    let places = graph.indices(&part("places"), &edges, topology.edge_ends().map(place));
    let values = graph.floats(&part("edge_weights"), &edges, weights.iter().copied());
    let zero = graph.floats(&part("zero"), &[1], [0.0]);
    let all = graph.sizes(&part("all"), &[topology.dense_edges()]);
    let shape = graph.sizes(&part("shape"), &[outputs, inputs]);
    // `Expand` and not `ConstantOfShape`, which ONNX Runtime does not compute in advance.
    let zeros = graph.node("Expand", &[&zero, &all], &part("zeros"), &[]);
    let flat = graph.node("ScatterElements", &[&zeros, &places, &values], &part("flat"), &[("axis", 0)]);
    graph.node("Reshape", &[&flat, &shape], &part("weights"), &[])
}
