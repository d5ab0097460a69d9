//! The paper's Figure 2: how many edges of each input an L1 penalty leaves.

use std::fmt::Write as _;

use crate::importance::{Importance, Order, Preprocessing};
use crate::model::Arch;
use crate::network::{Network, Parameters};
use crate::session::{Configuration, Settings};
use crate::{Error, Result, Setting};

/// The experiment: fully connected, inputs by descending PCA, L1 of 1e-4 on the first layer's weights and 1e-5 on all
/// others.
#[must_use]
pub fn configuration() -> Configuration {
    let settings = Settings::default().arch(Arch::Fc).importance(Importance::Pca).order(Order::Descending);
    Configuration { name: "figure2".into(), settings: settings.l1_input(1e-4).l1(1e-5).l2(0.0) }
}

/// The paper's bound on |w| for an edge that contributes.
pub const THRESHOLD: f32 = 0.1;

/// Number of outgoing weights of the first layer with `|w| > threshold`: `[input]`.
///
/// # Errors
/// [`Error::Setting`] when the threshold is negative or not a number.
pub fn edges_above(network: &Network, parameters: &Parameters, threshold: f32) -> Result<Vec<usize>> {
    if !(threshold >= 0.0 && threshold.is_finite()) {
        let reason = format!("{threshold} is invalid, it must be 0 or above, and finite");
        return Err(Error::setting(Setting::Threshold, reason));
    }
    parameters.check(network)?;
    let topology = &network.layers()[0].topology;
    let mut counts = vec![0; network.inputs()];
    for ((_, input), weight) in topology.edge_ends().zip(&parameters.layers[0].weights) {
        counts[input] += usize::from(weight.abs() > threshold);
    }
    Ok(counts)
}

/// The label of the axis of inputs: their order after preprocessing.
#[must_use]
pub fn input_axis(preprocessing: &Preprocessing) -> &'static str {
    match (preprocessing.importance(), preprocessing.order()) {
        (Importance::None, _) => "input",
        (Importance::Random, _) => "input, in an order drawn by chance",
        (_, Order::Place) => "input, patch by patch of the picture",
        (_, Order::Descending) => "input, most important first",
        (_, Order::Ascending) => "input, least important first",
    }
}

/// `input,edges` lines under a header; inputs count from 0, in the network's order.
#[must_use]
pub fn to_csv(counts: &[usize]) -> String {
    let mut csv = String::from("input,edges\n");
    for (input, count) in counts.iter().enumerate() {
        let _ = writeln!(csv, "{input},{count}");
    }
    csv
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dataset::Dataset;
    use crate::importance::ImportanceSettings;
    use crate::network::{Activation, Layer, LayerParameters};
    use crate::topology::fully_connected;

    #[test]
    fn the_axis_tells_the_order_of_the_inputs() {
        let data = Dataset::new(vec![0.0, 1.0, 1.0, 3.0, 2.0, 8.0], 2, vec![0, 1, 0], 2).unwrap();
        let axis = |importance, order| {
            let settings = ImportanceSettings { order, ..ImportanceSettings::new(importance) };
            input_axis(&Preprocessing::fit(&settings, &data).unwrap())
        };
        assert_eq!(axis(Importance::Pca, Order::Descending), "input, most important first");
        assert_eq!(axis(Importance::Variance, Order::Ascending), "input, least important first");
        assert_eq!(axis(Importance::Random, Order::Ascending), "input, in an order drawn by chance");
        assert_eq!(axis(Importance::None, Order::Descending), "input");
    }

    #[test]
    fn weights_above_the_threshold_are_counted_by_input() {
        let layer = |inputs, outputs| Layer {
            topology: Arc::new(fully_connected(inputs, outputs).unwrap()),
            activation: Activation::Identity,
            keep_probability: 1.0,
        };
        let network = Network::new(vec![layer(3, 2), layer(2, 2)]).unwrap();
        // [output][input]; exactly the threshold is not above it.
        let weights = vec![0.2, -0.3, 0.1, -0.11, 0.0, 0.05];
        let first = LayerParameters { weights, biases: vec![9.0; 2] };
        let second = LayerParameters { weights: vec![9.0; 4], biases: vec![9.0; 2] };
        let parameters = Parameters { layers: vec![first, second] };
        let counts = edges_above(&network, &parameters, 0.1).unwrap();
        assert_eq!(counts, [2, 1, 0]);
        assert_eq!(to_csv(&counts), "input,edges\n0,2\n1,1\n2,0\n");
        for wrong in [-0.1, f32::NAN, f32::INFINITY] {
            let message = edges_above(&network, &parameters, wrong).unwrap_err().to_string();
            assert!(message.starts_with("threshold: "), "{message}");
        }
    }
}
