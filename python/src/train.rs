//! Training: on a thread of its own, while the calling thread runs callbacks and looks for signals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use serde_json::Value;
use tanner::dataset::table::{Table as LibraryTable, TableEncoding};
use tanner::model::TrainedModel;
use tanner::network::Parameters;
use tanner::session::settings::RunSettings;
use tanner::session::{Data, Reporter, RunPreview, Session, Settings, TrainedRun, TrainingJob};
use tanner::training::{Ending, EpochMetrics, Observer, best_epoch};
use tanner::{Error, topology};

use crate::errors::{of_panic, to_python, with_arguments};
use crate::fork::with_threads;
use crate::model::Model;
use crate::settings;
use crate::table::{Known, Table, of_json};
use crate::topology::Topology;

/// How often the calling thread looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// What the training thread says.
enum Event {
    Note(String),
    Warning(String),
    /// Requested number of epochs.
    Planned(usize),
    Epoch(Value),
}

/// Passes on what a session says.
struct Messages(Sender<Event>);

impl Reporter for Messages {
    fn note(&self, text: &str) {
        // A receiver that is gone listens no more.
        let _ = self.0.send(Event::Note(with_arguments(text)));
    }

    fn warn(&self, text: &str) {
        let _ = self.0.send(Event::Warning(with_arguments(text)));
    }

    fn watch<'a>(&'a self, run: &RunPreview<'_>) -> Option<Box<dyn Observer + 'a>> {
        let _ = self.0.send(Event::Planned(run.epochs));
        None
    }
}

/// Passes on each epoch, and waits until the callback has returned.
struct Epochs {
    events: Sender<Event>,
    done: Receiver<()>,
}

impl Observer for Epochs {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> tanner::Result<()> {
        if self.events.send(Event::Epoch(as_json(metrics))).is_ok() {
            let _ = self.done.recv();
        }
        Ok(())
    }
}

/// The metrics of an epoch by their names in files.
fn as_json(metrics: &EpochMetrics) -> Value {
    serde_json::to_value(metrics.named()).unwrap_or_default()
}

/// A finished or stopped run.
#[pyclass(frozen, module = "tanner._native")]
pub(crate) struct Run {
    #[pyo3(get)]
    model: Py<Model>,
    /// That of the best epoch, if it is not the last one and there is no folder.
    #[pyo3(get)]
    best: Option<Py<Model>>,
    /// The best epoch of this run, from 1; of a run that is scored.
    #[pyo3(get)]
    best_epoch: Option<usize>,
    history: Vec<Value>,
    /// "completed", "out of patience" or "stopped".
    #[pyo3(get)]
    ending: &'static str,
    /// Whole epochs.
    #[pyo3(get)]
    epochs: usize,
    #[pyo3(get)]
    epochs_planned: usize,
    /// Whether a signal stopped it.
    #[pyo3(get)]
    interrupted: bool,
    #[pyo3(get)]
    warnings: Vec<String>,
    #[pyo3(get)]
    folder: Option<PathBuf>,
}

#[pymethods]
impl Run {
    /// One dict for each epoch.
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.history.iter().map(|epoch| of_json(py, epoch)).collect()
    }
}

/// Features and what they are.
type Samples = (Py<Table>, Py<Known>);

/// What a run starts from.
struct Request {
    settings: Settings,
    train: Option<Samples>,
    test: Option<Samples>,
    topologies: Option<Vec<topology::Topology>>,
    start: Option<TrainedModel>,
    cache: Option<PathBuf>,
}

/// Trains.
#[pyfunction]
#[pyo3(signature = (settings, train=None, test=None, topologies=None, start=None, cache=None, on_epoch=None, on_note=None))]
#[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
pub(crate) fn train(
    py: Python<'_>,
    settings: &str,
    train: Option<Samples>,
    test: Option<Samples>,
    topologies: Option<Vec<Py<Topology>>>,
    start: Option<Py<Model>>,
    cache: Option<PathBuf>,
    on_epoch: Option<Py<PyAny>>,
    on_note: Option<Py<PyAny>>,
) -> PyResult<Run> {
    let mut settings = settings::read(settings)?;
    settings::without_looking_again(&mut settings);
    let topologies = topologies.map(|all| all.iter().map(|one| one.get().topology().clone()).collect());
    let start = start.map(|model| model.get().trained().clone());
    let request = Request { settings, train, test, topologies, start, cache };
    let calls = Calls { on_epoch, on_note };
    let (run, heard) = calls.while_training(py, request)?;
    let (ending, epochs) = match run.ending {
        Ending::Stopped { epochs, .. } => ("stopped", epochs),
        Ending::OutOfPatience => ("out of patience", run.history.len()),
        Ending::Completed => ("completed", run.history.len()),
    };
    Ok(Run {
        model: Py::new(py, Model::new(run.model))?,
        best: run.best.map(|best| Py::new(py, Model::new(best))).transpose()?,
        best_epoch: best_epoch(&run.history).map(|best| best.epoch),
        history: run.history.iter().map(as_json).collect(),
        ending,
        epochs,
        epochs_planned: run.epochs_planned,
        interrupted: heard.interrupted,
        warnings: heard.warnings,
        folder: run.folder,
    })
}

/// What the calling thread heard while another one trained.
#[derive(Default)]
struct Heard {
    warnings: Vec<String>,
    interrupted: bool,
    planned: usize,
    /// An exception of a callback.
    failure: Option<PyErr>,
}

/// The callbacks of a run.
struct Calls {
    on_epoch: Option<Py<PyAny>>,
    on_note: Option<Py<PyAny>>,
}

