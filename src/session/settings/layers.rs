//! Layers of settings: typed flags over a file over a preset, and which settings of lower layers no longer apply.

use super::groups::{ArchitectureOptions, EngineOptions};
use super::importance_options::ImportanceOptions;
use super::{EITHER, Settings, edge_files, owners};
use crate::Setting;
use crate::engine::OptimizerOptions;
use crate::importance::{Importance, NumberForm};
use crate::model::Arch;
use crate::training::Rewire;

/// Whether a setting depends on a choice, so that it no longer applies once the choice changes.
fn decides(choice: Setting, setting: Setting) -> bool {
    match choice {
        Setting::Arch => owners::is_specific(setting),
        Setting::Optimizer => setting == Setting::Lr || OptimizerOptions::SETTINGS.contains(&setting),
        Setting::Backend => EngineOptions::SETTINGS.contains(&setting) && setting != Setting::Backend,
        Setting::Importance => setting == Setting::Trees,
        Setting::Numbers => setting == Setting::Bins,
        Setting::Rewire => {
            [Setting::RewireFraction, Setting::RewireEvery, Setting::RewireEnd].contains(&setting)
        }
        _ => false,
    }
}

/// Whether a saved model decides a setting.
pub(super) fn decided_by_model(setting: Setting) -> bool {
    let groups =
        [ImportanceOptions::SETTINGS, ArchitectureOptions::SETTINGS, &[Setting::Init, Setting::Gain]];
    groups.iter().any(|group| group.contains(&setting))
}

/// Whether a setting of a lower layer no longer applies with one of a higher layer.
fn supersedes(high: Setting, low: Setting) -> bool {
    let either = EITHER.iter().any(|pair| high != low && pair.contains(&high) && pair.contains(&low));
    let by_model = |one, other| one == Setting::From && decided_by_model(other);
    let by_edges = |one, other| one == Setting::Edges && edge_files::decided_by_edges(other);
    either
        || decides(high, low)
        || [by_model(high, low), by_model(low, high), by_edges(high, low), by_edges(low, high)]
            .contains(&true)
}

impl Settings {
    /// These settings over others: settings given here override, and remove what depends on them there.
    ///
    /// For example, `arch` rsp over settings with `arch` sc and `degrees` drops those degrees. A choice that is the same in
    /// both layers removes nothing.
    #[must_use]
    pub fn over(mut self, mut below: Self) -> Self {
        self.unify_importance();
        below.unify_importance();
        let mut given = self.given();
        given.retain(|choice| !self.is_unchanged(&below, *choice));
        for low in below.given() {
            let is_replaced = |high: &Setting| supersedes(*high, low) && !self.uses(&below, *high, low);
            if given.iter().any(is_replaced) {
                below.remove(low);
            }
        }
        if self.architecture.arch == Some(Arch::Sc2d) {
            // Its layers are grids, and its pixels keep their places.
            below.remove(Setting::Hidden);
            below.remove(Setting::Order);
            if below.importance.importance == Some(Importance::Pca) {
                below.remove(Setting::Importance);
            }
        }
        self.fill_from(below);
        self
    }

    /// These settings, with unset ones from others; nothing is removed.
    #[must_use]
    #[doc(hidden)]
    pub fn or(mut self, mut others: Self) -> Self {
        self.unify_importance();
        others.unify_importance();
        self.fill_from(others);
        self
    }

    /// Whether a choice made here uses a setting of a lower layer that makes no such choice. Every rule of rewiring uses
    /// all of its settings, whatever the rule there.
    fn uses(&self, below: &Self, choice: Setting, setting: Setting) -> bool {
        match choice {
            Setting::Arch if below.architecture.arch.is_none() => {
                let arch = self.architecture.arch;
                arch.is_some_and(|arch| owners::belongs_to(setting, arch))
            }
            Setting::Optimizer if below.training.optimizer.is_none() => {
                self.training.optimizer.is_some_and(|kind| kind.has(setting))
            }
            Setting::Backend if below.engine.backend.is_none() => {
                self.engine.backend.is_some_and(|backend| backend.has(setting))
            }
            Setting::Importance if below.importance.importance.is_none() => {
                self.importance.importance == Some(Importance::RandomForest)
            }
            Setting::Rewire => self.training.rewire != Some(Rewire::Off),
            Setting::Numbers if below.importance.numbers.is_none() => {
                self.importance.numbers == Some(NumberForm::Piecewise)
            }
            _ => false,
        }
    }

    /// Whether a choice on which other settings depend is the same in both layers.
    fn is_unchanged(&self, below: &Self, choice: Setting) -> bool {
        match choice {
            Setting::Arch => self.architecture.arch == below.architecture.arch,
            Setting::Optimizer => self.training.optimizer == below.training.optimizer,
            Setting::Backend => self.engine.backend == below.engine.backend,
            Setting::Importance => self.importance.importance == below.importance.importance,
            Setting::Numbers => self.importance.numbers == below.importance.numbers,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(above: &str, below: &str) -> Settings {
        Settings::from_toml(above).unwrap().over(Settings::from_toml(below).unwrap())
    }

    /// Without a choice in their layer, settings apply to the choice of a higher layer.
    #[test]
    fn a_choice_keeps_what_lower_layers_say_for_it_without_making_one() {
        for (choice, kept) in [
            ("arch = \"sc2d\"", "fan-in = 8"),
            ("arch = \"rsp\"", "degree = 5"),
            ("optimizer = \"adam\"", "adam-beta1 = 0.8"),
            ("backend = \"cpu\"", "threads = 1"),
            ("importance = \"rf\"", "trees = 9"),
            ("numbers = \"piecewise\"", "bins = 9"),
        ] {
            let both = Settings::from_toml(&format!("{choice}\n{kept}")).unwrap();
            assert_eq!(over(choice, kept), both, "{choice} over {kept}");
        }
        for (choice, lost) in [
            ("arch = \"sc2d\"", "degrees = [4, 4]"),
            ("optimizer = \"sgd\"", "adam-beta1 = 0.8"),
            ("optimizer = \"adam\"", "lr = 0.5"),
            ("backend = \"reference\"", "threads = 1"),
            ("importance = \"none\"", "trees = 9"),
            ("numbers = \"scaled\"", "bins = 9"),
            ("rewire = \"off\"", "rewire = \"set\"\nrewire-fraction = 0.1"),
            ("arch = \"rsp\"", "arch = \"sc\"\ndensity = 0.1"),
        ] {
            assert_eq!(over(choice, lost), Settings::from_toml(choice).unwrap(), "{choice} over {lost}");
        }
    }
}
