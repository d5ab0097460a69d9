//! What could not be measured, while all else goes on.

use anyhow::bail;

use super::{one_line, terminal};

/// Names of measurements that failed; why was reported.
pub(crate) struct Skipped {
    names: Vec<String>,
    /// Whether one thing was asked for, so that its failure is the command's.
    is_alone: bool,
}

impl Skipped {
    /// Nothing has failed of this many things.
    pub(crate) fn of(asked: usize) -> Self {
        Self { names: Vec::new(), is_alone: asked == 1 }
    }

    /// The result, or a warning and nothing where it failed.
    ///
    /// # Errors
    /// The failure, where nothing else was asked for.
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

    /// An error when anything failed; results are written before.
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
