//! Benchmarks for people: tables with ratios, and a chart of times by batch size.

use std::collections::BTreeSet;

use kuva::plot::{LinePlot, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::Drawing;
use super::drawing::{Key, Sign, figure};
use super::style::{CURVE, PALETTE, SMALL_DOT};
use super::table::{CellOf, TextCell, TextColumn, TextTable, table_of};
use crate::benchmark::{Measurement, Mode, Spread};
use crate::{Error, Result};

/// Microseconds with a unit: `12.3 ms`.
#[must_use]
pub fn duration(microseconds: f64) -> String {
    match microseconds {
        time if time < 1e3 => format!("{time:.1} µs"),
        time if time < 1e6 => format!("{:.2} ms", time / 1e3),
        time => format!("{:.2} s", time / 1e6),
    }
}

/// A time: with a unit for people, in microseconds for programs.
pub(super) fn time_cell(microseconds: f64) -> TextCell {
    TextCell::split(duration(microseconds), [format!("{microseconds:.1}")])
}

/// One measurement a row.
#[must_use]
pub fn measurement_table(measurements: &[Measurement]) -> TextTable {
    let quartiles = |spread: &Spread| {
        let both = [spread.lower_quartile_us, spread.upper_quartile_us];
        TextCell::split(both.map(duration).join(" to "), both.map(|time| format!("{time:.1}")))
    };
    let time = |name: &str| TextColumn::number(name).plain(&[&format!("{name}_us")]);
    let columns: [CellOf<&Measurement>; 11] = [
        (TextColumn::text("what"), &|m| m.subject().into()),
        (TextColumn::text("mode").rank(3), &|m| m.mode.to_string().into()),
        (TextColumn::text("device").rank(4).least(12), &|m| m.device.clone().into()),
        (TextColumn::number("batch"), &|m| m.batch.to_string().into()),
        (TextColumn::number("weights").rank(6), &|m| TextCell::count(m.edges)),
        (time("median"), &|m| time_cell(m.spread.median_us)),
        (TextColumn::number("quartiles").plain(&["lower_quartile_us", "upper_quartile_us"]).rank(2), &|m| {
            quartiles(&m.spread)
        }),
        (time("fastest").rank(5), &|m| time_cell(m.spread.fastest_us)),
        (time("slowest").rank(5), &|m| time_cell(m.spread.slowest_us)),
        (TextColumn::number("samples/s").plain(&["samples_per_second"]).rank(1), &|m| {
            format!("{:.0}", m.samples_per_second()).into()
        }),
        (TextColumn::number("packed weights").plain(&["weight_bytes"]).rank(7), &|m| {
            TextCell::known(m.weight_bytes, TextCell::bytes)
        }),
    ];
    table_of(measurements, &columns)
}

/// The measurements of one table: the same work on the same kind of device.
type Group<'a> = (Mode, &'a str, Vec<&'a Measurement>);

/// Groups in the order of their first measurement.
fn groups(measurements: &[Measurement]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for measurement in measurements {
        let (mode, backend) = (measurement.mode, measurement.backend.as_str());
        match groups.iter_mut().find(|group| (group.0, group.1) == (mode, backend)) {
            Some(group) => group.2.push(measurement),
            None => groups.push((mode, backend, vec![measurement])),
        }
    }
    groups
}

/// The named rows of a group, in the order of their first measurement, this program's first.
///
/// A row is named after its subject, with what differs if one subject was measured in several ways: `tanner sc cpu, width 1568`.
fn rows<'a>(group: &[&'a Measurement]) -> Vec<(String, Vec<&'a Measurement>)> {
    let mut rows: Vec<(String, Vec<&Measurement>)> = Vec::new();
    let (ours, others): (Vec<&Measurement>, Vec<&Measurement>) =
        group.iter().copied().partition(|m| m.program == "tanner");
    for measurement in ours.into_iter().chain(others) {
        let name = name(measurement, group);
        match rows.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.1.push(measurement),
            None => rows.push((name, vec![measurement])),
        }
    }
    rows
}

/// The subject, with the conditions in which the group differs. The device is named only if two rows of one batch size
/// differ in it, because single samples run on one thread and larger batches on all.
fn name(measurement: &Measurement, group: &[&Measurement]) -> String {
    let subject = measurement.subject();
    let same: Vec<&Measurement> = group.iter().copied().filter(|other| other.subject() == subject).collect();
    let circumstances: Vec<[String; 6]> = same.iter().map(|other| other.circumstances()).collect();
    let differs = |index: usize, own: &String| circumstances.iter().any(|other| other[index] != *own);
    let mut words = vec![subject];
    let own = measurement.circumstances().into_iter().enumerate();
    words.extend(own.filter(|(index, own)| differs(*index, own)).map(|(_, own)| own));
    let first = |batch| same.iter().find(|other| other.batch == batch);
    if same.iter().any(|other| first(other.batch).is_some_and(|first| first.device != other.device)) {
        words.push(measurement.device.clone());
    }
    words.join(", ")
}

