//! A soak: ten thousand scrapes of an API that fails in every way, in all of its calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use edgeimpulse_exporter::model::Collector;
use futures_util::future::join_all;
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bounds::gzip;

use crate::api::tls::{acceptor, listen};
use crate::support::http_2;
use crate::support::running::JWT;
use crate::support::wire::{Step, answer, converse};
use crate::support::{Exposition, Program, data, eventually, file, free_port};

/// Organizations that the user sees, and all of the white label.
const ORGANIZATIONS: (u64, u64) = (13, 60);

/// Organizations that own a white label, and users of each.
const OWNERS: u64 = 10;
const USERS: u64 = 20;

/// Returns a different place in a list for each number, in no order.
fn any(number: usize, length: usize) -> usize {
    (number.wrapping_mul(0x9E37_79B9) >> 7) % length
}

/// Returns the right response for a path.
fn sample(path: &str) -> Vec<u8> {
    let path = path.trim_start_matches("/v1/api/");
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let organizations = |count| {
        let organization =
            |id| json!({ "id": id, "name": format!("Org {id}"), "whitelabelId": 7, "isAdmin": true });
        (1..=count).map(organization).collect::<Vec<_>>()
    };
    let file = match path.split('/').collect::<Vec<_>>()[..] {
        ["user"] => {
            let user = json!({ "success": true, "id": 1, "tier": "free",
                "organizations": organizations(ORGANIZATIONS.0),
                "whitelabels": [{ "id": 7, "ownerOrganizationId": 1 }] });
            return user.to_string().into_bytes();
        }
        ["organizations", _, "whitelabel", "organizations"] => {
            let list = json!({ "success": true, "total": ORGANIZATIONS.1,
                "organizations": organizations(ORGANIZATIONS.1) });
            return list.to_string().into_bytes();
        }
        ["organizations"] | ["users", _, "organizations"] => "list-organizations",
        ["users", _, "trials"] => "trials-of-user-1",
        ["organizations", _] => "organization-1",
        ["organizations", _, "metrics"] => "organization-1-metrics",
        ["organizations", _, "buckets"] => "buckets-of-organization-1",
        ["organizations", _, "pipelines"] => "pipelines-of-organization-1",
        ["organizations", _, "apikeys"] => "api-keys-of-organization-1",
        ["organizations", _, "jobs"] => "jobs-of-organization-1",
        ["organizations", _, "jobs", "all"] => "finished-jobs-of-organization-1",
        ["organizations", _, "create-project"] => "transformation-jobs-of-organization-1",
        ["user", "subscription", "metrics"] => "subscription-metrics",
        ["organizations", _, "whitelabel", "projects"] => "white-label-projects",
        ["organizations", _, "whitelabel"] => "white-label",
        ["organizations", _, "whitelabel", "organizations", _] => "white-label-organization",
        ["organizations", _, "whitelabel", "users"] => "white-label-users",
        ["organizations", _, "whitelabel", "users", _] => "white-label-user",
        _ => return br#"{"success":true}"#.to_vec(),
    };
    data(&format!("typical/{file}.json")).into_bytes()
}

/// Returns a response with a status, header lines and a body.
fn text(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes(),
    )]
}

