//! The exporter and other programs as processes.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Longest wait for a process, long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(15);

/// A running program, killed when it is dropped.
pub struct Program {
    child: Child,
    stdout: Lines,
    stderr: Lines,
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
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: Lines::of(stdout), stderr: Lines::of(stderr) }
    }

    /// Waits for a line of standard error that holds `text`, and returns it.
    pub async fn says(&mut self, text: &str) -> String {
        self.stderr.with(text).await
    }

    /// Waits for a line of standard error that holds `text`, and returns the lines before it.
    pub async fn says_before(&mut self, text: &str) -> String {
        self.stderr.until(text).await.0
    }

    /// Waits for a line of standard output that holds `text`, and returns it.
    pub async fn prints(&mut self, text: &str) -> String {
        self.stdout.with(text).await
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
        // Not within tokio's task budget: see `Lines::with`.
        let ended = async { tokio::join!(self.child.wait(), self.stdout.rest(), self.stderr.rest()) };
        let (status, stdout, stderr) =
            tokio::time::timeout(PATIENCE, tokio::task::unconstrained(ended)).await.expect("it ends in time");
        Ended { code: status.unwrap().code(), stdout, stderr }
    }
}

/// The lines of a stream, which are read from the start: a program would wait if nobody took them.
struct Lines(UnboundedReceiver<String>);

impl Lines {
    fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, lines) = unbounded_channel();
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                // Nobody reads the lines of a program that was dropped.
                let _ = sender.send(String::from_utf8(std::mem::take(&mut line)).unwrap());
            }
        });
        Self(lines)
    }

    /// Waits for a line with this text, and returns it.
    async fn with(&mut self, text: &str) -> String {
        self.until(text).await.1
    }

    /// Waits for a line with this text, and returns the lines before it, and the line.
    async fn until(&mut self, text: &str) -> (String, String) {
        let mut said = String::new();
        let search = async {
            while let Some(line) = self.0.recv().await {
                if line.contains(text) {
                    return (said, line.trim_end_matches('\n').to_owned());
                }
                said += &line;
            }
            panic!("it ended without saying {text:?}: {said}")
        };
        // Each line would consume tokio's task budget. If a test ended with an empty budget, dropping the fake server
        // would deadlock: it blocks on a lock until the next poll.
        tokio::time::timeout(PATIENCE, tokio::task::unconstrained(search)).await.expect("it says so in time")
    }

    /// Waits for the end of the stream, and returns the rest.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        while let Some(line) = self.0.recv().await {
            rest += &line;
        }
        rest
    }
}
