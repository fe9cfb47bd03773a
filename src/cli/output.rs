//! Standard output.

use std::io::Write as _;

use super::Failure;

/// Writes text to standard output. A closed pipe, as after `| head`, is no error.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Writes bytes to standard output. A closed pipe is no error.
pub(super) fn write(bytes: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Running(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
