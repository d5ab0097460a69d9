//! `tanner eval`: the score of a saved model.

use std::sync::Arc;

use tanner::engine::EngineSettings;
use tanner::model::TrainedModel;
use tanner::report::grouped;
use tanner::training::Recipe;

use super::args::EvalArgs;
use super::gpu_kernels::Use;
use super::settings::EngineRequest;
use super::{backend, data, terminal};

/// Reads a model and scores it on the test set.
pub(crate) fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let request = EngineRequest::new(&args.engine)?;
    let data_settings = args.data.settings()?;
    let model = TrainedModel::load(&args.model)?;
    let test = data::load_test(&model, &data_settings)?;
    let test = Arc::new(model.prepare(test)?);
    // Nothing is trained; these are the settings of a plain run.
    let settings: EngineSettings = Recipe::default().engine_settings();
    let mut chosen = backend::start(&request, model.network(), model.parameters(), settings, Use::Passes)?;
    chosen.announce();
    let score = chosen.engine.evaluate(&test)?;
    terminal::print(&format!(
        "test accuracy {:.2} % ({} of {}), loss {:.4}",
        100.0 * score.accuracy(),
        grouped(score.correct),
        grouped(score.samples),
        score.loss
    ))
}
