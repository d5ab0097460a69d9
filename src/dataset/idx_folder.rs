//! The four IDX files of an MNIST-like set, from a folder to [`DataSplits`] or [`Pictures`].

use std::path::{Path, PathBuf};

use super::idx::{IdxImages, read_images, read_labels, violation};
use super::{DataSplits, Pictures, idx_names};
use crate::{Error, Result, host, threads};

/// Images and labels to train on.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
/// Images and labels to test on.
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Reads training and test set from a folder with the four files of MNIST.
///
/// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each plain or with
/// `.gz` appended to its name; if both exist, the one without `.gz` is read. Names such as `train-images.idx3-ubyte` and
/// `emnist-letters-test-labels-idx1-ubyte` are found, too, if only one file fits.
/// Pixels are scaled from 0..=255 to 0..=1. The class count is one more than the
/// largest training label, and at least 2.
///
/// # Errors
/// [`Error::Dataset`] naming the missing files and those that are there; [`Error::Io`] and [`Error::Data`] as for [`read_images`];
/// [`Error::Data`] when images and labels differ in number, training and test
/// images in size, or a test label is not a class of the training set.
pub fn load_idx_folder(dir: impl AsRef<Path>) -> Result<DataSplits> {
    let dir = dir.as_ref();
    let [train_images, train_labels, test_images, test_labels] =
        find_files(dir, [TRAIN[0], TRAIN[1], TEST[0], TEST[1]])?;
    let (train, test) = threads::run(|| {
        rayon::join(|| Half::read(train_images, train_labels), || Half::read(test_images, test_labels))
    });
    let (train, test) = (train?, test?);
    check_same_size(&train, &test)?;
    let class_count = class_count(&train.labels_path, &train.labels)?;
    check_test_labels(&test.labels_path, &test.labels, class_count)?;
    let [train_pixels, test_pixels] = [&train, &test].map(|half| half.images.pixels.len());
    host::require(&format!("the data set in {}", dir.display()), features_bytes(train_pixels, test_pixels))?;
    // One after another, so that the bytes of both and the features of both are not in memory together.
    let train = train.into_pictures(class_count)?.into();
    Ok(DataSplits { train, test: test.into_pictures(class_count)?.into() })
}

/// Memory of features in addition to the pixels that they are made of: those of the training set are freed before the features of the
/// test set are made.
fn features_bytes(train: usize, test: usize) -> f64 {
    let each = size_of::<f32>();
    (each * train).max(each * (train + test) - train) as f64
}

/// Reads only the training set of such a folder, as bytes; the two other files need not exist.
///
/// `Dataset::from` returns exactly the training set of [`load_idx_folder`].
///
/// # Errors
/// As [`load_idx_folder`], for the two files.
pub fn load_idx_training(dir: impl AsRef<Path>) -> Result<Pictures> {
    let dir = dir.as_ref();
    let [images, labels] = find_files(dir, TRAIN)?;
    let train = threads::run(|| Half::read(images, labels))?;
    let class_count = class_count(&train.labels_path, &train.labels)?;
    train.into_pictures(class_count)
}

/// Images and their labels, as two files hold them.
struct Half {
    images_path: PathBuf,
    images: IdxImages,
    labels_path: PathBuf,
    labels: Vec<u8>,
}

impl Half {
    /// Reads both files on the threads of the caller's pool.
    fn read(images_path: PathBuf, labels_path: PathBuf) -> Result<Self> {
        let (images, labels) = rayon::join(|| read_images(&images_path), || read_labels(&labels_path));
        let (images, labels) = (images?, labels?);
        check_counts(&images_path, &images, &labels_path, &labels)?;
        Ok(Self { images_path, images, labels_path, labels })
    }

    fn into_pictures(self, class_count: usize) -> Result<Pictures> {
        let IdxImages { rows, columns, pixels, .. } = self.images;
        Pictures::new(pixels, [rows, columns], self.labels.into_iter().map(u32::from).collect(), class_count)
    }
}

