//! The Helm chart: every values file renders valid objects, with which the exporter starts.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kubernetes::{check, check_start, delivered_dashboards, of_kind};
use super::{dashboards, helper, rules, rules_of, yaml};
use crate::support::repository::{files_below, path, read, run, succeed};

/// Returns the values files for tests, by name, and some values that a cluster of tests cannot use.
pub fn varied_values() -> Vec<(String, Value)> {
    let files = files_below("deploy/chart/ci").into_iter();
    let files = files.filter(|file| file.to_str().unwrap().ends_with("-values.yaml"));
    let read = |file: std::path::PathBuf| {
        let [values] = yaml(&[file.to_str().unwrap()]).try_into().unwrap();
        (file.file_name().unwrap().to_str().unwrap().to_owned(), values)
    };
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let elsewhere = json!({
        "image": {"repository": "registry.example.org:5000/exporter", "tag": "not-used", "digest": digest},
        "networkPolicy": {"enabled": false},
        "serviceAccount": {"create": false},
        "podDisruptionBudget": {"enabled": true, "maxUnavailable": "50%"},
        "serviceMonitor": {"enabled": true, "namespace": "metrics"},
        "scrapeConfig": {"enabled": true, "namespace": "metrics", "interval": "2m", "scrapeTimeout": "1m"},
        "probe": {"enabled": true, "namespace": "metrics", "targets": [1002], "interval": "2m", "scrapeTimeout": "1m"},
        "dashboards": {"enabled": true, "namespace": "grafana", "folderAnnotation": "folder", "folder": "EI"},
        "tests": {"enabled": false},
        "securityContext": {"seLinuxOptions": {"level": "s0"}},
        "podSecurityContext": {"supplementalGroups": [5]},
        "probes": {"readiness": {"httpGet": {"httpHeaders": [{"name": "a", "value": "b"}]}}},
        "web": {"config": {"rate_limit": {"interval": "1s", "burst": 20}}},
    });
    files.map(read).chain([("elsewhere".to_owned(), elsewhere)]).collect()
}

pub fn render(chart: &str, values: &Value) -> Value {
    helper(&["render", chart, &values.to_string()])
}

#[tokio::test]
#[ignore = "needs Helm and kubernetes-validate (PyPI: helm-python-sdk, kubernetes-validate), and schemas of .ci/run"]
async fn every_values_file_renders_valid_objects_with_which_the_exporter_starts() {
    let (rules, dashboards) = (rules(), dashboards());
    let hygiene = rules_of("deploy/prometheus/rules-hygiene.yaml");
    let groups = [&rules, &hygiene].map(|file| file["groups"].as_array().unwrap().clone()).concat();
    let with_hygiene = json!({"groups": groups});
    let mut rules_delivered = 0;
    for (what, values) in varied_values() {
        let rendered = render("deploy/chart", &values);
        let documents = rendered["documents"].as_array().unwrap();
        check(documents, &what);
        check_start(documents, &what).await;
        assert_eq!(delivered_dashboards(documents), dashboards, "{what}");
        let expected = if values["prometheusRule"]["hygiene"] == true { &with_hygiene } else { &rules };
        // Another test reads changed rules.
        let is_changed = values["prometheusRule"]["thresholds"].is_object();
        for rule in of_kind(documents, "PrometheusRule").iter().filter(|_| !is_changed) {
            assert_eq!(rule["spec"], *expected, "{what}");
            rules_delivered += 1;
        }
        for kind in ["serviceMonitor", "scrapeConfig", "probe", "prometheusRule"] {
            let count = of_kind(documents, &(kind[..1].to_uppercase() + &kind[1..])).len();
            assert_eq!(count, usize::from(values[kind]["enabled"] == true), "{what}: {kind}");
        }
        assert!(rendered["notes"].as_str().unwrap().contains(".monitoring:"), "{what}: {rendered}");
    }
    assert!(rules_delivered > 0);
    let none = render("deploy/chart", &json!({"dashboards": {"enabled": false}}));
    assert!(delivered_dashboards(none["documents"].as_array().unwrap()).is_empty());
}

