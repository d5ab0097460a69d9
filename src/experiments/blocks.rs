//! Blocks of the layers of neurons: the inputs, then each hidden layer.
//!
//! Layers of *neurons* are counted from 0, the inputs; layer `l` of neurons is
//! read by layer `l` of *weights* (`network.layers()[l]`) and, from 1 on, written
//! by layer `l - 1`. The logits do not count as a layer here: none can be removed.

use crate::network::Network;
use crate::topology::Partition;
use crate::{Error, Result, Setting};

/// The blocks of the inputs and of each hidden layer: the network's own, or `blocks` even ones in each. A layer with fewer
/// neurons has fewer blocks, one for each.
///
/// # Errors
/// [`Error::Setting`] when no layer can be cut into this many blocks, or
/// when the network has no blocks and none were requested.
pub fn neuron_blocks(network: &Network, blocks: Option<usize>) -> Result<Vec<Partition>> {
    let layers = network.layers();
    let inputs = layers[0].topology.inputs();
    let hidden = layers[..layers.len() - 1].iter().map(|layer| layer.topology.outputs());
    let own: Vec<&Partition> = std::iter::once(inputs).chain(hidden).collect();
    let refuse = |reason: String| Error::setting(Setting::Blocks, reason);
    match blocks {
        Some(count) => {
            let widest = own.iter().map(|layer| layer.width()).max().unwrap_or_default();
            if !(1..=widest).contains(&count) {
                let reason = format!(
                    "{count} is invalid, the widest layer has {widest} neurons, it must be 1 to {widest}"
                );
                return Err(refuse(reason));
            }
            own.iter().map(|layer| Partition::even(layer.width(), count.min(layer.width()))).collect()
        }
        None if own.iter().all(|layer| layer.len() == 1) => {
            let reason = "this network has no blocks: say into how many to cut each layer";
            Err(refuse(reason.into()))
        }
        None => Ok(own.into_iter().cloned().collect()),
    }
}

/// The name of a layer of neurons; the inputs are layer 0.
pub fn layer_name(layer: usize) -> String {
    if layer == 0 { "the input layer".into() } else { format!("hidden layer {layer}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, Connectivity};

    #[test]
    fn blocks_are_the_networks_own_or_even_ones() {
        let mut request = Architecture::paper(784, 10);
        request.hidden = vec![784, 400];
        request.connectivity = Connectivity::SpatiallyCoupled {
            blocks: vec![8],
            receptive_fields: vec![2],
            degrees: vec![vec![10]],
        };
        let network = request.build(0).unwrap();
        let sizes = |blocks| -> Vec<[usize; 2]> {
            let cut = neuron_blocks(&network, blocks).unwrap();
            cut.iter().map(|layer| [layer.len(), layer.width()]).collect()
        };
        assert_eq!(sizes(None), [[8, 784], [8, 784], [8, 400]]);
        assert_eq!(sizes(Some(3)), [[3, 784], [3, 784], [3, 400]]);
        assert_eq!(sizes(Some(401)), [[401, 784], [401, 784], [400, 400]]);
        for count in [0, 785] {
            let message = neuron_blocks(&network, Some(count)).unwrap_err().to_string();
            assert!(message.contains("the widest layer has 784 neurons, it must be 1 to 784"), "{message}");
        }
        request.connectivity = Connectivity::FullyConnected;
        let message = neuron_blocks(&request.build(0).unwrap(), None).unwrap_err().to_string();
        assert!(message.contains("this network has no blocks"), "{message}");
    }
}
