//! How much the samples of each class count.

use std::fmt;
use std::str::FromStr;

use crate::dataset::Dataset;
use crate::named::serde_as_text;
use crate::text::nearest;
use crate::{Error, Result, Setting};

/// Weights of classes in the loss of training.
///
/// As text: `balanced`, or `NAME:WEIGHT,..` with quotes around a name that has a comma; other classes have the weight 1.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// Inverse to the number of training samples of each class, so that all classes count alike.
    Balanced,
    /// Of the classes of these names.
    Given(Vec<(String, f64)>),
}

impl ClassWeights {
    /// The weight of each class of some training samples, `[class]`.
    ///
    /// # Errors
    /// [`Error::Setting`] with a name that no class has.
    pub(crate) fn of(&self, train: &Dataset, names: &[String]) -> Result<Vec<f64>> {
        match self {
            Self::Balanced => {
                let mut counts = vec![0.0; train.class_count()];
                train.labels().iter().for_each(|label| counts[*label as usize] += 1.0);
                let all = train.samples() as f64 / train.class_count() as f64;
                // A class without training samples has no weight that matters.
                Ok(counts.into_iter().map(|count: f64| all / count.max(1.0)).collect())
            }
            Self::Given(given) => {
                let mut weights = vec![1.0; names.len()];
                for (name, weight) in given {
                    let Some(class) = names.iter().position(|known| known == name) else {
                        let hint = match nearest(name, names.iter().map(String::as_str)) {
                            Some(near) => format!("did you mean {near:?}?"),
                            None => format!(
                                "there are {}",
                                names.iter().take(10).cloned().collect::<Vec<_>>().join(", ")
                            ),
                        };
                        return Err(Error::setting(
                            Setting::ClassWeight,
                            format!("no class is called {name:?}; {hint}"),
                        ));
                    };
                    weights[class] = *weight;
                }
                Ok(weights)
            }
        }
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Given(given) = self else { return f.write_str("balanced") };
        for (number, (name, weight)) in given.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let part = format!("{name}:{weight}");
            let quoted = part.contains([',', '"']);
            let part = if quoted { format!("\"{}\"", part.replace('"', "\"\"")) } else { part };
            write!(f, "{comma}{part}")?;
        }
        Ok(())
    }
}

impl FromStr for ClassWeights {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |reason: String| Error::setting(Setting::ClassWeight, reason);
        if text == "balanced" {
            return Ok(Self::Balanced);
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        reader.read_record(&mut record).map_err(|error| refuse(error.to_string()))?;
        let mut given: Vec<(String, f64)> = Vec::new();
        for part in &record {
            let Some((name, weight)) = part.rsplit_once(':') else {
                return Err(refuse(format!("{part:?} is neither balanced nor NAME:WEIGHT, such as yes:5")));
            };
            let weight: f64 = weight.trim().parse().unwrap_or(f64::NAN);
            if !(weight > 0.0 && weight <= f64::from(f32::MAX)) {
                return Err(refuse(format!(
                    "the weight in {part:?} is invalid, it must be a number above 0; to leave a class out, remove its rows"
                )));
            }
            if given.iter().any(|(other, _)| other == name.trim()) {
                return Err(refuse(format!("the class {:?} has two weights", name.trim())));
            }
            given.push((name.trim().to_owned(), weight));
        }
        if given.is_empty() {
            Err(refuse("it is empty: write balanced or NAME:WEIGHT,..".into()))
        } else {
            Ok(Self::Given(given))
        }
    }
}

serde_as_text!(ClassWeights);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        for text in ["balanced", "yes:5", "yes:5,no:0.5", "a:b:2,\"c, d:3\""] {
            assert_eq!(text.parse::<ClassWeights>().unwrap().to_string(), text);
        }
        for text in ["", "yes", "yes:0", "yes:-1", "yes:nan", "yes:inf", "yes:1,yes:2", "balance", "yes:1e40"]
        {
            let message = text.parse::<ClassWeights>().unwrap_err().to_string();
            assert!(message.starts_with("class-weight: "), "{text}: {message}");
        }
    }

    #[test]
    fn balanced_classes_count_alike_and_unknown_ones_are_refused() {
        let data = Dataset::new(vec![0.0; 6], 1, vec![0, 0, 0, 1, 1, 2], 3).unwrap();
        let names = ["a", "b", "c"].map(String::from);
        assert_eq!(ClassWeights::Balanced.of(&data, &names).unwrap(), [2.0 / 3.0, 1.0, 2.0]);
        let given: ClassWeights = "b:4".parse().unwrap();
        assert_eq!(given.of(&data, &names).unwrap(), [1.0, 4.0, 1.0]);
        let unknown: ClassWeights = "bb:4".parse().unwrap();
        let message = unknown.of(&data, &names).unwrap_err().to_string();
        assert!(message.contains("no class is called \"bb\""), "{message}");
    }
}
