//! Carries out a search: one training after the other, each a run of a batch.

use super::clock::Clock;
use super::halving::{bracket_size, promoted, rungs};
use super::{
    FoundSettings, MAX_TRIALS, SearchEnd, SearchSettings, Space, TRIALS, Trial, TrialScore, USUAL_TRIALS,
    USUAL_VALIDATION, Versus, is_better,
};
use crate::dataset::Holdout;
use crate::session::{Attempt, Batch, OutputOptions, PlannedRun, Session, Settings};
use crate::training::Summary;
use crate::{Error, Result, Setting};

/// A search in progress.
pub(super) struct Search<'a> {
    session: &'a Session<'a>,
    batch: Batch<'a>,
    settings: &'a SearchSettings,
    clock: &'a Clock,
    space: Space,
    seed: u64,
    rungs: Vec<usize>,
    trials: Vec<Trial>,
    /// The candidates' own settings, by number.
    drawn: Vec<Settings>,
    /// Index of the best trial with all epochs.
    best: Option<usize>,
}

/// Whether the search goes on.
type Step<T> = Result<Result<T, SearchEnd>>;

impl<'a> Search<'a> {
    pub(super) fn new(
        parent: &'a Session<'a>,
        session: &'a Session<'a>,
        settings: &'a SearchSettings,
        clock: &'a Clock,
    ) -> Result<Self> {
        let base = &settings.base;
        let shared = Settings { data: base.data.clone(), engine: base.engine.clone(), ..Settings::default() };
        let batch = Batch::directly_in(session, shared, &settings.out.join(TRIALS))?.of_trials();
        let mut default = base.clone();
        default.samples.validation.get_or_insert(USUAL_VALIDATION);
        let default = batch.planned("default".into(), default)?;
        let resolved = &default.settings;
        let kind = resolved.recipe.optimizer.kind();
        let space = match &settings.space {
            Some(space) => space.clone(),
            None => {
                let space = Space::built_in(resolved.architecture.arch, kind, batch.features(&default)?)?;
                let is_of_classes = batch.task(&default)?.is_classification();
                if is_of_classes { space } else { space.without(&[Setting::LabelSmoothing]) }
            }
        };
        let space = space.without(&base.decided());
        if space.is_empty() {
            let reason = "every setting that could be searched is given: leave some out";
            return Err(Error::setting(Setting::Space, reason));
        }
        Ok(Self {
            session: parent,
            batch,
            settings,
            clock,
            space,
            seed: resolved.recipe.seed,
            rungs: rungs(resolved.recipe.epochs),
            trials: Vec::new(),
            drawn: vec![Settings::default()],
            best: None,
        })
    }

    pub(super) fn run(mut self) -> Result<FoundSettings> {
        let end = match self.brackets()? {
            Ok(()) => SearchEnd::Trials,
            Err(end) => end,
        };
        let versus = match self.best.map(|best| self.trials[best].candidate) {
            None | Some(0) => None,
            Some(candidate) => self.versus(candidate)?,
        };
        let own = self.best.map_or(0, |best| self.trials[best].candidate);
        Ok(FoundSettings {
            end,
            seed: self.seed,
            rungs: self.rungs.clone(),
            folds: self.settings.folds,
            best: self.best,
            versus,
            settings: self.settings.base.clone().or(self.drawn[own].clone()),
            space: self.space.to_toml(),
            trials: self.trials,
        })
    }

    /// The default with all epochs, then bracket after bracket.
    fn brackets(&mut self) -> Step<()> {
        let all = *self.rungs.last().unwrap_or(&1);
        if let Err(end) = self.train(0, all)? {
            return Ok(Err(end));
        }
        self.clock.may_stop();
        let usual = if self.settings.seconds.is_none() { USUAL_TRIALS } else { MAX_TRIALS };
        let (trials, size) = (self.settings.trials.unwrap_or(usual), bracket_size(self.rungs.len()));
        for first in (1..=trials).step_by(size) {
            let mut candidates: Vec<usize> = (first..(first + size).min(trials + 1)).collect();
            for epochs in self.rungs.clone() {
                let mut tried = Vec::new();
                for candidate in &candidates {
                    if !self.has_time_for(epochs) {
                        return self.finish_early(all);
                    }
                    match self.train(*candidate, epochs)? {
                        Ok(trial) => tried.push(trial),
                        Err(SearchEnd::Time) => return self.finish_early(all),
                        Err(end) => return Ok(Err(end)),
                    }
                }
                let kept = promoted(tried.len());
                tried.retain(|trial| self.trials[*trial].failure.is_none());
                // A stable sort: of equals, the first stays first.
                tried.sort_by(|one, other| {
                    let (one, other) = (&self.trials[*one], &self.trials[*other]);
                    is_better(other, one).cmp(&is_better(one, other))
                });
                candidates = tried.into_iter().take(kept).map(|trial| self.trials[trial].candidate).collect();
            }
        }
        Ok(Ok(()))
    }

