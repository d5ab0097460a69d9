//! Loss and accuracy over the epochs: two charts with all runs.

use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::markup::{chip, look, missing, scale_switch, shown, unit};
use super::{MAX_POINTS, ReportedRun};
use crate::report::axis::Axis;
use crate::report::learning_curve::tick_step;
use crate::text::epochs;
use crate::training::{EpochMetrics, Metric, ScoredOn};

/// Size of a chart in drawing units, and the margins for its axes.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 36.0;
/// With more runs than this, the training curves are faint.
const FEW_RUNS: usize = 6;

/// The quantity of a chart.
struct Measure {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    train: fn(&EpochMetrics) -> f64,
    test: fn(&EpochMetrics) -> f64,
    /// The upper limit of the axis.
    greatest: f64,
    /// Whether the axis starts at 0, and may be logarithmic instead.
    is_loss: bool,
}

const LOSS: Measure = Measure {
    id: "curves-loss",
    title: "Loss",
    unit: "cross-entropy, nats",
    train: |epoch| epoch.train_loss,
    test: |epoch| epoch.test_loss,
    greatest: f64::INFINITY,
    is_loss: true,
};

/// Loss and score of runs with this metric.
fn measures(metric: Metric) -> [Measure; 2] {
    if metric.is_accuracy() {
        return [LOSS, ACCURACY];
    }
    let loss = Measure { unit: "as trained", ..LOSS };
    let score = if metric.is_share() {
        Measure { title: "Score", unit: "subset accuracy, per cent", ..ACCURACY }
    } else {
        Measure {
            title: "Error",
            unit: "RMSE",
            train: |epoch| epoch.train_accuracy,
            test: |epoch| epoch.test_accuracy,
            greatest: f64::INFINITY,
            is_loss: true,
            ..ACCURACY
        }
    };
    [loss, score]
}

const ACCURACY: Measure = Measure {
    id: "curves-accuracy",
    title: "Accuracy",
    unit: "per cent",
    train: |epoch| 100.0 * epoch.train_accuracy,
    test: |epoch| 100.0 * epoch.test_accuracy,
    greatest: 100.0,
    is_loss: false,
};

/// One run of a chart, in the form that the script reads.
#[derive(Serialize)]
struct Series<'a> {
    run: usize,
    /// Its colour.
    look: String,
    name: &'a str,
    epochs: Vec<usize>,
    train: Vec<f64>,
    test: Vec<f64>,
}

/// The data with which the script finds the epoch under the pointer.
#[derive(Serialize)]
struct ChartData<'a> {
    unit: &'a str,
    scored: &'a str,
    left: f64,
    right: f64,
    width: f64,
    first: usize,
    last: usize,
    series: &'a [Series<'a>],
}

/// The legend and both charts.
pub(super) fn section(runs: &[ReportedRun]) -> Markup {
    let drawn: Vec<(usize, &ReportedRun)> =
        runs.iter().enumerate().filter(|(_, run)| !run.run.history.is_empty()).collect();
    let metric = drawn.first().map(|(_, run)| run.overview.metric).unwrap_or_default();
    let [loss, score] = measures(metric);
    // One axis can have only one metric.
    let alike: Vec<_> = drawn.iter().copied().filter(|(_, run)| run.overview.metric == metric).collect();
    let scored = scored_on(&drawn);
    html! {
        section #curves {
            h2 { "Curves" }
            @if drawn.is_empty() {
                (missing("No curves: metrics.jsonl has no readable epoch."))
            } @else {
                ul.legend data-for="curves" {
                    @if runs.len() > 1 { @for (index, run) in &drawn {
                        li { button type="button" aria-pressed="true" data-run=(index) {
                            (chip(*index)) (run.overview.name)
                        } }
                    } }
                    li.key { svg viewBox="0 0 28 8" aria-hidden="true" { path d="M1 4H27" {} } (scored) }
                    li.key { svg viewBox="0 0 28 8" aria-hidden="true" { path.train d="M1 4H27" {} } "training" }
                    li.key { svg viewBox="0 0 8 8" aria-hidden="true" { circle cx="4" cy="4" r="3" {} } "best" }
                }
                div.pair { (chart(&loss, &alike, scored)) (chart(&score, &alike, scored)) }
                @if alike.len() < drawn.len() {
                    (missing(format!("Only runs scored by {} are drawn.", metric.title())))
                }
                @for (index, run) in runs.iter().enumerate().filter(|(_, run)| run.run.history.is_empty()) {
                    (missing(format!("{} has no readable epoch: no curves.", run.overview.name)))
                    @let _ = index;
                }
            }
        }
    }
}

