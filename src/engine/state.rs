//! The state that an engine carries from step to step, so that a run can resume in another process.
//!
//! An [`EngineState`] holds the parameters and the optimiser's memory in canonical order, however the engine packs them, and
//! in the engine's precision, so that nothing is rounded. An engine restored from it computes the same bits as the first one
//! would have.

use super::{Backend, Optimizer};
use crate::network::{LayerParameters, Network, Parameters};
use crate::{Error, Result};

/// One number for each parameter of a network, in an engine's precision.
///
/// In canonical order: layer by layer from the inputs, the weights (by output, then input), then the biases.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// For the engines that compute in float32.
    Single(Vec<f32>),
    /// For the reference engine.
    Double(Vec<f64>),
}

impl Values {
    /// The number of values.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// Whether all are finite.
    #[must_use]
    pub(crate) fn all_finite(&self) -> bool {
        !self.any(|value| !value.is_finite())
    }

    /// Whether any is NaN.
    #[must_use]
    pub(crate) fn any_nan(&self) -> bool {
        self.any(f64::is_nan)
    }

    fn any(&self, is: impl Fn(f64) -> bool) -> bool {
        match self {
            Self::Single(values) => values.iter().any(|value| is(f64::from(*value))),
            Self::Double(values) => values.iter().any(|value| is(*value)),
        }
    }

    /// The same numbers as float32, rounded, or as float64.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
    fn converted(self, single: bool) -> Self {
        match (self, single) {
            (Self::Double(values), true) => {
                Self::Single(values.into_iter().map(|value| value as f32).collect())
            }
            (Self::Single(values), false) => Self::Double(values.into_iter().map(f64::from).collect()),
            (same, _) => same,
        }
    }

    /// One float32 value for each parameter.
    pub(crate) fn of_single(parameters: &Parameters) -> Self {
        let layers = parameters.layers.iter();
        Self::Single(layers.flat_map(|layer| layer.weights.iter().chain(&layer.biases)).copied().collect())
    }

    /// The values by layer, as float32; there must be one for each parameter of the network.
    pub(crate) fn into_layered(self, network: &Network) -> Parameters {
        match self.converted(true) {
            Self::Single(values) => layered(network, &values),
            Self::Double(_) => unreachable!("converted above"),
        }
    }

    fn is_single(&self) -> bool {
        matches!(self, Self::Single(_))
    }
}

/// Parameters, and the optimiser's state for each.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineState {
    /// Weights and biases.
    pub parameters: Values,
    /// The optimiser's state, [`Optimizer::state_count`] sets of values: momentum or mean, then mean square.
    pub optimizer: Vec<Values>,
    /// Steps that the run had made when the optimiser's state was zero: 0, or more in an extended run.
    pub optimizer_start: u64,
}

impl EngineState {
    /// The state of an engine that computes in float32.
    #[must_use]
    #[doc(hidden)]
    pub fn of_single(parameters: &Parameters, optimizer: &[Parameters]) -> Self {
        let optimizer = optimizer.iter().map(Values::of_single).collect();
        Self { parameters: Values::of_single(parameters), optimizer, optimizer_start: 0 }
    }

    /// Parameters with the optimiser at zero, after `steps` steps of a run.
    pub(crate) fn fresh(parameters: &Parameters, optimizer: &Optimizer, steps: u64) -> Self {
        let parameters = Values::of_single(parameters);
        let memory = Values::Single(vec![0.0; parameters.len()]);
        let optimizer = vec![memory; optimizer.state_count()];
        Self { parameters, optimizer, optimizer_start: steps }
    }

    /// The parameters in float32, as in models.
    ///
    /// # Errors
    /// [`Error::Network`] when they belong to another network.
    pub(crate) fn rounded(&self, network: &Network) -> Result<Parameters> {
        let (count, expected) = (self.parameters.len(), network.parameter_count());
        if count != expected {
            let reason =
                format!("state of an engine: {count} values do not fit a network of {expected} parameters");
            return Err(Error::Network(reason));
        }
        Ok(self.parameters.clone().into_layered(network))
    }