/// Bytes before the first label: magic number and count.
const LABELS_HEADER: usize = 8;

/// The default data.
pub(crate) const USUAL: &str = "data/fashion-mnist";

/// The paths of files of these names.
fn find_files<const COUNT: usize>(dir: &Path, names: [&str; COUNT]) -> Result<[PathBuf; COUNT]> {
    if !dir.try_exists().map_err(|error| Error::io(dir, error))? {
        let names = names.join(", ");
        if dir == Path::new(USUAL) {
            return Err(Error::Dataset(format!(
                "Fashion-MNIST, the data of a run that names none, is not here: there is no folder {USUAL}; name a table or \
                 a folder of yours (`data`), or start in a checkout of Tanner's repository, which has it"
            )));
        }
        return Err(Error::Dataset(format!(
            "folder {} does not exist; looked there for {names}, each with or without .gz",
            dir.display()
        )));
    }
    idx_names::find(dir, names)
}

/// Refuses test images of another size than the training images.
fn check_same_size(train: &Half, test: &Half) -> Result<()> {
    let shape = |half: &Half| [half.images.rows, half.images.columns];
    let (train_shape, test_shape) = (shape(train), shape(test));
    if train_shape == test_shape {
        return Ok(());
    }
    let offset = if train_shape[0] == test_shape[0] { 12 } else { 8 };
    Err(violation(
        &test.images_path,
        offset,
        format!(
            "test images of {} x {} pixels, expected the {} x {} of the training images in {}",
            test_shape[0],
            test_shape[1],
            train_shape[0],
            train_shape[1],
            train.images_path.display()
        ),
    ))
}

fn check_counts(images_path: &Path, images: &IdxImages, labels_path: &Path, labels: &[u8]) -> Result<()> {
    if labels.len() == images.count {
        return Ok(());
    }
    // The count follows the magic number.
    let offset = 4;
    let reason = format!(
        "{} labels, expected {}, one for each image in {}",
        labels.len(),
        images.count,
        images_path.display()
    );
    Err(violation(labels_path, offset, reason))
}

/// One more than the largest training label, at least 2; warns of labels in between that no sample has, and refuses
/// a largest one that leaves most of them without samples.
fn class_count(path: &Path, labels: &[u8]) -> Result<usize> {
    let largest = labels.iter().max().copied().unwrap_or(0);
    let unused = (0..=largest).filter(|label| !labels.contains(label)).count();
    if 2 * unused > usize::from(largest) + 1 {
        let place = labels.iter().position(|label| *label == largest).unwrap_or(0);
        let samples = labels.iter().filter(|label| **label == largest).count();
        let reason = format!(
            "label {largest} (of {samples} samples) makes {} classes, of which {unused} have no sample: correct it if it is wrong, \
             else renumber the labels from 0 without gaps",
            usize::from(largest) + 1
        );
        return Err(violation(path, (LABELS_HEADER + place) as u64, reason));
    }
    if unused > 0 {
        log::warn!(
            "{}: no sample has {unused} of the labels 0 to {largest}; is a label wrong?",
            path.display()
        );
    }
    Ok((usize::from(largest) + 1).max(2))
}

/// Refuses test labels of classes that the training set does not have.
fn check_test_labels(path: &Path, labels: &[u8], class_count: usize) -> Result<()> {
    match labels.iter().position(|label| usize::from(*label) >= class_count) {
        None => Ok(()),
        Some(place) => Err(violation(
            path,
            (LABELS_HEADER + place) as u64,
            format!("label {}, expected 0 to {} as in the training set", labels[place], class_count - 1),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pixels_of_the_training_set_make_room() {
        // While the training features are made, and after the test features are made.
        assert_eq!(features_bytes(600, 100), 2400.0);
        assert_eq!(features_bytes(100, 600), 2700.0);
    }
}
