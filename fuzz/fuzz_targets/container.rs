//! Mutations of safetensors files that keep the container valid, so that the fuzzer reaches the code behind it.

use serde_json::{Map, Value, json};

use crate::chance::{Chance, mutated, replace};

/// Edge cases.
const NUMBERS: [u64; 12] =
    [0, 1, 2, 3, 255, 65_535, 65_536, 1 << 24, 1 << 31, u32::MAX as u64, 1 << 53, u64::MAX];

/// A file taken apart.
struct File {
    /// Our entry in the metadata, itself JSON.
    entry: String,
    tensors: Vec<Tensor>,
}

struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    data: Vec<u8>,
}

/// The mutation for `fuzz_mutator!`.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut chance = Chance::new(seed);
    let mutation = File::parse(&data[..size]).filter(|_| chance.below(8) > 0).map(|mut file| {
        file.change(&mut chance);
        file.bytes()
    });
    replace(data, size, max_size, mutation)
}

impl File {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let header: Map<String, Value> = serde_json::from_slice(header).ok()?;
        let entry = header.get("__metadata__")?.get("tanner")?.as_str()?.to_owned();
        let mut tensors = Vec::new();
        for (name, about) in header.iter().filter(|(name, _)| *name != "__metadata__") {
            let numbers = |key: &str| -> Option<Vec<usize>> {
                about.get(key)?.as_array()?.iter().map(|n| usize::try_from(n.as_u64()?).ok()).collect()
            };
            let [start, end] = numbers("data_offsets")?[..] else { return None };
            tensors.push(Tensor {
                name: name.clone(),
                dtype: about.get("dtype")?.as_str()?.to_owned(),
                shape: numbers("shape")?,
                data: data.get(start..end)?.to_vec(),
            });
        }
        Some(Self { entry, tensors })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut header = Map::new();
        header.insert("__metadata__".into(), json!({ "tanner": self.entry }));
        let mut data = Vec::new();
        for Tensor { name, dtype, shape, data: values } in &self.tensors {
            let start = data.len();
            data.extend_from_slice(values);
            let about = json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, data.len()] });
            header.insert(name.clone(), about);
        }
        let header = Value::Object(header).to_string();
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
    }

    fn change(&mut self, chance: &mut Chance) {
        let tensors = self.tensors.len();
        match chance.below(8) {
            0 => self.change_text(),
            1 | 2 => self.change_number(chance),
            _ if tensors == 0 => self.change_number(chance),
            3 => drop(self.tensors.remove(chance.below(tensors))),
            4 => {
                let from = chance.below(tensors);
                let (shape, data) = (self.tensors[from].shape.clone(), self.tensors[from].data.clone());
                let to = &mut self.tensors[chance.below(tensors)];
                (to.shape, to.data) = (shape, data);
            }
            _ => self.tensors[chance.below(tensors)].change(chance),
        }
    }

    fn change_text(&mut self) {
        let text = mutated(std::mem::take(&mut self.entry).into_bytes(), 64);
        self.entry = String::from_utf8_lossy(&text).into_owned();
    }

    /// Changes one number of the entry, or its text if it is not JSON.
    fn change_number(&mut self, chance: &mut Chance) {
        let Ok(mut entry) = serde_json::from_str::<Value>(&self.entry) else { return self.change_text() };
        let mut numbers = Vec::new();
        collect(&mut entry, &mut numbers);
        if numbers.is_empty() {
            return self.change_text();
        }
        let place = chance.below(numbers.len());
        let number = &mut *numbers[place];
        *number = match chance.below(4) {
            0 => json!(number.as_u64().unwrap_or(0).wrapping_add(1)),
            1 => json!(number.as_u64().unwrap_or(1).wrapping_sub(1)),
            2 => json!(number.as_f64().unwrap_or(1.0) * -0.5),
            _ => json!(chance.of(&NUMBERS)),
        };
        self.entry = entry.to_string();
    }
}

impl Tensor {
    fn change(&mut self, chance: &mut Chance) {
        let size = match self.dtype.as_str() {
            "U8" => 1,
            "F64" => 8,
            _ => 4,
        };
        let words = self.data.len() / 4;
        match chance.below(4) {
            0 if words > 0 => {
                let word = (*chance.of(&NUMBERS) as u32).to_le_bytes();
                self.data[4 * chance.below(words)..][..4].copy_from_slice(&word);
            }
            1 => self.shape.reverse(),
            2 => {
                let length = self.data.len();
                self.data = mutated(std::mem::take(&mut self.data), 0);
                self.data.resize(length, 0);
            }
            _ => {
                self.data = mutated(std::mem::take(&mut self.data), 64);
                // Whole rows, so that the shape stays valid.
                let row = self.shape.iter().skip(1).product::<usize>().max(1) * size;
                self.data.truncate(self.data.len() / row * row);
                if let Some(rows) = self.shape.first_mut() {
                    *rows = self.data.len() / row;
                }
            }
        }
    }
}

/// All numbers of a JSON value.
fn collect<'a>(value: &'a mut Value, numbers: &mut Vec<&'a mut Value>) {
    match value {
        Value::Number(_) => numbers.push(value),
        Value::Array(list) => list.iter_mut().for_each(|value| collect(value, numbers)),
        Value::Object(map) => map.values_mut().for_each(|value| collect(value, numbers)),
        _ => {}
    }
}
