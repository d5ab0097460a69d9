//! What a file really is, by its first bytes.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::Format;

/// The beginning of gzip.
pub(super) const GZIP: &[u8] = b"\x1f\x8b";
/// Bytes that are examined.
const LENGTH: usize = 64;
/// Bytes of decompressed gzip that are examined.
const UNPACKED: u64 = 512;
/// Bytes of a zip archive in which the names of Excel's files are looked for.
const ZIP: u64 = 1 << 16;
/// The beginnings of files that are no tables that this program reads, and what such files are.
const OTHERS: [(&[u8], &str); 20] = [
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file: save the table as CSV or Parquet"),
    (b"SQLite f", "an SQLite database: export the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save the sheet as CSV"),
    (b"ARROW1", "an Arrow (Feather) file: save the table as Parquet or CSV"),
    (b"BZh", "compressed with bzip2: decompress it first"),
    (b"\xfd7zXZ", "compressed with xz: decompress it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive: extract the table first"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x7fELF", "a program"),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04\x95", PICKLE),
    (b"\x80\x05\x95", PICKLE),
    (b"{\"", JSON),
    (b"[{", JSON),
    (b"[\n", JSON),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: fetch that with git lfs pull"),
];

const PICKLE: &str = "a pickle of Python: save the table with df.to_csv(\"t.csv\", index=False)";
const JSON: &str = "JSON: save the table as CSV, such as pandas.read_json(..).to_csv(\"t.csv\", index=False)";
/// The beginnings of texts that are no tables, in lower case.
const TEXTS: [(&[u8], &str); 4] = [
    (b"<!doctype", HTML),
    (b"<html", HTML),
    (b"<?xml", "XML: save the table as CSV"),
    (
        b"@relation",
        "an ARFF file of Weka: remove the lines up to @data, and name the columns in one line of their names",
    ),
];
const HTML: &str = "a page of HTML, not a table: was the download refused or redirected?";

/// What a text is that is no table.
fn other_text(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().to_ascii_lowercase();
    TEXTS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, what)| *what)
}

/// Whether the content of gzip is text.
fn holds_text(file: &mut File) -> bool {
    let mut bytes = Vec::new();
    let read = file
        .rewind()
        .and_then(|()| MultiGzDecoder::new(io::BufReader::new(file)).take(UNPACKED).read_to_end(&mut bytes));
    read.is_ok() && !bytes.is_empty() && !bytes.contains(&0)
}

impl Format {
    /// The format of an existing file by its first bytes, otherwise by its name; a pipe is text.
    ///
    /// # Errors
    /// What the file is, if no reader takes it.
    #[doc(hidden)]
    pub fn of_file(path: impl AsRef<Path>) -> Result<Option<Self>, String> {
        let path = path.as_ref();
        let named = Self::of_path(path);
        let Ok(about) = path.metadata() else { return Ok(named) };
        if !about.is_file() {
            let is_pipe = !about.is_dir();
            return Ok(named.or(is_pipe.then_some(Self::Csv)));
        }
        let Ok(mut file) = File::open(path) else { return Ok(named) };
        let mut first = Vec::new();
        if file.by_ref().take(LENGTH as u64).read_to_end(&mut first).is_err() {
            return Ok(named);
        }
        let refuse = |what: &str| Err(format!("{} is {what}", path.display()));
        match first.as_slice() {
            [b'P', b'A', b'R', b'1', ..] => Ok(Some(Self::Parquet)),
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Some(Self::Npy)),
            [b'P', b'K', 3, 4, ..] => match zip_content(&mut file) {
                _ if named == Some(Self::Npz) => Ok(named),
                Zip::Arrays => Ok(Some(Self::Npz)),
                Zip::Workbook => refuse("an Excel workbook (.xlsx): save the sheet as CSV"),
                Zip::Other => refuse("a zip archive: extract the table first"),
            },
            // Only text tables are decompressed.
            bytes if bytes.starts_with(GZIP) && named.is_none() => {
                Ok(holds_text(&mut file).then_some(Self::Csv))
            }
            bytes => match OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
                Some((_, what)) => refuse(what),
                None => other_text(bytes).map_or(Ok(named), refuse),
            },
        }
    }

    /// A file of this format, in words.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Csv => "a text table",
            Self::Npy => "an array of numpy (NPY)",
            Self::Npz => "an archive of numpy (NPZ)",
            Self::Parquet => "a Parquet file",
        }
    }
}

/// What a zip archive holds.
enum Zip {
    Arrays,
    Workbook,
    Other,
}

fn zip_content(file: &mut File) -> Zip {
    let mut bytes = Vec::new();
    let mut read = |from| {
        let moved = file.seek(from).is_ok();
        moved && file.by_ref().take(ZIP).read_to_end(&mut bytes).is_ok()
    };
    // Names are at the beginning and, all of them, at the end.
    let length = read(SeekFrom::Start(0)) && (read(SeekFrom::End(-(1 << 16))) || read(SeekFrom::Start(0)));
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    match length {
        true if has(b"xl/workbook") || has(b"[Content_Types].xml") => Zip::Workbook,
        true if has(b".npy") => Zip::Arrays,
        _ => Zip::Other,
    }
}

/// The bytes of a reader, decompressed if they are gzip.
///
/// # Errors
/// Those of reading the first two bytes.
#[doc(hidden)]
pub fn decompressed(mut bytes: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut first = Vec::new();
    bytes.by_ref().take(GZIP.len() as u64).read_to_end(&mut first)?;
    let is_gzip = first == GZIP;
    let whole = io::Cursor::new(first).chain(bytes);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(io::BufReader::new(whole))) } else { Box::new(whole) })
}
