//! [`Settings`]: all settings of a run.
//!
//! One struct of optional fields serves as the flags of the command line, the keys of a settings file, an entry of a plan and
//! `config.json`. Settings from several sources form layers (a preset below a file below typed flags),
//! which [`Settings::over`] merges field by field. [`Settings::resolve`] fills in defaults, refuses settings that do not
//! fit together, and returns [`RunSettings`].

mod architecture;
mod class_weights;
mod data_settings;
mod edge_files;
mod file;
mod format;
mod group;
mod groups;
mod importance_options;
mod layers;
mod owners;
mod planar;
mod presets;
mod profile;
mod recipe;
mod recorded;
mod resolve;
mod sizing;
mod task_choice;
mod training_options;
mod values;

use serde::{Deserialize, Serialize};

use crate::importance::{Importance, NumberForm};
use crate::model::Arch;
use crate::{Error, Result, Setting};

#[doc(hidden)]
pub use architecture::ArchitectureSettings;
#[doc(hidden)]
pub use architecture::InputShape;
#[doc(hidden)]
pub use class_weights::ClassWeights;
pub use data_settings::DataSettings;
#[doc(hidden)]
pub use edge_files::EdgeFiles;
pub(crate) use file::toml_table;
pub(crate) use format::format;
pub use groups::{
    ArchitectureOptions, DataOptions, EngineOptions, KeepingOptions, OutputOptions, PresetOption,
    SampleOptions,
};
pub use importance_options::ImportanceOptions;
pub(crate) use owners::SIZES;
#[doc(hidden)]
pub use planar::{Grids, Numbers};
pub use presets::Preset;
pub(crate) use presets::TrainingShape;
pub(crate) use recipe::usual_l2;
pub(crate) use recorded::TableRecord;
pub use resolve::RunSettings;
#[doc(hidden)]
pub use resolve::check_threads;
#[doc(hidden)]
pub use task_choice::TaskChoice;
pub use training_options::TrainingOptions;
#[doc(hidden)]
pub use values::parsed;
pub use values::{
    BackendChoice, DegreeDistributions, Delimiter, EventsPlace, KernelChoice, List, Lists, Switch, TestRows,
    Widths,
};

/// Defines [`Settings`] by its groups, and operations on them.
macro_rules! settings {
    ($(#[doc = $about:tt])* pub struct Settings { $(#[doc = $doc:tt] $group:ident: $Group:ident,)+ }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        pub struct Settings {
            $(
                #[doc = $doc]
                #[serde(flatten)]
                #[cfg_attr(feature = "cli", command(flatten))]
                pub $group: $Group,
            )+
        }

        impl Settings {
            /// Every setting of a run.
            pub(crate) fn all() -> impl Iterator<Item = Setting> {
                [$($Group::SETTINGS),+].into_iter().flatten().copied()
            }

            /// Every setting of a run, with its meaning in a line.
            #[doc(hidden)]
            pub fn about() -> impl Iterator<Item = (Setting, &'static str)> {
                [$($Group::ABOUT),+].into_iter().flatten().map(|(setting, about)| (*setting, about.trim()))
            }

            /// Whether a setting belongs to runs.
            #[doc(hidden)]
            #[must_use]
            pub fn has(setting: Setting) -> bool {
                Self::all().any(|one| one == setting)
            }

            /// The settings that have a value.
            #[doc(hidden)]
            #[must_use]
            pub fn given(&self) -> Vec<Setting> {
                let mut given = Vec::new();
                $(given.extend(self.$group.given());)+
                given
            }

            /// Removes the value of a setting.
            pub(crate) fn remove(&mut self, setting: Setting) {
                $(self.$group.remove(setting);)+
            }

            /// Fills unset values, field by field.
            fn fill_from(&mut self, below: Self) {
                $(self.$group.fill_from(below.$group);)+
            }
        }
    };
}

settings! {
    /// The settings of a run; `None` means the default.
    ///
    /// Each field of a group is a flag of the command line and a key of settings files, with the same text values:
    ///
    /// ```
    /// use tanner::session::{ArchitectureOptions, Settings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let typed = Settings::from_toml("hidden = [784, 400]\nblocks = 8")?;
    /// let architecture = ArchitectureOptions {
    ///     hidden: Some("784,400".parse()?),
    ///     blocks: Some("8".parse()?),
    ///     ..ArchitectureOptions::default()
    /// };
    /// assert_eq!(typed, Settings { architecture, ..Settings::default() });
    /// # Ok(())
    /// # }
    /// ```
    pub struct Settings {
        /// A preset below everything else.
        preset: PresetOption,
        /// Which data, and how a table is read and encoded.
        data: DataOptions,
        /// Which samples to use, and where the run starts.
        samples: SampleOptions,
        /// How inputs are standardised and ordered.
        importance: ImportanceOptions,
        /// The network.
        architecture: ArchitectureOptions,
        /// How it is trained.
        training: TrainingOptions,
        /// The engine.
        engine: EngineOptions,
        /// What to save, and what ends the run early.
        keeping: KeepingOptions,
        /// Where results go.
        output: OutputOptions,
    }
}

