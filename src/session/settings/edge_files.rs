//! Files of graphs, which decide the architecture.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::groups::ArchitectureOptions;
use super::values::joined;
use crate::named::serde_as_text;
use crate::{Error, Result, Setting};

/// Comma-separated paths: folders and files of graphs, in the order of the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFiles(pub Vec<PathBuf>);

impl fmt::Display for EdgeFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.0.iter().map(|path| path.display()).collect();
        joined(f, &paths, ",")
    }
}

impl FromStr for EdgeFiles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let paths: Vec<PathBuf> = text.split(',').map(|path| PathBuf::from(path.trim())).collect();
        match paths.iter().any(|path| path.as_os_str().is_empty()) {
            true => Err(format!("{text:?} names no files: write FILE.npz or FILE.npz,FILE.npz")),
            false => Ok(Self(paths)),
        }
    }
}

impl From<PathBuf> for EdgeFiles {
    fn from(path: PathBuf) -> Self {
        Self(vec![path])
    }
}

serde_as_text!(EdgeFiles);

/// Whether graphs from files decide a setting.
pub(super) fn decided_by_edges(setting: Setting) -> bool {
    ArchitectureOptions::SETTINGS.contains(&setting)
        && ![Setting::Edges, Setting::Activation, Setting::Dropout].contains(&setting)
}

impl ArchitectureOptions {
    /// Refuses settings that graphs from files decide.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first.
    pub(super) fn check_edges(&self) -> Result<()> {
        let decided = self.given().find(|setting| self.edges.is_some() && decided_by_edges(*setting));
        decided.map_or(Ok(()), |setting| {
            Err(Error::setting(setting, "cannot be used with `edges`, whose graphs decide it"))
        })
    }
}