/// Tables of medians under their headings, one for each mode and kind of device: a row for each subject, a column for
/// each batch size. After each median come half the interquartile range, and the ratio to the first row.
#[must_use]
pub fn ratio_table(measurements: &[Measurement]) -> Vec<(String, TextTable)> {
    let table = |(mode, backend, group): (Mode, &str, Vec<&Measurement>)| {
        let batches: BTreeSet<usize> = group.iter().map(|m| m.batch).collect();
        let rows = rows(&group);
        let columns = batches.iter().map(|batch| {
            let plain = ["us", "quartiles_percent", "ratio"].map(|part| format!("batch_{batch}_{part}"));
            TextColumn::text(format!("batch {batch}")).plain(&plain.each_ref().map(String::as_str))
        });
        let of = if mode == Mode::Training { "a training step" } else { "a forward pass" };
        let subject = TextColumn::text("").plain(&[&format!("{of} on the {backend}")]);
        let mut table = TextTable::new(std::iter::once(subject).chain(columns));
        for (name, row) in &rows {
            let cells = batches.iter().map(|batch| {
                at(row, *batch).map_or_else(TextCell::missing, |found| cell(found, at(&rows[0].1, *batch)))
            });
            table.row(std::iter::once(name.clone().into()).chain(cells));
        }
        let heading = format!(
            "{of} on the {backend}, median time ± half the interquartile range, and the ratio to the first row"
        );
        (heading, table)
    };
    groups(measurements).into_iter().map(table).collect()
}

/// The measurement of a row at a batch size.
fn at<'a>(row: &[&'a Measurement], batch: usize) -> Option<&'a Measurement> {
    row.iter().copied().find(|measurement| measurement.batch == batch)
}

/// `12.3 ms ±4 %  2.50x`.
fn cell(found: &Measurement, first: Option<&Measurement>) -> TextCell {
    let Spread { median_us, lower_quartile_us, upper_quartile_us, .. } = found.spread;
    let around = 50.0 * (upper_quartile_us - lower_quartile_us) / median_us;
    let ratio = first.map(|first| format!("{:.2}", median_us / first.spread.median_us));
    let times = ratio.as_ref().map_or(String::new(), |ratio| format!("  {ratio}x"));
    let plain = [format!("{median_us:.1}"), format!("{around:.0}"), ratio.unwrap_or_default()];
    TextCell::split(format!("{} ±{around:.0} %{times}", duration(median_us)), plain)
}

/// Times over batch sizes, both logarithmic, a panel for each mode and kind of device. Bars are quartiles. After the
/// last colour they repeat, dashed.
///
/// # Errors
/// [`Error::Picture`] when there is nothing to draw, or the drawing fails.
pub fn step_time_chart(measurements: &[Measurement]) -> Result<Drawing> {
    let groups = groups(measurements);
    if groups.is_empty() {
        return Err(Error::Picture("a chart of 0 measurements".into()));
    }
    // A subject has the same colour in each panel.
    let mut names: Vec<String> = Vec::new();
    let mut panels = Vec::new();
    for (mode, backend, group) in &groups {
        let mut plots: Vec<Plot> = Vec::new();
        for (name, mut points) in rows(group) {
            points.sort_by_key(|m| m.batch);
            let index = names.iter().position(|known| *known == name).unwrap_or(names.len());
            if index == names.len() {
                names.push(name);
            }
            plots.extend(series(index, &points));
        }
        let layout = Layout::auto_from_plots(&plots).with_title(format!("{mode} on the {backend} (µs)"));
        panels.push((plots, layout.with_x_label("samples in a batch").with_log_scale()));
    }
    let key = |(index, name): (usize, String)| {
        let sign = if index < PALETTE.len() { Sign::Line } else { Sign::Dashes };
        Key::new(name, PALETTE[index % PALETTE.len()], sign)
    };
    let keys: Vec<Key> = names.into_iter().enumerate().map(key).collect();
    Drawing::of(&figure("median time, bars are quartiles", [600.0, 400.0], panels, &keys))
}

