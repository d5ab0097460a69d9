//! Recognises other files given as a model.

/// Why these bytes are not a model, if their kind is known.
pub(super) fn in_place_of_a_model(bytes: &[u8]) -> Option<String> {
    kind(bytes).map(|kind| format!("not a safetensors file, but {kind}"))
}

/// The kind of a file, and how to get a model instead; `None` if its first bytes are unknown.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let start = &bytes[..bytes.len().min(4096)];
    let has = |part: &[u8]| start.windows(part.len()).any(|window| window == part);
    let text: Vec<u8> = start.trim_ascii_start().iter().take(64).map(u8::to_ascii_lowercase).collect();
    let kind = match start {
        _ if start.starts_with(b"version https://git-lfs") => {
            "a Git LFS pointer instead of the file: `git lfs pull` fetches it"
        }
        _ if text.starts_with(b"<!doctype") || text.starts_with(b"<html") || text.starts_with(b"<?xml") => {
            "an HTML page, as servers give for an error or a login: download the file itself"
        }
        [0x1f, 0x8b, ..] => "a gzip archive: unpack it with gunzip",
        [b'P', b'K', 3, 4, ..] if has(b"data.pkl") || has(b"/version") => {
            "a PyTorch file: train a model with tanner, only its own files can be read"
        }
        [b'P', b'K', 3, 4, ..] if has(b".npy") => {
            "an NPZ archive of arrays: `data` takes it, a model is model.safetensors"
        }
        [b'P', b'K', 3, 4, ..] => "a zip archive: unpack it",
        [0x80, 2..=5, ..] => "a Python pickle, perhaps of PyTorch: only models that tanner wrote can be read",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            "an NPY array: `data` takes it, a model is model.safetensors"
        }
        [0x89, b'H', b'D', b'F', ..] => {
            "an HDF5 file, perhaps of Keras: only models that tanner wrote can be read"
        }
        [b'G', b'G', b'U', b'F', ..] => "a GGUF file: only models that tanner wrote can be read",
        [b'P', b'A', b'R', b'1', ..] => "a Parquet table: `data` takes it, a model is model.safetensors",
        // The version of the format, then a text: the beginning of every exporter's files.
        [8, 1..=20, 0x12 | 0x1a | 0x22 | 0x2a | 0x32 | 0x3a | 0x42, ..] => {
            "an ONNX file, which tanner writes but does not read: take the model.safetensors it was made from"
        }
        _ if text.starts_with(b"{") => "JSON: take the model.safetensors next to it",
        _ if is_text(start) => "a text file: a model is the model.safetensors of a run",
        _ => return None,
    };
    Some(kind)
}

/// Whether all of these bytes are text; the last character may be cut.
fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => "",
    };
    !text.is_empty() && text.chars().all(|letter| !letter.is_control() || letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_kinds_are_called_by_their_names() {
        for (bytes, name) in [
            (&b"version https://git-lfs.github.com/spec/v1\noid"[..], "Git LFS"),
            (b"\n <!DOCTYPE html><html>", "HTML"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"PK\x03\x04....archive/data.pkl", "PyTorch"),
            (b"PK\x03\x04....x.npy", "NPZ"),
            (b"PK\x03\x04....x.txt", "zip"),
            (b"\x80\x02}q", "pickle"),
            (b"\x93NUMPY\x01", "NPY"),
            (b"\x08\x07\x12\x06tanner", "ONNX"),
            (b"a,b,label\n1,2,x\n", "a text file"),
            ("größer".as_bytes().split_at(4).0, "a text file"),
            (b"{\n  \"settings\"", "JSON"),
        ] {
            assert!(kind(bytes).is_some_and(|kind| kind.contains(name)), "{name}: {:?}", kind(bytes));
        }
        assert_eq!(kind(b"\x01\x02\0some text"), None);
        assert_eq!(kind(&[]), None);
    }
}
