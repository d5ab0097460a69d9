//! The wire format of protocol buffers, as far as ONNX and TensorBoard's events need it.
//!
//! A [`Message`] is a byte buffer: fields are added in any order and never read again. Each field is a varint of
//! `field << 3 | type`, then the value.

/// The bytes of a message, field by field.
#[derive(Debug, Default)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Adds a whole number, seven bits per byte, the lowest first.
    pub(crate) fn int(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    /// Adds bytes: raw data, a text, or another message.
    pub(crate) fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.push(field, bytes);
        self
    }

    /// Adds a text.
    pub(crate) fn text(self, field: u32, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Adds a message.
    pub(crate) fn message(mut self, field: u32, message: &Self) -> Self {
        self.push(field, &message.bytes);
        self
    }

    /// Adds a message, in place.
    pub(crate) fn push_message(&mut self, field: u32, message: &Self) {
        self.push(field, &message.bytes);
    }

    /// Adds a float32 number.
    pub(crate) fn float(mut self, field: u32, value: f32) -> Self {
        self.varint(u64::from(field) << 3 | 5);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds a float64 number.
    pub(crate) fn double(mut self, field: u32, value: f64) -> Self {
        self.varint(u64::from(field) << 3 | 1);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds a packed list of float64 numbers: one length for all of them.
    pub(crate) fn doubles(self, field: u32, values: &[f64]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &packed)
    }

    /// All of it.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
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
        assert_eq!(Message::default().float(2, 1.0).into_bytes(), [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().double(1, 1.0).into_bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        let packed = [0x32, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
        assert_eq!(Message::default().doubles(6, &[1.0]).into_bytes(), packed);
    }
}
