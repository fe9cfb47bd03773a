//! The commands of docs/try-it.md, run as they stand there.

use std::time::Duration;

use tokio::process::Command;

use crate::support::{file, get};

#[tokio::test]
#[ignore = "needs prometheus (Debian: prometheus), and ports 9090 and 10101"]
async fn the_commands_of_the_page_bring_up_a_month_of_history() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/try-it.md")).unwrap();
    let commands = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(commands.lines().count(), 3, "three commands, as it says");
    // The program that is tested instead of another build, less history, and a folder that is thrown away.
    let folder = file("try-it", "") + ".folder";
    let commands = commands
        .replace("cargo run --release --", env!("CARGO_BIN_EXE_edgeimpulse-exporter"))
        .replace("30d", "2d")
        .replace("history.om", &format!("{folder}/history.om"))
        .replace(" data\n", &format!(" {folder}/data\n"))
        .replace("=data ", &format!("={folder}/data "));
    std::fs::create_dir_all(&folder).unwrap();
    let mut shell = Command::new("bash");
    // Whatever was started ends with the shell.
    let script = format!(
        "set -e\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{}\n",
        commands.trim_end().to_owned() + " &\nwait"
    );
    shell.args(["-c", &script]).current_dir(root).kill_on_drop(true).process_group(0);
    let mut shell = shell.spawn().unwrap();
    let query = "http://127.0.0.1:9090/api/v1/query?query=\
                 count(count_over_time(edgeimpulse_organization_storage_used_bytes%5B3d%5D)%20%3E%2040)";
    let until = tokio::time::Instant::now() + Duration::from_mins(3);
    let answer = loop {
        let living = get("http://127.0.0.1:9090/api/v1/query?query=up%3D%3D1").await;
        let is_up = match living {
            Ok(answer) => answer.text().await.unwrap().contains("edgeimpulse"),
            Err(_) => false,
        };
        if is_up {
            break get(query).await.unwrap().text().await.unwrap();
        }
        assert!(tokio::time::Instant::now() < until, "Prometheus does not see the exporter");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let id = shell.id().unwrap().to_string();
    Command::new("kill").args(["-s", "TERM", "--", &format!("-{id}")]).status().await.unwrap();
    shell.wait().await.unwrap();
    // Ten organizations and the three that only the white label sees tell their storage; a developer profile does not.
    assert!(answer.contains("\"13\"]"), "two days of history of thirteen organizations: {answer}");
}
