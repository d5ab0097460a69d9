//! Choices for a device that affect speed and the last bits of results.

use std::fmt;
use std::str::FromStr;

use super::device::Gpu;
use super::options::GpuOptions;
use super::share::{Share, Shares, SumCounts, WorkgroupLimits};
use crate::network::Network;
use crate::tiles::{QUAD, TilePolicy};
use crate::{Error, Result, Setting};

/// Which tiles are dense, and the share of each kernel.
///
/// Its text is the value of `--gpu-kernels`, which runs record:
/// `dense=0.3,forward=8,logits=32,backward-input=8,backward-weight=8`; `dense=never` for no dense tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// Which tiles are stored dense.
    pub tiles: TilePolicy,
    /// How many invocations share one sum.
    pub shares: Shares,
}

/// Names of the parts of its text, in their order.
const PARTS: [&str; 5] = ["dense", "forward", "logits", "backward-input", "backward-weight"];

impl Tuning {
    /// The options, completed with the defaults for the kind of adapter.
    pub(super) fn of(options: &GpuOptions, network: &Network, batch: usize, adapter: &Gpu) -> Self {
        Self::on_kind(options, network, batch, adapter.is_hardware.then(|| adapter.workgroup_limits()))
    }

    /// With the limits of a hardware adapter; `None` for a software adapter.
    fn on_kind(
        options: &GpuOptions,
        network: &Network,
        batch: usize,
        hardware: Option<WorkgroupLimits>,
    ) -> Self {
        let usual = || match hardware {
            Some(limits) => Shares::of_hardware(counts(network, batch)).reduced_to(limits),
            None => Shares::ALONE,
        };
        Self { tiles: options.tiles, shares: options.shares.unwrap_or_else(usual) }
    }

    /// Options with this tuning.
    #[must_use]
    pub fn applied_to(self, options: GpuOptions) -> GpuOptions {
        GpuOptions { tiles: self.tiles, shares: Some(self.shares), ..options }
    }
}

fn counts(network: &Network, batch: usize) -> SumCounts {
    let widths = network.widths();
    let hidden = &widths[1..widths.len() - 1];
    let quads: usize = hidden.iter().map(|width| width.div_ceil(QUAD)).sum();
    SumCounts { quads: (quads / hidden.len().max(1)) as u64, columns: batch.div_ceil(4) as u64 }
}

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shares { forward, logits, backward_input, backward_weight } = self.shares;
        if self.tiles.dense_from > 1.0 {
            write!(f, "dense=never")?;
        } else {
            write!(f, "dense={}", self.tiles.dense_from)?;
        }
        let shares = [forward, logits, backward_input, backward_weight];
        PARTS[1..].iter().zip(shares).try_for_each(|(name, share)| write!(f, ",{name}={share}"))
    }
}

fn refuse<T>(reason: String) -> Result<T> {
    Err(Error::Setting { setting: Setting::GpuKernels, reason })
}

impl FromStr for Tuning {
    type Err = Error;

    /// Every part must occur once, in any order.
    fn from_str(text: &str) -> Result<Self> {
        let mut values = [None; PARTS.len()];
        for part in text.split(',') {
            let place = part.split_once('=').and_then(|(name, value)| {
                PARTS.iter().position(|known| *known == name.trim()).map(|place| (place, value.trim()))
            });
            let Some((place, value)) = place else {
                return refuse(format!("{part:?} is not one of its parts: {}=..", PARTS.join("=.., ")));
            };
            if values[place].replace(value).is_some() {
                return refuse(format!("{} appears twice", PARTS[place]));
            }
        }
        if let Some(missing) = values.iter().position(Option::is_none) {
            return refuse(format!("{}=.. is missing in {text:?}", PARTS[missing]));
        }
        let [dense, forward, logits, backward_input, backward_weight] = values.map(Option::unwrap_or_default);
        let shares = Shares {
            forward: share(forward)?,
            logits: share(logits)?,
            backward_input: share(backward_input)?,
            backward_weight: share(backward_weight)?,
        };
        Ok(Self { tiles: density(dense)?, shares })
    }
}

fn share(text: &str) -> Result<Share> {
    match text.parse() {
        Ok(count) => Share::new(count),
        Err(_) => refuse(format!("{text:?} is not a share, it must be 1, 2, 4, 8, 16 or 32")),
    }
}

