//! Collects measurements that failed, while the others continue.

use anyhow::bail;

use super::{one_line, terminal};

/// Names of failed measurements, whose reasons were reported.
pub(crate) struct Skipped {
    names: Vec<String>,
    /// Whether there is only one measurement, whose failure is the command's.
    is_alone: bool,
}

impl Skipped {
    /// No failures yet of this many measurements.
    pub(crate) fn of(asked: usize) -> Self {
        Self { names: Vec::new(), is_alone: asked == 1 }
    }

    /// The result, or a warning and nothing if it failed.
    ///
    /// # Errors
    /// The failure, if it was the only measurement.
    pub(crate) fn or_reported<T>(
        &mut self,
        name: &str,
        result: anyhow::Result<T>,
    ) -> anyhow::Result<Option<T>> {
        match result {
            Err(error) if !self.is_alone => {
                terminal::warn(&format!("{name}: {}", one_line(&error)));
                self.names.push(name.to_owned());
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    /// An error if anything failed; results are already written.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if !self.names.is_empty() {
            bail!("skipped, for the reasons above: {}; all else is measured", self.names.join("; "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_reported_at_the_end_and_one_alone_at_once() {
        let mut skipped = Skipped::of(2);
        assert_eq!(skipped.or_reported("sc", Ok(3)).unwrap(), Some(3));
        assert!(skipped.check().is_ok());
        assert_eq!(skipped.or_reported::<u8>("fc", Err(anyhow::anyhow!("too large"))).unwrap(), None);
        assert_eq!(
            skipped.check().unwrap_err().to_string(),
            "skipped, for the reasons above: fc; all else is measured"
        );
        let alone = Skipped::of(1).or_reported::<u8>("fc", Err(anyhow::anyhow!("too large")));
        assert_eq!(alone.unwrap_err().to_string(), "too large");
    }
}
