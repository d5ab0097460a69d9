//! Checks that a run fits the machine's memory, before large allocations.
//!
//! A failed allocation ends the process, and one that the system promises but cannot provide ends it
//! silently, so requests that are far too large are refused by an estimate.

use crate::dataset::Dataset;
use crate::engine::EngineSettings;
use crate::error::AskedBy as _;
use crate::host::{self, Available, available};
use crate::network::{Architecture, Connectivity, Network};
use crate::{Error, Result, Setting};

/// Bytes for each edge while a network is built and trained: the graph and its transpose, parameters of engine and
/// model, optimiser state, index lists.
const BYTES_PER_EDGE: f64 = 64.0;
/// Additional bytes for each edge with DropConnect: masked weight and connection number.
const BYTES_PER_CONNECTION: f64 = 8.0;
/// Bytes for each neuron and sample of a batch: activation and delta.
const BYTES_PER_ACTIVATION: f64 = 8.0;
/// Copies of the training set in addition to the raw one while it is augmented: the epoch's, and the next one's before and
/// after its preprocessing.
const AUGMENTED_COPIES: usize = 3;

/// The sizes that determine memory: the edges of a network, and its neurons with the inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    edges: f64,
    neurons: f64,
}

/// The approximate size of a network before it is built.
impl From<&Architecture> for Size {
    fn from(architecture: &Architecture) -> Self {
        let widths: Vec<f64> = [architecture.inputs]
            .iter()
            .chain(&architecture.hidden)
            .chain([&architecture.classes])
            .map(|width| *width as f64)
            .collect();
        let last = widths.len() - 2;
        let edges = widths.windows(2).enumerate().map(|(layer, pair)| {
            let degree =
                if layer == last { pair[1] } else { mean_degree(&architecture.connectivity, layer, pair[1]) };
            pair[0] * degree.min(pair[1])
        });
        Self { edges: edges.sum(), neurons: widths.iter().sum() }
    }
}

impl From<&Network> for Size {
    fn from(network: &Network) -> Self {
        let edges: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
        Self { edges: edges as f64, neurons: network.widths().iter().sum::<usize>() as f64 }
    }
}

/// Refuses a run that needs more memory than is free. `augmented` says whether its pictures are moved.
///
/// # Errors
/// [`Error::Memory`] says how much is needed, how much is free, and what to make smaller.
pub(super) fn check_run(
    size: Size,
    settings: &EngineSettings,
    data: [&Dataset; 2],
    augmented: bool,
) -> Result<()> {
    let samples = data.iter().map(|set| set.samples()).max().unwrap_or(0);
    let batch = settings.batch_size.min(samples);
    let steps = estimate(size, batch, settings.drop_connect > 0.0);
    let advice = "smaller layers (`hidden`, `grid`), fewer edges or a smaller `batch-size`";
    let free = available();
    refuse_above(STEPS_NEED, steps, free, advice)?;
    if augmented {
        let copies = augmented_bytes(data[0]);
        refuse_above(STEPS_NEED, copies + steps, free, advice).asked_by(Setting::Augment)?;
    }
    Ok(())
}

/// As for a run, for a network that is built but not trained; the advice says what to make smaller.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_network(architecture: &Architecture, advice: &str) -> Result<()> {
    refuse_above("the network needs", estimate(architecture.into(), 1, false), available(), advice)
}

/// The start of messages about steps.
const STEPS_NEED: &str = "the network and one batch need";

/// As for a run, for full batches of data that are made later and take this many bytes.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_batch(architecture: &Architecture, settings: &EngineSettings, data_bytes: f64) -> Result<()> {
    let advice = "a smaller `width`, fewer `layers` or a smaller `batch`";
    refuse_batch(architecture.into(), settings, data_bytes, advice)
}

/// As [`check_batch`], for an existing network.
///
/// # Errors
/// [`Error::Memory`].
pub fn check_built_batch(network: &Network, settings: &EngineSettings, data_bytes: f64) -> Result<()> {
    refuse_batch(network.into(), settings, data_bytes, "a smaller `batch` or fewer `edges`")
}

fn refuse_batch(size: Size, settings: &EngineSettings, data_bytes: f64, advice: &str) -> Result<()> {
    let needed = data_bytes + estimate(size, settings.batch_size, settings.drop_connect > 0.0);
    refuse_above(STEPS_NEED, needed, available(), advice)
}

