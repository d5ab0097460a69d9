//! A list or matrix to write into a safetensors file.

use std::borrow::Cow;

use safetensors::{Dtype, View};

/// Values as bytes, little-endian.
pub(crate) struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

/// The bytes of values, not copied if memory has them in this order.
fn bytes_of<T: bytemuck::NoUninit, const N: usize>(values: &[T], bytes: fn(&T) -> [u8; N]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        Cow::Borrowed(bytemuck::cast_slice(values))
    } else {
        Cow::Owned(values.iter().flat_map(bytes).collect())
    }
}

impl<'a> Tensor<'a> {
    pub(crate) fn floats(values: &'a [f32], shape: Vec<usize>) -> Self {
        Self { dtype: Dtype::F32, shape, bytes: bytes_of(values, |value| value.to_le_bytes()) }
    }

    pub(crate) fn list(values: &'a [f32]) -> Self {
        Self::floats(values, vec![values.len()])
    }

    pub(crate) fn indices(values: &'a [u32]) -> Self {
        let bytes = bytes_of(values, |value| value.to_le_bytes());
        Self { dtype: Dtype::U32, shape: vec![values.len()], bytes }
    }

    pub(crate) fn doubles(values: &'a [f64]) -> Self {
        let bytes = bytes_of(values, |value| value.to_le_bytes());
        Self { dtype: Dtype::F64, shape: vec![values.len()], bytes }
    }

    pub(crate) fn text(bytes: Vec<u8>) -> Self {
        Self { dtype: Dtype::U8, shape: vec![bytes.len()], bytes: Cow::Owned(bytes) }
    }

    /// The bytes that the file will have.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
