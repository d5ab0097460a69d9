//! Pictures to test on: the few of Fashion-MNIST that come with the tests, and as many as a test wants, made of those.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tanner::dataset::idx::{read_images, read_labels};

/// The folder with the first 300 training and the first 100 test pictures of Fashion-MNIST.
pub fn few_pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fashion-mnist")
}

/// Writes images and labels of the part `train` or `t10k` to `folder`: the pictures of [`few_pictures`] again and again,
/// moved by one pixel more each time.
pub fn write_pictures(folder: &Path, part: &str, count: usize) {
    let [images, labels] = ["images-idx3", "labels-idx1"].map(|kind| format!("{part}-{kind}-ubyte"));
    let known = read_images(few_pictures().join(format!("{images}.gz"))).unwrap();
    let known_labels = read_labels(few_pictures().join(format!("{labels}.gz"))).unwrap();
    let header = |sizes: &[usize]| {
        let mut bytes = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
        bytes.extend(sizes.iter().flat_map(|&size| u32::try_from(size).unwrap().to_be_bytes()));
        bytes
    };
    // One picture at a time: tests measure the memory of what comes after.
    let mut file = BufWriter::new(File::create(folder.join(images)).unwrap());
    file.write_all(&header(&[count, known.rows, known.columns])).unwrap();
    let size = known.rows * known.columns;
    for sample in 0..count {
        let at = sample % known.count * size;
        let mut picture = known.pixels[at..at + size].to_vec();
        picture.rotate_right(sample / known.count % size);
        file.write_all(&picture).unwrap();
    }
    file.flush().unwrap();
    let repeated = known_labels.iter().cycle().take(count);
    let content: Vec<u8> = header(&[count]).into_iter().chain(repeated.copied()).collect();
    fs::write(folder.join(labels), content).unwrap();
}
