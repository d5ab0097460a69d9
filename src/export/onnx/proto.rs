//! The messages of ONNX.
//!
//! As much of [onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) as a network
//! needs; the numbers are those of its fields.

use crate::protobuf::Message;

/// The value types in use, by their numbers in `TensorProto.DataType`.
#[derive(Clone, Copy, Debug)]
pub(super) enum ElementType {
    Float = 1,
    Int32 = 6,
    Int64 = 7,
}

/// `TensorProto`: a constant, little-endian.
pub(super) fn tensor(name: &str, kind: ElementType, shape: &[usize], raw_data: &[u8]) -> Message {
    let shape = shape.iter().fold(Message::default(), |tensor, side| tensor.int(1, *side as u64));
    shape.int(2, kind as u64).text(8, name).bytes(9, raw_data)
}

/// `NodeProto`: an operator, its inputs, its one output, and attributes that are whole numbers.
pub(super) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> Message {
    /// `AttributeProto.AttributeType.INT`.
    const INT: u64 = 2;
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
    let node = node.text(2, output).text(3, output).text(4, operator);
    attributes.iter().fold(node, |node, (name, value)| {
        node.message(5, &Message::default().text(1, name).int(3, *value).int(20, INT))
    })
}

/// `NodeProto` of the greatest value of each row: `ReduceMax` over the second axis, which is kept.
pub(super) fn row_maximum(input: &str, output: &str) -> Message {
    /// `AttributeProto.AttributeType.INTS`.
    const INTS: u64 = 7;
    let axes = Message::default().text(1, "axes").int(8, 1).int(20, INTS);
    node("ReduceMax", &[input], output, &[("keepdims", 1)]).message(5, &axes)
}

/// `ValueInfoProto`: an input or an output, one row for each of `N` samples, of this many columns or no second dimension.
pub(super) fn value(name: &str, kind: ElementType, columns: Option<usize>, about: &str) -> Message {
    let samples = Message::default().text(2, "N");
    let shape = Message::default().message(1, &samples);
    let shape = match columns {
        Some(columns) => shape.message(1, &Message::default().int(1, columns as u64)),
        None => shape,
    };
    let tensor = Message::default().int(1, kind as u64).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor)).text(3, about)
}

/// `OperatorSetIdProto`: a version of the operators of ONNX itself.
pub(super) fn operator_set(version: u64) -> Message {
    Message::default().text(1, "").int(2, version)
}

/// `StringStringEntryProto`.
pub(super) fn entry(key: &str, value: &str) -> Message {
    Message::default().text(1, key).text(2, value)
}
