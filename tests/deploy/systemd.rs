//! The units under systemd, installed as docs/deploy.md says, on a machine that runs it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::pages::blocks_of;
use crate::support::repository::{path, read, run, succeed};
use crate::support::running::{JWT, KEY};
use crate::support::{Exposition, FakeApi, eventually, get};

const SERVICE: &str = "edgeimpulse-exporter.service";
const SOCKET: &str = "edgeimpulse-exporter.socket";
const PROGRAM: &str = "/usr/local/bin/edgeimpulse-exporter";
const SETTINGS: &str = "/etc/edgeimpulse-exporter";
const UNITS: &str = "/etc/systemd/system";

/// Returns why this machine cannot run the test, or must not.
fn reason_to_skip() -> Option<&'static str> {
    // As sd_booted(3) does.
    if !Path::new("/run/systemd/system").is_dir() {
        return Some("this machine does not run systemd");
    }
    if succeed("id", &["--user"]).trim() != "0" {
        return Some("only root can install units");
    }
    let installed = [PROGRAM, SETTINGS, "/usr/bin/edgeimpulse-exporter"];
    installed.iter().any(|path| Path::new(path).exists()).then_some("this machine has the exporter installed")
}

/// The installed units, which are removed when it is dropped.
struct Installed;

impl Installed {
    fn new() -> Self {
        let installed = Self;
        std::fs::copy(env!("CARGO_BIN_EXE_edgeimpulse-exporter"), PROGRAM).unwrap();
        std::fs::create_dir(SETTINGS).unwrap();
        for unit in [SERVICE, SOCKET] {
            std::fs::copy(path(&format!("deploy/systemd/{unit}")), format!("{UNITS}/{unit}")).unwrap();
        }
        succeed("systemctl", &["daemon-reload"]);
        // systemd remembers why a unit was not started only while another one, here a target, refers to it.
        succeed("systemctl", &["enable", SERVICE]);
        installed
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = run("systemctl", &["disable", "--now", SOCKET, SERVICE]);
        for folder in [SETTINGS, &format!("{UNITS}/{SERVICE}.d")] {
            let _ = std::fs::remove_dir_all(folder);
        }
        for file in [PROGRAM, &format!("{UNITS}/{SERVICE}"), &format!("{UNITS}/{SOCKET}")] {
            let _ = std::fs::remove_file(file);
        }
        let _ = run("systemctl", &["daemon-reload"]);
    }
}

/// Replaces the settings and the drop-in, and starts a unit.
fn start(unit: &str, files: &[(&str, &str)], drop_in: &str) {
    stop();
    std::fs::remove_dir_all(SETTINGS).unwrap();
    std::fs::create_dir(SETTINGS).unwrap();
    for (name, text) in files {
        write(name, text);
    }
    let folder = format!("{UNITS}/{SERVICE}.d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(format!("{folder}/page.conf"), drop_in).unwrap();
    succeed("systemctl", &["daemon-reload"]);
    succeed("systemctl", &["start", unit]);
}

/// Writes a file of the settings. Only root can read credentials.
fn write(name: &str, text: &str) {
    let file = format!("{SETTINGS}/{name}");
    std::fs::write(&file, text).unwrap();
    let is_credential = !["environment", "edgeimpulse.yaml"].contains(&name);
    let mode = if is_credential { 0o600 } else { 0o644 };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn stop() {
    succeed("systemctl", &["stop", SOCKET, SERVICE]);
    // systemd counts starts, and refuses the sixth within ten seconds.
    run("systemctl", &["reset-failed", SOCKET, SERVICE]);
}

/// What systemd says of the service.
fn status() -> String {
    let status = run("systemctl", &["status", "--no-pager", "--full", SERVICE]);
    String::from_utf8_lossy(&status.stdout).into_owned()
}

/// Waits until exactly these accounts are read, and returns the metrics.
async fn reads(accounts: &[&str]) -> Exposition {
    eventually(async || {
        let error = |error: reqwest::Error| format!("{error}\n{}", status());
        let text = get("http://127.0.0.1:10101/metrics").await.map_err(error)?.text().await.map_err(error)?;
        let metrics = Exposition::of_prometheus_text(&text);
        let up = |account: &&str| metrics.value("edgeimpulse_up", &[("account", account)]) == Some(1.0);
        let count = metrics.series("edgeimpulse_up", &[]).len();
        match accounts.iter().all(up) && count == accounts.len() {
            true => Ok(metrics),
            false => Err(format!("not the accounts {accounts:?}\n{}", status())),
        }
    })
    .await
}

#[tokio::test]
#[ignore = "needs root and systemd as init; elsewhere it prints why it is skipped"]
async fn each_variant_of_the_unit_starts_under_systemd() {
    if let Some(reason) = reason_to_skip() {
        // Not with a macro, whose output the test program hides.
        writeln!(std::io::stderr(), "skipped: each_variant_of_the_unit_starts_under_systemd: {reason}")
            .unwrap();
        return;
    }
    let api = FakeApi::with_samples("typical").await;
    let _installed = Installed::new();
    let environment = read("deploy/systemd/environment") + &format!("EDGEIMPULSE_API_URL={}\n", api.url());
    let environment = ("environment", &*environment);

    // Without a credential, nothing fails, and systemd says what is missing.
    start(SERVICE, &[environment], "");
    let shown = succeed("systemctl", &["show", "--property=ActiveState,ConditionResult", SERVICE]);
    assert!(shown.contains("ActiveState=inactive") && shown.contains("ConditionResult=no"), "{shown}");
    assert!(status().contains("/etc/edgeimpulse-exporter/api-key"), "{}", status());

    // A call that only a JWT may make.
    let user = [("collector", "user")];
    for (files, is_user) in
        [(&[("api-key", KEY)][..], 0.0), (&[("jwt", JWT)], 1.0), (&[("api-key", KEY), ("jwt", JWT)], 1.0)]
    {
        start(SERVICE, &[&[environment], files].concat(), "");
        let metrics = reads(&["default"]).await;
        assert_eq!(metrics.values("edgeimpulse_scrape_collector_supported", &user), [is_user], "{files:?}");
    }

    // The drop-ins of the page; an older systemd ignores RefreshOnReload.
    let drop_ins = blocks_of("ini").into_iter().filter(|block| block.page == "docs/deploy.md");
    let drop_ins = drop_ins.map(|block| block.text).collect::<String>();
    assert!(drop_ins.contains("EDGEIMPULSE_CONFIG_FILE") && drop_ins.contains("RefreshOnReload"), "{drop_ins}");
    let file = blocks_of("yaml").into_iter().find(|block| block.text.contains("/run/credentials/")).unwrap();
    let file = format!("{}api: {{url: {}}}\n", file.text, api.url());
    let credentials = [("research", KEY), ("partners-jwt", JWT)];
    let name = "edgeimpulse.yaml";
    start(SERVICE, &[&credentials[..], &[(name, &file)]].concat(), &drop_ins);
    reads(&["research", "partners"]).await;
    let renamed = file.replace("name: partners", "name: others");
    write(name, &renamed);
    succeed("systemctl", &["reload", SERVICE]);
    reads(&["research", "others"]).await;

    // The first connection to the socket starts the service.
    let socket = format!("{}EDGEIMPULSE_WEB_SYSTEMD_SOCKET=true\n", environment.1);
    start(SOCKET, &[("environment", &socket), ("api-key", KEY)], "");
    reads(&["default"]).await;
}
