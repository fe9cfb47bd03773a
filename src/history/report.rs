//! What a run came to.

use std::path::Path;

use super::Subject;

/// How many failures are told at the end; the log has them all.
const TOLD: usize = 10;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Files that were written.
    pub written: usize,
    /// Files that were there already.
    pub present: usize,
    /// Whose records hold nothing that can be written.
    pub empty: Vec<Subject>,
    /// What could not be read, and why.
    pub failures: Vec<String>,
}

impl Report {
    /// Returns how much there was to do.
    #[must_use]
    pub const fn all(&self) -> usize {
        let Self { written, present, empty, failures } = self;
        *written + *present + empty.len() + failures.len()
    }

    /// Returns a line about the files in `output`.
    #[must_use]
    pub fn line(&self, output: &Path) -> String {
        let Self { written, present, empty, failures } = self;
        let (output, empty, failed) = (output.display(), empty.len(), failures.len());
        format!(
            "{output}: {written} written, {present} there already, {empty} without records, {failed} failed\n"
        )
    }

    /// Returns what failed, if anything did, and what to do.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failed = self.failures.len();
        let more = failed.saturating_sub(TOLD);
        let mut lines = vec![format!(
            "{failed} of {} failed; run it again: what is there is not asked for again",
            self.all()
        )];
        lines.extend(self.failures.iter().take(TOLD).map(|failure| format!("  {failure}")));
        lines.extend((more > 0).then(|| format!("  and {more} more: see the log")));
        (failed > 0).then(|| lines.join("\n"))
    }
}
