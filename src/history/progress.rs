//! A progress bar on standard error, if that is a terminal.

use std::io::{IsTerminal, Write as _};

/// Width of the bar, in characters.
const WIDTH: usize = 30;

/// Shows that `done` of `total` entities are done and `failed` of them failed. The line is cleared when all are done.
pub(super) fn show(done: usize, total: usize, failed: usize) {
    if std::io::stderr().is_terminal() {
        let line = if done < total { line(done, total, failed) } else { String::new() };
        // The cursor returns to the start of the line, so that log lines overwrite the bar. If the terminal is closed, the
        // error does not matter.
        let _ = write!(std::io::stderr(), "\x1b[K{line}\r");
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
