//! What a batch of runs could not finish, while all else went on.

use anyhow::anyhow;

use super::terminal;

/// Names of runs that failed, and of those that another process was at.
#[derive(Default)]
pub(super) struct Unfinished {
    failed: Vec<String>,
    elsewhere: Vec<String>,
}

impl Unfinished {
    /// Tells why a run is left out, once.
    pub(super) fn fail(&mut self, run: &str, label: &str, error: &anyhow::Error) {
        if !self.failed.iter().any(|failed| failed == run) {
            terminal::line(&format!("{label}: {}", super::one_line(error)));
            self.failed.push(run.to_owned());
        }
    }

    /// Another process is at this run.
    pub(super) fn elsewhere(&mut self, run: &str) {
        self.elsewhere.push(run.to_owned());
    }

    /// This run is finished by now, whoever did it.
    pub(super) fn finished(&mut self, run: &str) {
        self.elsewhere.retain(|name| name != run);
    }

    /// An error when anything is missing; results are written before.
    pub(super) fn told(&self) -> anyhow::Result<()> {
        let mut missing = Vec::new();
        if !self.failed.is_empty() {
            missing.push(format!("runs that failed, for the reasons above: {}", self.failed.join(", ")));
        }
        if !self.elsewhere.is_empty() {
            let names = self.elsewhere.join(", ");
            missing.push(format!(
                "not all is finished, another process is at {names}: give the same command again later"
            ));
        }
        if missing.is_empty() { Ok(()) } else { Err(anyhow!(missing.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_at_the_end_is_told() {
        let mut unfinished = Unfinished::default();
        assert!(unfinished.told().is_ok());
        unfinished.elsewhere("a-s0");
        unfinished.elsewhere("b-s0");
        unfinished.finished("a-s0");
        let told = |unfinished: &Unfinished| unfinished.told().unwrap_err().to_string();
        let elsewhere = "not all is finished, another process is at b-s0: give the same command again later";
        assert_eq!(told(&unfinished), elsewhere);
        for _ in 0..2 {
            unfinished.fail("c-s0", "c", &anyhow!("broken"));
        }
        assert_eq!(told(&unfinished), format!("runs that failed, for the reasons above: c-s0; {elsewhere}"));
    }
}
