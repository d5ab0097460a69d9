//! Where a run comes from: its files, all of its settings, and the command that repeats it.

use maud::{Markup, html};
use serde_json::Value;

use super::ReportedRun;
use super::markup::{cut, missing, moment};
use super::overview::flattened;
use crate::report::size;

/// Facts shown with the command line: their names, and their paths in `config.json`.
const MADE_WITH: [(&str, &str); 6] = [
    ("Version", "/tanner_version"),
    ("Started", "/started_at"),
    ("Engine", "/backend"),
    ("Device", "/adapter"),
    ("Kernels", "/gpu_kernels"),
    ("Data", "/data"),
];

/// Maximum number of files listed, and maximum characters of a command line and of a fact.
const MAX_FILES: usize = 40;
const MAX_COMMAND: usize = 8000;
const MAX_VALUE: usize = 300;

pub(super) fn parts(id: &str, reported: &ReportedRun) -> Markup {
    let run = &reported.run;
    let settings = flattened(run.config.as_ref());
    html! {
        div.pair {
            figure id={ (id) "-reproduce" } {
                h3 { "How to repeat it" }
                @match command(run.setting("/command")) {
                    Some(command) => {
                        pre { code { (command) } }
                        p.note {
                            "Run this where the run was started, with another "
                            code { "--out" } " if the run folder still exists. The same seed gives the same bits on the same engine and device."
                        }
                    }
                    None => (missing("The command line is unknown: config.json does not contain it.")),
                }
                table.facts { caption.hidden { "Made with" } tbody {
                    @for (name, pointer) in MADE_WITH {
                        @if let Some(value) = run.setting(pointer).map(plain) { tr { th scope="row" { (name) } td { (moment(&value)) } } }
                    }
                    @if let Some(summary) = &run.summary { tr { th scope="row" { "Finished" } td { (moment(&summary.finished_at)) } } }
                } }
            }
            figure id={ (id) "-files" } {
                h3 { "Files" }
                div.scroll { table {
                    caption.hidden { "Files of the run folder" }
                    thead { tr { th scope="col" { "File" } th.number scope="col" { "Size" } } }
                    tbody { @for file in run.files.iter().take(MAX_FILES) {
                        tr { th scope="row" { (file.name) } td.number { (size(file.bytes)) } }
                    } }
                } }
            }
        }
        figure.wide id={ (id) "-settings" } {
            details {
                summary { h3 { "All settings" } " (" (settings.len()) ")" }
                @if settings.is_empty() { (missing("The settings are unknown: config.json is missing or damaged.")) }
                div.scroll { table.facts { caption.hidden { "All settings" } tbody {
                    @for (name, value) in &settings { tr { th scope="row" { (name) } td { (moment(value)) } } }
                } } }
            }
        }
    }
}

/// The words quoted for a shell, without the path of the program, which differs between machines.
fn command(words: Option<&Value>) -> Option<String> {
    let words: Vec<&str> = words?.as_array()?.iter().filter_map(Value::as_str).collect();
    let (_, rest) = words.split_first()?;
    Some(cut(&shell_words::join(std::iter::once("tanner").chain(rest.iter().copied())), MAX_COMMAND))
}

fn plain(value: &Value) -> String {
    cut(&value.as_str().map_or_else(|| value.to_string(), str::to_owned), MAX_VALUE)
}
