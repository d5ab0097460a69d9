use super::*;
use crate::importance::{Importance, ImportanceSettings};

const AUGMENTATION: Augmentation = Augmentation { shift: 1, flip: true };

fn pictures() -> Dataset {
    let features = (0u16..50 * 12).map(|k| f32::from(k * 37 % 101) / 50.0).collect();
    let labels = (0..50).map(|sample| sample % 3).collect();
    Dataset::new(features, 12, labels, 3).unwrap().with_image_shape([4, 3]).unwrap()
}

fn augmented(preprocessing: &Preprocessing, epochs: usize) -> AugmentedData {
    AugmentedData::new(pictures(), preprocessing.clone(), AUGMENTATION, 7, epochs).unwrap()
}

fn fitted(importance: Importance) -> Preprocessing {
    Preprocessing::fit(&ImportanceSettings::new(importance), &pictures()).unwrap()
}

/// The samples are raw; they are augmented and then preprocessed as fitted before.
#[test]
fn an_epoch_is_augmented_before_it_is_preprocessed() {
    for importance in [Importance::None, Importance::Pca] {
        let preprocessing = fitted(importance);
        let mut data = augmented(&preprocessing, 3);
        for epoch in 0..3 {
            let raw = AUGMENTATION.apply(&pictures(), 7, epoch).unwrap();
            let expected = preprocessing.apply_dataset(raw).unwrap();
            assert_eq!(*data.epoch(epoch).unwrap(), expected, "epoch {epoch}");
        }
    }
}

#[test]
fn epochs_do_not_depend_on_those_before() {
    let preprocessing = fitted(Importance::None);
    let mut in_order = augmented(&preprocessing, 5);
    let all: Vec<_> = (0..5).map(|epoch| in_order.epoch(epoch).unwrap()).collect();
    assert!((1..5).all(|epoch| all[epoch] != all[epoch - 1]));
    let mut jumping = augmented(&preprocessing, 5);
    for epoch in [3, 4, 0, 2, 2] {
        assert_eq!(jumping.epoch(epoch).unwrap(), all[epoch], "epoch {epoch}");
    }
}

#[test]
fn the_next_epoch_is_prepared_in_the_background_and_nothing_after_the_last() {
    let mut data = augmented(&fitted(Importance::None), 2);
    data.epoch(0).unwrap();
    assert_eq!(data.next.as_ref().map(|next| next.0), Some(1));
    data.epoch(1).unwrap();
    assert!(data.next.is_none());
}

#[test]
fn plain_data_are_the_same_every_epoch() {
    let data = Arc::new(pictures());
    assert!(Arc::ptr_eq(&(&data).epoch(0).unwrap(), &(&data).epoch(9).unwrap()));
    let mut boxed: Box<dyn TrainingData> = Box::new(Arc::clone(&data));
    assert!(Arc::ptr_eq(&boxed.epoch(1).unwrap(), &data));
}

#[test]
fn tables_are_refused_at_once() {
    let table = Dataset::new(vec![0.0; 6], 3, vec![0, 1], 2).unwrap();
    let preprocessing = Preprocessing::fit(&ImportanceSettings::new(Importance::None), &table).unwrap();
    assert!(AugmentedData::new(table, preprocessing, AUGMENTATION, 0, 1).is_err());
}
