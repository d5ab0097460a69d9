use std::fs;
use std::path::Path;

use super::*;
use crate::dataset::{DataRecord, Dataset};
use crate::importance::{Importance, ImportanceSettings, Preprocessing};
use crate::inference::Predictor;
use crate::model::ArchitectureRecord;
use crate::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};

const HOSTILE: &str = "<script>alert(\"1\")</script>&<!--";

/// Samples of 4 features and 3 classes; of 2 x 2 pixels where they are pictures.
fn data(samples: usize, pictures: bool) -> Dataset {
    let features = (0..4 * samples).map(|i| (i * 37 % 101) as f32).collect();
    let labels = (0..samples).map(|i| u32::try_from(i % 3).unwrap()).collect();
    let data = Dataset::new(features, 4, labels, 3).unwrap();
    if pictures { data.with_image_shape([2, 2]).unwrap() } else { data }
}

fn model(train: &Dataset) -> TrainedModel {
    let architecture = Architecture {
        inputs: 4,
        hidden: vec![6, 5],
        classes: 3,
        connectivity: Connectivity::FullyConnected,
        activation: Activation::Relu,
        keep_probability: 1.0,
        reaches_all: false,
    };
    let network = architecture.build(0).unwrap();
    let parameters = Initialisation { scheme: Scheme::He, gain: 1.0 }.draw(&network, 0).unwrap();
    let preprocessing = Preprocessing::fit(&ImportanceSettings::new(Importance::None), train).unwrap();
    let record = ArchitectureRecord::new(&architecture, 0);
    let mut model = TrainedModel::new(network, parameters, preprocessing, record).unwrap();
    model.set_data(DataRecord::of(train)).unwrap();
    model
}

fn write_run(folder: &Path, epochs: usize) {
    fs::create_dir_all(folder).unwrap();
    let config = serde_json::json!({"recipe": {"epochs": epochs, "note": HOSTILE}, "data": HOSTILE,
        "command": ["target/release/tanner", "--out", HOSTILE]});
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let line = |epoch: usize| {
        format!(
            "{{\"epoch\":{epoch},\"train_loss\":0.{epoch},\"test_loss\":0.{epoch},\"train_accuracy\":0.5,\"test_accuracy\":0.25,\
             \"learning_rate\":0.1,\"seconds\":1.0,\"seconds_steps\":0.9}}\n"
        )
    };
    fs::write(folder.join("metrics.jsonl"), (1..=epochs).map(line).collect::<String>()).unwrap();
}

/// A run in a folder of this name, with class names that try to be markup.
fn reported(folder: &Path, name: &str, epochs: usize, pictures: bool) -> ReportedRun {
    write_run(&folder.join(name), epochs);
    let run = PastRun::read(folder.join(name)).unwrap();
    let (train, test) = (data(90, pictures), data(60, pictures));
    let model = model(&train);
    let predictions = Predictor::new(model.clone(), Some(1)).unwrap().predict(test.features()).unwrap();
    let names = Names { classes: vec![HOSTILE.into(), "b".into()], features: vec![HOSTILE.into()] };
    let scored = ScoredRun::new(&predictions, &test, &train, names).map_err(|error| error.to_string());
    ReportedRun { overview: RunOverview::new(&run), run, model: Ok(model), scored, numbers: None }
}

const FIGURES: [&str; 7] =
    ["confusion", "classes", "examples", "connectivity", "weights", "reproduce", "files"];

#[test]
fn a_page_has_every_figure_and_nothing_of_its_data_is_markup() {
    let folder = tempfile::tempdir().unwrap();
    for pictures in [true, false] {
        let runs = ["a", "b<i>"].map(|name| reported(folder.path(), name, 3, pictures));
        let page = report_page(&runs, &[format!("Not shown: {HOSTILE}")], None);
        for run in 1..=2 {
            for figure in FIGURES {
                let figure = format!("<figure id=\"run-{run}-{figure}\"");
                let wide = figure.replace("<figure ", "<figure class=\"wide\" ");
                assert!(page.contains(&figure) || page.contains(&wide), "no {figure}");
            }
        }
        for figure in ["id=\"runs\"", "id=\"curves-loss\"", "id=\"curves-accuracy\""] {
            assert!(page.contains(figure), "no {figure}");
        }
        assert!(!page.contains("<script>alert") && !page.contains("b<i>") && !page.contains("<!--"));
        assert!(page.contains("&lt;script&gt;alert"));
        assert_eq!(page.contains("<figure class=\"wide\" id=\"run-1-receptive-fields\""), pictures);
        assert_eq!(page.contains("aria-label=\"Sample") || page.contains("alt=\"Sample "), pictures);
        well_formed(&page);
    }
}

#[test]
fn scales_are_switched_without_a_script_and_the_linear_one_is_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = reported(folder.path(), "run", 3, true);
    let page = report_page(std::slice::from_ref(&run), &[], None);
    for name in ["curves-loss-scale", "run-1-weights-scale"] {
        let input = |value| format!("<input type=\"radio\" name=\"{name}\" value=\"{value}\"");
        assert!(page.contains(&format!("{} checked>", input("linear"))), "{name}");
        assert!(page.contains(&format!("{}>", input("log"))), "{name}");
    }
    let plots = |page: &str, scale: &str| page.matches(&format!("<svg class=\"plot {scale}\"")).count();
    assert_eq!((plots(&page, "linear"), plots(&page, "log")), (2, 1));
    assert_eq!(page.matches("<g class=\"log\"").count(), page.matches("<g class=\"linear\"").count());
    // Both are in the page: a browser without the style shows them, and the style hides the logarithmic one.
    assert!(STYLE.contains("svg.plot.log, .histogram .log { display: none; }"));
    // A loss of 0 has no logarithm.
    run.run.history[0].train_loss = 0.0;
    let page = report_page(&[run], &[], None);
    assert_eq!((plots(&page, "linear"), plots(&page, "log")), (2, 0));
    assert!(!page.contains("curves-loss-scale"));
}

