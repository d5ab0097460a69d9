//! A graph under construction: nodes, constants and the names between them.

use super::proto::{ElementType, node, row_maximum, tensor, value};
use crate::protobuf::Message;

/// `GraphProto` so far. Nodes are in the order of computation.
#[derive(Default)]
pub(super) struct Graph {
    message: Message,
}

impl Graph {
    /// Adds an operator and returns the name of its output.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, u64)],
    ) -> String {
        self.message.push_message(1, &node(operator, inputs, output, attributes));
        output.to_owned()
    }

    /// Adds the greatest value of each sample, `[N, 1]`, and returns its name.
    pub(super) fn row_maximum(&mut self, input: &str, output: &str) -> String {
        self.message.push_message(1, &row_maximum(input, output));
        output.to_owned()
    }

    /// Adds float32 numbers and returns their name.
    pub(super) fn floats(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = f32>,
    ) -> String {
        let raw: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        self.constant(name, ElementType::Float, shape, &raw)
    }

    /// Adds indices, none of them above 2^31 - 1, and returns their name.
    pub(super) fn indices(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = u32>,
    ) -> String {
        let raw: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
        self.constant(name, ElementType::Int32, shape, &raw)
    }

    /// Adds a list of lengths or axes and returns its name.
    pub(super) fn sizes(&mut self, name: &str, values: &[usize]) -> String {
        let raw: Vec<u8> = values.iter().flat_map(|value| (*value as u64).to_le_bytes()).collect();
        self.constant(name, ElementType::Int64, &[values.len()], &raw)
    }

    fn constant(&mut self, name: &str, kind: ElementType, shape: &[usize], raw: &[u8]) -> String {
        self.message.push_message(5, &tensor(name, kind, shape, raw));
        name.to_owned()
    }

    /// The whole graph: `features` in, and outputs with the number of values of each sample.
    pub(super) fn finish(
        self,
        features: usize,
        outputs: &[(&str, ElementType, Option<usize>)],
        about: &str,
    ) -> Message {
        let graph = self
            .message
            .text(2, "tanner")
            .message(11, &value("features", ElementType::Float, Some(features), about));
        outputs
            .iter()
            .fold(graph, |graph, (name, kind, width)| graph.message(12, &value(name, *kind, *width, "")))
    }
}