    /// The state after the edges of one layer have moved: surviving edges keep their values, new ones start at zero.
    ///
    /// `now` has the new index of each old edge of the layer: `[old edges]`.
    #[must_use]
    #[doc(hidden)]
    pub fn moved(mut self, network: &Network, layer: usize, now: &[Option<u32>]) -> Self {
        let before = network.layers()[..layer].iter();
        let first = before.map(|layer| layer.topology.edges() + layer.topology.outputs().width()).sum();
        for values in [&mut self.parameters].into_iter().chain(&mut self.optimizer) {
            match values {
                Values::Single(values) => reorder(&mut values[first..first + now.len()], now),
                Values::Double(values) => reorder(&mut values[first..first + now.len()], now),
            }
        }
        self
    }

    /// The state in the precision of a kind of engine.
    #[must_use]
    pub(crate) fn for_backend(self, backend: Backend) -> Self {
        let convert = |values: Values| values.converted(backend != Backend::Reference);
        let optimizer = self.optimizer.into_iter().map(convert).collect();
        Self { parameters: convert(self.parameters), optimizer, ..self }
    }

    /// Checks that the parts fit each other and that training can continue from them: equal numbers of values, all in the same
    /// precision, finite parameters, and no NaN in the optimiser's state. (A mean square may have overflowed to infinity. Its
    /// parameter then no longer changes, and training continues.)
    ///
    /// # Errors
    /// [`Error::Network`] names what does not fit.
    pub(crate) fn check_itself(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Network(format!("state of an engine: {reason}")));
        for (index, memory) in self.optimizer.iter().enumerate() {
            if memory.len() != self.parameters.len() {
                let (count, expected) = (memory.len(), self.parameters.len());
                return refuse(format!("memory {index} of {count} values for {expected} parameters"));
            }
            if memory.is_single() != self.parameters.is_single() {
                return refuse(format!("memory {index} is not in the numbers of the parameters"));
            }
            if memory.any_nan() {
                return refuse(format!("memory {index} has a value that is not a number"));
            }
        }
        if !self.parameters.all_finite() {
            return refuse("a weight or bias is not a finite number".into());
        }
        Ok(())
    }

    /// Checks that it fits a network and an optimiser, in float32 or in float64.
    ///
    /// # Errors
    /// [`Error::Network`] names what does not fit.
    pub(crate) fn check(&self, network: &Network, optimizer: &Optimizer, single: bool) -> Result<()> {
        self.check_itself()?;
        let refuse = |reason: String| Err(Error::Network(format!("state of an engine: {reason}")));
        if self.parameters.is_single() != single {
            let name = |single| if single { "float32" } else { "float64" };
            let (given, needed) = (name(!single), name(single));
            return refuse(format!("numbers of {given} do not fit an engine that computes in {needed}"));
        }
        let (count, expected) = (self.parameters.len(), network.parameter_count());
        if count != expected {
            return refuse(format!("{count} values do not fit a network of {expected} parameters"));
        }
        let (count, expected) = (self.optimizer.len(), optimizer.state_count());
        if count != expected {
            return refuse(format!(
                "{count} values a parameter do not fit {optimizer}, which has {expected}"
            ));
        }
        Ok(())
    }

    /// The parameters and the optimiser's state, for an engine that computes in float32.
    ///
    /// # Errors
    /// As [`EngineState::check`].
    pub(crate) fn to_single(
        &self,
        network: &Network,
        optimizer: &Optimizer,
    ) -> Result<(Parameters, Vec<Parameters>)> {
        self.check(network, optimizer, true)?;
        let layered = |values: &Values| match values {
            Values::Single(values) => layered(network, values),
            Values::Double(_) => unreachable!("checked above"),
        };
        Ok((layered(&self.parameters), self.optimizer.iter().map(layered).collect()))
    }
}

/// Moves the values of a layer's edges to their new indices; the number of edges is the same.
fn reorder<T: Copy + Default>(weights: &mut [T], now: &[Option<u32>]) {
    let old = weights.to_vec();
    weights.fill(T::default());
    for (value, edge) in old.into_iter().zip(now) {
        if let Some(edge) = edge {
            weights[*edge as usize] = value;
        }
    }
}

/// The inverse of [`Values::of_single`]; there is a value for each parameter.
fn layered(network: &Network, values: &[f32]) -> Parameters {
    let mut rest = values;
    let mut take = |count: usize| {
        let (taken, behind) = rest.split_at(count);
        rest = behind;
        taken.to_vec()
    };
    let layers = network.layers().iter().map(|layer| LayerParameters {
        weights: take(layer.topology.edges()),
        biases: take(layer.topology.outputs().width()),
    });
    Parameters { layers: layers.collect() }
}