    /// Whether the time is enough for a training of the last candidate that is still worth it: this one, and afterwards the best
    /// so far with all epochs.
    fn has_time_for(&self, epochs: usize) -> bool {
        let all = *self.rungs.last().unwrap_or(&1);
        let per_epoch = self.trials.first().map_or(0.0, |default| default.seconds / default.epochs as f64);
        let last = if epochs == all { 0.0 } else { per_epoch * all as f64 };
        self.clock.left() > per_epoch * epochs as f64 + last
    }

    /// With the time that is left, trains the best of the highest rung with all epochs, if no candidate of its bracket was.
    fn finish_early(&mut self, all: usize) -> Step<()> {
        let open = |trial: &&Trial| {
            let whole = |other: &Trial| other.candidate == trial.candidate && other.epochs == all;
            trial.candidate > 0 && trial.failure.is_none() && !self.trials.iter().any(whole)
        };
        let better = |best: &'_ Trial, other: &'_ Trial| {
            other.epochs > best.epochs || other.epochs == best.epochs && is_better(other, best)
        };
        let any_whole = self.trials.iter().any(|trial| trial.candidate > 0 && trial.epochs == all);
        let next = self
            .trials
            .iter()
            .filter(open)
            .reduce(|best, other| if better(best, other) { other } else { best });
        let per_epoch = self.trials.first().map_or(0.0, |default| default.seconds / default.epochs as f64);
        match next.map(|trial| trial.candidate) {
            Some(candidate) if !any_whole || self.clock.left() > per_epoch * all as f64 => {
                if let Err(SearchEnd::Stopped) = self.train(candidate, all)? {
                    return Ok(Err(SearchEnd::Stopped));
                }
            }
            _ => {}
        }
        Ok(Err(SearchEnd::Time))
    }

    /// Trains a candidate for the epochs of a rung; returns the index of the trial.
    fn train(&mut self, candidate: usize, epochs: usize) -> Step<usize> {
        while self.drawn.len() <= candidate {
            self.drawn.push(self.draw(self.drawn.len())?);
        }
        let runs = self.runs(candidate, &self.drawn[candidate], epochs)?;
        let (mut summaries, mut failure, mut was_there) = (Vec::new(), None, true);
        for run in &runs {
            if self.session.is_stopped() {
                return Ok(Err(SearchEnd::Stopped));
            }
            match self.batch.attempt(run, "")? {
                Attempt::Before(summary) => {
                    self.clock.spent_before(summary.seconds_total);
                    summaries.push(*summary);
                }
                Attempt::Finished(summary) => {
                    was_there = false;
                    summaries.push(*summary);
                }
                Attempt::Stopped if self.session.is_stopped() => return Ok(Err(SearchEnd::Stopped)),
                Attempt::Stopped => return Ok(Err(SearchEnd::Time)),
                Attempt::Elsewhere => {
                    let reason = format!("another process is working on {}", run.folder.display());
                    return Err(Error::setting(Setting::Out, reason));
                }
                Attempt::Failed(error) if is_of_candidate(&error) && candidate > 0 => {
                    failure = Some(error.to_string());
                    break;
                }
                Attempt::Failed(error) => return Err(error),
            }
        }
        let trial = self.trial(candidate, epochs, &summaries, failure);
        self.say(&trial, was_there);
        self.trials.push(trial);
        self.keep_best(self.trials.len() - 1, &runs)?;
        Ok(Ok(self.trials.len() - 1))
    }

    /// Random settings that can be trained on these data.
    fn draw(&self, candidate: usize) -> Result<Settings> {
        let number = u32::try_from(candidate).unwrap_or(u32::MAX);
        let epochs = *self.rungs.last().unwrap_or(&1);
        self.space.draw(self.seed, number, |drawn| {
            self.runs(candidate, drawn, epochs)?.first().map_or(Ok(()), |run| self.batch.check_fits(run))
        })
    }

    /// The runs of a candidate: one, or one for each fold.
    fn runs(&self, candidate: usize, drawn: &Settings, epochs: usize) -> Result<Vec<PlannedRun>> {
        let mut settings = self.settings.base.clone().or(drawn.clone());
        settings.training.epochs = Some(epochs);
        settings.output = OutputOptions::default();
        let name = format!("{candidate:04}-epochs{epochs}");
        let Some(folds) = self.settings.folds else {
            settings.samples.validation.get_or_insert(USUAL_VALIDATION);
            return Ok(vec![self.batch.planned(name, settings)?]);
        };
        let of_fold = |fold: usize| {
            let validation = Some(Holdout::Fold { fold, folds });
            let mut settings = settings.clone();
            settings.samples.validation = validation;
            self.batch.planned(format!("{name}-fold{fold}"), settings)
        };
        (0..folds).map(of_fold).collect()
    }