#[test]
#[ignore = "needs Helm and kubernetes-validate (PyPI: helm-python-sdk, kubernetes-validate), and schemas of .ci/run"]
fn every_release_name_gives_valid_names() {
    let longest = "a".repeat(39) + "--" + &"a".repeat(12);
    for release in ["edgeimpulse-exporter", "ei.prod", &longest] {
        let arguments = ["render", "deploy/chart", r#"{"config": {"accounts": []}}"#, release];
        let rendered = helper(&arguments);
        check(rendered["documents"].as_array().unwrap(), release);
    }
}

/// Returns the objects of some values.
fn documents(values: &Value) -> Vec<Value> {
    render("deploy/chart", values)["documents"].as_array().unwrap().clone()
}

/// Returns the objects of a values file.
fn rendered(name: &str) -> Vec<Value> {
    let [values] = yaml(&[&format!("deploy/chart/ci/{name}-values.yaml")]).try_into().unwrap();
    documents(&values)
}

#[test]
#[ignore = "needs Helm (PyPI: helm-python-sdk)"]
fn the_chart_adapts_to_proxies_tls_openshift_and_ipv6() {
    let egress_of = |documents: &[Value]| {
        let [policy] = of_kind(documents, "NetworkPolicy").try_into().unwrap();
        let port = |port: &Value| port["port"].clone();
        let ports = |rule: &Value| rule["ports"].as_array().unwrap().iter().map(port).collect();
        policy["spec"]["egress"].as_array().unwrap().iter().map(ports).collect::<Vec<Vec<Value>>>()
    };
    let egress = |name: &str| egress_of(&rendered(name));
    let dns = vec![json!(53), json!(53), json!(5353), json!(5353)];
    assert_eq!(egress("key"), [dns.clone(), vec![json!(443)]]);
    assert_eq!(egress("accounts"), [dns.clone(), vec![json!(8443), json!(3128)]]);
    assert_eq!(egress("everything"), [dns.clone(), vec![json!(8080)], vec![json!(9999)]]);
    let variables = json!({"extraEnv": [
        {"name": "EDGEIMPULSE_API_URL", "value": "https://gateway.example:8443/v1"},
        {"name": "https_proxy", "value": "[2001:db8::1]:3128"},
        {"name": "OTHER", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]});
    assert_eq!(egress_of(&documents(&variables)), [dns, vec![json!(8443), json!(3128)]]);

    // A label of the values cannot replace one that selects, and replaces the chart's others.
    let everything = rendered("everything");
    let [service] = of_kind(&everything, "Service").try_into().unwrap();
    let labels = &service["metadata"]["labels"];
    let chosen = [&labels["app.kubernetes.io/name"], &labels["team"], &labels["helm.sh/chart"]];
    assert_eq!(chosen, ["exporter", "8", "not-used"]);

    let readiness = |documents: &[Value]| {
        let [deployment] = of_kind(documents, "Deployment").try_into().unwrap();
        deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"].clone()
    };
    assert_eq!(readiness(&rendered("tls")), json!({"path": "/-/ready", "port": "probes"}));
    let monitor = json!({"enabled": true, "tlsConfig": {"insecureSkipVerify": true}});
    let web = json!({"existingSecret": "exporter-web", "scheme": "https"});
    let secure = documents(&json!({"web": web, "serviceMonitor": monitor}));
    assert_eq!(readiness(&secure), json!({"path": "/-/ready", "port": "http", "scheme": "HTTPS"}));
    let [monitor] = of_kind(&secure, "ServiceMonitor").try_into().unwrap();
    assert_eq!(monitor["spec"]["endpoints"][0]["scheme"], "https");

    let text = Value::from(rendered("openshift")).to_string();
    assert!(!text.contains("\"runAsUser\":") && !text.contains("\"fsGroup\":"), "OpenShift assigns the ids");
    let ipv6 = rendered("ipv6").into_iter().filter(|document| document["kind"] != "ConfigMap");
    let text = ipv6.map(|document| document.to_string()).collect::<String>();
    assert!(text.contains("\"ipFamilies\":[\"IPv6\"]"));
    assert!(!text.contains("0.0.0.0") && !text.contains("127.0.0.1"));

    // A changed configuration restarts the pods.
    let checksum = |name: &str| {
        let documents = documents(&json!({"config": {"accounts": [{"name": name, "key_file": "key"}]}}));
        let [deployment] = of_kind(&documents, "Deployment").try_into().unwrap();
        deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"].clone()
    };
    assert!(checksum("a").is_string());
    assert_ne!(checksum("a"), checksum("b"));
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
    let config = json!({"accounts": []});
    let clients = json!({"tls_server_config": {"client_auth_type": "RequireAndVerifyClientCert"}});
    for (values, why) in [
        (json!({"setings": {}}), "setings"),
        (json!({"settings": {"EDGEIMPULSE_API_KEY": "ei_secret"}}), "EDGEIMPULSE_API_KEY"),
        (json!({"settings": {"EDGEIMPULSE_CONFIG_FILE": "a"}}), "EDGEIMPULSE_CONFIG_FILE"),
        (json!({"settings": {"PATH": "a"}}), "PATH"),
        (json!({"settings": {"EDGEIMPULSE_CACHE_TTL": 30}}), "string"),
        (json!({"credential": {"kind": "password"}}), "kind"),
        (json!({"replicas": "two"}), "integer"),
        (json!({"image": {"digest": "latest"}}), "digest"),
        (json!({"config": config, "existingSecret": "a"}), "set only one of config, existingSecret"),
        (json!({"config": config, "demo": true}), "demo cannot be combined with config"),
        (
            json!({"existingConfigMap": "a", "settings": {"EDGEIMPULSE_LOG_LEVEL": "debug"}}),
            "settings.EDGEIMPULSE_LOG_LEVEL cannot be combined with existingConfigMap",
        ),
        (json!({"config": {"web": {"listen_addresses": [":80"]}}}), "config.web.listen_addresses"),
        (json!({"web": {"config": {"a": 1}, "existingSecret": "a"}}), "set only one of web.config"),
        (json!({"web": {"existingSecret": "a"}}), "set web.scheme"),
        (json!({"web": {"config": clients}}), "set probes.port"),
        (
            json!({"settings": {"HTTPS_PROXY": "a"}, "extraEnv": [{"name": "HTTPS_PROXY", "value": "b"}]}),
            "HTTPS_PROXY is set twice",
        ),
        (
            json!({"extraEnv": [{"name": "EDGEIMPULSE_API_KEY_FILE", "value": "/key"}]}),
            "EDGEIMPULSE_API_KEY_FILE is set twice",
        ),
        (
            json!({"config": config, "extraEnv": [{"name": "EDGEIMPULSE_CACHE_TTL", "value": "1m"}]}),
            "extraEnv: EDGEIMPULSE_CACHE_TTL cannot be combined with config",
        ),
        (json!({"secrets": ["Not-a-Name"]}), "secrets"),
        (json!({"nameOverride": "not.a.label"}), "nameOverride"),
        (json!({"fullnameOverride": "1st"}), "does not begin with a letter"),
        (json!({"commonLabels": {"team": "not a label"}}), "team"),
    ] {
        let output =
            run("python3", &["tests/deploy/manifests.py", "render", "deploy/chart", &values.to_string()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(why), "{values}: {stderr}");
    }
}

#[test]
#[ignore = "needs helm-docs (of .ci/run) and python3 with PyYAML (PyPI)"]
fn every_value_of_the_chart_has_a_schema_a_test_and_a_row_in_the_readme() {
    /// Adds the paths of the members that the schema describes one by one.
    fn add(definition: &Value, path: &str, paths: &mut BTreeSet<String>) {
        match definition["properties"].as_object() {
            Some(members) if definition["additionalProperties"] == false => {
                members.iter().for_each(|(name, member)| add(member, &format!("{path}/{name}"), paths));
            }
            _ => drop(paths.insert(path.to_owned())),
        }
    }
    let schema: Value = serde_json::from_str(&read("deploy/chart/values.schema.json")).unwrap();
    let mut paths = BTreeSet::new();
    add(&schema, "", &mut paths);
    assert!(paths.remove("/global"), "Helm sets it for subcharts");
    // Helm refuses a value without a schema.
    let [values] = yaml(&["deploy/chart/values.yaml"]).try_into().unwrap();
    let without_default: Vec<_> = paths.iter().filter(|path| values.pointer(path).is_none()).collect();
    assert!(without_default.is_empty(), "values.yaml has no {without_default:?}");
    let varied = varied_values();
    let is_varied = |path: &String| varied.iter().any(|(_, values)| values.pointer(path).is_some());
    let unchanged: Vec<_> = paths.iter().filter(|path| !is_varied(path)).collect();
    assert!(unchanged.is_empty(), "no values file sets {unchanged:?}");

    let generated = succeed("helm-docs", &["--chart-search-root", &path("deploy/chart"), "--dry-run"]);
    assert!(
        generated.trim_end() == read("deploy/chart/README.md").trim_end(),
        "run: helm-docs --chart-search-root deploy/chart"
    );
}
