//! Which settings belong to which architectures.

use super::groups::ArchitectureOptions;
use super::importance_options::ImportanceOptions;
use super::{Settings, TrainingOptions};
use crate::model::Arch;
use crate::{Error, Result, Setting};

/// Architectures with blocks. A narrow network without a budget has the budget of a spatially-coupled one with these settings.
const BANDED: &[Arch] = &[Arch::Sc, Arch::Band, Arch::Narrow];
/// Architectures with a window.
const COUPLED: &[Arch] = &[Arch::Sc, Arch::Narrow];
/// Settings that apply only to some architectures, and those architectures.
const OWNERS: [(Setting, &[Arch]); 14] = [
    (Setting::Grid, &[Arch::Sc2d]),
    (Setting::FanIn, &[Arch::Sc2d]),
    (Setting::Reach, &[Arch::Sc2d]),
    (Setting::Falloff, &[Arch::Sc2d]),
    (Setting::Grain, &[Arch::Sc2d]),
    (Setting::ImportancePower, &[Arch::Sc2d]),
    (Setting::Blocks, BANDED),
    (Setting::ReceptiveField, COUPLED),
    (Setting::Degrees, BANDED),
    (Setting::Density, BANDED),
    (Setting::Degree, &[Arch::Rsp]),
    (Setting::DegreeDistribution, &[Arch::Rsp]),
    (Setting::Budget, &[Arch::Narrow]),
    (Setting::Softness, &[Arch::Band]),
];

/// Settings that a number of parameters can replace.
pub(crate) const SIZES: [Setting; 6] = [
    Setting::Degrees,
    Setting::Density,
    Setting::Degree,
    Setting::DegreeDistribution,
    Setting::FanIn,
    Setting::Budget,
];

impl Settings {
    /// Whether candidates of a search may differ in a setting: it changes the training, not the data or its length.
    pub(crate) fn is_searchable(setting: Setting) -> bool {
        let groups = [ImportanceOptions::SETTINGS, ArchitectureOptions::SETTINGS, TrainingOptions::SETTINGS];
        let is_common = [Setting::Epochs, Setting::Seed, Setting::Edges].contains(&setting);
        groups.iter().any(|group| group.contains(&setting)) && !is_common
    }
}

/// Whether a setting applies only to some architectures, including this one.
pub(super) fn belongs_to(setting: Setting, arch: Arch) -> bool {
    OWNERS.iter().any(|(owned, owners)| *owned == setting && owners.contains(&arch))
}

/// Whether a setting applies only to some architectures.
pub(super) fn is_specific(setting: Setting) -> bool {
    OWNERS.iter().any(|(owned, _)| *owned == setting)
}

/// Refuses settings of other architectures.
pub(super) fn refuse_unrelated_flags(options: &ArchitectureOptions, arch: Arch) -> Result<()> {
    let given: Vec<Setting> = options.given().collect();
    if arch == Arch::Sc2d && options.hidden.is_some() {
        let reason = "cannot be used with `arch` sc2d, whose layers `grid` sets";
        return Err(Error::setting(Setting::Hidden, reason));
    }
    if options.parameters.is_some()
        && let Some(other) = given.iter().find(|setting| SIZES.contains(setting))
    {
        let reason = format!("cannot be used with `{other}`, which it finds");
        return Err(Error::setting(Setting::Parameters, reason));
    }
    for (setting, owners) in OWNERS.into_iter().filter(|(setting, _)| given.contains(setting)) {
        if !owners.contains(&arch) {
            let names: Vec<&str> = owners.iter().map(|owner| owner.name()).collect();
            let owners = names.join(", ");
            let reason = format!("cannot be used with `arch` {arch}, only with `arch` {owners}");
            return Err(Error::setting(setting, reason));
        }
        if arch == Arch::Narrow && options.budget.is_some() && setting != Setting::Budget {
            return Err(Error::setting(setting, "cannot be used with `budget`, whose default it sets"));
        }
    }
    Ok(())
}
