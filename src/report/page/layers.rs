//! The network, layer by layer: which weights exist, and how large they are.

use maud::{Markup, html};

use super::markup::{data_url, missing, percent, scale_switch, short, unit};
use super::{MAX_LAYERS, MAX_PIXELS};
use crate::model::TrainedModel;
use crate::network::{Layer, LayerParameters};
use crate::report::connectivity::layer_picture;
use crate::report::grouped;
use crate::report::receptive_fields::OnPicture;

/// Bars of a histogram.
const BINS: usize = 41;
/// Standard deviations on either side of the mean that a histogram covers.
const REACH: f64 = 4.0;
/// Width and height of a histogram in drawing units.
const WIDTH: f64 = 164.0;
const HEIGHT: f64 = 70.0;

/// The connectivity picture and the histograms.
pub(super) fn figures(id: &str, model: &TrainedModel) -> Markup {
    let layers: Vec<_> = model.network().layers().iter().zip(&model.parameters().layers).collect();
    let shown = &layers[..layers.len().min(MAX_LAYERS)];
    let rest = (shown.len() < layers.len())
        .then(|| format!(" {} more layers are not shown.", layers.len() - shown.len()));
    html! {
        figure.wide id={ (id) "-connectivity" } {
            h3 { "Connections" }
            div.layers { @for (index, (layer, _)) in shown.iter().enumerate() { (connections(index + 1, layer)) } }
            figcaption { "A dot is a weight. Inputs count to the right, outputs downwards. Faint lines separate blocks." (rest.clone().unwrap_or_default()) }
        }
        @if let Some(on_picture) = OnPicture::of_model(model) {
            figure.wide id={ (id) "-receptive-fields" } {
                h3 { "Receptive fields" }
                @match on_picture.sheet(model.network()) {
                    Ok(png) => { img.fields src=(data_url(&png)) alt="Pixels that the neurons of each layer see"; }
                    Err(error) => (missing(error.to_string())),
                }
                figcaption { "The pixels that 8 neurons of each hidden layer see, the first layer at the top. The darker a pixel, the more paths lead
                    from it. An orange mark is the place of the neuron." }
            }
        }
        figure.wide id={ (id) "-weights" } {
            div.head { h3 { "Weights" } (scale_switch(&format!("{id}-weights"))) }
            div.layers { @for (index, (_, parameters)) in shown.iter().enumerate() { (weights(index + 1, parameters)) } }
            figcaption { "The distribution of the weights. The outermost bars contain everything beyond "
                (short(REACH)) " standard deviations." (rest.unwrap_or_default()) }
        }
    }
}

fn connections(number: usize, layer: &Layer) -> Markup {
    let topology = &layer.topology;
    let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
    let said = format!(
        "Layer {number}: {} of {} possible weights between {} inputs and {} outputs",
        grouped(topology.edges()),
        grouped(topology.dense_edges()),
        grouped(inputs),
        grouped(outputs)
    );
    html! {
        div.layer {
            h4 { "Layer " (number) }
            @match layer_picture(topology, MAX_PIXELS) {
                Ok(png) => { img.connections src=(data_url(&png)) alt=(said); }
                Err(error) => (missing(error.to_string())),
            }
            p { (grouped(inputs)) " × " (grouped(outputs)) ", " (percent(topology.density())) " dense" }
        }
    }
}

fn weights(number: usize, parameters: &LayerParameters) -> Markup {
    let Some(histogram) = Histogram::of(&parameters.weights) else {
        return html! { div.layer { h4 { "Layer " (number) } (missing("It has no weights.")) } };
    };
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let width = WIDTH / BINS as f64;
    let scales: [(&str, &dyn Fn(usize) -> f64); 2] = [
        ("linear", &|count| HEIGHT * count as f64 / most),
        ("log", &|count| HEIGHT * (count as f64).ln_1p() / most.ln_1p()),
    ];
    let said = format!(
        "Layer {number}: {} weights from {} to {}",
        grouped(parameters.weights.len()),
        short(histogram.least),
        short(histogram.greatest)
    );
    html! {
        div.layer {
            h4 { "Layer " (number) }
            svg.histogram viewBox={ "0 0 " (unit(WIDTH)) " " (unit(HEIGHT + 17.0)) } role="img" aria-label=(said) {
                @for (scale, height) in scales { g class=(scale) {
                    @for (bin, count) in histogram.counts.iter().enumerate() {
                        @let (from, to) = histogram.limits(bin);
                        rect x=(unit(width * bin as f64)) y=(unit(HEIGHT - height(*count)))
                            width=(unit(width - 0.6)) height=(unit(height(*count))) {
                            title { (short(from)) " to " (short(to)) ": " (grouped(*count)) }
                        }
                    }
                } }
                line.axis x1="0" x2=(unit(WIDTH)) y1=(unit(HEIGHT)) y2=(unit(HEIGHT)) {}
                text x="0" y=(unit(HEIGHT + 13.0)) { (short(histogram.low)) }
                text.middle x=(unit(WIDTH / 2.0)) y=(unit(HEIGHT + 13.0)) { (short(histogram.low.midpoint(histogram.high))) }
                text.end x=(unit(WIDTH)) y=(unit(HEIGHT + 13.0)) { (short(histogram.high)) }
            }
            p { (grouped(parameters.weights.len())) " weights, mean " (short(histogram.mean)) ", deviation " (short(histogram.deviation)) }
        }
    }
}

/// Weights sorted into bars of equal width.
struct Histogram {
    least: f64,
    greatest: f64,
    mean: f64,
    deviation: f64,
    /// Where the first bar starts and the last one ends.
    low: f64,
    high: f64,
    counts: Vec<usize>,
}

impl Histogram {
    fn of(weights: &[f32]) -> Option<Self> {
        let values = || weights.iter().map(|weight| f64::from(*weight));
        let (least, greatest) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
        let count = weights.len() as f64;
        let mean = values().sum::<f64>() / count;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        let low = f64::max(least, mean - REACH * deviation);
        let high = f64::min(greatest, mean + REACH * deviation);
        let mut counts = vec![0; BINS];
        for value in values() {
            #[expect(clippy::cast_possible_truncation, reason = "casts saturate; NaN becomes 0")]
            let bin = ((value - low) / (high - low) * BINS as f64) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        Some(Self { least, greatest, mean, deviation, low, high, counts })
    }

    /// The start and end of a bar; the outermost bars extend to the extreme weights.
    fn limits(&self, bin: usize) -> (f64, f64) {
        let limit = |bin: usize| self.low + (self.high - self.low) * bin as f64 / BINS as f64;
        let from = if bin == 0 { self.least } else { limit(bin) };
        (from, if bin + 1 == BINS { self.greatest } else { limit(bin + 1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_in_a_bar() {
        let mut weights: Vec<f32> = (-500..=500i16).map(|i| f32::from(i) / 500.0).collect();
        weights.extend([50.0, -50.0]);
        let histogram = Histogram::of(&weights).unwrap();
        assert_eq!(histogram.counts.iter().sum::<usize>(), weights.len());
        assert_eq!((histogram.limits(0).0, histogram.limits(BINS - 1).1), (-50.0, 50.0));
        assert!(histogram.high < 20.0 && histogram.counts[0] >= 1, "{:?}", histogram.counts);
        let same = Histogram::of(&[0.5; 3]).unwrap();
        assert_eq!((same.counts[0], same.deviation), (3, 0.0));
        assert!(Histogram::of(&[]).is_none());
    }
}