/// Settings of which only one can be given.
const EITHER: [[Setting; 2]; 10] = [
    [Setting::Label, Setting::Labels],
    // Rows of weight 0 are left out before labels of another file could be counted.
    [Setting::Labels, Setting::Weights],
    [Setting::Degrees, Setting::Density],
    [Setting::Degree, Setting::DegreeDistribution],
    [Setting::Parameters, Setting::Degrees],
    [Setting::Parameters, Setting::Density],
    [Setting::Parameters, Setting::Degree],
    [Setting::Parameters, Setting::DegreeDistribution],
    [Setting::Parameters, Setting::FanIn],
    [Setting::Parameters, Setting::Budget],
];

impl Settings {
    /// The same with the preset that they name below them, and which one that is for these data.
    fn with_preset(mut self, data: Option<TrainingShape>) -> (Self, Preset) {
        let (preset, mut below) = match self.preset.preset.take().unwrap_or(Preset::None) {
            Preset::Auto => self.automatic_preset(data),
            preset => (preset, preset.settings(data)),
        };
        if self.architecture.edges.is_some() {
            // Graphs from files refer to features by their places.
            let ImportanceOptions { standardize, numbers, .. } = below.importance;
            below.importance = ImportanceOptions { standardize, numbers, ..ImportanceOptions::default() };
        }
        if preset == Preset::Table {
            let ArchitectureOptions { arch, edges, .. } = &self.architecture;
            // Typed settings of other networks mean the network that has them.
            if arch.is_none() && self.architecture.given().any(owners::is_specific) {
                below.architecture.arch = None;
            }
            // Each feature stays one input.
            if edges.is_some() || *arch == Some(Arch::Sc2d) || self.importance.importance.is_some() {
                below.importance.numbers = Some(NumberForm::Scaled);
            }
        }
        (self.over(below), preset)
    }

    /// `pca` and `rf` are short for a choice of `importance`.
    pub(crate) fn unify_importance(&mut self) {
        let ImportanceOptions { pca, rf, importance, .. } = &mut self.importance;
        let short = [(pca.take(), Importance::Pca), (rf.take(), Importance::RandomForest)];
        if let Some((_, kind)) = short.into_iter().find(|(given, _)| *given == Some(true)) {
            *importance = Some(kind);
        }
    }

    /// Settings that these leave no choice about: those given, and those that exclude one of them.
    pub(crate) fn decided(&self) -> Vec<Setting> {
        let given = self.given();
        let partner = |[one, other]: &[Setting; 2]| match (given.contains(one), given.contains(other)) {
            (true, _) => Some(*other),
            (false, true) => Some(*one),
            (false, false) => None,
        };
        let excluded: Vec<Setting> = EITHER.iter().filter_map(partner).collect();
        [given, excluded].concat()
    }

    /// As flags of the command line: `--epochs=3`.
    #[must_use]
    #[doc(hidden)]
    pub fn to_flags(&self) -> Vec<String> {
        flags_of(self)
    }

    /// Refuses settings of which only one can be given.
    fn check_either(&self) -> Result<()> {
        let given = self.given();
        // Like an absent flag: `pca = false` in a file chooses nothing.
        let is_off = |setting| match setting {
            Setting::Pca => self.importance.pca == Some(false),
            Setting::Rf => self.importance.rf == Some(false),
            _ => false,
        };
        let has = |setting: Setting| given.contains(&setting) && !is_off(setting);
        let shorts = [Setting::Pca, Setting::Rf, Setting::Importance];
        let pairs = EITHER.iter().copied().chain([
            [shorts[0], shorts[1]],
            [shorts[0], shorts[2]],
            [shorts[1], shorts[2]],
        ]);
        for [one, other] in pairs {
            if has(one) && has(other) {
                return Err(Error::setting(one, format!("cannot be used with `{other}`")));
            }
        }
        let decided = given.iter().find(|setting| has(Setting::From) && layers::decided_by_model(**setting));
        decided.map_or(Ok(()), |setting| {
            Err(Error::setting(*setting, "cannot be used with `from`, whose model decides it"))
        })
    }
}

/// A value as in files: through text, so that a float32 number keeps its short form.
///
/// # Errors
/// When the value has no JSON.
#[doc(hidden)]
pub fn as_in_files(value: &impl Serialize) -> serde_json::Result<serde_json::Value> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// The fields of a value as flags of the command line.
#[doc(hidden)]
#[must_use]
pub fn flags_of(settings: &impl Serialize) -> Vec<String> {
    let Ok(serde_json::Value::Object(fields)) = as_in_files(settings) else { return Vec::new() };
    let flag = |(name, value): (String, serde_json::Value)| match value {
        serde_json::Value::String(text) => Some(format!("--{name}={text}")),
        serde_json::Value::Bool(on) => on.then(|| format!("--{name}")),
        serde_json::Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(serde_json::Value::as_str).collect();
            Some(format!("--{name}={}", items.join(",")))
        }
        serde_json::Value::Null => None,
        number => Some(format!("--{name}={number}")),
    };
    fields.into_iter().filter_map(flag).collect()
}

#[cfg(all(test, feature = "cli"))]
mod tests;
