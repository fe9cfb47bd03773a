//! The result of a run.

use std::path::Path;

use super::Entity;

/// Maximum number of failures in the error message.
const MAX_FAILURES: usize = 10;

/// The result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of files that were written.
    pub written: usize,
    /// Number of files that existed before.
    pub existing: usize,
    /// Entities without a record that can be written.
    pub empty: Vec<Entity>,
    /// A message for each failure.
    pub failures: Vec<String>,
}

impl Report {
    /// Returns the number of entities and failures.
    #[must_use]
    pub const fn total(&self) -> usize {
        let Self { written, existing, empty, failures } = self;
        *written + *existing + empty.len() + failures.len()
    }

    /// Returns a line with the number of files in `output`.
    #[must_use]
    pub fn summary(&self, output: &Path) -> String {
        let Self { written, existing, empty, failures } = self;
        let (output, empty, failed) = (output.display(), empty.len(), failures.len());
        format!("{output}: {written} written, {existing} existing, {empty} without records, {failed} failed\n")
    }

    /// Returns an error message if anything failed.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failed = self.failures.len();
        let more = failed.saturating_sub(MAX_FAILURES);
        let mut lines = vec![format!(
            "{failed} of {} failed: run the command again to retry these; existing files are kept",
            self.total()
        )];
        lines.extend(self.failures.iter().take(MAX_FAILURES).map(|failure| format!("  {failure}")));
        lines.extend((more > 0).then(|| format!("  and {more} more: see the log")));
        (failed > 0).then(|| lines.join("\n"))
    }
}
