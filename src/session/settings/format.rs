//! The kind of data of a path.

use std::path::Path;

use crate::dataset::table::Format;
use crate::{Error, Result, Setting};

/// The format of a file by its first bytes or its name; `None` for a folder, and for a missing file without a known ending.
pub(crate) fn format(path: &Path) -> Result<Option<Format>> {
    let named = Format::of_file(path).map_err(|reason| Error::setting(Setting::Data, reason))?;
    if path.join("config.json").is_file() && path.join("metrics.jsonl").is_file() {
        let reason =
            format!("{} is the folder of a run: resume it with `tanner train --resume`", path.display());
        return Err(Error::setting(Setting::Data, reason));
    }
    if (path.is_dir() && named.is_none()) || (named.is_none() && !path.exists()) {
        return Ok(None);
    }
    if named.is_none() {
        let reason = format!(
            "{} is neither a folder of IDX files nor named .csv, .tsv, .txt, .data, .dat, .npy, .npz or \
             .parquet; if it is one of these, rename it",
            path.display()
        );
        return Err(Error::setting(Setting::Data, reason));
    }
    Ok(named)
}
