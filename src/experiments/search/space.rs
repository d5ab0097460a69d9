//! The space of a search: which settings candidates differ in, and their values.

use std::collections::BTreeMap;
use std::path::Path;

use rand::RngExt;
use toml::{Table, Value};

use crate::engine::OptimizerKind;
use crate::error::one_line;
use crate::model::Arch;
use crate::random::{Purpose, generator};
use crate::session::Settings;
use crate::session::settings::toml_table;
use crate::{Error, Result, Setting};

/// Values of one setting.
#[derive(Clone, Debug, PartialEq)]
enum Dimension {
    /// Each as likely as any other.
    Choices(Vec<Value>),
    /// A number between two others, in which case evenly on a logarithmic scale if `log`.
    Range { low: f64, high: f64, log: bool, whole: bool },
}

/// The settings in which candidates differ, by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    dimensions: BTreeMap<String, Dimension>,
}

/// Values for every architecture, apart from the learning rate.
const COMMON: &str = r#"
batch-size = [16, 32, 64, 128]
activation = ["relu", "tanh", "sigmoid"]
schedule = ["cosine", "constant"]
dropout = [0.0, 0.1, 0.2, 0.3, 0.5]
l2 = { low = 1e-6, high = 1e-2, log = true }
label-smoothing = [0.0, 0.05, 0.1]
"#;
const WIDTHS: &str =
    "hidden = [[64], [128], [256], [64, 32], [128, 64], [256, 128], [512, 256], [256, 128, 64]]\n";
const DENSITY: &str = "density = { low = 0.05, high = 0.5, log = true }\n";
/// Of inputs with fewer features, the usual blocks are as many as there can be.
const FEATURES_FOR_BLOCKS: usize = 16;

/// The built-in space of an architecture and an optimiser, as a file.
fn built_in(arch: Arch, optimizer: OptimizerKind, features: usize) -> String {
    let blocks = if features < FEATURES_FOR_BLOCKS { "" } else { "blocks = [4, 8, 16]\n" };
    let [low, high] = match optimizer {
        OptimizerKind::Adam | OptimizerKind::AdamW => ["3e-4", "3e-2"],
        OptimizerKind::Lion => ["3e-5", "3e-3"],
        _ => ["1e-2", "5e-1"],
    };
    let own = match arch {
        Arch::Sc => format!("{WIDTHS}{blocks}{DENSITY}receptive-field = [2, 4, 8]\n"),
        Arch::Band => format!("{WIDTHS}{blocks}{DENSITY}softness = [0.5, 1.0, 2.0]\n"),
        Arch::Rsp => format!("{WIDTHS}degree = [4, 8, 16, 32]\n"),
        Arch::Fc => WIDTHS.to_owned(),
        // Its widths follow from the size.
        Arch::Narrow => {
            "hidden = [[64], [64, 64], [64, 64, 64]]\nbudget = { low = 2000, high = 200000, log = true }\n"
                .to_owned()
        }
        Arch::Sc2d => {
            "fan-in = [[20, 38, 72], [40, 76, 144], [80, 152, 288]]\nfalloff = [\"gauss\", \"window\"]\n"
                .to_owned()
        }
        // The graphs of files stay as they are.
        Arch::Custom => String::new(),
    };
    format!("lr = {{ low = {low}, high = {high}, log = true }}{COMMON}{own}")
}

impl Space {
    /// The built-in space of an architecture and an optimiser, for data with this number of features.
    ///
    /// # Errors
    /// None for the spaces of this program.
    pub(crate) fn built_in(arch: Arch, optimizer: OptimizerKind, features: usize) -> Result<Self> {
        Self::from_toml(&built_in(arch, optimizer, features))
            .map_err(|reason| Error::setting(Setting::Space, reason))
    }