#[test]
fn many_runs_are_folded_away_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let page = |count: usize| {
        let name = |number: usize| format!("run{number}");
        let runs: Vec<_> = (0..count).map(|number| reported(folder.path(), &name(number), 2, true)).collect();
        report_page(&runs, &[], None)
    };
    let (few, many) = (page(MAX_OPEN), page(MAX_OPEN + 1));
    let folded = |page: &str| page.matches("<details name=\"runs\">").count();
    assert_eq!((folded(&few), folded(&many)), (0, MAX_OPEN + 1));
    assert!(few.contains("<nav") && !many.contains("<nav") && many.contains("href=\"#run-7\""));
    well_formed(&many);
}

#[test]
fn importances_are_shown_where_the_model_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = reported(folder.path(), "run", 1, false);
    let figure = "id=\"run-1-importance\"";
    assert!(!report_page(std::slice::from_ref(&run), &[], None).contains(figure));
    let train = data(90, false);
    let settings = ImportanceSettings::new(Importance::Variance);
    let scores = [1.0, 4.0, 2.0, 3.0];
    let preprocessing = Preprocessing::from_scores(&settings, &train, &scores).unwrap();
    let plain = run.model.unwrap();
    let (network, parameters) = (plain.network().clone(), plain.parameters().clone());
    let mut model = TrainedModel::new(network, parameters, preprocessing, plain.record().clone()).unwrap();
    model.set_data(plain.data().clone()).unwrap();
    run.model = Ok(model);
    let page = report_page(&[run], &[], None);
    let listed = page.split(figure).nth(1).unwrap().split("</figure>").next().unwrap();
    let shares: Vec<usize> = ["40.00 %", "30.00 %", "20.00 %", "10.00 %"]
        .iter()
        .map(|share| listed.find(share).unwrap_or_else(|| panic!("no {share} in {listed}")))
        .collect();
    assert!(shares.is_sorted() && listed.contains("feature 1"), "{listed}");
    assert!(!listed.contains("<img"));
}

#[test]
fn a_page_needs_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let page = report_page(&[reported(folder.path(), "run", 2, true)], &[], None);
    for address in ["http:", "https:", "@import", "url("] {
        assert!(!page.contains(address), "the page has {address}");
    }
    for target in page.split("href=\"").skip(1) {
        assert!(target.starts_with("data:,") || target.starts_with('#'), "{}", &target[..20]);
    }
    for source in page.split("src=\"").skip(1) {
        assert!(source.starts_with("data:image/png;base64,"), "{}", &source[..40]);
    }
}

#[test]
fn what_is_missing_is_said_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = reported(folder.path(), "run", 1, true);
    run.scored = Err("the data are gone".into());
    run.model = Err(HOSTILE.into());
    run.run.history.clear();
    let page = report_page(&[run], &[], None);
    for part in
        ["No confusion matrix, classes and examples: the data are gone", "No curves", "was interrupted"]
    {
        assert!(page.contains(part), "no {part:?}");
    }
    assert!(!page.contains("id=\"run-1-confusion\"") && page.contains("id=\"run-1-settings\""));
    well_formed(&page);
}

#[test]
fn another_accuracy_than_the_recorded_one_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = reported(folder.path(), "run", 1, true);
    run.overview.accuracy = run.scored.as_ref().ok().map(|scored| scored.scores.accuracy);
    let warning = "these are not the samples that it was scored on";
    assert!(!report_page(&[run], &[], None).contains(warning));
    let mut run = reported(folder.path(), "run", 1, true);
    run.overview.accuracy = Some(0.99);
    assert!(report_page(&[run], &[], None).contains(warning));
}

#[test]
fn long_runs_make_no_long_page() {
    let folder = tempfile::tempdir().unwrap();
    let size =
        |name: &str, epochs| report_page(&[reported(folder.path(), name, epochs, true)], &[], None).len();
    let (short, long) = (size("short", 2), size("long", 20_000));
    // 400 points of two lines in two charts, one of them on two scales, and their numbers.
    assert!(long < short + 6 * 400 * 40, "{short} and {long} bytes");
}

#[test]
fn long_texts_make_no_long_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = reported(folder.path(), "run", 2, false);
    let short = report_page(std::slice::from_ref(&run), &[], None).len();
    let settings: serde_json::Map<String, serde_json::Value> =
        (0..5000).map(|key| (format!("key{key}"), "x".repeat(10_000).into())).collect();
    run.run.config = Some(settings.into());
    if let Ok(scored) = &mut run.scored {
        scored.names = Names { classes: vec!["é".repeat(4096); 3], features: vec!["<".repeat(4096); 4] };
    }
    let long = report_page(&[run], &[], None).len();
    assert!(long < short + 300_000, "{short} and {long} bytes");
}

/// Elements are closed in the reverse order of opening.
fn well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes nothing of that name");
            continue;
        }
        let name = tag.split([' ', '\n']).next().unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "<{tag}>");
        assert!(tag.matches('"').count().is_multiple_of(2), "<{tag}>");
        if ["script", "style"].contains(&name) {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).expect("it is closed") + close.len()..];
        } else if !["meta", "link", "img", "br", "input"].contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
