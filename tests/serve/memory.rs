//! Memory: what the API sends for one account takes at most 64 MiB more than the idle process, beyond what organizations
//! take according to docs/performance.md.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::support::running::{JWT, NO_CALLS};
use crate::support::wire::{Step, answer};
use crate::support::{ONE_CALL_EACH, Program, Wire};

/// Returns a size that the kernel reports of the process, in MiB.
fn size(program: &Program, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Returns the largest resident memory that the process ever had, in MiB.
pub fn peak(program: &Program) -> f64 {
    size(program, "VmHWM")
}

/// Returns a response with a list of objects, each of which is made from its number.
fn list(before: &str, name: &str, count: u64, element: impl Fn(u64) -> String) -> Step {
    let mut body = format!(r#"{{"success":true,{before}"{name}":["#);
    for number in 0..count {
        let comma = if number > 0 { "," } else { "" };
        write!(body, "{comma}{}", element(number)).unwrap();
    }
    body += "]}";
    answer(body.as_bytes(), "")
}

/// Returns a list of 20,000 organizations whose ids begin with `first`.
fn organizations(before: &str, first: u64) -> Step {
    list(before, "organizations", 20_000, |number| format!(r#"{{"id":{},"name":"x"}}"#, first + number))
}

/// Returns the organization in a path.
fn id(path: &str) -> u64 {
    let (_, rest) = path.split_once("/organizations/").unwrap_or_default();
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or_default()
}

fn ids(option: &str, count: u64) -> String {
    let ids: Vec<_> = (1..=count).map(|id| id.to_string()).collect();
    format!("--{option}={}", ids.join(","))
}

/// Returns a text of more than a kilobyte, which is twice as long as a label.
fn long() -> String {
    r#"é\n\""#.repeat(200)
}

/// Starts the exporter with an API key, or with a JWT if the options say so.
async fn start(api: &Wire, options: &[&str]) -> (Program, String) {
    let credential =
        if options.contains(&"jwt") { ("EDGEIMPULSE_JWT", JWT) } else { ("EDGEIMPULSE_API_KEY", "ei_x") };
    let url = format!("--api.url={}", api.url);
    let base = ["--web.listen-address=127.0.0.1:0", "--log.level=info", &url];
    let options = options.iter().copied().filter(|option| *option != "jwt");
    let mut program = Program::start(&base.into_iter().chain(options).collect::<Vec<_>>(), &[credential]);
    let address = program.address().await;
    (program, format!("http://{address}"))
}

async fn get(url: &str) -> String {
    let request = crate::support::client().get(url).timeout(Duration::from_mins(5));
    request.send().await.unwrap().text().await.unwrap()
}

/// Scrapes an API. Returns the metrics, and by how much the largest size of the process exceeds the idle one, in MiB.
async fn growth(options: &[&str], respond: impl Fn(&str) -> Step + Send + Sync + 'static) -> (String, f64) {
    let api = Wire::start(move |_, path| vec![respond(path)]).await;
    let (program, url) = start(&api, options).await;
    get(&format!("{url}/metrics?collect[]=exporter")).await;
    let idle = peak(&program);
    let mut metrics = String::new();
    for path in ["/metrics", "/sd", "/", "/metrics"] {
        metrics = get(&format!("{url}{path}")).await;
    }
    (metrics, peak(&program) - idle)
}

/// Scrapes an API, and checks how much memory that takes.
async fn assert_bounded(options: &[&str], respond: impl Fn(&str) -> Step + Send + Sync + 'static) {
    let (metrics, growth) = growth(options, respond).await;
    let is_success = |line: &&str| line.starts_with("edgeimpulse_up{") && line.ends_with(" 1");
    let read = metrics.lines().find(is_success).map_or(0, |_| {
        metrics.lines().filter(|line| line.starts_with("edgeimpulse_organization_info{")).count()
    });
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let honest = read as f64 * 0.01;
    assert!(growth < 64.0 + honest, "{growth:.1} MiB, {read} organizations");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ten seconds"]
async fn all_lists_of_an_account_share_one_limit() {
    let whitelabel =
        |n| format!(r#"{{"ownerOrganizationId":{n},"isAdmin":true,"id":{n},"name":"{n}{}"}}"#, long());
    let whitelabels: Vec<_> = (1..=20).map(whitelabel).collect();
    let user = format!(r#""id":1,"whitelabels":[{}],"#, whitelabels.join(","));
    assert_bounded(&["jwt", "--scrape.timeout-default=60s"], move |path| match path {
        _ if path.contains("/api/user?") => organizations(&user, 1),
        _ if path.contains("/whitelabel/organizations?") => organizations("", id(path) * 1_000_000),
        _ => answer(br#"{"success":true,"organization":{},"metrics":{}}"#, ""),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_of_users_share_the_limit_of_the_account() {
    let users = ids("user-id", 8);
    let options = [&["jwt", &*users], NO_CALLS].concat();
    assert_bounded(&options, |_| organizations(r#""id":1,"#, 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_a_response_take_little() {
    let (metrics, growth) = growth(&["--scrape.timeout-default=1s"], |path| {
        if path.ends_with("/api/organizations") { organizations("", 1) } else { Step::Hang }
    })
    .await;
    let is_call = |line: &&str| line.starts_with("edgeimpulse_scrape_collector_success{");
    let calls = metrics.lines().filter(is_call).count();
    assert!(calls > 20_000, "{calls} calls");
    let per_call = growth * 1024.0 / calls as f64;
    assert!(per_call < 2.0, "{growth:.1} MiB, {per_call:.2} KiB for each of {calls} calls");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs twenty seconds"]
async fn scrapes_that_wait_for_the_same_calls_share_their_list() {
    const SCRAPES: usize = 120;
    let api = Wire::start(|_, path| {
        vec![if path.ends_with("/api/organizations") { organizations("", 1) } else { Step::Hang }]
    })
    .await;
    let (program, url) = start(&api, &["--scrape.timeout-default=1s", "--cache.ttl=10m"]).await;
    get(&format!("{url}/metrics")).await;
    let before = size(&program, "VmRSS");
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let head = "GET /metrics HTTP/1.1\r\nHost: a\r\nX-Prometheus-Scrape-Timeout-Seconds: 3600\r\n\r\n";
    let waiting = join_all((0..SCRAPES).map(|_| async move {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }))
    .await;
    let mut growth = 0.0_f64;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        growth = growth.max(size(&program, "VmRSS") - before);
    }
    // A scrape that was refused or has ended would prove nothing.
    assert!(waiting.iter().all(|stream| stream.try_read(&mut [0]).is_err()), "a scrape did not wait");
    assert!(growth < 28.0, "{growth:.1} MiB over {before:.1} for {SCRAPES} scrapes");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_keep_little_of_the_reason() {
    let host = "a".repeat(60_000);
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: https://{host}/\r\nContent-Length: 0\r\n\r\n");
    let text = format!(r#"{{"success":false,"error":"{}"}}"#, "invalid access ".repeat(4_000));
    let refused = format!("HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    assert_bounded(&[&ids("organization-id", 1500), "--scrape.timeout-default=60s"], move |path| {
        Step::Send(if path.contains("/metrics") { redirect.clone() } else { refused.clone() }.into_bytes())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ten seconds"]
async fn rows_of_all_organizations_share_one_limit() {
    let long = long()[..70].to_owned();
    let experiments: Vec<_> = (0..200).map(|n| format!(r#"{{"type":"{n}{long}","enabled":true}}"#)).collect();
    let before = format!(r#""organization":{{"id":1}},"experiments":[{}],"#, experiments.join(","));
    let organizations = ids("organization-id", 80);
    let options = [&[&*organizations, "--scrape.timeout-default=60s"], ONE_CALL_EACH].concat();
    assert_bounded(&options, move |path| {
        let id = id(path);
        list(&before, "datasets", 1000, |n| {
            let text = |kind| format!(r#""{id}{kind}{n}{long}""#);
            format!(
                r#"{{"dataset":{},"type":{},"category":{},"bucket":{{"bucket":{}}},"totalFileSize":1}}"#,
                text('d'),
                text('t'),
                text('c'),
                text('b')
            )
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_texts_of_all_organizations_share_one_limit() {
    let name = long();
    let organization = format!(
        r#"{{"success":true,"organization":{{"id":1,"name":"{name}","whitelabelName":"{name}","whitelabelId":7}},"experiments":[{{"type":"{name}","enabled":true}}]}}"#
    );
    let organizations = ids("organization-id", 2000);
    let options = [&[&*organizations, "--scrape.timeout-default=60s"], ONE_CALL_EACH].concat();
    assert_bounded(&options, move |_| answer(organization.as_bytes(), "")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_white_label_is_requested_for_few_organizations() {
    let trials: Vec<_> = (0..1000).map(|n| format!(r#"{{"id":{n},"organizationId":{n}}}"#)).collect();
    let user = format!(r#"{{"success":true,"user":{{"id":1,"trials":[{}]}}}}"#, trials.join(","));
    let options = [&["--whitelabel.user-id=5", "--scrape.timeout-default=60s"], NO_CALLS].concat();
    assert_bounded(&options, move |path| {
        if path.ends_with("/api/organizations") { organizations("", 1) } else { answer(user.as_bytes(), "") }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_that_are_not_read_take_little_however_many_organizations_they_have() {
    let api = Wire::start(|_, _| vec![organizations("", 1)]).await;
    let options = [NO_CALLS, &["--scrape.timeout-default=60s"]].concat();
    let (program, url) = start(&api, &options).await;
    let paths = ["/metrics", "/sd", "/"];
    for path in paths {
        get(&format!("{url}{path}")).await;
    }
    let before = peak(&program);
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let clients = join_all((0..120).map(|number| async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let path = paths[number % paths.len()];
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        // The connection may be closed for another one.
        let _ = stream.read_exact(&mut [0; 12]).await;
        stream
    }))
    .await;
    let growth = peak(&program) - before;
    assert!(growth < 64.0, "{growth:.1} MiB over {before:.1} for {} clients", clients.len());
}
