//! A model as an ONNX file: raw features in, labels and probabilities out.
//!
//! The graph has one input, `features`, float32 `[N, features]`, and two outputs: `label`, int64
//! `[N]`, the class of the greatest logit and the first of equals, and `probabilities`, float32
//! `[N, classes]`. With several labels there is only `probabilities`, of regression only `predictions`, float32
//! `[N, targets]`, in the units of the targets. Missing values are filled, pixels scaled, raw features encoded, standardised,
//! rotated or reordered in the graph. It uses
//! only operators of version 13, and weights have one [`Form`].

mod degrees;
mod graph;
mod input;
mod layer;
mod proto;

use self::graph::Graph;
use self::layer::LayerForm;
use self::proto::{ElementType, entry, operator_set};
use crate::dataset::Task;
use crate::importance::{NumberEncoding, Preprocessing, Transform};
use crate::model::TrainedModel;
use crate::protobuf::Message;
use crate::{Error, Result};

#[doc(hidden)]
pub use self::input::offset_columns;

/// Version of the operators.
pub(crate) const OPSET: u64 = 13;
/// Version of the file format, the first that has these operators.
pub(crate) const IR_VERSION: u64 = 7;
/// Maximum number of bytes of a file: no reader of protocol buffers accepts more.
pub(crate) const MAX_BYTES: u64 = (1 << 31) - 1;

/// How the weights of sparse layers are kept; fully connected ones are always dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All weights, with a zero for each edge that is not there.
    Dense,
    /// Edges and their places; a runtime expands them to dense weights once, when it loads the file.
    Scatter,
    /// Only edges, gathered and multiplied for each sample, without dense weights.
    Gather,
    /// The smaller of dense and scatter for each layer; gather for layers too wide for scatter.
    Auto,
}

/// The bytes of the ONNX file of a model.
///
/// # Errors
/// [`Error::Export`] when the file would be larger than 2^31 - 1 bytes, or a layer too wide for [`Form::Scatter`].
pub fn to_bytes(model: &TrainedModel, form: Form) -> Result<Vec<u8>> {
    let layers = model.network().layers();
    let forms: Vec<LayerForm> =
        layers.iter().map(|layer| LayerForm::new(form, &layer.topology)).collect::<Result<_>>()?;
    let weights = layers.iter().zip(&forms).map(|(layer, form)| form.bytes(&layer.topology));
    let numbers = 4 * model.preprocessing().number_count() as u64;
    check_size(weights.fold(numbers, u64::saturating_add))?;

    let mut graph = Graph::default();
    let features = input::add(&mut graph, model);
    let mut values = preprocess(&mut graph, features, model.preprocessing());
    for (index, (layer, form)) in layers.iter().zip(&forms).enumerate() {
        let parts = (layer, &model.parameters().layers[index]);
        values = layer::add(&mut graph, &format!("layer{}", index + 1), &values, parts, form);
    }
    let (features, outputs) = (model.preprocessing().input_features(), model.network().classes());
    let targets = &model.data().targets;
    let about = input::about(model);
    let graph = match model.data().task {
        Task::Classification => {
            graph.node("Softmax", &[&values], "probabilities", &[("axis", 1)]);
            graph.node("ArgMax", &[&values], "label", &[("axis", 1), ("keepdims", 0)]);
            graph.finish(
                features,
                &[("label", ElementType::Int64, None), ("probabilities", ElementType::Float, Some(outputs))],
                &about,
            )
        }
        Task::MultiLabel => {
            graph.node("Sigmoid", &[&values], "probabilities", &[]);
            graph.finish(features, &[("probabilities", ElementType::Float, Some(outputs))], &about)
        }
        Task::Regression => {
            #[expect(clippy::cast_possible_truncation, reason = "the graph computes in float32")]
            let narrow = |value: f64| value as f32;
            let deviation = targets.iter().map(|target| narrow(target.deviation));
            let deviation = graph.floats("target.deviation", &[outputs], deviation);
            let mean =
                graph.floats("target.mean", &[outputs], targets.iter().map(|target| narrow(target.mean)));
            values = graph.node("Mul", &[&values, &deviation], "target.scaled", &[]);
            graph.node("Add", &[&values, &mean], "predictions", &[]);
            graph.finish(features, &[("predictions", ElementType::Float, Some(outputs))], &about)
        }
    };
    let bytes = file(model, &graph)?;
    check_size(bytes.len() as u64)?;
    Ok(bytes)
}

