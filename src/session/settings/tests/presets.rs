//! Presets that follow from the data.

use super::*;
use crate::dataset::{Dataset, Targets, Task};
use crate::importance::NumberForm;
use crate::model::Arch;

fn shape(samples: usize, picture: bool) -> TrainingShape {
    let data = Dataset::new(vec![0.5; 4 * samples], 4, vec![0; samples], 2).unwrap();
    TrainingShape::of(&if picture { data.with_image_shape([2, 2]).unwrap() } else { data })
}

fn chosen(line: &str, samples: usize, picture: bool) -> RunSettings {
    settings(line).unwrap().for_data(shape(samples, picture)).unwrap().unwrap()
}

#[test]
fn presets_lie_below_everything_else() {
    for preset in Preset::ALL {
        preset.settings(None).resolve().unwrap();
    }
    let small = settings("--preset small --epochs 3 --optimizer sgd").unwrap();
    assert_eq!((small.recipe.epochs, small.recipe.batch_size), (3, 16));
    // The preset's rate was meant for another optimiser.
    assert_eq!((small.recipe.learning_rate, small.recipe.optimizer), (0.1, Optimizer::Sgd));
    assert_eq!(small.importance.importance, Importance::RandomForest);
    assert_eq!(settings("--preset paper").unwrap().recipe.initialisation.gain, 1.0);
}

#[test]
fn auto_takes_a_preset_that_fits_the_data() {
    let preset = |line: &str, samples, picture| chosen(line, samples, picture).preset;
    assert_eq!(preset("--preset auto", 100, false), Preset::Table);
    assert_eq!(preset("--preset auto --arch rsp --rf", 100, false), Preset::Table);
    assert_eq!(preset("--preset auto", 19_999, true), Preset::Tanner);
    assert_eq!(preset("--preset auto --epochs 3", 100, true), Preset::Tanner);
    assert_eq!(preset("--preset auto", 20_000, true), Preset::None);
    assert_eq!(preset("--preset auto --pca", 100, true), Preset::None);
    for line in ["--arch sc2d", "--optimizer nesterov", "--lr 0.1", "--gain 3"] {
        assert_eq!(preset(&format!("--preset auto {line}"), 100, true), Preset::None, "{line}");
    }
    for line in ["", "--preset none", "--preset small"] {
        assert!(settings(line).unwrap().for_data(shape(100, false)).unwrap().is_none(), "{line}");
    }
}

#[test]
fn a_table_has_a_number_of_steps_and_typed_settings_override_it() {
    let steps = |rows: usize| {
        let recipe = chosen("--preset auto", rows, false).recipe;
        (recipe.epochs, recipe.batch_size)
    };
    assert_eq!([100, 1_000, 10_000, 1_000_000].map(steps), [(90, 32), (90, 32), (22, 64), (10, 256)]);
    assert_eq!(chosen("--preset auto --blocks 2", 100, false).architecture.arch, Arch::Sc);
    let typed = chosen("--preset table --epochs 3 --numbers scaled --arch rsp --degree 4", 100, false);
    assert_eq!((typed.recipe.epochs, typed.importance.numbers), (3, NumberForm::Scaled));
    assert_eq!(typed.architecture.arch, Arch::Rsp);
    let values = vec![0.5; 100];
    let numbers = Targets::Numbers { task: Task::Regression, values, count: 1 };
    let data = TrainingShape::of(&Dataset::with_targets(vec![0.5; 400], 4, numbers).unwrap());
    let of_numbers = settings("--preset auto").unwrap().for_data(data).unwrap().unwrap();
    assert_eq!((of_numbers.preset, of_numbers.asked.training.label_smoothing), (Preset::Table, None));
    assert_eq!(chosen("--preset auto", 100, false).asked.training.label_smoothing, Some(0.05));
    // An order refers to features, not to their pieces.
    let numbers = |line| chosen(line, 100, false).importance.numbers;
    assert_eq!(numbers("--preset table"), NumberForm::Piecewise);
    assert_eq!(numbers("--preset table --rf"), NumberForm::Scaled);
    assert_eq!(numbers("--preset table --arch sc2d"), NumberForm::Scaled);
    assert_eq!(numbers("--preset table --rf --numbers plain"), NumberForm::Plain);
}

#[test]
fn pieces_need_places_of_their_own() {
    for (line, part) in [
        ("--numbers piecewise --arch sc2d", "`arch` sc2d"),
        ("--bins 4", "needs `numbers` piecewise"),
        ("--bins 4 --numbers scaled", "needs `numbers` piecewise"),
        ("--bins 1 --numbers piecewise", "1 is invalid, it must be 2 to 1024"),
    ] {
        let message = settings(line).unwrap_err().to_string();
        assert!(message.contains(part), "{line}: {message:?} does not say {part:?}");
    }
    let edges = settings("--numbers piecewise --edges a.npz,b.npz").unwrap_err().to_string();
    assert!(edges.contains("`edges`, whose graphs have one input"), "{edges}");
}
