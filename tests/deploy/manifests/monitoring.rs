//! The rules in the chart and in the mixin, as they are and with other thresholds, severities and links.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::chart::render;
use super::{dashboards, helper, rules, rules_of, yaml};

/// The values of the chart and of the mixin that change rules, for a test of both.
fn changed_rules() -> Value {
    json!({
        "hygiene": true,
        "runbooks": "https://wiki.example.com/runbooks",
        "grafana": "https://grafana.example.com",
        "thresholds": {"near": 0.7, "fillingUpDays": 21},
        "severities": {"EdgeImpulseAccountDown": "critical"},
        "extraLabels": {"team": "ml", "severity": "never"},
        "extraAnnotations": {"contact": "ml@example.com"},
    })
}

/// Returns the rules of an object with groups.
fn rules_in(object: &Value) -> Vec<Value> {
    let groups = object["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// Checks that rules are those of the files, changed as `changed_rules` says.
fn check_changed(delivered: &[Value]) {
    let files = ["rules.yaml", "rules-hygiene.yaml"].map(|file| rules_of(&format!("deploy/prometheus/{file}")));
    let mut expected: Vec<_> = files.iter().flat_map(rules_in).collect();
    for rule in &mut expected {
        let expression = rule["expr"].as_str().unwrap();
        rule["expr"] = json!(
            expression.replace("0.8 # near", "0.7 # near").replace("14 # fillingUpDays", "21 # fillingUpDays")
        );
        if rule["record"] == "edgeimpulse:links:info" {
            rule["labels"] = json!({"runbooks": "https://wiki.example.com/runbooks", "grafana": "https://grafana.example.com"});
        }
        if rule["alert"].is_string() {
            rule["labels"]["team"] = json!("ml");
            rule["annotations"]["contact"] = json!("ml@example.com");
        }
        if rule["alert"] == "EdgeImpulseAccountDown" {
            rule["labels"]["severity"] = json!("critical");
        }
    }
    assert!(expected.iter().any(|rule| rule["expr"].as_str().unwrap().contains("0.7 # near")));
    assert!(expected.iter().any(|rule| rule["expr"].as_str().unwrap().contains("* 21 # fillingUpDays")));
    assert_eq!(delivered.len(), expected.len());
    for rule in &expected {
        assert!(delivered.contains(rule), "{rule:#}");
    }
}

#[test]
#[ignore = "needs Helm (PyPI: helm-python-sdk)"]
fn values_of_the_chart_change_thresholds_severities_and_links_of_rules() {
    let mut values = changed_rules();
    values["enabled"] = json!(true);
    let rendered = render("deploy/chart", &json!({"prometheusRule": values}));
    let documents = rendered["documents"].as_array().unwrap();
    let delivered = documents.iter().find(|document| document["kind"] == "PrometheusRule").unwrap();
    check_changed(&rules_in(&delivered["spec"]));
    // The defaults are those of the rules, which another test compares with what is delivered, and each is used.
    let [chart] = yaml(&["deploy/chart/values.yaml"]).try_into().unwrap();
    let defaults = &chart["prometheusRule"]["thresholds"];
    let thresholds = crate::deploy::rules::thresholds();
    let defaults =
        defaults.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_f64().unwrap()));
    assert_eq!(defaults.collect::<BTreeMap<_, _>>(), thresholds);
}

#[test]
#[ignore = "needs jsonnet (PyPI: jsonnet)"]
fn the_mixin_has_the_same_rules_and_dashboards_and_can_change_the_same() {
    let mixin = |config: &Value| {
        let code = format!(
            "local m = (import 'deploy/mixin/mixin.libsonnet') {{ _config+:: {config} }}; \
             {{ groups: m.prometheusRules.groups + m.prometheusAlerts.groups, dashboards: m.grafanaDashboards }}"
        );
        helper(&["jsonnet", &code])
    };
    let plain = mixin(&json!({}));
    assert_eq!(rules_in(&plain), rules_in(&rules()));
    let dashboards = dashboards();
    assert_eq!(plain["dashboards"].as_object().unwrap().len(), dashboards.len());
    for (name, text) in dashboards {
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(plain["dashboards"][format!("edgeimpulse-{name}")], json, "{name}");
    }
    check_changed(&rules_in(&mixin(&changed_rules())));
}
