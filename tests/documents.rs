//! Checks that documents name existing places.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Texts between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Every file named in docs/extending.md exists, and at least two mention the enum in question.
#[test]
fn extending_names_files_that_are_there_and_know_the_choice() {
    let text = fs::read_to_string(root().join("docs/extending.md")).unwrap();
    for (section, word) in [
        ("## An optimiser", "OptimizerKind"),
        ("## An activation", "Activation"),
        ("## A graph builder", "Connectivity"),
        ("## A rewiring rule", "Rewire"),
        ("## A GPU kernel", "KernelKind"),
    ] {
        let section = text.split(section).nth(1).unwrap_or_else(|| panic!("{section}"));
        let section = section.split("\n## ").next().unwrap();
        let is_path = |text: &&str| {
            ["src/", "shaders/", "tests/"].iter().any(|folder| text.starts_with(folder))
                && !text.contains("NAME")
        };
        let paths: Vec<&str> = quoted(section).into_iter().filter(is_path).collect();
        assert!(paths.len() >= 4, "{section}");
        for path in &paths {
            assert!(root().join(path).exists(), "{path} is not there");
        }
        let known = paths
            .iter()
            .filter(|path| fs::read_to_string(root().join(path)).unwrap_or_default().contains(word));
        assert!(known.count() >= 2, "{word} in {paths:?}");
    }
}

/// An optimiser is in the file of the enum and in one file of each engine: no other file distinguishes kinds.
#[test]
fn only_the_named_files_tell_optimisers_apart() {
    let allowed = ["optimizer.rs", "optimizer_tests.rs", "update.rs", "backward_weight.rs"];
    let mut folders = vec![root().join("src/engine")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let tells_apart =
                code.contains("OptimizerKind::Adam") || code.contains("OptimizerKind::Momentum");
            assert!(allowed.contains(&&*name) || !tells_apart, "{}", path.display());
        }
    }
}

/// Links of the documents to files and headings of the project lead somewhere.
#[test]
fn links_lead_somewhere() {
    let folders =
        ["", "docs", "docs/guide/src", "results"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let files = folders.into_iter().flatten().map(|file| file.unwrap().path());
    let documents: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    assert!(documents.len() > 20, "{documents:?}");
    for path in documents {
        let text = without_code(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            let is_there = || headings(&target).contains(&heading.to_owned());
            assert!(heading.is_empty() || is_there(), "{}: {link} has no such heading", path.display());
        }
    }
}

/// The text of a document outside its blocks of code.
fn without_code(path: &Path) -> String {
    let mut is_code = false;
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of a document's headings, as GitHub and mdBook make them.
fn headings(path: &Path) -> Vec<String> {
    let anchor = |title: &str| {
        let kept = title.trim().chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let text = without_code(path);
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}
