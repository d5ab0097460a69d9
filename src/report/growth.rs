//! Growth with the width: a table, a CSV file and a chart.

use kuva::plot::LinePlot;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::Drawing;
use super::benchmark::time_cell;
use super::drawing::{Key, Sign, figure};
use super::style::{DOT, PALETTE, SOFT, THIN, Tone};
use super::table::{CellOf, CsvColumn, TextCell, TextColumn, TextTable, csv, table_of};
use crate::benchmark::{Growth, Measurement, PowerLaw, dense_edges};
use crate::{Error, Result};

/// A row for each width, with the size that the weights of the fully connected network would have.
#[must_use]
pub fn growth_table(growth: &[Growth]) -> TextTable {
    let bytes = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let count = |count: u128| TextCell::count(usize::try_from(count).unwrap_or(usize::MAX));
    let columns: [CellOf<&Measurement>; 9] = [
        (TextColumn::text("network"), &|point| point.arch.clone().into()),
        (TextColumn::number("width"), &|point| TextCell::count(point.width)),
        (TextColumn::number("weights").rank(2), &|point| TextCell::count(point.edges)),
        (TextColumn::number("a step").plain(&["step_us"]), &|point| time_cell(point.spread.median_us)),
        (bytes("packed weights", "weight_bytes").rank(3), &|point| {
            TextCell::known(point.weight_bytes, TextCell::bytes)
        }),
        (bytes("peak memory", "peak_bytes").rank(1), &|point| {
            TextCell::known(point.peak_resident_bytes, TextCell::bytes)
        }),
        (TextColumn::number("built in").plain(&["build_us"]).rank(6), &|point| {
            TextCell::known(point.build_seconds, |seconds| time_cell(1e6 * seconds))
        }),
        (TextColumn::number("dense weights").rank(5), &|point| count(dense(point))),
        (bytes("dense bytes", "dense_bytes").rank(4), &|point| {
            TextCell::bytes(u64::try_from(4 * dense(point)).unwrap_or(u64::MAX))
        }),
    ];
    table_of(points(growth), &columns)
}

fn points(growth: &[Growth]) -> impl Iterator<Item = &Measurement> {
    growth.iter().flat_map(|growth| &growth.points)
}

/// Weights of the fully connected network of the same widths.
fn dense(point: &Measurement) -> u128 {
    dense_edges(point.width, point.hidden_layers)
}

/// The exponents, in one sentence.
#[must_use]
pub fn law_sentence(growth: &Growth) -> String {
    let exponent = |name: &str, law: Option<PowerLaw>| {
        law.map(|law| format!("{name} width^{:.2} (± {:.0} %)", law.exponent, 100.0 * law.residual))
    };
    let laws = [
        exponent("weights", growth.edges),
        exponent("step time", growth.step_time),
        exponent("bytes of weights", growth.weight_bytes),
        exponent("peak memory", growth.peak_resident_bytes),
        exponent("building", growth.build_seconds),
    ];
    let laws: Vec<String> = laws.into_iter().flatten().collect();
    if laws.is_empty() {
        return format!("{}: one width has no growth", growth.arch);
    }
    format!("{}: {}", growth.arch, laws.join(", "))
}

/// A line for each width.
#[must_use]
pub fn growth_csv(growth: &[Growth]) -> String {
    let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let columns: [CsvColumn<&Measurement>; 12] = [
        ("network", &|point| point.arch.clone()),
        ("width", &|point| point.width.to_string()),
        ("batch", &|point| point.batch.to_string()),
        ("edges", &|point| point.edges.to_string()),
        ("median_us", &|point| point.spread.median_us.to_string()),
        ("fastest_us", &|point| point.spread.fastest_us.to_string()),
        ("slowest_us", &|point| point.spread.slowest_us.to_string()),
        ("weight_bytes", &|point| number(point.weight_bytes)),
        ("peak_resident_bytes", &|point| number(point.peak_resident_bytes)),
        ("build_seconds", &|point| point.build_seconds.map_or(String::new(), |seconds| seconds.to_string())),
        ("dense_edges", &|point| dense(point).to_string()),
        ("dense_bytes", &|point| (4 * dense(point)).to_string()),
    ];
    csv(points(growth), &columns)
}

