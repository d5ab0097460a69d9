//! Runs that a batch could not finish, while the others continued.

use crate::session::Reporter;
use crate::{Error, Result};

/// Names of failed runs, and of those that another process works on.
#[derive(Clone, Debug, Default)]
pub struct Unfinished {
    failed: Vec<String>,
    elsewhere: Vec<String>,
    /// Why runs failed, each reason with the first of them.
    reasons: Vec<(String, String)>,
    /// Whether the batch was stopped before its end.
    pub is_stopped: bool,
}

impl Unfinished {
    /// Reports why a run is skipped, once.
    pub(super) fn fail(&mut self, reporter: &dyn Reporter, run: &str, label: &str, error: &Error) {
        if !self.add_failed(run) {
            return;
        }
        let reason = error.to_string();
        match self.reasons.iter().find(|(_, known)| *known == reason) {
            Some((first, _)) => reporter.note(&format!("{label}: failed for the same reason as {first}")),
            None => {
                reporter.failed(&format!("{label}: "), error);
                self.reasons.push((run.to_owned(), reason));
            }
        }
    }

    /// Records a failed run; returns whether it is new.
    #[doc(hidden)]
    pub fn add_failed(&mut self, run: &str) -> bool {
        let is_new = !self.failed.iter().any(|failed| failed == run);
        if is_new {
            self.failed.push(run.to_owned());
        }
        is_new
    }

    /// Another process works on this run.
    pub(super) fn elsewhere(&mut self, run: &str) {
        self.elsewhere.push(run.to_owned());
    }

    /// This run is finished, by any process.
    pub(super) fn finished(&mut self, run: &str) {
        self.elsewhere.retain(|name| name != run);
    }

    /// Returns an error for an unfinished batch; results are already written.
    ///
    /// # Errors
    /// [`Error::Plan`] with everything that is missing.
    pub fn check(&self) -> Result<()> {
        let mut missing = Vec::new();
        if !self.failed.is_empty() {
            missing.push(format!("runs that failed, for the reasons above: {}", self.failed.join(", ")));
        }
        if !self.elsewhere.is_empty() {
            let names = self.elsewhere.join(", ");
            missing.push(format!(
                "not all runs are finished, another process is working on {names}: repeat the command later"
            ));
        }
        if missing.is_empty() { Ok(()) } else { Err(Error::Plan(missing.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Silent;

    #[test]
    fn missing_results_are_named_at_the_end() {
        let mut unfinished = Unfinished::default();
        assert!(unfinished.check().is_ok());
        unfinished.elsewhere("a-s0");
        unfinished.elsewhere("b-s0");
        unfinished.finished("a-s0");
        let said = |unfinished: &Unfinished| unfinished.check().unwrap_err().to_string();
        let elsewhere =
            "not all runs are finished, another process is working on b-s0: repeat the command later";
        assert_eq!(said(&unfinished), elsewhere);
        for _ in 0..2 {
            unfinished.fail(&Silent, "c-s0", "c", &Error::Dataset("broken".into()));
        }
        assert_eq!(said(&unfinished), format!("runs that failed, for the reasons above: c-s0; {elsewhere}"));
    }
}
