//! Profiles for people: where the time of a step goes, and how much work each dispatch gives a GPU.

use super::duration;
use super::table::{CellOf, TextCell, TextColumn, TextTable, table_of};
use crate::benchmark::{Profile, StageProfile};
use crate::engine::profile::DispatchShape;

/// What was profiled, and the time of a step with and without clocks.
#[must_use]
pub fn profile_sentence(profile: &Profile) -> String {
    let Profile { arch, batch, backend, device, step, workers, .. } = profile;
    let [useful, stored] = profile.multiply_adds().map(millions);
    let head = format!(
        "{arch} batch {batch} on {backend} ({device}): a step takes {}, useful multiply-adds {useful} M, with padding {stored} M",
        duration(step.median_us)
    );
    let (Some(sum), Some(profiled)) = (profile.stage_sum(), &profile.profiled_step) else { return head };
    let wall = profiled.median_us;
    let stages = if *workers == 1 {
        format!("its stages together {}", duration(sum))
    } else {
        let share = 100.0 * sum / (*workers as f64 * wall);
        format!("its stages together {} of the cores, {share:.0} % of the time of {workers}", duration(sum))
    };
    format!("{head}; with clocks {}, {stages}", duration(wall))
}

/// A row for each stage: its time (summed over threads), operations, bytes and rates.
#[must_use]
pub fn stage_table(profile: &Profile) -> TextTable {
    let time = if profile.workers == 1 { ("µs", "us") } else { ("core-µs", "core_us") };
    let column = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let columns: [CellOf<&StageProfile>; 9] = [
        (TextColumn::text("stage"), &|stage| stage.stage.into()),
        (TextColumn::number("layer"), &|stage| layer(stage)),
        (column(time.0, time.1), &|stage| number(stage.microseconds)),
        (TextColumn::number("share %"), &|stage| {
            TextCell::known(stage.share, |share| format!("{:.1}", 100.0 * share).into())
        }),
        (column("M multiply-adds", "million_multiply_adds").rank(2), &|stage| {
            millions(stage.work.multiply_adds).into()
        }),
        (TextColumn::number("GFLOP/s").rank(1), &|stage| {
            number(stage.gflops.filter(|_| stage.work.multiply_adds > 0))
        }),
        (column("read", "read_bytes").rank(3), &|stage| TextCell::bytes(stage.work.bytes_read)),
        (column("written", "written_bytes").rank(4), &|stage| TextCell::bytes(stage.work.bytes_written)),
        (TextColumn::number("GB/s").rank(1), &|stage| number(stage.gigabytes_per_second)),
    ];
    table_of(&profile.stages, &columns)
}

/// A row for each dispatch: how much of a device it can occupy; `None` if there are no dispatches.
#[must_use]
pub fn dispatch_table(profile: &Profile) -> Option<TextTable> {
    let stages: Option<Vec<_>> = profile.stages.iter().map(|stage| Some((stage, stage.dispatch?))).collect();
    let column = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let columns: [CellOf<(&StageProfile, DispatchShape)>; 10] = [
        (TextColumn::text("dispatch"), &|(_, dispatch)| dispatch.pipeline.into()),
        (TextColumn::number("layer"), &|(stage, _)| layer(stage)),
        (TextColumn::number("workgroups"), &|(_, dispatch)| counted(dispatch.workgroups)),
        (column("of", "invocations_per_workgroup"), &|(_, dispatch)| {
            dispatch.invocations_per_workgroup.to_string().into()
        }),
        (TextColumn::number("invocations").rank(1), &|(_, dispatch)| counted(dispatch.invocations())),
        (TextColumn::number("working").rank(2), &|(_, dispatch)| counted(dispatch.working_invocations)),
        (column("workgroup memory", "workgroup_bytes").rank(6), &|(_, dispatch)| {
            TextCell::bytes(u64::from(dispatch.workgroup_bytes))
        }),
        (TextColumn::number("MFLOP").rank(3), &|(stage, _)| millions(stage.work.flops()).into()),
        (column("bytes at least", "least_bytes").rank(4), &|(stage, _)| TextCell::bytes(stage.work.bytes())),
        (TextColumn::number("FLOP/byte").rank(5), &|(stage, _)| {
            number(Some(stage.work.flops() as f64 / stage.work.bytes() as f64))
        }),
    ];
    Some(table_of(stages?, &columns))
}

fn layer(stage: &StageProfile) -> TextCell {
    stage.layer.map_or_else(TextCell::default, |layer| layer.to_string().into())
}

fn number(value: Option<f64>) -> TextCell {
    TextCell::known(value, |value| format!("{value:.1}").into())
}

fn millions(count: u64) -> String {
    format!("{:.2}", count as f64 / 1e6)
}

fn counted(count: u64) -> TextCell {
    TextCell::count(usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::{Machine, Spread, Work};
    use crate::engine::profile::{DispatchShape, Stage};

    fn profile(workers: usize, microseconds: Option<f64>, dispatch: Option<DispatchShape>) -> Profile {
        let work = Work {
            multiply_adds: 2_000_000,
            stored_multiply_adds: 2_500_000,
            bytes_read: 3 << 20,
            bytes_written: 1 << 20,
        };
        let stage = StageProfile {
            stage: "forward",
            layer: Some(3),
            microseconds,
            share: microseconds.map(|_| 1.0),
            gflops: microseconds.map(|time| 4e3 / time),
            gigabytes_per_second: Some(7.25),
            work,
            dispatch,
        };
        let spread = |time| Spread::of(vec![time]).unwrap();
        Profile {
            version: "1".into(),
            arch: "sc".into(),
            width: 98,
            hidden_layers: 1,
            batch: 8,
            optimizer: "SGD".into(),
            backend: "cpu".into(),
            device: "some device".into(),
            gpu_kernels: None,
            workers,
            edges: 5,
            step: spread(90.0),
            profiled_step: microseconds.map(|_| spread(100.0)),
            stages: vec![stage],
            machine: Machine::default(),
        }
    }

    #[test]
    fn times_of_threads_are_reported_as_such() {
        let two = profile(2, Some(160.0), None);
        let sentence = profile_sentence(&two);
        assert!(sentence.starts_with("sc batch 8 on cpu (some device): a step takes 90.0 µs"), "{sentence}");
        assert!(sentence.contains("2.00 M, with padding 2.50 M; with clocks 100.0 µs"), "{sentence}");
        assert!(sentence.ends_with("160.0 µs of the cores, 80 % of the time of 2"), "{sentence}");
        let table = stage_table(&two).to_string();
        assert!(table.contains("core-µs") && table.contains("25.0") && table.contains("7.2"), "{table}");
        assert!(dispatch_table(&two).is_none());
        assert!(!stage_table(&profile(1, Some(1.0), None)).to_string().contains("core-µs"));
    }

    #[test]
    fn a_device_without_clocks_leaves_dashes_and_its_dispatches() {
        let dispatch = DispatchShape {
            stage: Stage::Forward(3),
            pipeline: "forward",
            workgroups: 98,
            invocations_per_workgroup: 64,
            working_invocations: 6_270,
            workgroup_bytes: 2048,
        };
        let untimed = profile(1, None, Some(dispatch));
        assert!(profile_sentence(&untimed).ends_with("with padding 2.50 M"));
        assert!(stage_table(&untimed).to_string().contains('-'));
        let table = dispatch_table(&untimed).unwrap().to_string();
        // 4 MFLOP over 4 MiB.
        for cell in ["98", "6,272", "6,270", "2.0 KiB", "4.00", "4.0 MiB", "1.0"] {
            assert!(table.contains(cell), "{cell}: {table}");
        }
    }
}