/// A line with its points.
fn series(index: usize, points: &[&Measurement]) -> [Plot; 2] {
    let color = PALETTE[index % PALETTE.len()].light;
    let at: Vec<(f64, f64)> = points.iter().map(|m| (m.batch as f64, m.spread.median_us)).collect();
    let line = LinePlot::new().with_data(at.clone()).with_color(color).with_stroke_width(CURVE);
    let line = if index < PALETTE.len() { line } else { line.with_dashed() };
    let below = points.iter().map(|m| m.spread.median_us - m.spread.lower_quartile_us);
    let above = points.iter().map(|m| m.spread.upper_quartile_us - m.spread.median_us);
    let dots = ScatterPlot::new().with_data(at).with_color(color).with_size(SMALL_DOT + 1.0);
    let dots = dots.with_y_err_asymmetric(below.zip(above).collect::<Vec<_>>());
    [Plot::Line(line), Plot::Scatter(dots)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(program: &str, arch: &str, batch: usize, median_us: f64) -> Measurement {
        let spread = Spread {
            calls: 5,
            median_us,
            fastest_us: 0.8 * median_us,
            lower_quartile_us: 0.9 * median_us,
            upper_quartile_us: 1.1 * median_us,
            slowest_us: 2.0 * median_us,
        };
        Measurement { batch, spread, ..Measurement::example(program, arch, 784) }
    }

    fn text_of(measurements: &[Measurement]) -> String {
        ratio_table(measurements).iter().map(|(heading, table)| format!("{heading}\n{table}\n")).collect()
    }

    #[test]
    fn times_read_well() {
        let times = [3.25, 999.0, 1500.0, 2.5e6].map(duration);
        assert_eq!(times, ["3.2 µs", "999.0 µs", "1.50 ms", "2.50 s"]);
    }

    #[test]
    fn ratios_are_to_our_first_row_at_the_same_batch() {
        let peers = [
            measured("pytorch", "fc", 128, 900.0),
            measured("tanner", "sc", 128, 300.0),
            measured("tanner", "sc", 1024, 2000.0),
            measured("pytorch", "fc", 4096, 5000.0),
        ];
        let text = text_of(&peers);
        let lines: Vec<&str> = text.lines().collect();
        let row = |name: &str| lines.iter().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(
            row("tanner sc cpu").contains("300.0 µs ±10 %  1.00x")
                && row("tanner").contains("2.00 ms ±10 %  1.00x")
        );
        assert!(row("pytorch fc cpu").contains("900.0 µs ±10 %  3.00x"), "{text}");
        // There is no row of ours to compare with.
        assert!(
            row("pytorch").contains("5.00 ms ±10 %") && !row("pytorch").contains("±10 %  1.00x"),
            "{text}"
        );
        let ours = lines.iter().position(|line| line.contains("tanner sc")).unwrap();
        assert!(ours < lines.iter().position(|line| line.contains("pytorch")).unwrap(), "{text}");
    }

    #[test]
    fn rows_of_one_subject_are_distinguished_by_what_differs() {
        let wide = Measurement { width: 1568, ..measured("tanner", "sc", 128, 700.0) };
        let two = Measurement { device: "2 threads".into(), ..measured("tanner", "fc", 128, 400.0) };
        // `--inference` measures another device at another batch size: one row.
        let single = Measurement { device: "2 threads".into(), ..measured("tanner", "rsp", 1, 5.0) };
        let all = [
            measured("tanner", "sc", 128, 300.0),
            wide,
            measured("tanner", "fc", 128, 900.0),
            two,
            measured("tanner", "rsp", 128, 50.0),
            single,
        ];
        let text = text_of(&all);
        for (row, part) in [
            ("tanner sc cpu, width 784", "300.0 µs ±10 %  1.00x"),
            ("tanner sc cpu, width 1568", "700.0 µs ±10 %  2.33x"),
            ("tanner fc cpu, 1 thread", "900.0 µs"),
            ("tanner fc cpu, 2 threads", "400.0 µs"),
        ] {
            let found = text.lines().any(|line| line.contains(&format!("{row} ")) && line.contains(part));
            assert!(found, "{row} {part}: {text}");
        }
        assert!(text.contains("tanner rsp cpu ") && !text.contains("rsp cpu,"), "{text}");
    }

    #[test]
    fn charts_of_one_and_of_many_are_drawn() {
        let one = [measured("tanner", "sc", 128, 300.0)];
        let many: Vec<Measurement> = (0..9)
            .flat_map(|k| {
                [measured(&format!("p{k}"), "fc", 1, 10.0), measured(&format!("p{k}"), "fc", 64, 90.0)]
            })
            .collect();
        for (measurements, name) in [(&one[..], "tanner sc cpu"), (&many, "p8 fc cpu")] {
            let chart = step_time_chart(measurements).unwrap();
            let picture = image::load_from_memory(&chart.png).unwrap().to_rgb8();
            assert!(picture.width() >= 1200 && chart.svg.contains(name));
            assert!(picture.pixels().filter(|pixel| pixel.0 == [0x00, 0x72, 0xB2]).count() > 20);
        }
        assert!(step_time_chart(&[]).is_err());
    }
}