/// The meaning of the solid lines.
fn scored_on(drawn: &[(usize, &ReportedRun)]) -> &'static str {
    let validated = drawn.iter().filter(|(_, run)| run.overview.scored_on == ScoredOn::Validation).count();
    match validated {
        0 => "test",
        all if all == drawn.len() => "validation",
        _ => "test or validation",
    }
}

fn chart(measure: &Measure, drawn: &[(usize, &ReportedRun)], scored: &str) -> Markup {
    let series: Vec<Series> = drawn.iter().map(|(index, run)| series(measure, *index, run)).collect();
    let epochs = || series.iter().flat_map(|series| series.epochs.iter().copied());
    let (first, last) = (epochs().min().unwrap_or(1), epochs().max().unwrap_or(1));
    let logarithmic = logarithmic(measure, &series);
    let linear = Plot { measure, drawn, series: &series, axis: linear(measure, &series), first, last };
    let description = description(measure, drawn, scored);
    let data = ChartData {
        unit: measure.unit,
        scored,
        left: LEFT,
        right: RIGHT,
        width: WIDTH,
        first,
        last,
        series: &series,
    };
    html! {
        figure.chart id=(measure.id) {
            div.head {
                h3 { (measure.title) span.unit { (measure.unit) } }
                @if logarithmic.is_some() { (scale_switch(measure.id)) }
            }
            (linear.draw("linear", &description))
            @if let Some(axis) = logarithmic { (Plot { axis, ..linear }.draw("log", &description)) }
            div.tip hidden role="status" {}
            script type="application/json" { (PreEscaped(json(&data))) }
        }
    }
}

/// One pair of axes and what is drawn on it.
struct Plot<'a> {
    measure: &'a Measure,
    drawn: &'a [(usize, &'a ReportedRun)],
    series: &'a [Series<'a>],
    axis: Axis,
    first: usize,
    last: usize,
}

impl Plot<'_> {
    fn x(&self, epoch: usize) -> f64 {
        let span = (self.last - self.first).max(1) as f64;
        // A single epoch is in the middle.
        let shift = if self.first == self.last { 0.5 } else { 0.0 };
        LEFT + (WIDTH - LEFT - RIGHT) * ((epoch - self.first) as f64 / span + shift)
    }

    fn y(&self, value: f64) -> f64 {
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - self.axis.place(value))
    }

    /// The drawing with this scale; the style shows the one with the chosen scale.
    fn draw(&self, scale: &str, description: &str) -> Markup {
        html! {
            svg class={ "plot " (scale) } viewBox={ "0 0 " (unit(WIDTH)) " " (unit(HEIGHT)) } role="img" tabindex="0" aria-label=(description) {
                @for tick in &self.axis.ticks {
                    @let y = self.y(*tick);
                    line.grid x1=(unit(LEFT)) x2=(unit(WIDTH - RIGHT)) y1=(unit(y)) y2=(unit(y)) {}
                    text.end x=(unit(LEFT - 6.0)) y=(unit(y + 4.0)) { (Axis::label(*tick)) }
                }
                @for epoch in epoch_ticks(self.first, self.last) {
                    text.middle x=(unit(self.x(epoch))) y=(unit(HEIGHT - BOTTOM + 17.0)) { (epoch) }
                }
                text.middle.name x=(unit(LEFT.midpoint(WIDTH - RIGHT))) y=(unit(HEIGHT - 3.0)) { "epoch" }
                @for (series, (_, run)) in self.series.iter().zip(self.drawn) { (self.line(series, run)) }
                line.cursor x1="0" x2="0" y1=(unit(TOP)) y2=(unit(HEIGHT - BOTTOM)) {}
            }
        }
    }

    fn line(&self, series: &Series<'_>, run: &ReportedRun) -> Markup {
        let faint = if self.drawn.len() > FEW_RUNS { " many" } else { "" };
        html! {
            g class={ "line " (look(series.run)) (faint) } data-run=(series.run) {
                (self.path("train", series, &series.train, &format!("{}: training", series.name)))
                (self.path("test", series, &series.test, &format!("{}: {}", series.name, run.overview.scored_on)))
                @if let Some(best) = run.run.best() {
                    circle.best cx=(unit(self.x(best.epoch))) cy=(unit(self.y((self.measure.test)(best)))) r="4" {
                        title { (series.name) ": best " (best.metric.title()) " " (shown(best.metric, best.test_accuracy)) " after epoch " (best.epoch) }
                    }
                }
            }
        }
    }

    fn path(&self, class: &str, series: &Series<'_>, values: &[f64], title: &str) -> Markup {
        let points: Vec<_> =
            series.epochs.iter().zip(values).map(|(epoch, value)| (self.x(*epoch), self.y(*value))).collect();
        // A line of one point is invisible, so it becomes a short one.
        let text = match points[..] {
            [(x, y)] => format!("M{:.1} {y:.1}H{:.1}", x - 5.0, x + 5.0),
            _ => points.iter().enumerate().fold(String::new(), |text, (index, (x, y))| {
                text + if index == 0 { "M" } else { "L" } + &format!("{x:.1} {y:.1}")
            }),
        };
        html! { path class=(class) d=(text) { title { (title) } } }
    }
}

