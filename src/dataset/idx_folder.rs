//! The four IDX files of an MNIST-like set, from a folder to [`DataSplits`].

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::idx::{IdxImages, read_images, read_labels, violation};
use super::{DataSplits, Dataset};
use crate::{Error, Result};

/// The four files, in the order train images, train labels, test images, test labels.
const FILE_NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Reads training and test set from a folder with the four files of MNIST.
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each as it is or with
/// `.gz` behind its name; where both are there, the one without `.gz` is read.
/// Pixels are scaled from 0..=255 to 0..=1. The class count is one more than the
/// largest label of both label files, and at least 2.
///
/// # Errors
/// [`Error::Dataset`] naming every path that was looked for when files are
/// missing; [`Error::Io`] and [`Error::Data`] as for [`read_images`];
/// [`Error::Data`] when images and labels differ in number, or training and test
/// images in size.
pub fn load_idx_folder(dir: &Path) -> Result<DataSplits> {
    let paths = find_files(dir)?;
    let [train_images_path, train_labels_path, test_images_path, test_labels_path] = &paths;
    let ((train_images, train_labels), (test_images, test_labels)) = rayon::join(
        || rayon::join(|| read_images(train_images_path), || read_labels(train_labels_path)),
        || rayon::join(|| read_images(test_images_path), || read_labels(test_labels_path)),
    );
    let (train_images, train_labels) = (train_images?, train_labels?);
    let (test_images, test_labels) = (test_images?, test_labels?);
    check_counts(train_images_path, &train_images, train_labels_path, &train_labels)?;
    check_counts(test_images_path, &test_images, test_labels_path, &test_labels)?;
    let train_shape = [train_images.rows, train_images.columns];
    let test_shape = [test_images.rows, test_images.columns];
    if train_shape != test_shape {
        let offset = if train_shape[0] == test_shape[0] { 12 } else { 8 };
        return Err(violation(
            test_images_path,
            offset,
            format!(
                "test images of {} x {} pixels, expected the {} x {} of the training images in {}",
                test_shape[0],
                test_shape[1],
                train_shape[0],
                train_shape[1],
                train_images_path.display()
            ),
        ));
    }
    let class_count = class_count(train_labels_path, &train_labels);
    check_test_labels(test_labels_path, &test_labels, class_count)?;
    Ok(DataSplits {
        train: to_dataset(train_images, &train_labels, class_count)?,
        test: to_dataset(test_images, &test_labels, class_count)?,
    })
}

/// The paths of the four files, in the order of [`FILE_NAMES`].
fn find_files(dir: &Path) -> Result<[PathBuf; 4]> {
    if !dir.try_exists().map_err(|error| Error::io(dir, error))? {
        let names = FILE_NAMES.join(", ");
        return Err(Error::Dataset(format!(
            "folder {} does not exist; looked there for {names}, each with or without .gz",
            dir.display()
        )));
    }
    let mut missing = Vec::new();
    let mut paths = FILE_NAMES.map(|name| dir.join(name));
    for path in &mut paths {
        let mut compressed = path.clone().into_os_string();
        compressed.push(".gz");
        let compressed = PathBuf::from(compressed);
        if path.try_exists().map_err(|error| Error::io(path.clone(), error))? {
            continue;
        }
        if compressed.try_exists().map_err(|error| Error::io(compressed.clone(), error))? {
            *path = compressed;
        } else {
            missing.push(format!("neither {} nor {} exists", path.display(), compressed.display()));
        }
    }
    if missing.is_empty() { Ok(paths) } else { Err(Error::Dataset(missing.join("; "))) }
}

fn check_counts(images_path: &Path, images: &IdxImages, labels_path: &Path, labels: &[u8]) -> Result<()> {
    if labels.len() == images.count {
        return Ok(());
    }
    // The count stands right behind the magic number.
    let offset = 4;
    let reason = format!(
        "{} labels, expected {}, one for each image in {}",
        labels.len(),
        images.count,
        images_path.display()
    );
    Err(violation(labels_path, offset, reason))
}

/// One more than the largest training label, at least 2; labels between that no sample has are worth a warning.
fn class_count(path: &Path, labels: &[u8]) -> usize {
    let largest = labels.iter().max().copied().unwrap_or(0);
    let unused = (0..=largest).filter(|label| !labels.contains(label)).count();
    if unused > 0 {
        log::warn!(
            "{}: no sample has {unused} of the labels 0 to {largest}; is a label wrong?",
            path.display()
        );
    }
    (usize::from(largest) + 1).max(2)
}

/// Refuses test labels of classes that the training set does not have.
fn check_test_labels(path: &Path, labels: &[u8], class_count: usize) -> Result<()> {
    /// Bytes before the first label: magic number and count.
    const HEADER: usize = 8;
    match labels.iter().position(|label| usize::from(*label) >= class_count) {
        None => Ok(()),
        Some(place) => Err(violation(
            path,
            (HEADER + place) as u64,
            format!("label {}, expected 0 to {} as in the training set", labels[place], class_count - 1),
        )),
    }
}

fn to_dataset(images: IdxImages, labels: &[u8], class_count: usize) -> Result<Dataset> {
    let IdxImages { rows, columns, pixels, .. } = images;
    let features = pixels.par_iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let labels = labels.iter().copied().map(u32::from).collect();
    Dataset::new(features, rows * columns, labels, class_count)?.with_image_shape([rows, columns])
}
