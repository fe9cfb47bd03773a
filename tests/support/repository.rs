//! Files of this repository, and the tools that read them.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Folders with files that are not part of the repository.
const FOREIGN: [&str; 4] = ["target", "node_modules", ".git", "dist"];

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the absolute path of a file of the repository.
pub fn path(name: &str) -> String {
    root().join(name).to_str().unwrap().to_owned()
}

/// Returns the text of a file of the repository.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the absolute paths of the files below a folder of the repository, sorted, without following links.
pub fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !FOREIGN.iter().any(|foreign| entry.file_name() == *foreign) {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Runs a command in the root of the repository until it ends.
pub fn run(command: &str, arguments: &[&str]) -> Output {
    let mut process = Command::new(command);
    let output = process.args(arguments).current_dir(root()).output();
    output.unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Runs a command that must succeed, and returns its standard output.
pub fn succeed(command: &str, arguments: &[&str]) -> String {
    let output = run(command, arguments);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command} {arguments:?}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

/// Runs a command that must succeed and print nothing.
pub fn keep_silent(command: &str, arguments: &[&str]) {
    let output = run(command, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.is_empty(), "{command} {arguments:?}: {}\n{text}", output.status);
}