/// JSON that cannot close its element.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default().replace('<', "\\u003c")
}

/// The text alternative of a chart.
fn description(measure: &Measure, drawn: &[(usize, &ReportedRun)], scored: &str) -> String {
    let of_run = |(_, reported): &(usize, &ReportedRun)| {
        let last = reported.run.history.last()?;
        let (train, test) = ((measure.train)(last), (measure.test)(last));
        let name = &reported.overview.name;
        Some(format!(
            "{name} ends after {} with {train:.4} in training and {test:.4} in {scored}",
            epochs(last.epoch)
        ))
    };
    let runs: Vec<String> = drawn.iter().filter_map(of_run).collect();
    format!("{} ({}) over the epochs. {}.", measure.title, measure.unit, runs.join("; "))
}

/// A run's curve, thinned evenly if too long; the last epoch stays.
fn series<'a>(measure: &Measure, run: usize, reported: &'a ReportedRun) -> Series<'a> {
    let history = &reported.run.history;
    let every = history.len().div_ceil(MAX_POINTS).max(1);
    let kept = || history.iter().rev().step_by(every).collect::<Vec<_>>().into_iter().rev();
    // Six digits are more than a chart can show.
    let rounded = |value: f64| format!("{value:.5e}").parse().unwrap_or(value);
    Series {
        run,
        look: look(run),
        name: &reported.overview.name,
        epochs: kept().map(|epoch| epoch.epoch).collect(),
        train: kept().map(|epoch| rounded((measure.train)(epoch))).collect(),
        test: kept().map(|epoch| rounded((measure.test)(epoch))).collect(),
    }
}

/// The smallest and largest values of some runs.
fn range(series: &[Series]) -> (f64, f64) {
    let values = series.iter().flat_map(|series| series.train.iter().chain(&series.test).copied());
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// The axis for all values of some runs.
fn linear(measure: &Measure, series: &[Series]) -> Axis {
    let (low, high) = range(series);
    Axis::linear(if measure.is_loss { 0.0 } else { low }, high, measure.greatest)
}

/// The same on a logarithmic scale; `None` if a value is 0.
fn logarithmic(measure: &Measure, series: &[Series]) -> Option<Axis> {
    let (low, high) = range(series);
    (measure.is_loss && low > 0.0 && high.is_finite()).then(|| Axis::logarithmic(low, high))
}

/// Whole epochs, 10 at most.
fn epoch_ticks(first: usize, last: usize) -> Vec<usize> {
    let step = tick_step(last - first + 1);
    (first..=last)
        .filter(|epoch| epoch % step == 0 || (*epoch == first && (step == 1 || first != 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_have_few_whole_ticks() {
        assert_eq!(epoch_ticks(1, 3), [1, 2, 3]);
        assert_eq!(epoch_ticks(1, 30), [5, 10, 15, 20, 25, 30]);
        assert_eq!(epoch_ticks(1, 1), [1]);
        assert!(epoch_ticks(1, 123_456).len() <= 13);
    }

    #[test]
    fn data_cannot_end_their_element() {
        assert!(!json(&"</script><!--").contains('<'));
    }
}
