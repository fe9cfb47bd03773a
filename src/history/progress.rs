//! A progress bar on standard error, if that is a terminal.

use std::io::{IsTerminal, Write as _};

/// Width of the bar, in characters.
const WIDTH: usize = 30;

/// A progress bar.
#[derive(Debug)]
pub(super) struct Progress {
    done: usize,
    total: usize,
    is_shown: bool,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        let progress = Self { done: 0, total, is_shown: total > 0 && std::io::stderr().is_terminal() };
        progress.draw(0);
        progress
    }

    /// Adds one to the number of entities that are done; `failed` of all of them failed.
    pub(super) fn step(&mut self, failed: usize) {
        self.done += 1;
        self.draw(failed);
    }

    /// Clears the line.
    pub(super) fn end(self) {
        if self.is_shown {
            let _ = write!(std::io::stderr(), "\x1b[K");
        }
    }

    fn draw(&self, failed: usize) {
        if self.is_shown {
            // The cursor returns to the start of the line, so that log lines overwrite the bar. If the terminal is closed,
            // the error does not matter.
            let _ = write!(std::io::stderr(), "\x1b[K{}\r", line(self.done, self.total, failed));
        }
    }
}

fn line(done: usize, total: usize, failed: usize) -> String {
    let filled = done * WIDTH / total.max(1);
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("[{}{}] {done} of {total}{failed}", "#".repeat(filled), " ".repeat(WIDTH.saturating_sub(filled)))
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
