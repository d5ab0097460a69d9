use super::*;
use crate::threads::Threads;

/// 2 rows of 3 pixels.
const PICTURE: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn moved(flip: bool, right: isize, down: isize) -> [f32; 6] {
    let mut to = [0.0; 6];
    Move { flip, right, down }.apply(&PICTURE, &mut to, 3);
    to
}

#[test]
fn every_move_of_a_small_picture_has_the_right_pixels() {
    assert_eq!(moved(false, 0, 0), PICTURE);
    assert_eq!(moved(true, 0, 0), [3., 2., 1., 6., 5., 4.]);
    // Right and left, with zeros behind.
    assert_eq!(moved(false, 1, 0), [0., 1., 2., 0., 4., 5.]);
    assert_eq!(moved(false, 2, 0), [0., 0., 1., 0., 0., 4.]);
    assert_eq!(moved(false, -1, 0), [2., 3., 0., 5., 6., 0.]);
    assert_eq!(moved(false, -2, 0), [3., 0., 0., 6., 0., 0.]);
    // Down and up.
    assert_eq!(moved(false, 0, 1), [0., 0., 0., 1., 2., 3.]);
    assert_eq!(moved(false, 0, -1), [4., 5., 6., 0., 0., 0.]);
    // Corners, and mirrored before they move.
    assert_eq!(moved(false, 1, 1), [0., 0., 0., 0., 1., 2.]);
    assert_eq!(moved(false, -2, -1), [6., 0., 0., 0., 0., 0.]);
    assert_eq!(moved(true, 1, 0), [0., 3., 2., 0., 6., 5.]);
    assert_eq!(moved(true, -1, 0), [2., 1., 0., 5., 4., 0.]);
    assert_eq!(moved(true, 2, -1), [0., 0., 6., 0., 0., 0.]);
    assert_eq!(moved(true, -1, 1), [0., 0., 0., 2., 1., 0.]);
}

#[test]
fn every_move_is_equally_likely() {
    let all = Augmentation { shift: 1, flip: true };
    let mut drawn = std::collections::HashMap::new();
    for step in all.draw(18_000, 3, 4).unwrap() {
        *drawn.entry((step.flip, step.right, step.down)).or_insert(0) += 1;
    }
    assert_eq!(drawn.len(), 18);
    // 1000 expected of each; 5 standard deviations are 154.
    assert!(drawn.values().all(|count| (846..=1154).contains(count)), "{drawn:?}");
    let only = |augmentation: Augmentation| augmentation.draw(500, 3, 4).unwrap();
    assert!(only(Augmentation { shift: 2, flip: false }).iter().all(|step| !step.flip));
    let reach = only(Augmentation { shift: 2, flip: false }).iter().map(|step| step.right).max();
    assert_eq!(reach, Some(2));
    assert!(only(Augmentation { shift: 0, flip: true }).iter().all(|step| (step.right, step.down) == (0, 0)));
}

fn pictures(samples: usize) -> Dataset {
    let features = (0u16..).take(samples * 30).map(|k| 1.0 + f32::from(k % 997)).collect();
    let labels = (0u32..).take(samples).map(|sample| sample % 4).collect();
    Dataset::new(features, 30, labels, 4).unwrap().with_image_shape([6, 5]).unwrap()
}

#[test]
fn seeds_and_epochs_differ_and_repeat() {
    let (data, both) = (pictures(300), Augmentation { shift: 2, flip: true });
    let epoch = |seed, epoch| both.apply(&data, seed, epoch).unwrap();
    let first = epoch(1, 0);
    assert_eq!(first, epoch(1, 0));
    assert!(first != epoch(1, 1) && first != epoch(2, 0) && first != data);
    assert_eq!((first.labels(), first.class_count()), (data.labels(), 4));
    assert_eq!((first.samples(), first.image_shape()), (300, Some([6, 5])));
    // A sample's move does not depend on how many samples there are.
    assert_eq!(first.clone().head(10).unwrap(), both.apply(&pictures(10), 1, 0).unwrap());
    assert_eq!(Augmentation::default().apply(&data, 1, 0).unwrap(), data);
}

#[test]
fn moves_do_not_depend_on_the_number_of_threads() {
    let (data, both) = (pictures(3 * PART + 7), Augmentation { shift: 3, flip: true });
    let with = |threads| {
        let pool = Threads::new(Some(threads)).unwrap();
        pool.install(|| both.apply(&data, 9, 2).unwrap())
    };
    let one = with(1);
    assert_eq!(one, with(3));
    // Each sample is moved by its own draw.
    for (sample, step) in both.draw(data.samples(), 9, 2).unwrap().into_iter().enumerate() {
        let mut expected = [0.0; 30];
        step.apply(data.sample(sample), &mut expected, 5);
        assert_eq!(one.sample(sample), expected, "sample {sample}, {step:?}");
    }
}

/// The moves of a seed must never change: old runs could not be repeated.
#[test]
fn the_moves_are_pinned() {
    let moves = Augmentation { shift: 2, flip: true }.draw(4, 0, 0).unwrap();
    let numbers: Vec<_> = moves.iter().map(|step| (step.flip, step.right, step.down)).collect();
    assert_eq!(numbers, [(false, 2, 1), (false, 1, -1), (true, 0, 2), (true, 2, -1)]);
}

#[test]
fn data_that_are_not_pictures_or_too_small_are_refused() {
    let both = Augmentation { shift: 2, flip: true };
    let table = Dataset::new(vec![0.0; 6], 3, vec![0, 1], 2).unwrap();
    let message = both.apply(&table, 0, 0).unwrap_err().to_string();
    assert!(message.starts_with("augment: samples of 3 features that are not known"), "{message}");
    assert_eq!(Augmentation::default().apply(&table, 0, 0).unwrap(), table);
    let message = Augmentation { shift: 5, flip: false }.check(&pictures(1)).unwrap_err().to_string();
    assert!(message.contains("a shift of 5 is invalid") && message.contains("6 x 5 pixels"), "{message}");
    assert!(Augmentation { shift: 4, flip: false }.check(&pictures(1)).is_ok());
}

#[test]
fn the_text_is_read_and_written() {
    for (text, shift, flip) in
        [("none", 0, false), ("flip", 0, true), ("shift=1", 1, false), ("shift=8,flip", 8, true)]
    {
        let read: Augmentation = text.parse().unwrap();
        assert_eq!((read, read.to_string()), (Augmentation { shift, flip }, text.to_owned()));
        assert_eq!(read.is_none(), text == "none");
    }
    assert_eq!("flip, shift=2".parse::<Augmentation>().unwrap(), Augmentation { shift: 2, flip: true });
    for (text, part) in [
        ("", "is not known"),
        ("rotate", "\"rotate\" is not known"),
        ("shift", "write shift=N"),
        ("shift=0", "1 to 8"),
        ("shift=9", "1 to 8"),
        ("shift=-1", "1 to 8"),
        ("shift=x", "1 to 8"),
        ("flip,flip", "at most once"),
        ("flip=1", "write shift=N"),
        ("shift=1,shift=2", "at most once"),
        ("none,flip", "\"none\" is not known"),
    ] {
        let message = text.parse::<Augmentation>().unwrap_err().to_string();
        assert!(message.starts_with("augment: ") && message.contains(part), "{text:?}: {message}");
    }
}
