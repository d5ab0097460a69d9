//! Where a file of a run is now: a run may be resumed in another folder or on another machine.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::continued;
use crate::{Error, Result, Setting};

/// Finds what a setting of a run named: where it was when the run was last resumed and when it began, then where its path
/// leads from the current folder, and from a folder above the run.
///
/// # Errors
/// [`Error::Setting`] with every place that was tried.
pub fn find_file(folder: &Path, config: &Value, setting: Setting, recorded: &Path) -> Result<PathBuf> {
    find_file_of(folder, config, (setting, 0), recorded)
}

/// As [`find_file`], one of several files that a setting named.
///
/// # Errors
/// As [`find_file`].
pub(crate) fn find_file_of(
    folder: &Path,
    config: &Value,
    (setting, index): (Setting, usize),
    recorded: &Path,
) -> Result<PathBuf> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let then = &config["absolute_paths"][setting.name()];
    let then = then.as_str().or_else(|| then[index].as_str()).map(PathBuf::from);
    let above = folder.ancestors().skip(1).map(|above| above.join(recorded));
    let mut places: Vec<PathBuf> = Vec::new();
    let here = absolute(recorded);
    for place in last(config, setting).into_iter().chain(then).chain([here.clone()]).chain(above) {
        if place.exists() {
            // A valid relative path stays short.
            return Ok(if place == here { recorded.to_owned() } else { place });
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let tried = places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ");
    let reason = format!(
        "{} of the run in {} is missing: looked for {tried}; give its place with `{setting}`",
        recorded.display(),
        folder.display()
    );
    Err(Error::setting(setting, reason))
}

/// Where it was when the run was last resumed.
fn last(config: &Value, setting: Setting) -> Option<PathBuf> {
    let now = continued::last(config)?;
    match setting {
        Setting::Labels => now.labels,
        Setting::Test => now.test,
        Setting::From => now.from,
        // These are a list, which may have changed.
        Setting::Edges => None,
        _ => Some(now.data),
    }
}

/// A path that does not depend on the current folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_tried_in_turn_and_all_named() {
        let above = tempfile::tempdir().unwrap();
        let above = above.path().canonicalize().unwrap();
        let run = above.join("runs/a");
        let begun = above.join("elsewhere/t.csv");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::create_dir(above.join("elsewhere")).unwrap();
        let config = json!({"absolute_paths": {"data": begun}});
        let find = |config: &Value| find_file(&run, config, Setting::Data, Path::new("no such/t.csv"));
        let message = find(&config).unwrap_err().to_string();
        for place in [&begun, &above.join("no such/t.csv"), &above.join("runs/no such/t.csv")] {
            assert!(message.contains(&place.display().to_string()), "{message}");
        }
        assert!(message.starts_with("data: ") && message.contains("give its place with `data`"), "{message}");
        std::fs::create_dir(above.join("no such")).unwrap();
        std::fs::write(above.join("no such/t.csv"), "").unwrap();
        assert_eq!(find(&config).unwrap(), above.join("no such/t.csv"));
        std::fs::write(&begun, "").unwrap();
        assert_eq!(find(&config).unwrap(), begun);
        assert_eq!(find_file(&run, &config, Setting::Data, &begun).unwrap(), begun);
        // The same relative path names another file.
        let here = Path::new("Cargo.toml");
        assert_eq!(find_file(&run, &config, Setting::Data, here).unwrap(), begun);
        assert_eq!(find_file(&run, &json!({}), Setting::Data, here).unwrap(), here);
    }
}