/// Responses of a broken or hostile API in HTTP/1, instead of the right one.
fn faults(right: &[u8]) -> Responses {
    let with = |member: &str| format!(r#"{{"success":true,"organization":{{"id":1}},{member}}}"#).into_bytes();
    let list = |name: &str, element: &dyn Fn(usize) -> String| {
        let elements: Vec<_> = (0..5_000).map(element).collect();
        answer(&with(&format!(r#""{name}":[{}]"#, elements.join(","))), "")
    };
    let long = "x".repeat(1 << 20);
    let gzipped = |body: &[u8]| answer(&gzip(body), "Content-Encoding: gzip\r\n");
    let words = format!(r#"{{"success":false,"error":"{}"}}"#, "a ".repeat(1 << 19));
    let head = |status: &str| format!("HTTP/1.1 {status}\r\nContent-Length: 1000000\r\n\r\n").into_bytes();
    let half = right.len() / 2;
    let (first, second) = right.split_at(half);
    vec![
        vec![Step::Close],
        vec![answer(first, "")],
        text("500 Oops", "", ""),
        text("403 Forbidden", "Content-Type: text/html\r\n", &format!("<html>{}", &long[..100_000])),
        text("302 Found", &format!("Location: https://login.example/{}\r\n", &long[..5000]), ""),
        text("307 Temporary Redirect", "Location: /v1/api/user\r\n", ""),
        text("206 Partial Content", "", r#"{"success":true}"#),
        vec![Step::Send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1000)), answer(right, "")],
        vec![Step::Send(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)), Step::Hang],
        vec![answer(&[gzip(first), gzip(second)].concat(), "Content-Encoding: gzip\r\n")],
        vec![answer(&[gzip(first), gzip(second)[..50].to_vec()].concat(), "Content-Encoding: gzip\r\n")],
        vec![answer(&[gzip(b"{"), gzip(b" ").repeat(1000)].concat(), "Content-Encoding: gzip\r\n")],
        vec![answer(b"<html>", "")],
        vec![answer(right, &"X-Header: x\r\n".repeat(1000))],
        vec![Step::Send([head("200 OK"), first.to_vec()].concat()), Step::Close],
        vec![Step::Send(head("502 Bad")), Step::Hang],
        vec![Step::Drip(head("200 OK"), Duration::from_millis(50))],
        vec![gzipped(&b"{\"a\":1,".repeat(1 << 20))],
        vec![answer(&with(&format!(r#""{long}":"{long}""#)), "")],
        vec![answer(&with(&format!(r#""organization":{{"name":"{long}","created":"{long}"}}"#)), "")],
        vec![answer("[".repeat(1 << 20).as_bytes(), "")],
        vec![list("datasets", &|n| {
            format!(r#"{{"dataset":"{n}","type":"{0}","category":"{0}"}}"#, &long[..300])
        })],
        vec![list("datasets", &|_| r#"{"dataset":"same","totalFileSize":1}"#.to_owned())],
        vec![list("experiments", &|n| format!(r#"{{"type":"{n}","enabled":true}}"#))],
        vec![list("users", &|n| format!(r#"{{"id":{n},"tier":"{n}","role":"{n}","idps":["{n}"]}}"#))],
        // From here on the API's own refusals.
        text("404 Not Found", "", r#"{"success":false,"error":"No such organization"}"#),
        vec![gzipped(words.as_bytes())],
        vec![answer(words.as_bytes(), "")],
    ]
}

/// Number of [`faults`] at the end that are the API's own refusals.
const REFUSALS: usize = 3;

/// Responses to a call.
type Responses = Vec<Vec<Step>>;

/// An API that fails in every way, over TLS.
#[derive(Default)]
struct Broken {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Right and wrong responses, by the right one.
    responses: Mutex<BTreeMap<Vec<u8>, Arc<Responses>>>,
}

impl Broken {
    /// Returns a right response, or every other time a wrong one.
    fn respond(&self, number: usize, path: &str) -> Vec<Step> {
        let right = sample(path);
        let mut responses = self.responses.lock();
        let faults = responses.entry(right).or_insert_with_key(|right| Arc::new(faults(right)));
        let faults = Arc::clone(faults);
        drop(responses);
        // A refusal in the API's words means that the user has no plan, and the call is not made again for ten minutes.
        let refusals = if path.contains("/subscription/") { REFUSALS } else { 0 };
        let wrong = faults.len() - refusals;
        match any(number, 2 * faults.len()) {
            // Rare, because it stops all calls of the account.
            _ if number.is_multiple_of(1000) => text("429 Slow", "Retry-After: 1\r\n", ""),
            // Rare, because this call is not made again for ten minutes; without the lists, no other call would be either.
            _ if number.is_multiple_of(50) && path.contains("/organizations/") => {
                text("403 Forbidden", "", r#"{"success":false,"error":"You do not have permission"}"#)
            }
            place if place < wrong => faults[place].clone(),
            _ => vec![answer(&sample(path), "")],
        }
    }

    /// Returns the kind of a response in HTTP/2, and a right response for some call: the path is compressed.
    fn next(&self) -> (usize, Vec<u8>) {
        const PATHS: [&str; 4] = ["user", "organizations/1", "organizations/1/metrics", "users/1/trials"];
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        (any(number, http_2::RESPONSES), sample(PATHS[number % PATHS.len()]))
    }

    /// Serves the connections of `listener`.
    async fn serve(self: Arc<Self>, listener: tokio::net::TcpListener, tls: [tokio_rustls::TlsAcceptor; 3]) {
        while let Ok((stream, _)) = listener.accept().await {
            let (api, tls) = (Arc::clone(&self), tls.clone());
            tokio::spawn(async move {
                // The client may leave at any moment.
                let _ = api.converse(stream, tls).await;
            });
        }
    }

    async fn converse(
        &self,
        mut stream: TcpStream,
        tls: [tokio_rustls::TlsAcceptor; 3],
    ) -> std::io::Result<()> {
        let [http_1, http_2, wrong] = tls;
        match self.connections.fetch_add(1, Ordering::Relaxed) % 12 {
            0 => Ok(()),
            1 => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
            2 => wrong.accept(stream).await.map(drop),
            // A record that never ends.
            3 => {
                stream.write_all(b"\x16\x03\x03\x40\x00half").await?;
                stream.read_to_end(&mut Vec::new()).await.map(drop)
            }
            4..6 => http_2::converse(http_2.accept(stream).await?, || self.next()).await,
            _ => {
                let respond = |number, path: &str| self.respond(number, path);
                converse(http_1.accept(stream).await?, &respond, &self.requests).await
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs minutes"]
async fn memory_is_bounded_over_ten_thousand_scrapes_with_all_faults() {
    const SCRAPES: usize = 10_000;
    const CLIENTS: usize = 4;
    const MIB: f64 = 1_048_576.0;
    let api = Arc::<Broken>::default();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let unknown = rcgen::generate_simple_self_signed(["elsewhere".to_owned()]).unwrap();
    let (_, listener, url) = listen(signed.cert.der().clone(), &signed.signing_key).await;
    let tls = [
        acceptor(signed.cert.der().clone(), &signed.signing_key, &["http/1.1"]),
        acceptor(signed.cert.der().clone(), &signed.signing_key, &["h2"]),
        acceptor(unknown.cert.der().clone(), &unknown.signing_key, &[]),
    ];
    tokio::spawn(Arc::clone(&api).serve(listener, tls));
    let [owners, users] = [OWNERS, USERS].map(|count| (1..=count).collect::<Vec<_>>());
    let configuration = format!(
        "accounts:
- {{ name: key, key_env: KEY }}
- {{ name: jwt, jwt_env: JWT, user_ids: [2, 3, 4], whitelabel: {{ organization_ids: {owners:?}, user_ids: {users:?} }} }}
api: {{ url: '{url}', ca_file: {}, timeout: 1s, concurrency: 32, calls_per_minute: 1000000 }}
collectors:
  projects: true
  most_datasets: 20
  enabled: [finished_jobs, transformation_jobs]
  intervals:
    {{ organizations: 1s, whitelabel: 1s, whitelabel_organizations: 1s, whitelabel_users: 1s, whitelabel_activity: 1s,
      buckets: 5s, pipelines: 5s, api_keys: 5s, finished_jobs: 5s, transformation_jobs: 5s }}
# A scrape does not wait for calls that hang; each call without an interval is made about once per second.
scrape: {{ timeout_default: 10ms }}
cache: {{ ttl: 1s }}
log: {{ level: error }}
web: {{ listen_addresses: ['127.0.0.1:{}'] }}
",
        file("certificate.pem", &signed.cert.pem()),
        free_port(),
    );
    let (_, address) = configuration.rsplit_once("['").unwrap();
    let (address, _) = address.split_once('\'').unwrap();
    let arguments = ["--config.file", &file("config.yml", &configuration)];
    let _program = Program::start(&arguments, &[("KEY", "ei_x"), ("JWT", JWT)]);
    let client = crate::support::client();
    let get = async |path: &str| client.get(format!("http://{address}{path}")).send().await?.text().await;
    eventually(async || get("/-/healthy").await.map_err(|error| error.to_string())).await;
    let telemetry = async || Exposition::of_prometheus_text(&get("/metrics?collect[]=exporter").await.unwrap());
    let resident = async || telemetry().await.value("process_resident_memory_bytes", &[]).unwrap() / MIB;
    let idle = resident().await;
    // Of one moment, it differs by several MiB: the calls that run then have responses of any size.
    let mut peaks = Vec::new();
    for _ in 0..8 {
        let scrape_all = async || {
            let mut peak = 0_f64;
            for number in 1..=SCRAPES / CLIENTS / 8 {
                get("/metrics").await.unwrap();
                if number % 20 == 0 {
                    peak = peak.max(resident().await);
                }
            }
            peak
        };
        let peak = join_all((0..CLIENTS).map(|_| scrape_all())).await;
        peaks.push(peak.into_iter().fold(0.0, f64::max));
    }

    let sum = |metrics: &Exposition, name: &str, label| metrics.values(name, &[label]).iter().sum::<f64>();
    let metrics = eventually(async || {
        get("/metrics").await.unwrap();
        let metrics = telemetry().await;
        let requests =
            |endpoint| sum(&metrics, "edgeimpulse_exporter_api_requests_total", ("endpoint", endpoint));
        match Collector::ALL.into_iter().find(|collector| requests(collector.endpoint()) < 20.0) {
            Some(collector) => Err(format!("each call meets many faults: {}", collector.endpoint())),
            None => Ok(metrics),
        }
    });
    let metrics = metrics.await;
    for reason in ["forbidden", "http_status", "decode", "too_large", "timeout", "connect", "tls", "transport"]
    {
        let errors = sum(&metrics, "edgeimpulse_exporter_api_errors_total", ("reason", reason));
        assert!(errors > 0.0, "{reason}");
    }
    let most = |peaks: &[f64]| peaks.iter().copied().fold(0.0, f64::max);
    let (first, second) = peaks.split_at(4);
    assert!(most(&peaks) - idle < 64.0, "idle {idle:.1} MiB, peaks {peaks:.1?}");
    let growth = most(second) - most(first);
    assert!(growth < 4.0, "{growth:.1} MiB in the second half, peaks of each eighth: {peaks:.1?}");
}