fn check_size(bytes: u64) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(Error::Export(format!(
            "{bytes} bytes are too large for an ONNX file, the limit is {MAX_BYTES}: use another form, or CSR"
        )));
    }
    Ok(())
}

/// `ModelProto`.
fn file(model: &TrainedModel, graph: &Message) -> Result<Vec<u8>> {
    let header = model.header_json().map_err(Error::Export)?;
    let message = Message::default()
        .int(1, IR_VERSION)
        .text(2, "tanner")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(8, &operator_set(OPSET))
        .message(14, &entry(names_key(model), &names(model)))
        .message(14, &entry("tanner", &header))
        .message(7, graph);
    Ok(message.into_bytes())
}

/// What the outputs are, for the metadata.
fn names_key(model: &TrainedModel) -> &'static str {
    match model.data().task {
        Task::Classification => "class_names",
        Task::Regression | Task::MultiLabel => "target_names",
    }
}

/// The names of the outputs as a JSON array; numbers if they have no names.
fn names(model: &TrainedModel) -> String {
    serde_json::Value::from(model.output_names()).to_string()
}

/// Adds the preprocessing and returns the name of its result.
fn preprocess(graph: &mut Graph, mut values: String, preprocessing: &Preprocessing) -> String {
    if let Some(encoding) = preprocessing.numbers() {
        values = encode_numbers(graph, encoding, &values);
    }
    if let Some(standardisation) = preprocessing.standardisation() {
        let shape = [standardisation.features()];
        let mean = graph.floats("standardisation.mean", &shape, standardisation.mean().iter().copied());
        let divisor =
            graph.floats("standardisation.divisor", &shape, standardisation.divisor().iter().copied());
        values = graph.node("Sub", &[&values, &mean], "standardisation.centred", &[]);
        values = graph.node("Div", &[&values, &divisor], "standardised", &[]);
    }
    match preprocessing.transform() {
        Transform::Identity { .. } => {}
        Transform::Rotation { mean, rotation, explained_variance } => {
            let shape = [explained_variance.len(), mean.len()];
            let mean = graph.floats("pca.mean", &shape[1..], mean.iter().copied());
            let rotation = graph.floats("pca.rotation", &shape, rotation.iter().copied());
            values = graph.node("Sub", &[&values, &mean], "pca.centred", &[]);
            values = graph.node("Gemm", &[&values, &rotation], "components", &[("transB", 1)]);
        }
        Transform::Permutation { order, .. } => {
            let order = graph.indices("order", &[order.len()], order.iter().copied());
            values = graph.node("Gather", &[&values, &order], "ordered", &[("axis", 1)]);
        }
    }
    values
}

/// Adds the encoding of numbers and returns the name of its result.
fn encode_numbers(graph: &mut Graph, encoding: &NumberEncoding, values: &str) -> String {
    let shape = [encoding.outputs()];
    let source = graph.indices("numbers.source", &shape, encoding.source().iter().copied());
    let mut values = graph.node("Gather", &[values, &source], "numbers.gathered", &[("axis", 1)]);
    let steps = [("Sub", "offset"), ("Div", "width"), ("Max", "low"), ("Min", "high")];
    for ((operator, name), part) in steps.into_iter().zip(encoding.parts()) {
        let part = graph.floats(&format!("numbers.{name}"), &shape, part.iter().copied());
        values = graph.node(operator, &[&values, &part], &format!("numbers.after_{name}"), &[]);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_over_the_size_limit_are_refused() {
        check_size(MAX_BYTES).unwrap();
        let message = check_size(MAX_BYTES + 1).unwrap_err().to_string();
        assert!(message.contains("2147483648 bytes are too large for an ONNX file"), "{message}");
    }
}