fn density(text: &str) -> Result<TilePolicy> {
    if text == "never" {
        return Ok(TilePolicy::ALL_SPARSE);
    }
    match text.parse() {
        Ok(dense_from) if (0.0..=1.0).contains(&dense_from) => Ok(TilePolicy::dense_from(dense_from)),
        _ => refuse(format!("{text:?} is not a density, it must be 0 to 1, or never")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Architecture;

    fn tuning(dense_from: f64, shares: [u32; 4]) -> Tuning {
        let [forward, logits, backward_input, backward_weight] =
            shares.map(|count| Share::new(count).unwrap());
        let shares = Shares { forward, logits, backward_input, backward_weight };
        Tuning { tiles: TilePolicy::dense_from(dense_from), shares }
    }

    #[test]
    fn its_text_reads_back_unchanged() {
        for dense_from in [0.0, 0.15, 0.3, 1.0, 0.1 + 0.2, TilePolicy::ALL_SPARSE.dense_from] {
            for shares in [[1, 2, 4, 8], [32, 16, 1, 1]] {
                let tuning = tuning(dense_from, shares);
                assert_eq!(tuning.to_string().parse::<Tuning>().unwrap(), tuning, "{tuning}");
            }
        }
        let text = "dense=0.3,forward=1,logits=2,backward-input=4,backward-weight=8";
        assert_eq!(tuning(0.3, [1, 2, 4, 8]).to_string(), text);
        let mixed = " logits=2, dense = 0.3,forward=1,backward-weight=8,backward-input=4";
        assert_eq!(mixed.parse::<Tuning>().unwrap(), tuning(0.3, [1, 2, 4, 8]));
        let never = text.replace("0.3", "never").parse::<Tuning>().unwrap();
        assert_eq!(never.tiles, TilePolicy::ALL_SPARSE);
    }

    #[test]
    fn invalid_parts_are_refused_by_name() {
        let good = "dense=0.3,forward=1,logits=2,backward-input=4,backward-weight=8";
        let bad = [
            ("", "is not one of its parts"),
            ("auto", "is not one of its parts"),
            ("dense=0.3", "forward=.. is missing"),
            (&good.replace("forward=1", "forward=3"), "share of 3"),
            (&good.replace("forward=1", "forward=64"), "share of 64"),
            (&good.replace("forward=1", "forward=-1"), "not a share"),
            (&good.replace("0.3", "NaN"), "not a density"),
            (&good.replace("0.3", "1.5"), "not a density"),
            (&format!("{good},forward=1"), "forward appears twice"),
            (&format!("{good},speed=1"), "\"speed=1\""),
        ];
        for (text, words) in bad {
            let message = text.parse::<Tuning>().unwrap_err().to_string();
            assert!(message.starts_with("gpu-kernels: ") && message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn defaults_fill_hardware_and_leave_software_alone() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let large = WorkgroupLimits { bytes: 48 << 10, invocations: 1024 };
        let on = |batch, hardware| Tuning::on_kind(&GpuOptions::default(), &network, batch, hardware);
        let of = |batch, is_hardware: bool| on(batch, is_hardware.then_some(large));
        assert_eq!(of(128, false), tuning(0.3, [1, 1, 1, 1]));
        // 196 quads x 32 columns x 8 are 50,176 invocations; 32 columns x 32 are all that the logits can have.
        assert_eq!(of(128, true), tuning(0.3, [8, 32, 8, 4]));
        assert_eq!(of(512, true), tuning(0.3, [4, 32, 4, 8]));
        assert_eq!(of(1024, true), tuning(0.3, [2, 32, 2, 8]));
        assert_eq!(of(4096, true), tuning(0.3, [1, 32, 1, 8]));
        // 2 columns.
        assert_eq!(of(8, true), tuning(0.3, [8, 32, 8, 1]));
        // The minimum of an adapter: 21,072 bytes for a share of 32 do not fit, 15,456 for one of 16 do.
        let least = WorkgroupLimits { bytes: 16 << 10, invocations: 256 };
        assert_eq!(on(128, Some(least)), tuning(0.3, [8, 16, 8, 4]));
        let tiny = WorkgroupLimits { bytes: 6 << 10, invocations: 256 };
        assert_eq!(on(128, Some(tiny)), tuning(0.3, [1, 1, 1, 4]));
        let asked = GpuOptions { shares: Some(Shares::ALONE), ..GpuOptions::default() };
        assert_eq!(Tuning::on_kind(&asked, &network, 128, Some(large)).shares, Shares::ALONE);
    }
}
