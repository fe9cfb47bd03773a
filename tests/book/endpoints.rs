//! The page of endpoints, held against the server.

use std::collections::BTreeSet;

use crate::support::markdown::{Page, root};
use crate::support::running::KEY;
use crate::support::{FakeApi, Program, client, file};

/// An endpoint, as the page has it.
struct Row {
    path: String,
    methods: Vec<String>,
    statuses: BTreeSet<u16>,
}

fn rows() -> Vec<Row> {
    let page = Page::read("docs/endpoints.md");
    let rows = page.text.lines().filter(|line| line.starts_with("| `/"));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let numbers = cells[4].split(|c: char| !c.is_ascii_digit());
        Row {
            path: cells[1].trim_matches('`').to_owned(),
            methods: cells[2].split(", ").map(str::to_owned).collect(),
            statuses: numbers
                .filter(|number| number.len() == 3)
                .map(|number| number.parse().unwrap())
                .collect(),
        }
    })
    .collect()
}

/// An exporter in a process of its own, with a file.
async fn start(api: &FakeApi, web: &str) -> (Program, String, String) {
    let key = file("key", KEY);
    let text = format!(
        "accounts: [{{name: default, key_file: {key}}}]\napi: {{url: {}}}\n\
         web: {{listen_addresses: ['127.0.0.1:0'], {web}}}\n",
        api.url()
    );
    let config = file("config.yaml", &text);
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
    let source = std::fs::read_to_string(root().join("src/server.rs")).unwrap();
    let routes = source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    // Its path is an option.
    let routes: BTreeSet<_> = routes.chain(["/metrics".to_owned()]).collect();
    let rows = rows().into_iter().map(|row| row.path).collect();
    assert_eq!(routes, rows);
}

#[tokio::test]
async fn every_endpoint_answers_to_its_methods_and_no_others() {
    let api = FakeApi::with_samples("typical").await;
    let (_program, address, _) = start(&api, "enable_lifecycle: true").await;
    for Row { path, methods, .. } in rows() {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
            let is_named = methods.iter().any(|named| named == if method == "HEAD" { "GET" } else { method });
            let answer = status(&address, method, &path).await;
            assert_eq!(answer != 405, is_named, "{method} {path}: {answer}");
            assert_ne!(answer, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_answers_with_each_status_that_the_page_names() {
    let api = FakeApi::with_samples("typical").await;
    let (_calm, calm, config) = start(&api, "enable_lifecycle: true").await;
    let down = FakeApi::start().await;
    down.refuses("/api/organizations", 503, "").await;
    let (_strict, strict, _) = start(&down, "fail_scrape: all").await;
    let mut seen = BTreeSet::new();
    for (address, method, path) in [
        (&calm, "GET", "/metrics"),
        (&calm, "GET", "/metrics?collect[]=usage&collect[]=exporter"),
        (&calm, "GET", "/metrics?collect[]=weather"),
        (&strict, "GET", "/metrics"),
        (&calm, "GET", "/probe?target=1&account=default&collect[]=usage"),
        (&calm, "GET", "/probe"),
        (&calm, "GET", "/probe?target=9"),
        (&strict, "GET", "/probe?target=9"),
        (&calm, "GET", "/sd?account=default"),
        (&calm, "GET", "/sd?account=nobody"),
        (&strict, "GET", "/sd"),
        (&calm, "GET", "/?page=2"),
        (&calm, "GET", "/-/healthy"),
        (&calm, "GET", "/-/ready"),
        (&calm, "POST", "/-/reload"),
        (&strict, "POST", "/-/reload"),
    ] {
        let answer = status(address, method, path).await;
        seen.insert((path.split('?').next().unwrap().to_owned(), answer));
    }
    std::fs::write(config, "nothing: good").unwrap();
    seen.insert(("/-/reload".to_owned(), status(&calm, "PUT", "/-/reload").await));
    let named = rows()
        .into_iter()
        .flat_map(|row| row.statuses.into_iter().map(move |status| (row.path.clone(), status)));
    assert_eq!(named.collect::<BTreeSet<_>>(), seen);
    assert_eq!(status(&calm, "GET", "/nowhere").await, 404);
}
