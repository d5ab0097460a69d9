//! Lists of indices and single texts, which are not tables.

use super::{Array, Element, Read, expect_end, read_exact};
use crate::host;

/// Bytes of memory for each index of a graph, while it is read.
const BYTES_PER_INDEX: f64 = 16.0;

impl<R: std::io::Read> Array<R> {
    /// Lengths of its sides.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// A list of whole numbers that fit `u32`.
    pub(crate) fn indices(mut self) -> Read<Vec<u32>> {
        let storage = self.header.storage;
        let [count] = self.header.shape[..] else {
            return Err(format!("holds an array of shape {:?}, expected a list", self.header.shape));
        };
        if !matches!(storage.element, Element::Signed(_) | Element::Unsigned(_)) {
            return Err("holds no whole numbers: save integers of 8 to 64 bits".into());
        }
        // The list, and the edges made from it.
        host::require("the graph", BYTES_PER_INDEX * count as f64).map_err(|error| error.to_string())?;
        let mut list = Vec::new();
        host::reserve(&mut list, count, "the graph").map_err(|error| error.to_string())?;
        let mut bytes = vec![0; storage.element.bytes()];
        for place in 0..count {
            read_exact(&mut self.reader, &mut bytes)?;
            let number = match storage.element {
                Element::Signed(_) => u32::try_from(storage.signed(&bytes)).ok(),
                _ => u32::try_from(storage.unsigned(&bytes)).ok(),
            };
            let Some(number) = number else {
                let text = storage.text(&bytes).unwrap_or_default();
                return Err(format!("{text} at place {place} is not an index, it must be 0 to {}", u32::MAX));
            };
            list.push(number);
        }
        expect_end(&mut self.reader)?;
        Ok(list)
    }

    /// The text of an array without dimensions.
    pub(crate) fn alone(mut self) -> Read<String> {
        let storage = self.header.storage;
        if !self.header.shape.is_empty() || !storage.element.is_text() {
            return Err(format!("holds an array of shape {:?}, expected one text", self.header.shape));
        }
        let mut bytes = vec![0; storage.element.bytes()];
        read_exact(&mut self.reader, &mut bytes)?;
        expect_end(&mut self.reader)?;
        storage.text(&bytes)
    }
}
