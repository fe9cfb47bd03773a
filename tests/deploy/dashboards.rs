//! Dashboards use existing metrics and labels, and work with two replicas, many organizations and any data source.
//!
//! The files in `dashboards` are edited by hand or exported from Grafana. `UPDATE_DASHBOARDS=1 cargo test dashboards`
//! writes their normal form: as `serde_json` does, with sorted keys.

use std::collections::BTreeSet;

use edgeimpulse_exporter::metrics::{Description, Kind};
use serde_json::Value;

use crate::support::catalogue::{self, ALERTS, CATALOGUE, described};
use crate::support::promql::{self, Aggregation, Selector, Uses};
use crate::support::repository::{files_below, path, read, root};

/// File names of the dashboards, without extension.
const NAMES: [&str; 5] = ["exporter", "fleet", "operations", "organization", "overview"];

struct Dashboard {
    name: &'static str,
    text: String,
    json: Value,
}

/// A PromQL expression and its place.
struct Expression {
    place: String,
    text: String,
    uses: Uses,
}

fn dashboards() -> Vec<Dashboard> {
    let dashboard = |name| {
        let text = read(&format!("dashboards/{name}.json"));
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Dashboard { name, text, json }
    };
    NAMES.into_iter().map(dashboard).collect()
}

fn list<'a>(json: &'a Value, key: &str) -> &'a [Value] {
    json[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

impl Dashboard {
    /// Returns the rows and panels, including those in collapsed rows.
    fn all(&self) -> Vec<&Value> {
        list(&self.json, "panels")
            .iter()
            .flat_map(|panel| [panel].into_iter().chain(list(panel, "panels")))
            .collect()
    }

    /// Returns the panels, each with its place for messages.
    fn panels(&self) -> Vec<(String, &Value)> {
        let panels = self.all().into_iter().filter(|panel| text(panel, "type") != "row");
        panels.map(|panel| (format!("{} / {}", self.name, text(panel, "title")), panel)).collect()
    }

    fn variables(&self) -> &[Value] {
        list(&self.json["templating"], "list")
    }

    /// Returns the expressions of all panels and variables.
    fn expressions(&self) -> Vec<Expression> {
        let mut found = vec![];
        for (place, panel) in self.panels() {
            for target in list(panel, "targets") {
                found.push((format!("{place} {}", text(target, "refId")), text(target, "expr").to_owned()));
            }
        }
        for variable in self.variables().iter().filter(|variable| text(variable, "type") == "query") {
            let place = format!("{} ${}", self.name, text(variable, "name"));
            let query = text(&variable["query"], "query");
            let asked = query.split_once('(').and_then(|(kind, rest)| Some((kind, rest.strip_suffix(')')?)));
            let expression = match asked {
                Some(("query_result", expression)) => expression,
                Some(("label_values", rest)) => rest.rsplit_once(',').expect("a metric and a label").0,
                _ => panic!("{place}: neither query_result nor label_values: {query}"),
            };
            found.push((place, expression.to_owned()));
        }
        let parse = |(place, text): (String, String)| {
            let uses = promql::read(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
            Expression { place, text, uses }
        };
        found.into_iter().map(parse).collect()
    }
}

/// Returns every expression of every panel and variable, with its place.
pub fn expressions() -> Vec<(String, String)> {
    let expressions = dashboards().iter().flat_map(Dashboard::expressions).collect::<Vec<_>>();
    expressions.into_iter().map(|expression| (expression.place, expression.text)).collect()
}

/// Returns the names of the series that the rules record.
pub fn recorded() -> BTreeSet<String> {
    let rules = read("deploy/prometheus/rules.yaml");
    rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).map(str::to_owned).collect()
}

/// Checks every selector of a metric in every panel, and optionally in every variable.
fn each_selector(variables: bool, mut check: impl FnMut(&str, &Selector, &'static Description)) {
    let recorded = recorded();
    for dashboard in dashboards() {
        for expression in dashboard.expressions() {
            if !variables && expression.place.contains('$') {
                continue;
            }
            let is_metric =
                |selector: &&Selector| selector.metric != ALERTS && !recorded.contains(&selector.metric);
            for selector in expression.uses.selectors.iter().filter(is_metric) {
                let place = format!("{}: {}", expression.place, selector.metric);
                let metric = described(&selector.metric).unwrap_or_else(|| panic!("{place}: no such metric"));
                check(&place, selector, metric);
            }
        }
    }
}

#[test]
fn dashboards_are_in_their_normal_form() {
    for Dashboard { name, text, mut json } in dashboards() {
        // A map keeps insertion order if a crate enables that feature.
        json.sort_all_objects();
        let normal = serde_json::to_string_pretty(&json).unwrap() + "\n";
        if std::env::var_os("UPDATE_DASHBOARDS").is_some() {
            std::fs::write(path(&format!("dashboards/{name}.json")), normal).unwrap();
        } else {
            let first = text.lines().zip(normal.lines()).position(|(is, should)| is != should);
            assert!(
                text == normal,
                "{name}.json differs from its normal form, from line {:?}: UPDATE_DASHBOARDS=1 cargo test dashboards",
                first.map(|line| line + 1)
            );
        }
    }
}

#[test]
fn every_dashboard_file_is_tested() {
    let mut files = files_below("dashboards");
    files.retain(|file| file.extension() == Some("json".as_ref()));
    assert_eq!(files, NAMES.map(|name| root().join(format!("dashboards/{name}.json"))));
}

#[test]
fn dashboards_import_unchanged_and_link_to_each_other() {
    let uids = NAMES.map(|name| format!("edgeimpulse-{name}"));
    for dashboard in dashboards() {
        let (name, json) = (dashboard.name, &dashboard.json);
        assert_eq!(text(json, "uid"), format!("edgeimpulse-{name}"));
        assert!(text(json, "title").to_lowercase() == format!("edge impulse / {name}"), "{name}");
        assert!(!text(json, "description").is_empty(), "{name}");
        assert_eq!(json["schemaVersion"], 39, "{name}");
        assert_eq!(json["editable"], false, "{name}");
        assert_eq!(json["graphTooltip"], 1, "{name}: a shared crosshair");
        assert_eq!(json["tags"], serde_json::json!(["edge-impulse"]), "{name}");
        for leftover in ["__inputs", "__requires", "__elements", "id", "gnetId", "iteration"] {
            assert!(json.get(leftover).is_none(), "{name}: {leftover} is a leftover of an export");
        }
        let link = &list(json, "links")[0];
        // The filter for one organization must not follow to dashboards of many.
        let keeps_filter = name != "organization";
        assert!(
            link["asDropdown"] == true && link["keepTime"] == true && link["includeVars"] == keeps_filter,
            "{name}"
        );
        assert_eq!(link["tags"], json["tags"], "{name}");
        for target in dashboard.text.split("\"/d/").skip(1) {
            let uid = target.split(['/', '?', '"']).next().unwrap();
            assert!(uids.iter().any(|known| known == uid), "{name}: no dashboard {uid}");
        }
    }
}

#[test]
fn dashboards_have_the_same_variables() {
    for dashboard in dashboards() {
        let name = dashboard.name;
        let names: Vec<_> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
        assert_eq!(names[..3], ["datasource", "job", "organization"], "{name}");
        assert_eq!(
            names[3..],
            *if ["exporter", "fleet"].contains(&name) { &["without_rules"][..] } else { &[] },
            "{name}"
        );
        let [datasource, job, organization, ..] = dashboard.variables() else { unreachable!() };
        assert_eq!(
            [text(datasource, "type"), text(datasource, "query")],
            ["datasource", "prometheus"],
            "{name}"
        );
        for variable in [job, organization] {
            assert_eq!(variable["refresh"], 2, "{name}: when the time range changes");
            assert_eq!(text(&variable["datasource"], "uid"), "${datasource}", "{name}");
            if variable["includeAll"] == true {
                assert!(variable["multi"] == true && text(variable, "allValue") == ".+", "{name}");
                assert_eq!(variable["current"]["value"], serde_json::json!(["$__all"]), "{name}");
            }
        }
        assert_eq!(job["includeAll"], true, "{name}");
        // The panels of one organization would add up several.
        assert_eq!(organization["includeAll"], name != "organization", "{name}");
        assert_eq!(organization["multi"], name != "organization", "{name}");
    }
}

#[test]
fn ids_and_titles_are_unique_and_panels_do_not_overlap() {
    for dashboard in dashboards() {
        let (mut ids, mut titles, mut cells) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for panel in dashboard.all() {
            let place = format!("{} / {}", dashboard.name, text(panel, "title"));
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{place}: duplicate id");
            assert!(titles.insert(text(panel, "title")), "{place}: duplicate title");
            let at = |key| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{place}: {key}"));
            assert!(at("w") >= 1 && at("h") >= 1 && at("x") + at("w") <= 24, "{place} exceeds the grid");
            for cell in
                (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
            {
                assert!(cells.insert(cell), "{place} overlaps another panel at {cell:?}");
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_what_to_do() {
    for dashboard in dashboards() {
        for (place, panel) in dashboard.panels() {
            let kind = text(panel, "type");
            assert!(
                ["stat", "bargauge", "timeseries", "state-timeline", "table", "text"].contains(&kind),
                "{place}: {kind} is not a type that pictures can be drawn of"
            );
            assert!(!text(panel, "title").is_empty(), "{place}");
            let description = text(panel, "description");
            assert!(description.len() > 60 && description.ends_with(['.', '?']), "{place}: {description}");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text(defaults, "unit").is_empty(), "{place} has no unit");
            let missing = text(defaults, "noValue");
            // Missing data is not an answer, such as "no trial", and not good.
            assert!(missing.ends_with("known"), "{place} says {missing:?} of missing data");
            let colour = text(&defaults["thresholds"]["steps"][0], "color");
            assert!(["text", "blue", "transparent"].contains(&colour), "{place}: {colour} for missing data");
            let options = panel["fieldConfig"].to_string();
            assert!(!options.contains("yellow"), "{place}: yellow cannot be read on a light page");
            let names = panel["targets"].to_string().contains("(organization_name)");
            let leads = options.contains("/d/edgeimpulse-organization/?var-organization=$");
            let is_list = names && ["bargauge", "table"].contains(&kind);
            assert!(leads || !is_list, "{place} does not lead to the organizations");
        }
    }
}

#[test]
fn every_target_asks_the_chosen_data_source_and_in_the_right_way() {
    for dashboard in dashboards() {
        for (place, panel) in dashboard.panels() {
            let targets = list(panel, "targets");
            assert!(!targets.is_empty() || text(panel, "type") == "text", "{place} has no targets");
            let ids: BTreeSet<_> = targets.iter().map(|target| text(target, "refId")).collect();
            assert_eq!(ids.len(), targets.len(), "{place}: duplicate refIds");
            for asked in targets.iter().chain([panel]) {
                assert_eq!(text(&asked["datasource"], "type"), "prometheus", "{place}");
                assert_eq!(text(&asked["datasource"], "uid"), "${datasource}", "{place}");
            }
            let over_time = ["timeseries", "state-timeline"].contains(&text(panel, "type"));
            for target in targets {
                assert_eq!(
                    target["instant"] == true,
                    !over_time,
                    "{place}: only time series use range queries"
                );
                assert_eq!(target["range"] == true, over_time, "{place}");
                assert!(!over_time || target["legendFormat"].is_string(), "{place} has no legend");
                // Scrapes are up to two minutes apart.
                let step = text(target, "interval");
                assert!(!over_time || ["2m", "1h", "1d"].contains(&step), "{place}: minimum step {step}");
            }
        }
    }
}

#[test]
fn expressions_name_only_metrics_and_labels_of_the_catalogue() {
    let mut expressions = 0;
    for dashboard in dashboards() {
        for Expression { place, text, uses } in dashboard.expressions() {
            expressions += 1;
            catalogue::check(&uses, &recorded()).unwrap_or_else(|error| panic!("{place}: {error}: {text}"));
        }
    }
    assert!(expressions > 150, "only {expressions} expressions were found");
}

#[test]
fn every_selector_has_the_chosen_jobs_and_organizations() {
    each_selector(false, |place, selector, metric| {
        let value = |label| {
            let all = selector.matchers.iter().filter(|matcher| matcher.name == label);
            all.map(|matcher| (matcher.op.to_string(), matcher.value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(value("job"), [("=~".to_owned(), "$job".to_owned())], "{place}");
        if metric.labels.contains(&"organization_id") {
            // Collectors of a user have no organization and are shown for every organization.
            let optional = metric.name.starts_with("edgeimpulse_scrape_");
            let chosen = |(op, value): &(String, String)| {
                op == "=~" && (value == "$organization" || optional && value == "$organization|")
            };
            assert!(value("organization_id").iter().any(chosen), "{place}: {:?}", selector.matchers);
        }
    });
}

#[test]
fn nothing_adds_over_windows_that_overlap() {
    let mut windows = 0;
    each_selector(true, |place, selector, metric| {
        if metric.labels.contains(&"window") {
            windows += 1;
            let by = |aggregation: &Aggregation| {
                aggregation.labels.is_include()
                    && aggregation.labels.labels().labels.iter().any(|label| label == "window")
            };
            let grouped = selector.keeps("window") && selector.aggregations.iter().any(by);
            assert!(selector.matcher("window").is_some() || grouped, "{place}: selects no window");
        }
    });
    assert!(windows > 5, "only {windows} windows were found");
}

#[test]
fn an_organization_counts_once_whatever_the_number_of_jobs_and_targets() {
    each_selector(true, |place, selector, metric| {
        let is_fact = !metric.name.starts_with("edgeimpulse_exporter_") && !metric.name.starts_with("process_");
        // label_values returns each value once.
        let is_query = place.contains("$job");
        if is_fact && !is_query {
            let first = selector.aggregations.first().unwrap_or_else(|| panic!("{place}: shows each replica"));
            assert!(
                ["max", "min", "count", "group"].contains(&&*first.does),
                "{place}: {} of replicas",
                first.does
            );
            for label in ["instance", "pod", "namespace", "node", "service"] {
                assert!(!selector.keeps(label), "{place}: shows each {label}");
            }
            let of_a_call = metric.name.starts_with("edgeimpulse_scrape_") || metric.name == "edgeimpulse_up";
            assert!(of_a_call || !selector.keeps("job"), "{place}: counts an organization once per job");
        }
    });
}

#[test]
fn firing_alerts_come_first_and_are_marked_in_graphs() {
    for dashboard in dashboards() {
        let name = dashboard.name;
        let first = list(&dashboard.json, "panels").iter().find(|panel| text(panel, "type") != "row").unwrap();
        assert_eq!(
            text(first, "title") == "Firing now",
            ["overview", "organization"].contains(&name),
            "{name}"
        );
        let annotations = list(&dashboard.json["annotations"], "list");
        let expressions: Vec<_> =
            annotations.iter().skip(1).map(|annotation| text(annotation, "expr")).collect();
        assert!(expressions.iter().any(|expression| expression.contains("ALERTS{")), "{name}: {expressions:?}");
        for expression in expressions {
            let uses = promql::read(expression).unwrap_or_else(|error| panic!("{name}: {error}"));
            catalogue::check(&uses, &recorded())
                .unwrap_or_else(|error| panic!("{name}: {error}: {expression}"));
        }
    }
}

#[test]
fn functions_suit_the_type_of_their_metric() {
    each_selector(true, |place, selector, metric| {
        let is = |names: &[&str]| selector.functions.iter().any(|function| names.contains(function));
        let rises = metric.kind != Kind::Gauge;
        assert_eq!(is(&["rate", "increase"]), rises, "{place}: {:?}", selector.functions);
        assert!(!(rises && is(&["delta", "deriv"])), "{place}: {:?}", selector.functions);
    });
    for Expression { place, text, .. } in dashboards().iter().flat_map(Dashboard::expressions) {
        for rate in text.split("rate(").skip(1) {
            let range = rate.split(['[', ']']).nth(1);
            assert_eq!(range, Some("$__rate_interval"), "{place}");
        }
    }
}

/// Metrics that every process should have, and that say no more of an exporter than the memory in use.
const STANDARD: [&str; 4] = [
    "process_heap_bytes",
    "process_threads",
    "process_virtual_memory_bytes",
    "process_virtual_memory_max_bytes",
];

#[test]
fn every_metric_is_used_by_a_dashboard_or_a_rule() {
    let rules = read("deploy/prometheus/rules.yaml");
    let words = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned);
    let mut names: BTreeSet<_> = words.collect();
    for expression in dashboards().iter().flat_map(Dashboard::expressions) {
        names.extend(expression.uses.selectors.into_iter().map(|selector| selector.metric));
    }
    let used: BTreeSet<_> = names.iter().filter_map(|name| described(name)).map(|metric| metric.name).collect();
    let unused: Vec<_> = CATALOGUE.keys().copied().filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, STANDARD, "not used");
}
