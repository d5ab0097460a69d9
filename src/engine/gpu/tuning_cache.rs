//! Tunings kept on the disk, so that the same training on the same device measures once.
//!
//! A file is found by the SHA-256 of all that a measurement depends on: adapter
//! and driver, the shape of the network, what its training has kernels do, the
//! size of batches, and the text of all shaders. It holds that name, the tuning as
//! text, and the SHA-256 of both; a file that does not add up is as good as none.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Tuning;
use super::shaders::KERNELS;
use super::tuner::{DENSITIES, TuningTask};
use crate::Result;
use crate::files::CacheFile;
use crate::text::hex;
use crate::tiles::{TilePolicy, TiledLayer};

/// First line of a file; changes with its form and with the way of measuring.
const TITLE: &str = "tanner gpu kernels 1";
/// What the cache calls its files.
const KIND: &str = "gpu kernels";

/// Where a tuning came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TuningSource {
    /// It was measured.
    Measured,
    /// It was read from the cache.
    Cache,
}

impl TuningTask<'_> {
    /// The tuning in a folder, else one that is measured and kept there.
    ///
    /// `None` for no cache. A cache that cannot be read or written to is told in
    /// the log and otherwise no hindrance.
    ///
    /// # Errors
    /// As [`TuningTask::measure`].
    pub fn find(&self, folder: Option<&Path>, at_most: Duration) -> Result<(Tuning, TuningSource)> {
        let key = self.key();
        let file = folder.map(|folder| CacheFile::new(folder, &key, KIND));
        if let Some(tuning) = file.as_ref().and_then(|file| file.read(|bytes| decode(bytes, &key))) {
            return Ok((tuning, TuningSource::Cache));
        }
        let tuning = self.measure(at_most)?;
        if let Some(file) = file {
            file.write(encode(&key, tuning).as_bytes());
        }
        Ok((tuning, TuningSource::Measured))
    }

    /// SHA-256 of all that the measurement depends on, in hexadecimal.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: String| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(TITLE.into());
        part(self.device.identity().into());
        // Not which edges there are: graphs of the same shape from other seeds need as long.
        for layer in self.network.layers() {
            let (of, topology) = (layer, &layer.topology);
            let bounds = (topology.inputs().bounds(), topology.outputs().bounds());
            // Layers of whole micro-blocks are stored in a way of their own.
            let listed = TiledLayer::pack(topology, TilePolicy::ALL_SPARSE.listing_blocks()).is_listed();
            let drops = of.keep_probability < 1.0;
            part(format!("{bounds:?} {} {} {drops} {listed}", topology.edges(), of.activation));
        }
        let (settings, options) = (self.settings, self.options);
        let regularised = (settings.penalties.rule().on, settings.penalties.group_lasso > 0.0);
        let states = settings.optimizer.state_count();
        part(format!("{} {states} {regularised:?} {}", settings.batch_size, settings.drop_connect > 0.0));
        part(format!("{} {} {DENSITIES:?}", options.runtime_checks, self.default_tuning()));
        for spec in &KERNELS {
            spec.shares().iter().for_each(|share| part(spec.source(*share)));
        }
        hex(hash.finalize())
    }
}

fn encode(key: &str, tuning: Tuning) -> String {
    let content = format!("{TITLE}\n{key}\n{tuning}\n");
    let digest = hex(Sha256::digest(&content));
    format!("{content}{digest}\n")
}

/// The tuning in a file that is whole and was written for this key.
fn decode(bytes: &[u8], key: &str) -> Option<Tuning> {
    let text = std::str::from_utf8(bytes).ok()?;
    let tuning = text.lines().nth(2)?.parse().ok()?;
    (encode(key, tuning) == text).then_some(tuning)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123";

    fn tuning() -> Tuning {
        "dense=0.45,forward=4,logits=32,backward-input=2,backward-weight=8".parse().unwrap()
    }

    #[test]
    fn a_kept_tuning_is_read_and_anything_else_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let file = CacheFile::new(&parent.path().join("not/yet/there"), KEY, KIND);
        let read = || file.read(|bytes| decode(bytes, KEY));
        assert_eq!(read(), None);
        let good = encode(KEY, tuning());
        file.write(good.as_bytes());
        assert_eq!(read(), Some(tuning()));
        let other =
            encode(KEY, "dense=0.3,forward=4,logits=32,backward-input=2,backward-weight=8".parse().unwrap());
        let alien = encode("4567", tuning());
        let (flipped, longer) = (good.replace("forward=4", "forward=8"), format!("{good}\n"));
        for text in ["", &good[..good.len() - 1], &flipped, &longer, &alien, "\n\nauto\n"] {
            file.write(text.as_bytes());
            assert_eq!(read(), None, "{text:?}");
        }
        file.write(&[0xff; 40]);
        assert_eq!(read(), None, "no text at all");
        file.write(other.as_bytes());
        assert_eq!(read().unwrap().tiles.dense_from, 0.3);
    }
}
