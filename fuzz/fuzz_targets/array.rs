//! Mutations of numpy's arrays and archives that leave headers and checksums right.

use std::io::{Cursor, Read, Write};

use tanner::dataset::table::Format;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::chance::{Chance, mutated, replace};

/// Types of elements and their bytes.
const ELEMENTS: [(&str, usize); 12] = [
    ("|b1", 1),
    ("|i1", 1),
    ("|u1", 1),
    (">i2", 2),
    ("<u4", 4),
    ("<i8", 8),
    (">u8", 8),
    ("<f4", 4),
    (">f8", 8),
    ("<f2", 2),
    ("<U2", 8),
    ("|S3", 3),
];
/// Bytes before the header of version 1.0.
const START: usize = 10;

/// The mutation for `fuzz_mutator!`; the first byte is not part of the file.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, format: Format) -> usize {
    let change = if format == Format::Npz { change_archive } else { change_array };
    let mut chance = Chance::new(seed);
    let plain = chance.below(4) == 0;
    let file = data[..size].split_first().filter(|_| !plain);
    let mutation =
        file.and_then(|(choice, file)| Some([&[*choice], &change(file, &mut chance)?[..]].concat()));
    replace(data, size, max_size, mutation)
}

/// An array with other numbers, or with another type and shape that fit them; none if it is not an array.
fn change_array(bytes: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_le_bytes([*bytes.get(8)?, *bytes.get(9)?]));
    let (header, data) = bytes.split_at_checked(START + length)?;
    if chance.below(2) == 0 {
        let size = data.len();
        let mut data = mutated(data.to_vec(), 0);
        data.resize(size, 0);
        return Some([header, &data].concat());
    }
    let data = mutated(data.to_vec(), 256);
    let (element, size) = chance.of(&ELEMENTS);
    let values = data.len() / size;
    let width = 1 + chance.below(8.min(values.max(1)));
    let rows = values / width;
    let shape = match chance.below(4) {
        0 => format!("({rows}, {width}, 1)"),
        1 => format!("({rows},)"),
        _ => format!("({rows}, {width})"),
    };
    let count = if shape.ends_with(",)") { rows } else { rows * width };
    let header = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).ok()?.to_le_bytes();
    Some([b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &data[..count * size]].concat())
}

/// An archive with one array changed; none if it is not an archive.
fn change_archive(bytes: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let changed = chance.below(archive.len().clamp(1, 100));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let method = *chance.of(&[CompressionMethod::Stored, CompressionMethod::Deflated]);
    let options = SimpleFileOptions::default().compression_method(method);
    for place in 0..archive.len().min(100) {
        let (mut name, mut content) = (String::new(), Vec::new());
        if let Ok(file) = archive.by_index(place) {
            name = file.name().ok()?.into_owned();
            // An entry that declares a wrong size is cut.
            let _ = file.take(1 << 16).read_to_end(&mut content);
        }
        if place == changed {
            content = change_array(&content, chance).unwrap_or(content);
            if chance.below(8) == 0 {
                name = (*chance.of(&["x", "y.npy", "X_train.npy", "y_train", "x_test.npy", "y_test.npy"]))
                    .into();
            }
        }
        writer.start_file(name, options).ok()?;
        writer.write_all(&content).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}
