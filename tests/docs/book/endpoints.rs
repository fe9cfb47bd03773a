//! The table of docs/endpoints.md, compared with the server.

use std::collections::BTreeSet;

use crate::support::repository::read;
use crate::support::running::KEY;
use crate::support::{FakeApi, Program, client, file};

/// Returns the path, the methods and the statuses of each endpoint of the page.
fn endpoints() -> Vec<(String, Vec<String>, BTreeSet<u16>)> {
    let page = read("docs/endpoints.md");
    let rows = page.lines().filter(|line| line.starts_with("| `/")).map(|line| {
        let [_, path, methods, _, response, _] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let numbers = response.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 3);
        let methods = methods.trim().split(", ").map(str::to_owned).collect();
        (path.trim().replace('`', ""), methods, numbers.map(|number| number.parse().unwrap()).collect())
    });
    rows.collect()
}

/// Starts an exporter, and returns it with its address and its configuration file.
async fn start(api: &FakeApi, web: &str) -> (Program, String, String) {
    let config = format!(
        "accounts: [{{name: default, key_file: {}}}]\napi: {{url: {}}}\n\
         web: {{listen_addresses: ['127.0.0.1:0'], {web}}}\n",
        file("key", KEY),
        api.url()
    );
    let config = file("config.yaml", &config);
    let mut program = Program::start(&["--config.file", &config], &[]);
    let address = program.address().await;
    (program, address, config)
}

async fn status(address: &str, method: &str, path: &str) -> u16 {
    let request = client().request(method.parse().unwrap(), format!("http://{address}{path}"));
    request.send().await.unwrap().status().as_u16()
}

#[test]
fn every_route_is_on_the_page() {
    let source = read("src/serve/routes.rs");
    let routes = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    // The path of the metrics is an option.
    let routes: BTreeSet<_> = routes.chain(["/metrics".to_owned()]).collect();
    assert_eq!(routes, endpoints().into_iter().map(|(path, ..)| path).collect());
}

#[tokio::test]
async fn every_endpoint_answers_to_its_methods_and_no_others() {
    let api = FakeApi::with_samples("typical").await;
    let (_program, address, _) = start(&api, "enable_lifecycle: true").await;
    for (path, methods, _) in endpoints() {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
            let is_named = methods.iter().any(|named| named == method || named == "GET" && method == "HEAD");
            let status = status(&address, method, &path).await;
            assert_eq!(status != 405, is_named, "{method} {path}: {status}");
            assert_ne!(status, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_answers_with_each_status_that_the_page_names() {
    let (api, down) = (FakeApi::with_samples("typical").await, FakeApi::start().await);
    let (_working, working, config) = start(&api, "enable_lifecycle: true").await;
    down.refuses("/api/organizations", 503, "").await;
    let (_failing, failing, _) = start(&down, "fail_scrape: all").await;
    let mut seen = BTreeSet::new();
    for (address, request) in [
        (&working, "GET /metrics"),
        (&working, "GET /metrics?collect[]=usage&collect[]=exporter"),
        (&working, "GET /metrics?collect[]=weather"),
        (&failing, "GET /metrics"),
        (&working, "GET /probe?target=1&account=default&collect[]=usage"),
        (&working, "GET /probe"),
        (&working, "GET /probe?target=9"),
        (&failing, "GET /probe?target=9"),
        (&working, "GET /sd?account=default"),
        (&working, "GET /sd?account=nobody"),
        (&failing, "GET /sd"),
        (&working, "GET /?page=2"),
        (&working, "GET /-/healthy"),
        (&working, "GET /-/ready"),
        (&working, "POST /-/reload"),
        (&failing, "POST /-/reload"),
    ] {
        let (method, path) = request.split_once(' ').unwrap();
        let status = status(address, method, path).await;
        seen.insert((path.split('?').next().unwrap().to_owned(), status));
    }
    std::fs::write(config, "nothing: good").unwrap();
    seen.insert(("/-/reload".to_owned(), status(&working, "PUT", "/-/reload").await));
    let named = endpoints()
        .into_iter()
        .flat_map(|(path, _, statuses)| statuses.into_iter().map(move |status| (path.clone(), status)));
    assert_eq!(named.collect::<BTreeSet<_>>(), seen);
    assert_eq!(status(&working, "GET", "/nowhere").await, 404);
}
