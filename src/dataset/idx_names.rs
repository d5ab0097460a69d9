//! The names of IDX files in a folder: those of MNIST, and the ways in which other programs write them.

use std::path::{Path, PathBuf};

use super::table::Format;
use crate::text::shell_word;
use crate::{Error, Result};

/// Files of a folder that a message lists.
const LISTED: usize = 12;

/// The paths of the files with these names of MNIST: by the name itself, with or without `.gz`, otherwise the only
/// file that is called so but for other separators, words in front, and `test` for `t10k`.
///
/// # Errors
/// [`Error::Dataset`] with the names that are missing and the files that are there.
pub(super) fn find<const COUNT: usize>(dir: &Path, names: [&str; COUNT]) -> Result<[PathBuf; COUNT]> {
    let mut files = Vec::new();
    for entry in dir.read_dir().map_err(|error| Error::io(dir, error))? {
        let entry = entry.map_err(|error| Error::io(dir, error))?;
        files.push(entry.file_name().to_string_lossy().into_owned());
    }
    files.sort();
    let mut missing = Vec::new();
    let paths = names.map(|name| {
        let exact = [name.to_owned(), format!("{name}.gz")].into_iter().find(|one| files.contains(one));
        let found = exact.map_or_else(|| alike(name, &files), |exact| vec![exact]);
        match found.as_slice() {
            [only] => dir.join(only),
            several => {
                let which = if several.is_empty() {
                    String::new()
                } else {
                    format!(" (is it {}?)", several.join(" or "))
                };
                missing.push(format!("{name}{which}"));
                PathBuf::new()
            }
        }
    });
    if missing.is_empty() {
        return Ok(paths);
    }
    let hint = hint(dir, &files);
    let there = match files.len() {
        0 => "it is empty".to_owned(),
        _ => format!("it holds {}", super::table::listed(files, LISTED)),
    };
    Err(Error::Dataset(format!(
        "folder {} lacks {}, plain or with .gz; {there}{hint}",
        dir.display(),
        missing.join(", ")
    )))
}

/// What to do about a folder of other files.
fn hint(dir: &Path, files: &[String]) -> String {
    let is_table = |file: &&String| Format::of_path(file).is_some() && !file.ends_with(".txt");
    let table = files.iter().find(is_table).filter(|_| !files.iter().any(|file| file.contains("idx")));
    let is_picture = |file: &String| {
        let name = file.to_ascii_lowercase();
        [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    match table {
        Some(table) => format!("; name the table itself, such as {}", shell_word(&dir.join(table).to_string_lossy())),
        None if files.iter().any(is_picture) => {
            "; pictures of other formats must first become an array, numpy.savez(\"t.npz\", x=x, y=y) with x of shape \
             [pictures, rows, columns]"
                .to_owned()
        }
        None => String::new(),
    }
}

/// The files that are called like this but for separators and what precedes it; of a plain and a gzipped one, the plain one.
fn alike(name: &str, files: &[String]) -> Vec<String> {
    let wanted = [key(name), key(name).replace("t10k", "test")];
    let is_called = |file: &&String| {
        let file = key(file);
        wanted.iter().any(|wanted| {
            file.strip_suffix(wanted.as_str()).is_some_and(|front| {
                front.is_empty() || front.ends_with(|c: char| !c.is_ascii_alphanumeric())
            })
        })
    };
    let found: Vec<String> = files.iter().filter(is_called).cloned().collect();
    let is_plain_there =
        |file: &String| file.strip_suffix(".gz").is_some_and(|plain| found.iter().any(|one| one == plain));
    found.iter().filter(|file| !is_plain_there(file)).cloned().collect()
}

/// A name in lower case, without `.gz` and `-ubyte`, with hyphens as separators.
fn key(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace(['.', '_', ' '], "-");
    let name = name.strip_suffix("-gz").unwrap_or(&name);
    name.strip_suffix("-ubyte").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    fn found(files: &[&str]) -> std::result::Result<[String; 2], String> {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|file| std::fs::write(folder.path().join(file), "").unwrap());
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        find(folder.path(), NAMES).map(|paths| paths.map(name)).map_err(|error| error.to_string())
    }

    #[test]
    fn other_spellings_of_the_names_are_found() {
        for files in [
            NAMES,
            ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"],
            ["train-images.idx3-ubyte", "t10k-labels.idx1-ubyte"],
            ["emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"],
            ["train_images.idx3", "test_labels.idx1"],
        ] {
            assert_eq!(found(&files), Ok(files.map(str::to_owned)));
        }
        // The exact name wins, and a plain file over a gzipped one.
        let both = ["x-train-images-idx3-ubyte", NAMES[0], NAMES[1], "train-images-idx3-ubyte.gz"];
        assert_eq!(found(&both), Ok(NAMES.map(str::to_owned)));
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let message = found(&["train-images-idx3-ubyte", "notes.txt"]).unwrap_err();
        assert!(
            message.contains("lacks t10k-labels-idx1-ubyte, plain or with .gz; it holds notes.txt, train-"),
            "{message}"
        );
        assert!(found(&[]).unwrap_err().contains("it is empty"));
        assert!(found(&["a b.csv", "notes"]).unwrap_err().contains("name the table itself, such as '/"));
        assert!(found(&["1.PNG"]).unwrap_err().contains("must first become an array"));
        let two = found(&["a-train-images-idx3-ubyte", "b-train-images-idx3-ubyte", NAMES[1]]).unwrap_err();
        assert!(two.contains("(is it a-train-images-idx3-ubyte or b-train-images-idx3-ubyte?)"), "{two}");
        assert!(found(&["untrain-images-idx3-ubyte", NAMES[1]]).is_err());
    }
}
