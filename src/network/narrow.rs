//! The narrow network: a fully connected network with narrow layers.
//!
//! It is the baseline for sparsity: as many layers as a sparse network and no more parameters, but fully connected.

use super::{Architecture, Connectivity};
use crate::{Error, Result};

/// Number of layers for which all combinations of widths are tried.
const MOST_LAYERS: usize = 12;

impl Architecture {
    /// The same number of fully connected hidden layers, all of one width: the largest with at most `budget` weights and biases
    /// in the whole network.
    ///
    /// # Errors
    /// Refuses a network without hidden layers, and a budget too small for a width of 1.
    pub(crate) fn narrowed_to(&self, budget: usize) -> Result<Self> {
        let layers = self.hidden.len();
        if layers == 0 {
            return Err(Error::Network("a narrow network needs at least 1 hidden layer, got 0".into()));
        }
        let parameters = |width| fully_connected_parameters(self.inputs, &vec![width; layers], self.classes);
        if parameters(1) > budget as u128 {
            return Err(Error::Network(format!(
                "a budget of {budget} parameters is impossible, the minimum is {} for {} inputs, {layers} hidden layers \
                 and {} classes",
                parameters(1),
                self.inputs,
                self.classes
            )));
        }
        // A network of this width has at least as many parameters, so the budget bounds the width.
        let (mut fits, mut exceeds) = (1, budget.saturating_add(1));
        while exceeds - fits > 1 {
            let middle = fits + (exceeds - fits) / 2;
            if parameters(middle) <= budget as u128 { fits = middle } else { exceeds = middle }
        }
        let connectivity = Connectivity::Narrow { budget };
        Ok(Self { hidden: vec![fits; layers], connectivity, ..self.clone() })
    }

    /// As [`Architecture::narrowed_to`], with some layers wider by one neuron, chosen for the most parameters.
    ///
    /// # Errors
    /// As [`Architecture::narrowed_to`].
    pub(crate) fn narrowed_finely_to(&self, budget: usize) -> Result<Self> {
        let even = self.narrowed_to(budget)?;
        // With more layers than this, only the last ones are tried.
        let layers = even.hidden.len().min(MOST_LAYERS);
        let first = even.hidden.len() - layers;
        let wider = |chosen: u32| {
            let mut hidden = even.hidden.clone();
            hidden[first..]
                .iter_mut()
                .enumerate()
                .for_each(|(layer, width)| *width += (chosen >> layer & 1) as usize);
            (fully_connected_parameters(self.inputs, &hidden, self.classes), hidden)
        };
        let within = (0..1 << layers).map(wider).filter(|(count, _)| *count <= budget as u128);
        let hidden =
            within.max_by_key(|(count, _)| *count).map_or_else(|| even.hidden.clone(), |(_, hidden)| hidden);
        Ok(Self { hidden, ..even })
    }

    /// The number of parameters with one neuron in each layer.
    pub(crate) fn narrowest_count(&self) -> usize {
        let least = fully_connected_parameters(self.inputs, &vec![1; self.hidden.len()], self.classes);
        usize::try_from(least).unwrap_or(usize::MAX)
    }

    /// Refuses a narrow network that exceeds its budget.
    pub(super) fn check_budget(&self) -> Result<()> {
        let Connectivity::Narrow { budget } = self.connectivity else { return Ok(()) };
        match self.parameter_count()? {
            count if count > budget => Err(Error::Network(format!(
                "{count} parameters are more than the budget of {budget}: take a smaller width"
            ))),
            _ => Ok(()),
        }
    }
}

/// Number of weights and biases of a fully connected network.
fn fully_connected_parameters(inputs: usize, hidden: &[usize], classes: usize) -> u128 {
    let mut total = 0u128;
    let mut below = inputs as u128;
    for width in hidden.iter().chain([&classes]).map(|width| *width as u128) {
        total = total.saturating_add((below + 1).saturating_mul(width));
        below = width;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_budget_gives_five_layers_of_155() {
        let paper = Architecture::paper(784, 10);
        let budget = paper.parameter_count().unwrap();
        assert_eq!(budget, 220_020);
        let narrow = paper.narrowed_to(budget).unwrap();
        assert_eq!(narrow.hidden, [155; 5]);
        // 784 * 155 + 4 * 155 * 155 + 155 * 10, and the biases 5 * 155 + 10.
        assert_eq!(narrow.parameter_count().unwrap(), 121_520 + 96_100 + 1_550 + 785);
        assert_eq!(narrow.build(0).unwrap().parameter_count(), 219_955);
        assert_eq!(narrow.connectivity, Connectivity::Narrow { budget });
    }

    #[test]
    fn the_width_is_the_largest_within_the_budget() {
        for (inputs, layers, classes) in [(1, 1, 2), (16, 2, 3), (784, 5, 10), (3, 7, 2)] {
            let parameters = |width| fully_connected_parameters(inputs, &vec![width; layers], classes);
            let request = Architecture { hidden: vec![9; layers], ..Architecture::paper(inputs, classes) };
            for width in [1, 2, 3, 50] {
                for budget in [parameters(width), parameters(width + 1) - 1] {
                    let narrow = request.narrowed_to(usize::try_from(budget).unwrap()).unwrap();
                    assert_eq!(narrow.hidden, vec![width; layers], "{budget} for {inputs}-{classes}");
                }
            }
            let least = usize::try_from(parameters(1)).unwrap();
            let message = request.narrowed_to(least - 1).unwrap_err().to_string();
            assert!(message.contains(&format!("the minimum is {least}")), "{message}");
        }
        assert!(Architecture::paper(784, 10).narrowed_to(usize::MAX).is_ok());
    }

    #[test]
    fn counts_are_those_of_the_built_network() {
        let paper = Architecture::paper(784, 10);
        let degrees = vec![vec![98, 130, 98, 49, 20, 10, 10, 10]];
        let soft = Connectivity::SoftBand { blocks: vec![8], degrees, softness: 1.0 };
        let hidden = vec![784, 300];
        for request in [
            Architecture { connectivity: soft, hidden: vec![784; 2], ..paper.clone() },
            Architecture { connectivity: Connectivity::FullyConnected, hidden, ..paper.clone() },
            Architecture { hidden: vec![], ..paper.clone() },
        ] {
            assert_eq!(request.parameter_count().unwrap(), request.build(0).unwrap().parameter_count());
        }
        let degrees = vec!["poisson:3".parse().unwrap()];
        let drawn = Architecture { connectivity: Connectivity::RandomSparse { degrees }, ..paper.clone() };
        assert!(drawn.parameter_count().is_err());
        assert!(Architecture { hidden: vec![], ..paper.clone() }.narrowed_to(1000).is_err());
        // A width that was changed afterwards.
        let wide = Architecture { hidden: vec![156; 5], ..paper.narrowed_to(220_020).unwrap() };
        let message = wide.build(0).unwrap_err().to_string();
        assert!(message.contains("221998 parameters"), "{message}");
    }
}