    /// Reads a file in TOML: for each setting a list of values, or a range `{ low = 1e-4, high = 1e-2, log = true }`.
    ///
    /// # Errors
    /// [`Error::SettingsFile`] with the key and what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        Self::from_toml(&text)
            .map_err(|reason| Error::SettingsFile { path: path.to_owned(), reason: one_line(&reason) })
    }

    /// Reads the text of such a file.
    pub(crate) fn from_toml(text: &str) -> Result<Self, String> {
        let mut dimensions = BTreeMap::new();
        for (key, value) in toml_table(text)? {
            let key = key.replace('_', "-");
            let dimension = dimension(&key, value)?;
            if dimensions.insert(key.clone(), dimension).is_some() {
                return Err(format!("{key} appears twice, with `-` and with `_`"));
            }
        }
        if dimensions.is_empty() {
            return Err("there is no setting: write lr = { low = 1e-4, high = 1e-2, log = true }".into());
        }
        Ok(Self { dimensions })
    }

    /// The same without settings that have a value already.
    pub(crate) fn without(mut self, given: &[Setting]) -> Self {
        self.dimensions.retain(|key, _| given.iter().all(|setting| setting.name() != key));
        self
    }

    /// Whether nothing is left to search.
    pub(crate) fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// As a file in TOML.
    pub(crate) fn to_toml(&self) -> String {
        let dimension = |(key, dimension): (&String, &Dimension)| match dimension {
            // A JSON list of numbers, texts and lists is a TOML value, too.
            Dimension::Choices(values) => {
                format!("{key} = {}\n", shown(&Value::Array(values.clone())))
            }
            Dimension::Range { low, high, log, whole: true } => {
                format!("{key} = {{ low = {low}, high = {high}, log = {log} }}\n")
            }
            Dimension::Range { low, high, log, .. } => {
                format!("{key} = {{ low = {low:e}, high = {high:e}, log = {log} }}\n")
            }
        };
        self.dimensions.iter().map(dimension).collect()
    }

    /// Random settings for the candidate with this number; `fits` decides which drawn ones are usable.
    ///
    /// # Errors
    /// [`Error::Setting`] when of many drawn settings none fits, with the reason for the last.
    pub(crate) fn draw(
        &self,
        seed: u64,
        candidate: u32,
        mut fits: impl FnMut(&Settings) -> Result<()>,
    ) -> Result<Settings> {
        /// More draws than a sensible space needs.
        const DRAWS: usize = 200;
        let mut rng = generator(seed, Purpose::Candidate(candidate));
        let mut last = None;
        for _ in 0..DRAWS {
            let drawn =
                self.dimensions.iter().map(|(key, dimension)| (key.clone(), dimension.draw(&mut rng)));
            let settings = Settings::from_table(drawn.collect::<Table>())
                .map_err(|reason| Error::setting(Setting::Space, reason));
            match settings.and_then(|settings| fits(&settings).map(|()| settings)) {
                Ok(settings) => return Ok(settings),
                Err(error) => last = Some(error),
            }
        }
        let reason = last.map_or_else(String::new, |error| format!(": {error}"));
        Err(Error::setting(
            Setting::Space,
            format!("{DRAWS} candidates were drawn and none is usable{reason}"),
        ))
    }
}

impl Dimension {
    fn draw(&self, rng: &mut impl RngExt) -> Value {
        match self {
            Self::Choices(values) => values[rng.random_range(0..values.len())].clone(),
            Self::Range { low, high, log, whole } => {
                let place: f64 = rng.random();
                let number = if *log { low * (high / low).powf(place) } else { low + (high - low) * place };
                // Few digits, so that people can type it; rounding must not leave the range.
                let number = format!("{number:.2e}").parse().unwrap_or(number).clamp(*low, *high);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "within the range, which are whole numbers"
                )]
                if *whole { Value::Integer(number.round() as i64) } else { Value::Float(number) }
            }
        }
    }
}

/// One entry of a file.
fn dimension(key: &str, value: Value) -> Result<Dimension, String> {
    let is_valid = |value: &Value| {
        let one = Table::from_iter([(key.to_owned(), value.clone())]);
        let settings = Settings::from_table(one)?;
        match settings.given().first() {
            Some(setting) if !Settings::is_searchable(*setting) => {
                Err(format!("{key} is the same for all candidates: give it as a flag"))
            }
            _ => Ok(()),
        }
    };
    let choices = match value {
        Value::Table(range) => return range_of(key, range, &is_valid),
        Value::Array(choices) => choices,
        one => vec![one],
    };
    if choices.is_empty() {
        return Err(format!("{key}: the list is empty"));
    }
    choices.iter().try_for_each(is_valid)?;
    Ok(Dimension::Choices(choices))
}

