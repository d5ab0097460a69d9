//! Tunings cached on disk, so that the same training on the same device measures only once.
//!
//! A file is named after the SHA-256 of everything that a measurement depends on: adapter
//! and driver, the shape of the network, the settings that affect kernels, the
//! size of batches, and the source of all shaders. It holds that name, the tuning as
//! text, how many candidates were measured, and the SHA-256 of all three; an inconsistent file is ignored.
//! A search that ran out of time resumes the next time.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::Tuning;
use super::tuner::{Budget, DENSITIES, Search, TuningTask};
use crate::Result;
use crate::files::CacheFile;
use crate::text::hex;
use crate::tiles::{TilePolicy, TiledLayer};

/// First line of a file; changes with its format and with the way of measuring.
const TITLE: &str = "tanner gpu kernels 2";
/// The kind of cache file.
const KIND: &str = "gpu kernels";

/// Where a tuning came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TuningSource {
    /// It was measured, perhaps not completely.
    Measured {
        /// Candidates not yet measured.
        left: usize,
    },
    /// It was read from the cache.
    Cache,
}

impl TuningTask<'_> {
    /// The tuning in a folder, if completely measured; otherwise the search is continued and saved there.
    ///
    /// `None` for no cache. Failures to read or write the cache are
    /// logged and otherwise ignored.
    ///
    /// # Errors
    /// As [`TuningTask::measure`].
    pub fn find(&self, folder: Option<&Path>, at_most: Budget) -> Result<(Tuning, TuningSource)> {
        let key = self.key();
        let file = folder.map(|folder| CacheFile::new(folder, &key, KIND));
        let kept = file.as_ref().and_then(|file| file.read(|bytes| decode(bytes, &key)));
        let all = self.candidate_count();
        if let Some(search) = kept.filter(|search| search.measured >= all) {
            return Ok((search.tuning, TuningSource::Cache));
        }
        let search = self.measure(kept.unwrap_or_else(|| self.search()), at_most)?;
        if let Some(file) = file {
            file.write(encode(&key, search).as_bytes());
        }
        Ok((search.tuning, TuningSource::Measured { left: all - search.measured }))
    }

    /// SHA-256 of all that the measurement depends on, in hexadecimal.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: String| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(TITLE.into());
        part(self.device.fingerprint());
        // The edges do not matter: graphs of the same shape from other seeds take as long.
        for layer in self.network.layers() {
            let (of, topology) = (layer, &layer.topology);
            let bounds = (topology.inputs().bounds(), topology.outputs().bounds());
            // Layers of whole micro-blocks are stored differently.
            let listed = TiledLayer::pack(topology, TilePolicy::ALL_SPARSE.listing_blocks()).is_listed();
            let drops = of.keep_probability < 1.0;
            part(format!("{bounds:?} {} {} {drops} {listed}", topology.edges(), of.activation));
        }
        let (settings, options) = (self.settings, self.options);
        let regularised = (settings.penalties.rule().on, settings.penalties.group_lasso > 0.0);
        let states = settings.optimizer.state_count();
        part(format!("{} {states} {regularised:?} {}", settings.batch_size, settings.drop_connect > 0.0));
        part(format!("{} {} {DENSITIES:?}", options.runtime_checks, self.default_tuning()));
        hex(hash.finalize())
    }
}

fn encode(key: &str, search: Search) -> String {
    let content = format!("{TITLE}\n{key}\n{}\n{}\n", search.tuning, search.measured);
    let digest = hex(Sha256::digest(&content));
    format!("{content}{digest}\n")
}

/// The search in an intact file for this key.
fn decode(bytes: &[u8], key: &str) -> Option<Search> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines().skip(2);
    let search = Search { tuning: lines.next()?.parse().ok()?, measured: lines.next()?.parse().ok()? };
    (encode(key, search) == text).then_some(search)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123";

    fn search(dense: &str) -> Search {
        let tuning = format!("dense={dense},forward=4,logits=32,backward-input=2,backward-weight=8");
        Search { tuning: tuning.parse().unwrap(), measured: 7 }
    }

    #[test]
    fn a_cached_tuning_is_read_and_anything_else_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let file = CacheFile::new(&parent.path().join("not/yet/there"), KEY, KIND);
        let read = || file.read(|bytes| decode(bytes, KEY));
        assert_eq!(read(), None);
        let good = encode(KEY, search("0.45"));
        file.write(good.as_bytes());
        assert_eq!(read(), Some(search("0.45")));
        let other = encode(KEY, search("0.3"));
        let alien = encode("4567", search("0.45"));
        let (flipped, longer) = (good.replace("forward=4", "forward=8"), format!("{good}\n"));
        let counted = good.replace("\n7\n", "\n11\n");
        for text in ["", &good[..good.len() - 1], &flipped, &longer, &alien, &counted, "\n\nauto\n"] {
            file.write(text.as_bytes());
            assert_eq!(read(), None, "{text:?}");
        }
        file.write(&[0xff; 40]);
        assert_eq!(read(), None, "no text at all");
        file.write(other.as_bytes());
        assert_eq!(read().unwrap().tuning.tiles.dense_from, 0.3);
    }
}
