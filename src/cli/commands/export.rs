//! `tanner export`: a saved model in the formats of other programs.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use tanner::Error;
use tanner::export::{csr, onnx};
use tanner::files::{atomic_write, check_folder};
use tanner::model::TrainedModel;
use tanner::report::size;

use super::refuse;
use crate::cli::flags::ExportArgs;
use crate::cli::ui::{check_place, terminal};

/// Reads a model and writes the requested files; existing ones are refused before anything is written.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let model = super::load_model(&args.model)?;
    let names = csr::file_names(model.network().layers().len());
    args.onnx.as_deref().map_or(Ok(()), check_file)?;
    args.csr.as_deref().map_or(Ok(()), |folder| check_csr(folder, &names))?;
    if let Some(path) = &args.onnx {
        let bytes = onnx::to_bytes(&model, args.form.into()).context("--onnx")?;
        atomic_write(path, &bytes).context("--onnx")?;
        let columns = onnx::offset_columns(&model);
        if !columns.is_empty() {
            terminal::note(&format!(
                "subtract the offset of columns in float64 before they become the float32 input of the graph (`data.encoding.columns` in \
                 its metadata `tanner`): {}",
                columns.join(", ")
            ));
        }
        terminal::print(&format!("onnx {} ({})", path.display(), size(bytes.len() as u64)))?;
    }
    if let Some(folder) = &args.csr {
        let bytes = write_csr(folder, &model)?;
        terminal::print(&format!("csr {} ({} files, {})", folder.display(), names.len(), size(bytes)))?;
    }
    Ok(())
}

fn check_file(path: &Path) -> anyhow::Result<()> {
    if path.symlink_metadata().is_ok() {
        let reason = format!("{} already exists: name another file or remove it", path.display());
        return refuse("--onnx", reason);
    }
    check_place("--onnx", path)
}

fn check_csr(folder: &Path, names: &[String]) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        return refuse("--csr", format!("{} is not a folder: name another one", folder.display()));
    }
    if let Some(name) = names.iter().find(|name| folder.join(name).symlink_metadata().is_ok()) {
        let reason = format!("{} already holds a {name}: name another folder", folder.display());
        return refuse("--csr", reason);
    }
    check_folder(folder).context("--csr")
}

/// Writes all files or none, and returns their total size in bytes.
fn write_csr(folder: &Path, model: &TrainedModel) -> anyhow::Result<u64> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--csr")?;
    let (mut written, mut files) = (0, Vec::new());
    let outcome = csr::files(model, |name, bytes| {
        written += bytes.len() as u64;
        files.push(folder.join(name));
        atomic_write(folder.join(name), bytes)
    });
    if outcome.is_err() {
        // A part of them is useless, and blocks the next attempt.
        files.iter().for_each(|file| drop(fs::remove_file(file)));
    }
    outcome.context("--csr")?;
    Ok(written)
}