impl Calls {
    /// Trains on another thread; meanwhile this one handles what that says, and signals.
    fn while_training(&self, py: Python<'_>, request: Request) -> PyResult<(TrainedRun, Heard)> {
        let (events, heard) = channel();
        let (answer, done) = channel();
        let stop = AtomicBool::new(false);
        let observer = self.on_epoch.is_some().then(|| Epochs { events: events.clone(), done });
        let heard = Mutex::new(heard);
        let (run, result) = thread::scope(|scope| {
            let stop = &stop;
            let training = move || {
                catch_unwind(AssertUnwindSafe(|| with_threads(|| run(request, events, observer, stop))))
            };
            let worker = scope.spawn(training);
            let mut result = Heard::default();
            loop {
                let next = || heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK);
                match py.detach(next) {
                    Ok(event) => {
                        let waits = matches!(event, Event::Epoch(_));
                        if !self.handle(py, event, &mut result) {
                            stop.store(true, Ordering::Relaxed);
                        }
                        if waits {
                            let _ = answer.send(());
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if let Err(signal) = py.check_signals() {
                    stop.store(true, Ordering::Relaxed);
                    if signal.is_instance_of::<PyKeyboardInterrupt>(py) {
                        result.interrupted = true;
                    } else {
                        result.failure.get_or_insert(signal);
                    }
                }
            }
            (py.detach(|| worker.join()), result)
        });
        let run = match run {
            Ok(Ok(run)) => run.map_err(|error| to_python(&error)),
            Ok(Err(panic)) | Err(panic) => Err(of_panic(&*panic)),
        };
        match result.failure {
            Some(failure) => Err(failure),
            None => Ok((run?, result)),
        }
    }

    /// Handles what the training thread said; returns whether to go on.
    fn handle(&self, py: Python<'_>, event: Event, heard: &mut Heard) -> bool {
        let goes_on = match event {
            Event::Warning(text) => {
                heard.warnings.push(text);
                Ok(true)
            }
            Event::Note(text) => match &self.on_note {
                Some(call) => call.call1(py, (text,)).map(|_| true),
                None => Ok(true),
            },
            Event::Planned(epochs) => {
                heard.planned = epochs;
                Ok(true)
            }
            Event::Epoch(metrics) => self.call_on_epoch(py, &metrics, heard.planned),
        };
        goes_on.unwrap_or_else(|failure| {
            if failure.is_instance_of::<PyKeyboardInterrupt>(py) {
                heard.interrupted = true;
            } else {
                heard.failure.get_or_insert(failure);
            }
            false
        })
    }

    /// Whether the callback wants to go on: it stops the run by returning True.
    fn call_on_epoch(&self, py: Python<'_>, metrics: &Value, planned: usize) -> PyResult<bool> {
        let Some(call) = &self.on_epoch else { return Ok(true) };
        let stops = call.call1(py, (of_json(py, metrics)?, planned))?;
        Ok(!stops.bind(py).is_truthy()?)
    }
}

/// The run itself, without the interpreter.
fn run(
    request: Request,
    events: Sender<Event>,
    mut observer: Option<Epochs>,
    stop: &AtomicBool,
) -> tanner::Result<TrainedRun> {
    let messages = Messages(events);
    let session = Session::new(&messages).cache(request.cache.clone()).stop(stop);
    let mut settings = request.settings.clone();
    let data = request.data(&session, &mut settings)?;
    let is_scored = request.is_scored();
    let resolved: RunSettings =
        if request.test.is_some() { settings.resolve_with_validation_set() } else { settings.resolve() }?;
    let mut job = TrainingJob::new(resolved).kept_in_memory();
    if let Some(data) = data {
        job = job.on(data);
    }
    if !is_scored {
        job = job.unscored();
    }
    if let Some(topologies) = &request.topologies {
        job = job.over(topologies);
    }
    if let Some(model) = request.start {
        job = job.continuing(model);
    }
    if let Some(observer) = &mut observer {
        job = job.observed_by(observer);
    }
    session.train(job)
}

impl Request {
    /// Whether there are samples to score epochs on.
    fn is_scored(&self) -> bool {
        self.train.is_none() || self.test.is_some() || self.settings.samples.validation.is_some()
    }

    /// The data, if they are in memory; their settings are used up.
    fn data(&self, session: &Session<'_>, settings: &mut Settings) -> tanner::Result<Option<Data>> {
        let Some((table, known)) = &self.train else { return Ok(None) };
        let options = std::mem::take(&mut settings.data);
        let known = known.get().known.clone();
        let make_test =
            self.test.as_ref().map(|(table, _)| |encoding: &TableEncoding| table.get().make(Some(encoding)));
        let test = match (&make_test, &self.test) {
            (Some(make), Some((_, known))) => {
                let make: &dyn Fn(&TableEncoding) -> tanner::Result<LibraryTable> = make;
                Some((make, known.get().known.clone()))
            }
            _ => None,
        };
        if let Some(model) = &self.start {
            let make = |encoding: &TableEncoding| table.get().make(Some(encoding));
            return session.data_in_memory_for(model, (&make, known), test).map(Some);
        }
        let given = Settings { data: options.clone(), ..Settings::default() }.given();
        if let Some(setting) = given.into_iter().find(|setting| !ON_MEMORY.contains(setting)) {
            return Err(Error::setting(setting, "is a setting of files, and the data are in memory"));
        }
        session.data_in_memory(table.get().make(None)?, known, test, &options).map(Some)
    }
}

/// Settings of data that data in memory need.
const ON_MEMORY: [tanner::Setting; 3] =
    [tanner::Setting::Impute, tanner::Setting::MaxCategories, tanner::Setting::Picture];
