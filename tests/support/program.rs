//! The exporter and other programs as processes.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Longest wait for a process, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A running program, killed when it is dropped.
pub struct Program {
    child: Child,
}

/// Exit code and output of a program.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// Starts the exporter with these arguments and only these environment variables.
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeimpulse-exporter"));
        command.args(arguments).env_clear().envs(environment.iter().copied());
        Self::run(command)
    }

    /// Starts a program.
    pub fn run(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { child: command.spawn().unwrap() }
    }

    /// Waits for a line of standard error that holds `text`, and returns it.
    pub async fn says(&mut self, text: &str) -> String {
        let stream = self.child.stderr.as_mut().unwrap();
        tokio::time::timeout(PATIENCE, line_with(stream, text)).await.expect("the line is logged in time")
    }

    /// Waits for a line of standard output that holds `text`, and returns it.
    pub async fn prints(&mut self, text: &str) -> String {
        let stream = self.child.stdout.as_mut().unwrap();
        tokio::time::timeout(PATIENCE, line_with(stream, text)).await.expect("the line is printed in time")
    }

    /// Returns the address in the log line about listening.
    pub async fn address(&mut self) -> String {
        let line = self.says("listening").await;
        let (_, address) = line.split_once("address").unwrap();
        let address = address.trim_start_matches(['"', ':', '=']);
        address[..address.find([' ', '"']).unwrap()].to_owned()
    }

    /// Runs the exporter until it ends, which it must do with this exit code.
    pub async fn ends(arguments: &[&str], environment: &[(&str, &str)], code: i32) -> Ended {
        let ended = Self::start(arguments, environment).end().await;
        assert_eq!(ended.code, Some(code), "{arguments:?} {environment:?}: {ended:?}");
        ended
    }

    /// Terminates the program, which must end with exit code 0.
    pub async fn stop(self) -> Ended {
        self.signal("TERM");
        let ended = self.end().await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// Returns its process id.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it ends.
    pub async fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let mut out = self.child.stdout.take().unwrap();
        let mut err = self.child.stderr.take().unwrap();
        let reading = async { tokio::join!(out.read_to_string(&mut stdout), err.read_to_string(&mut stderr)) };
        let (status, _) = tokio::time::timeout(PATIENCE, async { tokio::join!(self.child.wait(), reading) })
            .await
            .expect("it ends in time");
        Ended { code: status.unwrap().code(), stdout, stderr }
    }
}

async fn line_with(stream: impl tokio::io::AsyncRead + Unpin, text: &str) -> String {
    // Reads byte by byte, so that the next reader gets the rest.
    let mut lines = BufReader::with_capacity(1, stream).lines();
    loop {
        // Each byte would consume tokio's task budget. If a test ended with an empty budget, dropping the fake server
        // would deadlock: it blocks on a lock until the next poll.
        match tokio::task::unconstrained(lines.next_line()).await.unwrap() {
            Some(line) if line.contains(text) => return line,
            Some(_) => {}
            None => panic!("it ended without saying {text:?}"),
        }
    }
}
