//! Traits that users expect of the library's types, checked at compile time.

use std::fmt::Debug;
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tanner::classifier::{Classifier, EngineKind};
use tanner::dataset::{Augmentation, DataRecord, DataSplits, Dataset, HeldOut, Holdout};
use tanner::engine::cpu::{CpuEngine, SingleSample};
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{
    Backend, Engine, EngineInfo, EngineSettings, Evaluation, Optimizer, Penalties, StepOutcome,
};
use tanner::experiments::prune::PruneSettings;
use tanner::importance::{Importance, ImportanceSettings, Order, Preprocessing};
use tanner::inference::{Predictions, Predictor, Scores};
use tanner::model::{ArchitectureRecord, TrainedModel};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Network, Parameters};
use tanner::session::{Settings, TrainedRun};
use tanner::threads::Threads;
use tanner::topology::{DegreeDistribution, Topology};
use tanner::training::{EpochMetrics, Recipe, RunFolder, Summary};

/// Can be shown and moved to, and shared with, other threads.
const fn is_mannerly<T: Debug + Send + Sync>() {}

/// Is a value like any other.
const fn is_a_value<T: Clone + Debug + Send + Sync>() {}

/// Can be kept in a file.
const fn is_kept<T: Clone + Debug + Send + Sync + Serialize + DeserializeOwned>() {}

const fn is_send<T: Send + ?Sized>() {}

const _: () = {
    is_send::<dyn Engine>();
    is_mannerly::<CpuEngine>();
    is_mannerly::<ReferenceEngine>();
    is_mannerly::<RunFolder>();
    is_mannerly::<tanner::Error>();
    #[cfg(feature = "gpu")]
    is_send::<tanner::engine::gpu::GpuEngine>();

    is_a_value::<Classifier>();
    is_a_value::<EngineKind>();
    is_a_value::<TrainedRun>();
    is_a_value::<Dataset>();
    is_a_value::<DataSplits>();
    is_a_value::<Network>();
    is_a_value::<Parameters>();
    is_a_value::<Topology>();
    is_a_value::<Architecture>();
    is_a_value::<Connectivity>();
    is_a_value::<DegreeDistribution>();
    is_a_value::<Preprocessing>();
    is_a_value::<PruneSettings>();
    is_a_value::<TrainedModel>();
    is_a_value::<SingleSample>();
    is_a_value::<Predictor>();
    is_a_value::<Predictions>();
    is_a_value::<Threads>();

    is_kept::<Activation>();
    is_kept::<ArchitectureRecord>();
    is_kept::<Augmentation>();
    is_kept::<Backend>();
    is_kept::<DataRecord>();
    is_kept::<EngineInfo>();
    is_kept::<EngineSettings>();
    is_kept::<EpochMetrics>();
    is_kept::<Evaluation>();
    is_kept::<HeldOut>();
    is_kept::<Holdout>();
    is_kept::<Importance>();
    is_kept::<ImportanceSettings>();
    is_kept::<Initialisation>();
    is_kept::<Optimizer>();
    is_kept::<Order>();
    is_kept::<Penalties>();
    is_kept::<Recipe>();
    is_kept::<Scores>();
    is_kept::<Settings>();
    is_kept::<StepOutcome>();
    is_kept::<Summary>();
};

#[test]
fn a_predictor_serves_several_threads_at_once() {
    let features: Vec<f32> = (0..60_u8).map(|k| f32::from(k * 37 % 11)).collect();
    let data = Dataset::new(features, 3, (0..20).map(|k| k % 2).collect(), 2).unwrap();
    let fitted =
        Classifier::new().hidden([8]).epochs(1).fit(&data, None, |_| ControlFlow::Continue(())).unwrap();
    let predictor = Predictor::new(fitted.model, Some(1)).unwrap();
    let expected = predictor.predict(data.features()).unwrap();
    std::thread::scope(|scope| {
        let run = || predictor.clone().predict(data.features()).unwrap();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}