/// Step time and memory over the width on logarithmic axes, with the fitted power laws as lines.
///
/// # Errors
/// [`Error::Picture`] when there is nothing to draw, or the drawing fails.
pub fn growth_chart(growth: &[Growth]) -> Result<Drawing> {
    let widths: Vec<f64> = points(growth).map(|point| point.width as f64).collect();
    let Some(first) = points(growth).next() else {
        return Err(Error::Picture("a chart of 0 widths".into()));
    };
    let (mut times, mut bytes, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for (growth, color) in growth.iter().zip(PALETTE.into_iter().cycle()) {
        let law = growth.step_time.map(|law| format!(", time width^{:.2}", law.exponent)).unwrap_or_default();
        keys.push(Key::new(format!("{}{law}", growth.arch), color, Sign::Dot));
        times.extend(dots(growth, |point| Some(point.spread.median_us / 1e3), color, MarkerShape::Circle));
        times.extend(growth.step_time.map(|law| line(&widths, |x| law.at(x) / 1e3, color)));
        let mib = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / f64::from(1 << 20));
        bytes.extend(dots(growth, |point| mib(point.weight_bytes), color, MarkerShape::Circle));
        bytes.extend(dots(growth, |point| mib(point.peak_resident_bytes), color, MarkerShape::Square));
    }
    let dense =
        |width: f64| 4.0 * (width * width * first.hidden_layers as f64 + 10.0 * width) / f64::from(1 << 20);
    let mut ends: Vec<f64> = widths.clone();
    ends.sort_by(f64::total_cmp);
    let dense: Vec<_> = ends.iter().map(|width| (*width, dense(*width))).collect();
    bytes.push(Plot::Line(LinePlot::new().with_data(dense).with_color(SOFT.light).with_dashed()));
    keys.push(Key::new("dense weights", SOFT, Sign::Dashes));
    if points(growth).any(|point| point.peak_resident_bytes.is_some()) {
        keys.push(Key::new("memory of the whole process", SOFT, Sign::Square));
    }
    let layout = |plots: &[Plot], title: &str| {
        Layout::auto_from_plots(plots).with_title(title).with_x_label("width").with_log_scale()
    };
    let layouts = [layout(&times, "a training step (ms)"), layout(&bytes, "memory (MiB)")];
    let title = format!("{} hidden layers, batch {}, {}", first.hidden_layers, first.batch, first.device);
    let panels = [times, bytes].into_iter().zip(layouts).collect();
    Drawing::of(&figure(title, [520.0, 400.0], panels, &keys))
}

/// The measured points, if any.
fn dots(
    growth: &Growth,
    value: impl Fn(&Measurement) -> Option<f64>,
    color: Tone,
    marker: MarkerShape,
) -> Option<Plot> {
    let points = growth.points.iter().filter_map(|point| Some((point.width as f64, value(point)?)));
    let points: Vec<_> = points.collect();
    let plot = || ScatterPlot::new().with_data(points.clone()).with_color(color.light).with_size(DOT);
    (!points.is_empty()).then(|| Plot::Scatter(plot().with_marker(marker)))
}

/// A power law over the range of the widths.
fn line(widths: &[f64], at: impl Fn(f64) -> f64, color: Tone) -> Plot {
    let ends = [f64::min, f64::max].map(|end| widths.iter().copied().reduce(end).unwrap_or(1.0));
    let points: Vec<_> = ends.iter().map(|x| (*x, at(*x))).collect();
    Plot::Line(LinePlot::new().with_data(points).with_color(color.light).with_stroke_width(THIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth() -> Growth {
        let point = |width: usize| {
            let mut point = Measurement::example("tanner", "sc", width);
            point.spread.median_us = width as f64;
            point.weight_bytes = Some(400 * width as u64);
            point
        };
        Growth::of("sc", [784, 1568, 65_536].map(point).to_vec())
    }

    #[test]
    fn the_table_has_dense_weights_beside_ours() {
        let text = growth_table(&[growth()]).to_string();
        let row = text.lines().find(|line| line.contains("65,536")).unwrap();
        assert!(
            row.contains("65.54 ms") && row.contains("21,475,491,840") && row.contains("80.0 GiB"),
            "{text}"
        );
        let sentence = law_sentence(&growth());
        assert!(sentence.contains("step time width^1.00") && !sentence.contains("peak"), "{sentence}");
        assert_eq!(law_sentence(&Growth::of("sc", Vec::new())), "sc: one width has no growth");
    }

    #[test]
    fn the_csv_has_a_line_for_each_width_and_the_chart_its_colours() {
        let csv = growth_csv(&[growth()]);
        let commas = |line: &str| line.matches(',').count();
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.lines().all(|line| commas(line) == 11), "{csv}");
        let chart = growth_chart(&[growth()]).unwrap();
        let picture = image::load_from_memory(&chart.png).unwrap().to_rgb8();
        assert!(picture.pixels().filter(|pixel| pixel.0 == [0x00, 0x72, 0xB2]).count() > 50);
        assert!(chart.svg.contains("width^1.00") && chart.svg.contains("dense weights"));
        assert!(growth_chart(&[]).is_err());
    }
}
