//! Silenced neurons: their outputs replaced by a constant.

use crate::network::{Network, Parameters};

/// Parameters that make the outputs of some neurons of one layer (0 is the inputs) constant.
///
/// Their outgoing weights become 0. With `means`, `[neuron of the layer]`, each
/// neuron's mean output is kept: `w * mean` is added to the biases that it fed, so
/// that the next layer's weighted sums keep their means. Otherwise its output is
/// replaced by 0.
pub fn silence(
    network: &Network,
    parameters: &Parameters,
    layer: usize,
    neurons: impl IntoIterator<Item = usize>,
    means: Option<&[f64]>,
) -> Parameters {
    let mut silenced = parameters.clone();
    let topology = &network.layers()[layer].topology;
    let values = &mut silenced.layers[layer];
    let mut shift = vec![0.0; values.biases.len()];
    for neuron in neurons {
        for (output, edge) in topology.column(neuron) {
            let weight = std::mem::take(&mut values.weights[edge]);
            shift[output] += f64::from(weight) * means.map_or(0.0, |means| means[neuron]);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
    for (bias, shift) in values.biases.iter_mut().zip(shift) {
        *bias = (f64::from(*bias) + shift) as f32;
    }
    silenced
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::network::{Activation, Layer, LayerParameters};
    use crate::topology::{Partition, Topology};

    #[test]
    fn weights_become_zero_and_means_move_into_the_biases() {
        // Outputs 0 and 1 read inputs 0, 2 and 1, 2.
        let (inputs, outputs) = (Partition::whole(3).unwrap(), Partition::whole(2).unwrap());
        let topology = Topology::from_rows(inputs, outputs, vec![0, 2, 4], vec![0, 2, 1, 2]).unwrap();
        let layer =
            Layer { topology: Arc::new(topology), activation: Activation::Identity, keep_probability: 1.0 };
        let network = Network::new(vec![layer]).unwrap();
        let values = LayerParameters { weights: vec![2.0, 3.0, 5.0, 7.0], biases: vec![1.0, -1.0] };
        let parameters = Parameters { layers: vec![values] };
        let means = [10.0, 20.0, 0.5];
        let zero = silence(&network, &parameters, 0, [0, 2], None);
        assert_eq!(zero.layers[0].weights, [0.0, 0.0, 5.0, 0.0]);
        assert_eq!(zero.layers[0].biases, [1.0, -1.0]);
        let mean = silence(&network, &parameters, 0, [0, 2], Some(&means));
        assert_eq!(mean.layers[0].weights, zero.layers[0].weights);
        assert_eq!(mean.layers[0].biases, [1.0 + 20.0 + 1.5, -1.0 + 3.5]);
    }
}
