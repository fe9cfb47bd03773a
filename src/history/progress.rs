//! How far the work is, for somebody who looks at a terminal.

use std::io::{IsTerminal, Write as _};

/// Width of the bar, in characters.
const WIDTH: usize = 30;

/// A line that is drawn over itself, on standard error if that is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    done: usize,
    all: usize,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new(all: usize) -> Self {
        let progress = Self { done: 0, all, is_shown: all > 0 && std::io::stderr().is_terminal() };
        progress.draw(0);
        progress
    }

    /// Counts one more.
    pub(super) fn step(&mut self, failed: usize) {
        self.done += 1;
        self.draw(failed);
    }

    /// Makes room for what comes after.
    pub(super) fn end(self) {
        if self.is_shown {
            let _ = write!(std::io::stderr(), "\x1b[K");
        }
    }

    fn draw(&self, failed: usize) {
        if self.is_shown {
            // The cursor stays at its beginning, so that a line of the log replaces it. A terminal that is gone
            // sees nothing.
            let _ = write!(std::io::stderr(), "\x1b[K{}\r", line(self.done, self.all, failed));
        }
    }
}

fn line(done: usize, all: usize, failed: usize) -> String {
    let filled = done * WIDTH / all.max(1);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("[{}{}] {done} of {all}{failed}", "#".repeat(filled), " ".repeat(WIDTH.saturating_sub(filled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_when_all_is_done() {
        assert_eq!(line(0, 3, 0), format!("[{}] 0 of 3", " ".repeat(30)));
        assert_eq!(line(1, 3, 1), format!("[{}{}] 1 of 3, 1 failed", "#".repeat(10), " ".repeat(20)));
        assert_eq!(line(3, 3, 0), format!("[{}] 3 of 3", "#".repeat(30)));
    }
}
