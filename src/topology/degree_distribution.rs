//! Distributions of the out-degree, in the notation of LDPC codes.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "train")]
use rand::{Rng, RngExt};
#[cfg(feature = "train")]
use rand_distr::{Distribution, Poisson};

use crate::{Error, Result};

/// The families of [`DegreeDistribution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DegreeFamily {
    /// One degree.
    Regular,
    /// A range of degrees.
    Uniform,
    /// Poisson.
    Poisson,
    /// A probability for each degree.
    Explicit,
}

impl DegreeFamily {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Regular, Self::Uniform, Self::Poisson, Self::Explicit];

    /// The word before the numbers; explicit pairs have none.
    pub const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Regular => Some("regular"),
            Self::Uniform => Some("uniform"),
            Self::Poisson => Some("poisson"),
            Self::Explicit => None,
        }
    }
}

/// The distribution lambda(d; P) of the out-degree of each input neuron.
///
/// As text: `regular:53` (or just `53`), `uniform:10-90`, `poisson:53`, or
/// (degree, probability) pairs, `20:0.5,86:0.5`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DegreeDistribution {
    /// Every neuron has this degree.
    Regular(usize),
    /// Every degree from the first to the second, both included, is equally likely.
    Uniform(usize, usize),
    /// Poisson with this mean; a draw above the layer's width is drawn again.
    Poisson(f64),
    /// Pairs of a degree and its probability; the probabilities sum to 1.
    Explicit(Vec<(usize, f64)>),
}

#[doc(hidden)]
impl DegreeDistribution {
    #[cfg(feature = "train")]
    /// Checks the distribution for this number of outputs.
    ///
    /// # Errors
    /// Refuses degrees above `outputs`, empty ranges, means that are not positive,
    /// and probabilities that are negative or do not sum to 1 (within 1e-6).
    pub fn for_layer(&self, outputs: usize) -> Result<LayerDistribution<'_>> {
        let refuse = |reason: String| Err(Error::Topology(format!("degree distribution {self}: {reason}")));
        let (lowest, highest) = match self {
            Self::Regular(degree) => (*degree, *degree),
            Self::Uniform(low, high) => (*low, *high),
            Self::Poisson(mean) => {
                if !(*mean > 0.0 && *mean <= outputs as f64) {
                    return refuse(format!(
                        "the mean must be above 0 and at most {outputs}, the number of outputs"
                    ));
                }
                (0, outputs)
            }
            Self::Explicit(pairs) => {
                let sum: f64 = pairs.iter().map(|(_, probability)| probability).sum();
                if pairs.iter().any(|(_, p)| !(*p >= 0.0)) || !((sum - 1.0).abs() <= 1e-6) {
                    return refuse(format!(
                        "the probabilities must not be negative and must sum to 1, they sum to {sum}"
                    ));
                }
                let degrees = pairs.iter().map(|(degree, _)| *degree);
                (degrees.clone().min().unwrap_or(0), degrees.max().unwrap_or(0))
            }
        };
        if lowest > highest {
            return refuse("the range is empty".into());
        }
        if highest > outputs {
            return refuse(format!("a degree of {highest} is impossible, the layer has {outputs} outputs"));
        }
        if highest == 0 {
            return refuse("every degree is 0, the layer would have no edge".into());
        }
        Ok(LayerDistribution { distribution: self, outputs })
    }

    /// Its family.
    pub const fn family(&self) -> DegreeFamily {
        match self {
            Self::Regular(_) => DegreeFamily::Regular,
            Self::Uniform(..) => DegreeFamily::Uniform,
            Self::Poisson(_) => DegreeFamily::Poisson,
            Self::Explicit(_) => DegreeFamily::Explicit,
        }
    }

    /// The expected degree (of the Poisson: before truncation).
    pub fn mean(&self) -> f64 {
        match self {
            Self::Regular(degree) => *degree as f64,
            Self::Uniform(low, high) => (*low as f64 + *high as f64) / 2.0,
            Self::Poisson(mean) => *mean,
            Self::Explicit(pairs) => pairs.iter().map(|(degree, p)| *degree as f64 * p).sum(),
        }
    }
}

#[cfg(feature = "train")]
/// A distribution validated for a layer.
pub struct LayerDistribution<'a> {
    distribution: &'a DegreeDistribution,
    outputs: usize,
}

#[cfg(feature = "train")]
impl LayerDistribution<'_> {
    /// Draws one degree, at most the number of outputs.
    pub fn draw(&self, rng: &mut impl Rng) -> usize {
        match self.distribution {
            DegreeDistribution::Regular(degree) => *degree,
            DegreeDistribution::Uniform(low, high) => rng.random_range(*low..=*high),
            DegreeDistribution::Poisson(mean) => {
                let poisson = Poisson::new(*mean).expect("the mean was checked to be positive and finite");
                loop {
                    let degree: f64 = poisson.sample(rng);
                    if degree <= self.outputs as f64 {
                        break whole(degree);
                    }
                }
            }
            DegreeDistribution::Explicit(pairs) => {
                let mut left: f64 = rng.random();
                let likely = pairs.iter().filter(|(_, probability)| *probability > 0.0);
                let mut drawn = 0;
                for (degree, probability) in likely {
                    drawn = *degree;
                    left -= probability;
                    if left < 0.0 {
                        break;
                    }
                }
                drawn
            }
        }
    }
}

#[cfg(feature = "train")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number in 0..=outputs")]
fn whole(degree: f64) -> usize {
    degree as usize
}

impl fmt::Display for DegreeDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regular(degree) => write!(f, "regular:{degree}"),
            Self::Uniform(low, high) => write!(f, "uniform:{low}-{high}"),
            Self::Poisson(mean) => write!(f, "poisson:{mean}"),
            Self::Explicit(pairs) => {
                for (k, (degree, probability)) in pairs.iter().enumerate() {
                    write!(f, "{}{degree}:{probability}", if k == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for DegreeDistribution {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::Topology(format!(
                "degree distribution {text:?} is not valid: write regular:53, uniform:10-90, poisson:53 or 20:0.5,86:0.5"
            ))
        };
        let number = |s: &str| s.trim().parse::<usize>().map_err(|_| wrong());
        let Some((prefix, numbers)) = text.split_once(':') else { return Ok(Self::Regular(number(text)?)) };
        let family = DegreeFamily::ALL.into_iter().find(|family| family.prefix() == Some(prefix));
        match family.unwrap_or(DegreeFamily::Explicit) {
            DegreeFamily::Regular => Ok(Self::Regular(number(numbers)?)),
            DegreeFamily::Poisson => Ok(Self::Poisson(numbers.trim().parse().map_err(|_| wrong())?)),
            DegreeFamily::Uniform => {
                let (low, high) = numbers.split_once('-').ok_or_else(wrong)?;
                Ok(Self::Uniform(number(low)?, number(high)?))
            }
            DegreeFamily::Explicit => {
                let pair = |entry: &str| {
                    let (degree, probability) = entry.split_once(':').ok_or_else(wrong)?;
                    Ok((number(degree)?, probability.trim().parse().map_err(|_| wrong())?))
                };
                Ok(Self::Explicit(text.split(',').map(pair).collect::<Result<_>>()?))
            }
        }
    }
}