/// Bytes of the copies of an augmented training set.
fn augmented_bytes(train: &Dataset) -> f64 {
    (AUGMENTED_COPIES * size_of_val(train.features())) as f64
}

/// Refuses a number of bytes that are not free; `what` says what needs them, the advice what to make smaller.
fn refuse_above(what: &str, needed: f64, free: Option<Available>, advice: &str) -> Result<()> {
    match free {
        Some(Available { bytes, limit }) if needed > bytes => {
            let (needed, free) = (host::size(needed), host::size(bytes));
            Err(Error::Memory(format!(
                "{what} about {needed} of memory, {free} are free{limit}: take {advice}"
            )))
        }
        _ => Ok(()),
    }
}

/// Approximate bytes that training a network of this size needs.
fn estimate(size: Size, batch: usize, drops_connections: bool) -> f64 {
    let bytes_per_edge = BYTES_PER_EDGE + if drops_connections { BYTES_PER_CONNECTION } else { 0.0 };
    bytes_per_edge * size.edges + BYTES_PER_ACTIVATION * size.neurons * batch as f64
}

/// Mean out-degree requested for a hidden layer; lists of a wrong length are refused elsewhere.
fn mean_degree(connectivity: &Connectivity, layer: usize, outputs: f64) -> f64 {
    match connectivity {
        Connectivity::SpatiallyCoupled { degrees, .. } | Connectivity::SoftBand { degrees, .. } => {
            let list = degrees.get(layer).or(degrees.first()).map_or(&[][..], Vec::as_slice);
            list.iter().map(|degree| *degree as f64).sum::<f64>() / list.len().max(1) as f64
        }
        Connectivity::Coupled2d { picture, grids, fan_in, .. } => {
            let fan_in = fan_in.get(layer).or(fan_in.first()).copied().unwrap_or(0.0);
            let inputs = layer.checked_sub(1).and_then(|below| grids.get(below)).unwrap_or(picture).neurons();
            fan_in * outputs / inputs.max(1) as f64
        }
        Connectivity::RandomSparse { degrees } => {
            degrees.get(layer).or(degrees.first()).map_or(0.0, |degrees| degrees.mean())
        }
        Connectivity::FullyConnected | Connectivity::Narrow { .. } => outputs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_edges_and_batch() {
        let estimate = |request: &Architecture, batch, drops| super::estimate(request.into(), batch, drops);
        let mut request = Architecture::paper(784, 10);
        let neurons = 6.0 * 784.0 + 10.0;
        assert_eq!(
            estimate(&request, 128, true) - estimate(&request, 128, false),
            8.0 * (5.0 * 41_650.0 + 7_840.0)
        );
        assert_eq!(estimate(&request, 128, false), 64.0 * (5.0 * 41_650.0 + 7_840.0) + 8.0 * neurons * 128.0);
        request.connectivity = Connectivity::FullyConnected;
        request.hidden = vec![300_000];
        assert_eq!(estimate(&request, 0, false), 64.0 * 300_000.0 * 794.0);
        request.connectivity = Connectivity::RandomSparse { degrees: vec!["poisson:3".parse().unwrap()] };
        assert_eq!(estimate(&request, 0, false), 64.0 * (784.0 * 3.0 + 3_000_000.0));
    }

    /// A model that training continues from counts as the architecture from which it was built.
    #[test]
    fn a_network_has_the_size_of_its_architecture() {
        let request = Architecture::paper(784, 10);
        let network = request.build(0).unwrap();
        assert_eq!(Size::from(&network), Size::from(&request));
    }

    #[test]
    fn augmentation_beyond_free_memory_is_refused() {
        let train = Dataset::new(vec![0.0; 3000], 1000, vec![0, 1, 0], 2).unwrap();
        let network = Architecture::paper(1000, 10).build(0).unwrap();
        let needed = |train| augmented_bytes(train) + estimate((&network).into(), 3, false);
        assert_eq!(augmented_bytes(&train), 3.0 * 4.0 * 3000.0);
        let check = |free: Option<f64>| {
            let free = free.map(|bytes| Available { bytes, limit: " (ulimit -v)" });
            refuse_above("it needs", needed(&train), free, "less")
        };
        assert!(check(Some(needed(&train))).is_ok());
        let message = check(Some(needed(&train) - 1.0)).unwrap_err().to_string();
        assert!(
            message.starts_with("it needs about 14.0 MiB")
                && message.contains("MiB are free (ulimit -v): take less"),
            "{message}"
        );
        assert!(check(None).is_ok());
    }
}