fn range_of(
    key: &str,
    mut range: Table,
    is_valid: &dyn Fn(&Value) -> Result<(), String>,
) -> Result<Dimension, String> {
    let usage = "write { low = 1e-4, high = 1e-2, log = true }";
    let mut end = |name: &str| match range.remove(name) {
        Some(value @ (Value::Float(_) | Value::Integer(_))) => is_valid(&value).map(|()| value),
        Some(other) => Err(format!("{key}: {name} = {} is not a number: {usage}", shown(&other))),
        None => Err(format!("{key}: the range has no `{name}`: {usage}")),
    };
    let (first, last) = (end("low")?, end("high")?);
    let whole = matches!((&first, &last), (Value::Integer(_), Value::Integer(_)));
    let number = |value: &Value| match value {
        #[expect(clippy::cast_precision_loss, reason = "limits of settings are small")]
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        _ => f64::NAN,
    };
    let (low, high) = (number(&first), number(&last));
    let log = match range.remove("log") {
        None => false,
        Some(Value::Boolean(log)) => log,
        Some(other) => return Err(format!("{key}: log = {} is neither true nor false", shown(&other))),
    };
    if let Some(unknown) = range.keys().next() {
        return Err(format!("{key}: {unknown:?} is not a key of a range: {usage}"));
    }
    // Not `low >= high`, which NaN would pass.
    if !(low < high && high.is_finite() && low.is_finite()) {
        return Err(format!("{key}: the range {low} to {high} is empty"));
    }
    if log && low <= 0.0 {
        return Err(format!("{key}: a logarithmic range needs a `low` above 0"));
    }
    Ok(Dimension::Range { low, high, log, whole })
}

/// A value as in a file.
fn shown(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::OptimizerKind;

    #[test]
    fn built_in_spaces_can_be_read_drawn_from_and_resolved() {
        for arch in Arch::ALL.into_iter().filter(|arch| *arch != Arch::Custom) {
            for optimizer in OptimizerKind::ALL {
                let space = Space::built_in(arch, optimizer, 20).unwrap();
                assert_eq!(Space::from_toml(&space.to_toml()).unwrap(), space);
                let base = Settings::default().arch(arch).optimizer(optimizer);
                let mut all = Vec::new();
                for candidate in 0..30 {
                    let fits = |drawn: &Settings| base.clone().or(drawn.clone()).resolve().map(drop);
                    all.push(space.draw(7, candidate, fits).unwrap());
                }
                assert_eq!(space.draw(7, 3, |_| Ok(())).unwrap(), all[3], "{arch}");
                all.dedup();
                assert_eq!(all.len(), 30, "{arch}");
            }
        }
    }

    #[test]
    fn numbers_stay_in_their_range_and_have_few_digits() {
        let space = Space::from_toml("lr = { low = 1e-4, high = 1e-2, log = true }\nepochs-x = 1");
        assert!(space.unwrap_err().contains("epochs-x"));
        let space = Space::from_toml(
            "lr = { low = 1e-4, high = 1e-2, log = true }\nbatch_size = { low = 3, high = 5 }",
        )
        .unwrap();
        let (mut below, mut sizes) = (0, std::collections::BTreeSet::new());
        for candidate in 0..300 {
            let drawn = space.draw(0, candidate, |_| Ok(())).unwrap().training;
            let lr = drawn.lr.unwrap();
            assert!((1e-4..=1e-2).contains(&lr) && lr.to_string().len() <= 8, "{lr}");
            below += usize::from(lr < 1e-3);
            sizes.extend(drawn.batch_size);
        }
        // Half of them, on a logarithmic scale.
        assert!((110..190).contains(&below), "{below}");
        assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn files_that_cannot_be_are_refused() {
        for (text, part) in [
            ("", "there is no setting"),
            ("lrr = [1]", "\"lrr\" is not a setting"),
            ("lr = []", "lr: the list is empty"),
            ("lr = [0.1, \"fast\"]", "lr"),
            ("lr = { low = 0.1 }", "the range has no `high`"),
            ("lr = { low = 0.1, high = 0.01 }", "the range 0.1 to 0.01 is empty"),
            ("lr = { low = 0.0, high = 0.01, log = true }", "needs a `low` above 0"),
            ("lr = { low = 0.1, high = nan }", "lr"),
            ("lr = { low = 0.1, high = 0.2, step = 3 }", "\"step\" is not a key"),
            ("lr = { low = 0.1, high = 0.2, log = 3 }", "neither true nor false"),
            ("activation = { low = \"relu\", high = \"tanh\" }", "is not a number"),
            ("epochs = [10, 20]", "epochs is the same for all candidates"),
            ("seed = [1, 2]", "seed is the same"),
            ("label = [\"a\"]", "label is the same"),
            ("out = [\"a\"]", "out is the same"),
            ("batch-size = [1]\nbatch_size = [2]", "appears twice"),
        ] {
            let reason = Space::from_toml(text).unwrap_err();
            assert!(reason.contains(part), "{text:?}: {reason}");
        }
    }
}
