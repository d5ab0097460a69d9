//! Every way in which an IDX file can be wrong, and data sets that make no sense.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tanner::Error;
use tanner::dataset::idx::{IdxImages, read_images, read_labels};
use tanner::dataset::{Dataset, Pictures, Samples, load_idx_folder, load_idx_training};
use tempfile::TempDir;

/// An IDX file of unsigned bytes.
fn idx(dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let mut content = vec![0, 0, 8, u8::try_from(dimensions.len()).unwrap()];
    content.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    content.extend_from_slice(values);
    content
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Images 2 x 2 x 3 with the values 0..12.
fn good_images() -> Vec<u8> {
    idx(&[2, 2, 3], &(0..12).collect::<Vec<u8>>())
}

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// One line of [`Error::Data`] at `offset` of the file `name`, with all of `parts` in it.
#[track_caller]
fn assert_violation<T: std::fmt::Debug>(result: tanner::Result<T>, name: &str, offset: u64, parts: &[&str]) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(matches!(&error, Error::Data { offset: found, .. } if *found == offset), "{message}");
    assert!(message.contains(&format!("{name}, byte {offset}: ")) && !message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

/// The violation must be reported equally for plain and compressed content.
#[track_caller]
fn assert_image_violation(content: &[u8], offset: u64, parts: &[&str]) {
    for bytes in [content.to_vec(), gzip(content)] {
        let (_dir, path) = written(&bytes);
        assert_violation(read_images(&path), "file", offset, parts);
    }
}

#[test]
fn good_files_are_read_plain_and_compressed() {
    let two_members = [gzip(&good_images()[..9]), gzip(&good_images()[9..])].concat();
    for bytes in [good_images(), gzip(&good_images()), two_members] {
        let (_dir, path) = written(&bytes);
        let expected = IdxImages { count: 2, rows: 2, columns: 3, pixels: (0..12).collect() };
        assert_eq!(read_images(&path).unwrap(), expected);
    }
    let (_dir, path) = written(&idx(&[3], &[4, 0, 255]));
    assert_eq!(read_labels(&path).unwrap(), [4, 0, 255]);
}

#[test]
fn empty_content() {
    assert_image_violation(&[], 0, &["ends after 0 bytes", "4 bytes of an IDX magic number"]);
}

#[test]
fn wrong_magic_number() {
    assert_image_violation(b"\x89PNG....", 0, &["0x89 0x50", "two zero bytes"]);
    assert_image_violation(&[0, 7, 8, 3], 1, &["0x00 0x07", "two zero bytes"]);
    assert_image_violation(&[0, 0, 8], 3, &["ends after 3 bytes", "4 bytes"]);
}

#[test]
fn wrong_type_code() {
    let mut content = good_images();
    content[2] = 0x0d;
    assert_image_violation(&content, 2, &["0x0d", "0x08"]);
}

#[test]
fn wrong_number_of_dimensions() {
    assert_image_violation(&idx(&[1, 1], &[0]), 3, &["dimensions is 2", "expected 3"]);
}

#[test]
fn images_and_labels_swapped() {
    assert_image_violation(&idx(&[2], &[0, 1]), 3, &["1 (a label file)", "3 (an image file)"]);
    let (_dir, path) = written(&good_images());
    assert_violation(read_labels(&path), "file", 3, &["3 (an image file)", "1 (a label file)"]);
}

#[test]
fn truncated_header() {
    assert_image_violation(&good_images()[..10], 10, &["ends after 10 bytes", "3 dimensions"]);
}

#[test]
fn dimension_of_zero() {
    assert_image_violation(&idx(&[2, 0, 3], &[]), 8, &["dimension 0", "at least 1"]);
}

#[test]
fn absurd_dimensions() {
    assert_image_violation(&idx(&[u32::MAX; 3], &[]), 4, &["4294967295", "at most 1073741824"]);
    assert_image_violation(&idx(&[1 << 20, 1 << 10, u32::MAX], &[]), 12, &["at most 1073741824"]);
    // Allowed, but missing: nothing may be allocated for it.
    assert_image_violation(
        &idx(&[1 << 20, 1 << 5, 1 << 5], &[1]),
        17,
        &["ends after 17 bytes", "1073741840"],
    );
}

#[test]
fn truncated_values() {
    assert_image_violation(&good_images()[..20], 20, &["ends after 20 bytes", "expected 28 (12 values"]);
}

#[test]
fn trailing_bytes() {
    let content = [good_images(), vec![1]].concat();
    assert_image_violation(&content, 28, &["more bytes follow", "end after 12 values"]);
}

#[test]
fn decompression_stops_at_the_announced_end() {
    let bomb = [good_images(), vec![0; 64 << 20]].concat();
    let (_dir, path) = written(&gzip(&bomb));
    assert_violation(read_images(&path), "file", 28, &["more bytes follow"]);
}

#[test]
fn damaged_gzip_streams() {
    let pixels: Vec<u8> = (0..2000_u32).map(|i| u8::try_from(i * i % 251).unwrap()).collect();
    let good = gzip(&idx(&[20, 10, 10], &pixels));
    let truncated = &good[..good.len() / 2];
    let (_dir, path) = written(truncated);
    let error = read_images(&path).unwrap_err();
    assert!(matches!(error, Error::Data { offset: 16..2016, .. }), "{error:?}");
    assert!(
        error.to_string().contains("gzip stream is damaged, cut off or followed by other bytes here"),
        "{error}"
    );

    let mut wrong_sum = good.clone();
    let at = good.len() - 8;
    wrong_sum[at] ^= 1;
    let garbage_behind = [good.clone(), b"garbage behind".to_vec()].concat();
    let short_garbage_behind = [good.clone(), vec![7]].concat();
    let no_trailer = good[..good.len() - 8].to_vec();
    for damaged in [wrong_sum, garbage_behind, short_garbage_behind, no_trailer] {
        let (_dir, path) = written(&damaged);
        assert_violation(read_images(&path), "file", 2016, &["gzip stream", "expected its end"]);
    }
    let (_dir, path) = written(&good[..2]);
    assert_violation(read_images(&path), "file", 0, &["gzip stream", "expected 4 more bytes"]);
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// A folder with two images of 2 x 3 pixels in each part, changed by `change`.
fn folder(change: impl FnOnce(&mut [Vec<u8>; 4])) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let labels = idx(&[2], &[0, 3]);
    let mut contents = [good_images(), labels.clone(), good_images(), labels];
    change(&mut contents);
    for (name, content) in NAMES.iter().zip(&contents) {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[test]
fn folder_of_plain_files() {
    let dir = folder(|contents| contents[3] = idx(&[2], &[2, 0]));
    let splits = load_idx_folder(dir.path()).unwrap();
    assert_eq!((splits.train.class_count(), splits.test.class_count()), (4, 4));
    assert_eq!(splits.train.sample(1)[0], 6.0 / 255.0);
    assert_eq!(splits.test.labels(), [2, 0]);
}

#[test]
fn test_labels_of_unknown_classes_are_refused() {
    let dir = folder(|contents| contents[3] = idx(&[2], &[0, 4]));
    let result = load_idx_folder(dir.path());
    assert_violation(result, NAMES[3], 9, &["label 4", "expected 0 to 3"]);
}

/// A stray byte would make a network of 201 classes.
#[test]
fn a_label_that_leaves_most_classes_empty_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = || idx(&[3, 2, 2], &[7; 12]);
    for (name, bytes) in
        NAMES.iter().zip([pictures(), idx(&[3], &[0, 200, 1]), pictures(), idx(&[3], &[0, 1, 1])])
    {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let message = load_idx_folder(dir.path()).unwrap_err().to_string();
    for part in ["label 200 (of 1 samples) makes 201 classes, of which 198 have no sample", "renumber", "9"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn one_class_counts_as_two() {
    let dir = folder(|contents| (contents[1], contents[3]) = (idx(&[2], &[0, 0]), idx(&[2], &[0, 0])));
    assert_eq!(load_idx_folder(dir.path()).unwrap().train.class_count(), 2);
}

#[test]
fn plain_file_goes_before_compressed_one() {
    let dir = folder(|_| {});
    fs::write(dir.path().join("train-labels-idx1-ubyte.gz"), b"not read").unwrap();
    assert_eq!(load_idx_folder(dir.path()).unwrap().train.labels(), [0, 3]);
}

#[test]
fn images_and_labels_differ_in_number() {
    let dir = folder(|contents| contents[3] = idx(&[3], &[0, 1, 2]));
    let parts = ["3 labels", "expected 2", NAMES[2]];
    assert_violation(load_idx_folder(dir.path()), NAMES[3], 4, &parts);
}

#[test]
fn training_and_test_images_differ_in_size() {
    let dir = folder(|contents| contents[2] = idx(&[2, 3, 2], &[0; 12]));
    let parts = ["3 x 2 pixels", "expected the 2 x 3", NAMES[0]];
    assert_violation(load_idx_folder(dir.path()), NAMES[2], 8, &parts);
    let dir = folder(|contents| contents[2] = idx(&[2, 2, 2], &[0; 8]));
    assert_violation(load_idx_folder(dir.path()), NAMES[2], 12, &["2 x 2 pixels", "expected the 2 x 3"]);
}

#[test]
fn the_training_half_alone_is_the_same_and_asks_for_its_own_files_only() {
    let dir = folder(|_| {});
    let train = load_idx_folder(dir.path()).unwrap().train;
    for name in &NAMES[2..] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let pictures = load_idx_training(dir.path()).unwrap();
    assert_eq!(Dataset::from(pictures.clone()), train);
    assert_eq!((pictures.shape(), train.image_shape()), ([2, 3], Some([2, 3])));
    let mut part = [0.0; 4];
    pictures.read(1, 2, &mut part);
    assert_eq!(part, train.sample(1)[2..]);
    train.read(1, 2, &mut part);
    assert_eq!(part, [8.0, 9.0, 10.0, 11.0].map(|pixel| pixel / 255.0));
    assert_eq!(Dataset::from(pictures.head(1).unwrap()), train.head(1).unwrap());
    fs::remove_file(dir.path().join(NAMES[1])).unwrap();
    let message = load_idx_training(dir.path()).unwrap_err().to_string();
    assert!(message.contains(NAMES[1]) && !message.contains(NAMES[3]), "{message}");
}

#[test]
fn inconsistent_pictures_are_refused() {
    let pictures = |pixels: usize, shape, labels: &[u32]| {
        Pictures::new(vec![0; pixels], shape, labels.to_vec(), 2).unwrap_err().to_string()
    };
    for (message, part) in [
        (pictures(7, [2, 2], &[0, 1]), "7 feature values do not fit 2 labels"),
        (pictures(8, [2, 2], &[0, 2]), "sample 1 has label 2"),
        (pictures(0, [2, 2], &[]), "0 samples"),
        (pictures(0, [0, 2], &[0]), "0 features"),
        (pictures(8, [usize::MAX, 2], &[0, 1]), "too large"),
    ] {
        assert!(message.contains(part), "{message}");
    }
    let message = Pictures::new(vec![0; 4], [2, 2], vec![0], 2).unwrap().head(2).unwrap_err().to_string();
    assert!(message.contains("first 2 samples"), "{message}");
}

#[test]
fn missing_folder_and_missing_files_are_named() {
    let dir = folder(|_| {});
    let absent = dir.path().join("absent");
    let message = load_idx_folder(&absent).unwrap_err().to_string();
    assert!(message.contains(&format!("{} does not exist", absent.display())), "{message}");
    assert!(NAMES.iter().all(|name| message.contains(name)), "{message}");
    for name in &NAMES[1..3] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    let message = load_idx_folder(dir.path()).unwrap_err().to_string();
    for name in &NAMES[1..3] {
        assert!(message.contains(name), "{message}");
    }
    assert!(message.contains(&format!("it holds {}, {}", NAMES[3], NAMES[0])), "{message}");
    assert!(!message.contains('\n'), "{message}");
    let error = read_images(&absent).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == absent), "{error:?}");
}

#[track_caller]
fn assert_refused(result: tanner::Result<Dataset>, parts: &[&str]) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Dataset(_)), "{error:?}");
    let message = error.to_string();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn inconsistent_data_sets_are_refused() {
    assert_refused(Dataset::new(vec![], 1, vec![], 2), &["0 samples"]);
    assert_refused(Dataset::new(vec![], 0, vec![0], 2), &["0 features"]);
    assert_refused(Dataset::new(vec![1.0], 1, vec![0], 1), &["1 classes", "at least 2"]);
    assert_refused(Dataset::new(vec![1.0; 5], 2, vec![0, 1], 2), &["5 feature values", "2 labels"]);
    assert_refused(Dataset::new(vec![1.0; 5], usize::MAX, vec![0, 1], 2), &["5 feature values"]);
    assert_refused(Dataset::new(vec![1.0; 4], 2, vec![0, 2], 2), &["sample 1", "label 2", "class count 2"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        // Far enough to be outside the first checked piece.
        let mut features = vec![0.0; 300_000];
        features[200_001] = bad;
        let result = Dataset::new(features, 3, vec![0; 100_000], 2);
        assert_refused(result, &["feature 0 of sample 66667", &bad.to_string()]);
    }
}

#[test]
fn head_image_shape_and_other_features() {
    let set = Dataset::new((0..6_u8).map(f32::from).collect(), 2, vec![0, 1, 2], 3).unwrap();
    let head = set.clone().with_image_shape([2, 1]).unwrap().head(2).unwrap();
    assert_eq!(
        (head.features(), head.labels(), head.class_count()),
        (&[0.0, 1.0, 2.0, 3.0][..], &[0, 1][..], 3)
    );
    assert_eq!((head.image_shape(), head.sample(1)), (Some([2, 1]), &[2.0, 3.0][..]));
    assert_eq!(set.clone().head(3).unwrap(), set);
    assert_refused(set.clone().head(4), &["first 4 samples", "between 1 and 3"]);
    assert_refused(set.clone().head(0), &["first 0 samples", "between 1 and 3"]);
    assert_refused(set.clone().with_image_shape([2, 2]), &["2 x 2", "2 features"]);
    let other = head.with_features(vec![7.0, 8.0], 1).unwrap();
    assert_eq!((other.feature_count(), other.labels(), other.image_shape()), (1, &[0, 1][..], None));
    assert_refused(set.with_features(vec![7.0; 4], 2), &["4 feature values", "3 labels"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_values_read_back(
        (shape, pixels) in [1..4_u32, 1..6_u32, 1..6_u32].prop_flat_map(|shape| {
            let size = shape.iter().product::<u32>() as usize;
            (Just(shape), prop::collection::vec(any::<u8>(), size))
        }),
        compressed: bool,
    ) {
        let content = idx(&shape, &pixels);
        let (_dir, path) = written(&if compressed { gzip(&content) } else { content });
        let read = read_images(&path).unwrap();
        prop_assert_eq!([read.count, read.rows, read.columns], shape.map(|size| size as usize));
        prop_assert_eq!(read.pixels, pixels);
    }

    /// Any damage to a good file ends in a value or an error, never in a panic.
    #[test]
    fn byte_soup_never_panics(
        start in prop::sample::select(vec![vec![], vec![0, 0, 8, 3], vec![0, 0, 8, 1], vec![0x1f, 0x8b, 8, 0]]),
        soup in prop::collection::vec(any::<u8>(), 0..64),
        compressed: bool,
    ) {
        let content = [start, soup].concat();
        let (_dir, path) = written(&if compressed { gzip(&content) } else { content });
        if let Err(error) = read_images(&path) {
            prop_assert!(!error.to_string().contains('\n'));
        }
        if let Err(error) = read_labels(&path) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
