//! The messages of ONNX, in the wire format of protocol buffers.
//!
//! As much of [onnx.proto](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) as a network
//! needs; the numbers are those of its fields. A [`Message`] is the bytes of one, so fields are
//! added in any order and never read again.

/// The bytes of a message, field by field.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Adds a whole number, seven bits a byte, the lowest first.
    pub(super) fn int(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    /// Adds bytes: raw data, a text, or another message.
    pub(super) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.push(field, bytes);
        self
    }

    /// Adds a text.
    pub(super) fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Adds a message.
    pub(super) fn message(mut self, field: u32, message: &Self) -> Self {
        self.push(field, &message.bytes);
        self
    }

    /// Adds a message where another message is.
    pub(super) fn push_message(&mut self, field: u32, message: &Self) {
        self.push(field, &message.bytes);
    }

    /// All of it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn push(&mut self, field: u32, bytes: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push((value & 0x7f) as u8);
    }
}

/// The types of values that are used here, by their numbers in `TensorProto.DataType`.
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

/// `ValueInfoProto`: an input or an output, one row for each of `N` samples, of so many columns or no second dimension.
pub(super) fn value(name: &str, kind: ElementType, columns: Option<usize>) -> Message {
    let samples = Message::default().text(2, "N");
    let shape = Message::default().message(1, &samples);
    let shape = match columns {
        Some(columns) => shape.message(1, &Message::default().int(1, columns as u64)),
        None => shape,
    };
    let tensor = Message::default().int(1, kind as u64).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}

/// `OperatorSetIdProto`: a version of the operators of ONNX itself.
pub(super) fn operator_set(version: u64) -> Message {
    Message::default().text(1, "").int(2, version)
}

/// `StringStringEntryProto`.
pub(super) fn entry(key: &str, value: &str) -> Message {
    Message::default().text(1, key).text(2, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_the_specification() {
        // The examples of the encoding's own documentation.
        assert_eq!(Message::default().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").into_bytes(), b"\x12\x07testing");
        let inner = Message::default().int(1, 150);
        assert_eq!(Message::default().message(3, &inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().int(16, 0).into_bytes(), [0x80, 0x01, 0x00]);
    }
}
