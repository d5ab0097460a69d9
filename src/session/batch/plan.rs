//! Named settings to compare, and files of them.

use std::path::Path;

use toml::{Table, Value};

use super::MatchParameters;
use crate::error::one_line;
use crate::session::Settings;
use crate::session::settings::toml_table;
use crate::{Error, Result, Setting};

/// Settings that a batch sets itself; with `from`, runs would depend on each other, which a batch does not track.
const OF_THE_BATCH: [Setting; 13] = [
    Setting::Seed,
    Setting::Out,
    Setting::Data,
    Setting::From,
    Setting::Label,
    Setting::Labels,
    Setting::Header,
    Setting::Delimiter,
    Setting::Drop,
    Setting::MaxCategories,
    Setting::Impute,
    Setting::Picture,
    Setting::Test,
];

/// Named settings of a run, without what a batch decides: seed, data, folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Name of the configuration in tables, and of its runs on disk.
    pub name: String,
    /// The settings of its runs.
    pub settings: Settings,
}

impl Configuration {
    /// Checks the name, which becomes part of a folder's name, and that no setting belongs to the batch.
    ///
    /// # Errors
    /// [`Error::Plan`].
    pub fn new(name: impl Into<String>, settings: Settings) -> Result<Self> {
        let name = name.into();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || name.starts_with('.') || name.len() > 100 || !name.chars().all(fits) {
            let reason = "cannot be the name of a configuration: take up to 100 letters, digits and - _ + .";
            return Err(Error::Plan(format!("{name:?} {reason}")));
        }
        match settings.given().into_iter().find(|setting| OF_THE_BATCH.contains(setting)) {
            Some(setting) => {
                let reason = "applies to all runs: give it once, outside the plan";
                Err(Error::Plan(format!("{name}: `{setting}` {reason}")))
            }
            None => Ok(Self { name, settings }),
        }
    }

    /// An error about its settings.
    pub(super) fn error(&self, error: Error) -> Error {
        match error {
            Error::Setting { setting, reason } => {
                Error::Plan(format!("{}: `{setting}`: {reason}", self.name))
            }
            other => Error::Plan(format!("{}: {other}", self.name)),
        }
    }

    /// Its settings as flags of the command line.
    #[must_use]
    pub(crate) fn flags(&self) -> String {
        self.settings.to_flags().join(" ")
    }
}

/// Configurations to compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In display order; names are unique.
    pub configurations: Vec<Configuration>,
    /// How many parameters their networks get, if the file says so.
    #[doc(hidden)]
    pub match_parameters: Option<MatchParameters>,
}

impl Plan {
    /// Adds a configuration.
    ///
    /// # Errors
    /// [`Error::Plan`] if the name exists.
    #[doc(hidden)]
    pub fn add(&mut self, configuration: Configuration) -> Result<()> {
        let name = &configuration.name;
        if self.configurations.iter().any(|earlier| earlier.name == *name) {
            let reason = "names must be unique";
            return Err(Error::Plan(format!("two configurations are called {name:?}: {reason}")));
        }
        self.configurations.push(configuration);
        Ok(())
    }

    /// Reads a file in TOML: settings for all configurations, then `[[configuration]]` with a `name` and settings of
    /// its own for each. In older files a `flags` key holds settings as flags, which `from_flags` understands.
    ///
    /// # Errors
    /// [`Error::SettingsFile`] and [`Error::Plan`].
    pub fn read(path: &Path, from_flags: &dyn Fn(&str) -> Result<Settings, String>) -> Result<Self> {
        let refuse =
            |reason: String| Error::SettingsFile { path: path.to_owned(), reason: one_line(&reason) };
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        let mut all = toml_table(&text).map_err(refuse)?;
        let Some(Value::Array(entries)) = all.remove("configuration") else {
            return Err(refuse("there is no [[configuration]]".into()));
        };
        let match_parameters = all.remove("match-parameters").map(|value| match value {
            Value::String(text) => text.parse(),
            Value::Integer(count) => count.to_string().parse(),
            other => Err(format!("a {} is not a size", other.type_str())),
        });
        let match_parameters =
            match_parameters.transpose().map_err(|reason| refuse(format!("match-parameters: {reason}")))?;
        let common = settings(all, from_flags).map_err(refuse)?;
        let mut plan = Self { match_parameters, ..Self::default() };
        for entry in entries {
            let Value::Table(mut entry) = entry else {
                return Err(refuse("a configuration is a table: write [[configuration]]".into()));
            };
            let Some(Value::String(name)) = entry.remove("name") else {
                return Err(refuse("a configuration has no name".into()));
            };
            let own = settings(entry, from_flags).map_err(|reason| refuse(format!("{name}: {reason}")))?;
            plan.add(Configuration::new(name, own.or(common.clone()))?)?;
        }
        Ok(plan)
    }
}

/// Keys that are settings, over those of a `flags` key.
fn settings(
    mut keys: Table,
    from_flags: &dyn Fn(&str) -> Result<Settings, String>,
) -> Result<Settings, String> {
    let flags = match keys.remove("flags") {
        None => Settings::default(),
        Some(Value::String(text)) => from_flags(&text)?,
        Some(other) => return Err(format!("flags: a {} is not text", other.type_str())),
    };
    Ok(Settings::from_table(keys)?.or(flags))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Plan> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        std::fs::write(&path, text).unwrap();
        Plan::read(&path, &|flags| Settings::from_toml(flags))
    }

    #[test]
    fn own_settings_win_over_those_of_all() {
        let plan = read(
            "epochs = 3\nlr = 0.5\nflags = \"l2 = 0.25\"\n[[configuration]]\nname = \"a\"\n\
             [[configuration]]\nname = \"b\"\nlr = 0.1\nflags = \"seed = 1\"",
        );
        // Settings of the batch are refused.
        assert!(matches!(plan, Err(Error::Plan(reason)) if reason.contains("b: `seed`")));
        let text = "epochs = 3\nlr = 0.5\nflags = \"l2 = 0.25\"\n[[configuration]]\nname = \"a\"\nlr = 0.1";
        let plan = read(text).unwrap();
        assert_eq!(plan.configurations.len(), 1);
        let training = &plan.configurations[0].settings.training;
        assert_eq!((training.epochs, training.lr, training.l2), (Some(3), Some(0.1), Some(0.25)));
    }

    #[test]
    fn plans_that_cannot_be_are_refused() {
        for (text, part) in [
            ("epochs = 3", "there is no [[configuration]]"),
            ("[[configuration]]\nepochs = 3", "has no name"),
            (
                "[[configuration]]\nname = \"a\"\n[[configuration]]\nname = \"a\"",
                "two configurations are called",
            ),
            ("[[configuration]]\nname = \"../a\"", "cannot be the name"),
            (
                "[[configuration]]\nname = \"a\"\nepoch = 3",
                "a: \"epoch\" is not a setting; did you mean \"epochs\"?",
            ),
            ("[[configuration]]\nname = \n", "line 2"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text:?}: {message}");
        }
    }

    /// The plans of the project load, whatever the working directory.
    #[test]
    fn plans_of_the_project_are_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let plan = Plan::read(&entry.unwrap().path(), &|flags| Err(format!("{flags} are not settings")))
                .unwrap();
            assert!(plan.configurations.iter().all(|configuration| configuration.settings.resolve().is_ok()));
            count += plan.configurations.len();
        }
        assert!(count > 20, "{count}");
    }
}