    fn trial(
        &self,
        candidate: usize,
        epochs: usize,
        summaries: &[Summary],
        failure: Option<String>,
    ) -> Trial {
        let mean = |value: fn(&Summary) -> f64| {
            let values: Vec<f64> = summaries.iter().map(value).collect();
            (failure.is_none() && !values.is_empty())
                .then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let before = || self.trials.first().map(|trial| trial.score.metric);
        let metric = summaries.first().map(|summary| summary.metric).or_else(before).unwrap_or_default();
        let given = self.settings.base.given();
        let mut settings = self.drawn[candidate].clone();
        given.into_iter().for_each(|setting| settings.remove(setting));
        Trial {
            candidate,
            epochs,
            score: TrialScore { metric, value: mean(|summary| summary.test_accuracy) },
            loss: mean(|summary| summary.test_loss),
            parameters: summaries.first().map(|summary| summary.parameters),
            // The sum of nothing is -0.
            seconds: summaries.iter().fold(0.0, |sum, summary| sum + summary.seconds_total),
            failure,
            settings,
        }
    }

    /// Reports a trial in one line.
    fn say(&self, trial: &Trial, was_there: bool) {
        let name = match trial.candidate {
            0 => "default".to_owned(),
            candidate => format!("candidate {candidate}"),
        };
        let metric = trial.score.metric;
        let outcome = match (&trial.failure, trial.score.value, trial.loss) {
            (Some(failure), ..) => format!("failed: {failure}"),
            (None, Some(score), Some(loss)) => {
                let score = metric.shown(score);
                format!("{} {score}, loss {loss:.4}, {:.1} s", metric.title(), trial.seconds)
            }
            _ => "no result".to_owned(),
        };
        let before = if was_there && trial.failure.is_none() { " (finished before)" } else { "" };
        let flags = trial.settings.to_flags().join(" ");
        let (epochs, gap) = (crate::text::epochs(trial.epochs), if flags.is_empty() { "" } else { "  " });
        self.session.note(format!("{name}, {epochs}: {outcome}{before}{gap}{flags}"));
    }

    /// Models of trials that are neither the best nor the default are removed: a search makes hundreds of them.
    fn keep_best(&mut self, trial: usize, runs: &[PlannedRun]) -> Result<()> {
        let all = *self.rungs.last().unwrap_or(&1);
        let now = &self.trials[trial];
        let is_whole = now.epochs == all && now.failure.is_none();
        if !is_whole || self.best.is_some_and(|best| !is_better(now, &self.trials[best])) {
            if now.candidate > 0 {
                runs.iter().for_each(PlannedRun::remove_models);
            }
            return Ok(());
        }
        let before = self.best.replace(trial).map(|before| self.trials[before].candidate);
        if let Some(candidate) = before.filter(|candidate| *candidate > 0) {
            self.runs(candidate, &self.drawn[candidate], all)?.iter().for_each(PlannedRun::remove_models);
        }
        Ok(())
    }

    /// Compares a candidate with the default, both with all epochs, on the rows that both were judged by.
    fn versus(&self, candidate: usize) -> Result<Option<Versus>> {
        let all = *self.rungs.last().unwrap_or(&1);
        let of_best = self.runs(candidate, &self.drawn[candidate], all)?;
        if of_best.iter().any(|run| !run.has_model()) {
            // A longer search had a better candidate, and kept only that one's.
            self.session.note("the model of the best candidate was removed by a longer search: not compared with the default");
            return Ok(None);
        }
        let errors = |candidate: usize| -> Result<Vec<f64>> {
            let runs = self.runs(candidate, &self.drawn[candidate], all)?;
            let parts = runs.iter().map(|run| self.batch.errors(run)).collect::<Result<Vec<_>>>()?;
            Ok(parts.concat())
        };
        let metric = self.trials[self.best.unwrap_or(0)].score.metric;
        Ok(Versus::of(metric, &errors(candidate)?, &errors(0)?))
    }
}

/// Whether a failure says something about a candidate, not about the machine or the data.
fn is_of_candidate(error: &Error) -> bool {
    match error {
        Error::Training { source, .. } | Error::For { source, .. } => is_of_candidate(source),
        Error::Diverged(_)
        | Error::Network(_)
        | Error::Topology(_)
        | Error::Memory(_)
        | Error::Setting { .. } => true,
        _ => false,
    }
}
