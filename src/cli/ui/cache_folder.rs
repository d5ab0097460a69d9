//! The cache folder for results that take long to compute.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// Variable that names the cache folder; empty for none.
const CACHE_VARIABLE: &str = "TANNER_CACHE";

/// `$TANNER_CACHE`, or `tanner` in the user's cache folder.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    match std::env::var_os(CACHE_VARIABLE) {
        Some(folder) => Some(folder).filter(|folder| !folder.is_empty()).map(PathBuf::from),
        None => match etcetera::base_strategy::choose_native_strategy() {
            Ok(strategy) => Some(strategy.cache_dir().join("tanner")),
            Err(error) => {
                log::warn!("no cache: {error}; {CACHE_VARIABLE} names a folder for it");
                None
            }
        },
    }
}
