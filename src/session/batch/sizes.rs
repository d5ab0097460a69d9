//! Networks of equal size, for fair comparisons.

use std::fmt;
use std::str::FromStr;

use super::{Batch, Configuration};
use crate::named::serde_as_text;
use crate::session::graph_files::network_from_files;
use crate::session::settings::SIZES;
use crate::text::grouped;
use crate::{Error, Result};

/// Share of the parameters by which networks of equal size may differ.
const TOLERANCE: f64 = 0.02;

/// How many parameters the networks of a comparison get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchParameters {
    /// As many as the baseline has.
    #[default]
    Baseline,
    /// Those of their own settings.
    Off,
    /// This number.
    Count(usize),
}

impl fmt::Display for MatchParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => f.write_str("baseline"),
            Self::Off => f.write_str("off"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl FromStr for MatchParameters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "baseline" => Ok(Self::Baseline),
            "off" => Ok(Self::Off),
            text => text.parse().ok().filter(|count| *count > 0).map(Self::Count).ok_or_else(|| {
                format!("{text:?} is neither baseline nor off nor a number of parameters such as 100000")
            }),
        }
    }
}

serde_as_text!(MatchParameters);

impl Batch<'_> {
    /// Gives configurations equal sizes: those that differ by more than 2 % get as many parameters, and are reported.
    /// If sizes are kept, or cannot be reached, a warning names those that differ.
    ///
    /// # Errors
    /// Networks that cannot be built for the data, with the configuration's name.
    #[doc(hidden)]
    pub fn with_sizes(
        &self,
        mut configurations: Vec<Configuration>,
        baseline: usize,
        sizes: MatchParameters,
    ) -> Result<Vec<Configuration>> {
        let wanted = match sizes {
            MatchParameters::Count(count) => Some(count),
            _ => match configurations.get(baseline) {
                Some(baseline) => self.parameters(baseline)?,
                None => None,
            },
        };
        let Some(wanted) = wanted else { return Ok(configurations) };
        for configuration in &mut configurations {
            let Some(own) = self.parameters(configuration)?.filter(|own| !is_near(*own, wanted)) else {
                continue;
            };
            let name = &configuration.name;
            let sized = self.sized(configuration, wanted);
            match (sizes, sized) {
                (MatchParameters::Off, _) => self.session.warn(format!(
                    "{name} has {} parameters, and {} are compared with it: scores differ for that alone",
                    grouped(own),
                    grouped(wanted)
                )),
                (_, Ok((sized, now))) if !is_near(now, wanted) => {
                    self.session.warn(format!(
                        "{name} gets {} parameters, the nearest to {} that it can have: scores differ for that alone",
                        grouped(now), grouped(wanted)
                    ));
                    *configuration = sized;
                }
                (_, Ok((sized, now))) => {
                    self.session.note(format!(
                        "{name} gets {} parameters to match {} ({} by its own settings; --match-parameters off keeps them)",
                        grouped(now), grouped(wanted), grouped(own)
                    ));
                    *configuration = sized;
                }
                (_, Err(error)) => self.session.warn(format!(
                    "{name} keeps its {} parameters, {} cannot be matched: {error}",
                    grouped(own),
                    grouped(wanted)
                )),
            }
        }
        Ok(configurations)
    }

    /// Approximate number of parameters of a configuration's network; `None` if its graphs are given.
    fn parameters(&self, configuration: &Configuration) -> Result<Option<usize>> {
        let run = self.prepare(configuration, 0)?;
        if run.settings.from.is_some() {
            return Ok(None);
        }
        let shape = self.shape(&run)?;
        let of_files = network_from_files(&run.settings.architecture, Some(shape.ends()));
        if let Some(network) = of_files.map_err(|error| configuration.error(error))? {
            return Ok(Some(network.parameter_count()));
        }
        let architecture = run.settings.architecture.fit_to(shape.features, shape.classes);
        let count = architecture.and_then(|architecture| architecture.usual_parameter_count());
        count.map(Some).map_err(|error| configuration.error(error))
    }

    /// A configuration with at most this number of parameters, or the fewest possible, and its number.
    fn sized(&self, configuration: &Configuration, wanted: usize) -> Result<(Configuration, usize)> {
        if configuration.settings.architecture.edges.is_some() {
            return Err(Error::Plan("its graphs are those of files".into()));
        }
        let mut sized = configuration.clone();
        SIZES.into_iter().for_each(|setting| sized.settings.remove(setting));
        let free = self.prepare(&sized, 0)?;
        let shape = self.shape(&free)?;
        let [least, most] = free.settings.architecture.size_limits(shape.features, shape.classes)?;
        sized.settings.architecture.parameters = Some(wanted.clamp(least, most));
        let now = self.parameters(&sized)?.unwrap_or(wanted);
        Ok((sized, now))
    }
}

fn is_near(own: usize, wanted: usize) -> bool {
    own.abs_diff(wanted) as f64 <= TOLERANCE * wanted as f64
}
