//! The programs that the exporter is tested with: those of Debian, and newer ones that `tools/peers/build` makes.

use std::io::Write as _;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::repository::{path, read};

/// The page that the tests write if `UPDATE_COMPATIBILITY` is set.
pub const PAGE: &str = "docs/compatibility.md";

/// A program that the exporter is tested with.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub name: &'static str,
    /// Its name in `tools/peers/build`.
    pub build: &'static str,
    module: &'static str,
    /// Its program and its version in Debian: the oldest one that is supported.
    debian: Option<(&'static str, &'static str)>,
}

const fn peer(name: &'static str, build: &'static str, module: &'static str) -> Peer {
    Peer { name, build, module, debian: None }
}

pub const PROMETHEUS: Peer = Peer {
    debian: Some(("prometheus", "2.42.0")),
    ..peer("Prometheus", "prometheus", "github.com/prometheus/prometheus")
};
pub const ALERTMANAGER: Peer = Peer {
    debian: Some(("prometheus-alertmanager", "0.25.0")),
    ..peer("Alertmanager", "alertmanager", "github.com/prometheus/alertmanager")
};
pub const VICTORIA_METRICS: Peer =
    peer("VictoriaMetrics", "victoriametrics", "github.com/VictoriaMetrics/VictoriaMetrics");
pub const COLLECTOR: Peer = peer(
    "OpenTelemetry Collector",
    "collector",
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver",
);
pub const HELM: Peer = peer("Helm", "helm", "helm.sh/helm/v4");
pub const KUSTOMIZE: Peer = peer("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5");

/// All of them.
pub const PEERS: [Peer; 6] = [PROMETHEUS, ALERTMANAGER, VICTORIA_METRICS, COLLECTOR, HELM, KUSTOMIZE];

/// A release of a peer that is installed here.
#[derive(Debug)]
pub struct Release {
    peer: Peer,
    pub version: String,
    is_built: bool,
}

/// Returns the version that `tools/peers` pins of a module, as its users know it.
pub fn pinned(module: &str) -> String {
    let pin = |file: &str| {
        let modules = read(file);
        // Indented in a list, or after `require`.
        let lines = modules.lines().map(|line| line.trim().trim_start_matches("require "));
        let mut versions = lines.filter_map(|line| line.strip_prefix(&format!("{module} v")));
        versions.next().map(|version| version.split(' ').next().unwrap().to_owned())
    };
    let version = pin("tools/peers/go.mod").or_else(|| pin("tools/peers/collector/go.mod"));
    known_as(module, &version.unwrap_or_else(|| panic!("{module} is not pinned")))
}

/// Returns the version of a release for that of its module.
fn known_as(module: &str, version: &str) -> String {
    // Prometheus has no module of a second major version: 3.16.0 is the module's 0.316.0.
    match version.strip_prefix("0.3").filter(|_| module == PROMETHEUS.module) {
        Some(minor) => format!("3.{}", minor.strip_prefix('0').unwrap_or(minor)),
        None => version.to_owned(),
    }
}

impl Peer {
    /// Returns the versions that are supported at least, the oldest first.
    pub fn supported(self) -> Vec<String> {
        self.debian.map(|(_, version)| version.to_owned()).into_iter().chain([pinned(self.module)]).collect()
    }

    /// Returns the release that was built. If there is none, it says that the test is skipped.
    pub fn built(self) -> Option<Release> {
        let state = std::fs::read_to_string(path(&format!("target/peers/{}.state", self.build))).ok();
        let version = state.as_deref().and_then(|state| state.lines().nth(1)?.strip_prefix('v'));
        if version.is_none() {
            // Unlike with eprintln!, the line is shown although the test succeeds.
            let line = format!("skipped: {} is missing; tools/peers/build {}\n", self.name, self.build);
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        let version = known_as(self.module, version?);
        Some(Release { peer: self, version, is_built: true })
    }

    /// Returns the releases that are installed, the oldest first: that of Debian, and the one that was built.
    pub fn releases(self) -> Vec<Release> {
        let (program, _) = self.debian.expect("it is in Debian");
        let output = Command::new(program).arg("--version").output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        // Old versions write to standard error.
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let version = text.split([' ', '+']).nth(2).unwrap_or_else(|| panic!("{text}")).to_owned();
        [Release { peer: self, version, is_built: false }].into_iter().chain(self.built()).collect()
    }
}

impl Release {
    /// Returns the command that runs a program of this release.
    pub fn program(&self, name: &str) -> String {
        match self.peer.debian {
            _ if self.is_built => path(&format!("target/peers/{name}")),
            Some((program, _)) if program.ends_with(name) => program.to_owned(),
            _ => name.to_owned(),
        }
    }

    /// Begins a test: what it returns has the page updated when it is dropped.
    pub fn tested(&self, what: &'static str) -> Tested {
        Tested { peer: self.peer, version: self.version.clone(), what }
    }
}

/// A test that runs.
#[must_use]
pub struct Tested {
    peer: Peer,
    version: String,
    what: &'static str,
}

impl Drop for Tested {
    fn drop(&mut self) {
        if std::env::var_os("UPDATE_COMPATIBILITY").is_some() {
            let result = if std::thread::panicking() { "failed" } else { "passed" };
            let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
            self.write(result, &now[.."2026-11-26".len()]);
        }
    }
}

impl Tested {
    /// Writes the row of this test into the page, without rows of versions that are no longer tested.
    fn write(&self, result: &str, date: &str) {
        static PAGES: Mutex<()> = Mutex::new(());
        let _one_at_a_time = PAGES.lock().unwrap_or_else(PoisonError::into_inner);
        let page = read(PAGE);
        let (start, rest) = page.split_once("| --- | --- | --- | --- | --- |\n").unwrap();
        let (rows, end) = rest.split_once("\n\n").unwrap();
        let name = self.peer.name;
        let versions = self.peer.supported();
        let is_kept = |row: &&str| {
            let of_this_peer = row.strip_prefix(&format!("| {name} | "));
            of_this_peer.is_none_or(|row| {
                let is_supported = versions.iter().any(|version| row.starts_with(&format!("{version} | ")));
                is_supported && !row.starts_with(&format!("{} | {} |", self.version, self.what))
            })
        };
        let mut rows: Vec<_> = rows.lines().filter(is_kept).map(str::to_owned).collect();
        rows.push(format!("| {name} | {} | {} | {result} | {date} |", self.version, self.what));
        // In the order of the peers.
        let place = |row: &str| PEERS.iter().position(|peer| row.starts_with(&format!("| {} |", peer.name)));
        rows.sort_by_key(|row| (place(row), row.clone()));
        let page = format!("{start}| --- | --- | --- | --- | --- |\n{}\n\n{end}", rows.join("\n"));
        std::fs::write(path(PAGE), page).unwrap();
    }
}
