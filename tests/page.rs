//! The page at `/`: what a person sees of what is known, in text and in a browser.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use edgeimpulse_exporter::collect::exporter::Exporter;
use edgeimpulse_exporter::config::file as config_file;
use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::Clock;
use reqwest::Method;
use reqwest::header::CONTENT_SECURITY_POLICY;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::running::{KEY, NOW};
use crate::support::{Exposition, FakeApi, Running, file};

/// Returns the demo's exporter, of that many organizations.
async fn demo_of(organizations: u64) -> Running {
    use clap::Parser;
    use edgeimpulse_exporter::cli::arguments::{Command, CommandLine};
    let world = World::starting(NOW).with_organizations(organizations);
    let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
    let line = CommandLine::try_parse_from(["edgeimpulse-exporter", "demo"]).unwrap();
    let Some(Command::Demo(options)) = line.command else { panic!("it is the demo") };
    Running::serve(demo.exporter(options.common).unwrap()).await
}

/// Returns the rows of the organizations, by id, in their order.
fn rows(page: &str) -> Vec<(u64, &str)> {
    let section = page.split("id=\"organizations\"").nth(1).unwrap().split("</section>").next().unwrap();
    let rows = section.split("<tr role=\"row\"><th class=\"name\"").skip(1);
    let id = |row: &str| row.split("rganization ").nth(1).unwrap().split('<').next().unwrap().parse().unwrap();
    rows.map(|row| (id(row), row.split("</tr>").next().unwrap())).collect()
}

/// Returns a page as its reader sees it: without marks, and with single spaces.
fn text(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap_or(html);
    let marked = body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    marked.collect::<Vec<_>>().join(" ").replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What each entitlement is called on the page and in metrics.
const ENTITLEMENTS: [(&str, &str, &str, &str); 5] = [
    ("Storage", "storage", "storage_used_bytes", "storage_limit_bytes"),
    ("Compute", "compute", "compute_time_used_seconds", "compute_time_limit_seconds"),
    ("GPU compute", "gpu_compute", "gpu_compute_time_used_seconds", "gpu_compute_time_limit_seconds"),
    ("Projects", "projects", "projects_used", "projects_limit"),
    ("Users", "users", "users_used", "users_limit"),
];

/// Checks the bars of a row against the metrics of the same organization, and returns the greatest share.
fn check_bars(id: u64, row: &str, metrics: &Exposition) -> f64 {
    let id = id.to_string();
    let value = |name: &str, label: &[(&str, &str)]| {
        let labels: Vec<_> = label.iter().copied().chain([("organization_id", &*id)]).collect();
        metrics.value(&format!("edgeimpulse_organization_{name}"), &labels)
    };
    let mut greatest = -1.0_f64;
    for (title, entitlement, used, limit) in ENTITLEMENTS {
        let cell = row.split(&format!(">{title}</span>")).nth(1).unwrap().split("</td>").next().unwrap();
        let bar = format!("role=\"img\" aria-label=\"{title}: ");
        match (value(used, &[]), value(limit, &[])) {
            (Some(used), Some(limit)) => {
                let share = used / limit;
                greatest = greatest.max(share);
                let name = cell.split(&bar).nth(1).unwrap_or_else(|| panic!("{id}: no bar in {cell}"));
                let percent: f64 =
                    name.split('\u{a0}').next().unwrap().replace("under 1", "0").parse().unwrap();
                assert!((percent - share * 100.0).abs() <= 1.0, "{id}: {title} is {share}: {cell}");
                for (words, is_meant) in [
                    ("near the limit", (0.8..0.95).contains(&share)),
                    ("almost full", (0.95..1.0).contains(&share)),
                    (", full", share == 1.0),
                    ("over the limit", share > 1.0),
                ] {
                    assert_eq!(name.split('"').next().unwrap().contains(words), is_meant, "{id}: {cell}");
                }
            }
            (used, limit) => {
                assert!(!cell.contains(&bar), "{id}: a bar of nothing: {cell}");
                let limited = value("entitlement_limited", &[("entitlement", entitlement)]);
                assert_eq!(cell.contains("no limit"), limited == Some(0.0), "{id}: {cell}");
                let is_known = used.is_some() && (limit.is_some() || limited == Some(0.0));
                assert_eq!(cell.contains("not known"), !is_known, "{id}: {cell}");
            }
        }
    }
    greatest
}

#[tokio::test]
async fn every_organization_has_its_five_entitlements_as_the_metrics_have_them() {
    let exporter = demo_of(demo::world::ORGANIZATIONS).await;
    let metrics = exporter.scrape().await;
    let page = exporter.page("/").await;
    let rows = rows(&page);
    assert_eq!(rows.len(), metrics.series("edgeimpulse_organization_info", &[]).len());
    let shares: Vec<_> = rows.iter().map(|(id, row)| check_bars(*id, row, &metrics)).collect();
    assert!(shares.is_sorted_by(|one, next| one >= next), "those nearest to a limit come first: {shares:?}");
    let text = text(&page);
    for said in [
        "Delta Agritech organization 1004",
        "22 of 20 110 %, over the limit",
        "12 of 12 100 %, full",
        "56 h, no limit",
        "8.8 TB of 10 TB 88 %, near the limit",
        "Developer profile organization 1011",
        "use not known, no limit",
        "14 organizations : 1 at or over a limit, 1 at 80 % of one or more.",
        "4 of 10 40 %",
    ] {
        assert!(text.contains(said), "{said} is missing in {text}");
    }
    assert!(!page.contains("demo-user"), "a developer profile is named for its user");
}

#[tokio::test]
async fn the_next_dates_are_told_with_what_happens_then() {
    let exporter = demo_of(demo::world::ORGANIZATIONS).await;
    exporter.scrape().await;
    let page = text(&exporter.page("/").await);
    let dates = page.split("When What Whose").nth(1).unwrap();
    let places = [
        "in 5 days 2026-11-06 The trial ends Fjord Startup organization 1006",
        "in 18 days 2026-11-19 The grace after the trial is over: the organization is deleted Glacier Prototypes",
        "in 20 days 2026-11-21 The first year of the contract ends Harbor Dormant Systems organization 1009",
        "in 90 days 2027-01-30 The credential expires Account default",
    ]
    .map(|date| dates.find(date).unwrap_or_else(|| panic!("{date} is missing in {dates}")));
    assert!(places.is_sorted(), "the nearest first");
    assert!(page.contains("5 later dates are left out here"), "{page}");
    assert!(page.contains("trial ends in 5 days"), "the organization says so too");
}

#[tokio::test]
async fn two_thousand_organizations_come_in_pages_that_stay_small() {
    let exporter = demo_of(2000).await;
    let metrics = exporter.scrape().await;
    let all = metrics.series("edgeimpulse_organization_info", &[]).len();
    assert_eq!(all, 2000);
    // An answer that arrives between two pages would change their order.
    let deferred = [("collector", "whitelabel_organization"), ("result", "deferred")];
    let deferred = metrics.value("edgeimpulse_exporter_reads_total", &deferred).unwrap();
    let is_calm = format!(" {deferred} calls wait for their turn.");
    let calm = async {
        loop {
            let page = text(&exporter.page("/").await).replace(',', "");
            if page.contains(&is_calm) && !page.contains("are late") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), calm).await.expect("what was asked is answered");
    let mut seen = BTreeSet::new();
    let mut least = f64::INFINITY;
    for number in 1..=40 {
        let page = exporter.page(&format!("/?page={number}")).await;
        assert!(page.len() < 150_000, "page {number} has {} bytes", page.len());
        for (id, row) in rows(&page) {
            assert!(seen.insert(id), "{id} comes twice");
            let share = row.match_indices("aria-label=").filter_map(|(at, _)| {
                let name = row[at..].split('"').nth(1).unwrap().split(": ").nth(1).unwrap();
                name.split('\u{a0}').next().unwrap().parse::<f64>().ok()
            });
            let share = share.fold(-1.0, f64::max);
            assert!(share <= least, "{id} is nearer to a limit than one before it");
            least = share;
        }
    }
    assert_eq!(seen.len(), all, "none is left out");
    let first = exporter.page("/").await;
    assert_eq!(rows(&first).len(), 50);
    let said =
        "Organizations 1 to 50 of 2,000, those nearest to a limit first; the others are on the other pages";
    assert!(text(&first).contains(said), "{}", text(&first));
    assert!(
        first.contains("href=\"?page=2#organizations\"") && first.contains("href=\"?page=40#organizations\"")
    );
    for (odd, number) in [("?page=0", 1), ("?page=-3", 1), ("?page=all", 1), ("?page=", 1), ("?page=4000", 40)]
    {
        let page = text(&exporter.page(&format!("/{odd}")).await);
        assert!(page.contains(&format!("Page {number} of 40")), "{odd}");
    }
    let troubles = text(&first).matches("What to do").count();
    assert_eq!(troubles, 0);
}

#[tokio::test]
async fn without_an_organization_the_page_says_what_will_happen() {
    let api = FakeApi::start().await;
    api.answers("/api/organizations", &json!({ "success": true, "organizations": [] })).await;
    let exporter = Running::with_key(&api, &["--web.telemetry-path=/edge"]).await;
    let before = text(&exporter.page("/").await);
    assert!(before.contains("Nothing was read yet: the first scrape does."), "{before}");
    assert!(before.contains("asks for /edge ."), "{before}");
    exporter.page("/edge").await;
    let after = text(&exporter.page("/").await);
    assert!(after.contains("No organization is known"), "{after}");
    assert!(after.contains("0 organizations"), "{after}");
}

/// Names that would do harm in a page that takes them for its own words.
const HOSTILE: [&str; 4] = [
    "</table><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "<img src=x onerror=alert(1)>",
    "' style='display:none",
];

#[tokio::test]
async fn names_and_errors_are_shown_as_text() {
    for name in HOSTILE {
        let api = FakeApi::with_organization(&json!({
            "success": true,
            "organization": { "id": 1, "name": name, "whitelabelName": name, "entitlementLimits": { "totalStorage": 5 } },
        }))
        .await;
        api.refuses("/api/organizations/1/metrics", 500, name).await;
        let exporter = Running::with_key(&api, &[]).await;
        exporter.scrape().await;
        let page = exporter.page("/").await;
        let escaped =
            name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert_eq!(page.matches(&format!("<bdi>{escaped}</bdi>")).count(), 1, "{name}: {page}");
        assert!(page.contains(&format!("API server error (HTTP 500): {escaped}")), "{name}: {page}");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("\" onmouse"), "{name}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_and_its_policy_allows_nothing() {
    let exporter = demo_of(demo::world::ORGANIZATIONS).await;
    exporter.scrape().await;
    let response = exporter.request(Method::GET, "/?page=1").send().await.unwrap();
    let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let page = response.text().await.unwrap();
    for loads in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "<object",
        " src=",
        "url(",
        "@import",
        "http-equiv",
        "javascript:",
    ] {
        assert!(!page.contains(loads), "{loads}");
    }
    let links = page.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap());
    let links: Vec<_> = links.collect();
    let absolute: Vec<_> = links.iter().filter(|link| link.starts_with('/')).collect();
    assert!(absolute.is_empty(), "a proxy may put a prefix in front: {absolute:?}");
    let elsewhere: BTreeSet<_> = links.into_iter().filter(|link| link.contains(':')).collect();
    assert_eq!(elsewhere.into_iter().collect::<Vec<_>>(), ["https://docs.edgeimpulse.com/apis/studio"]);
}

/// Ids that links lead to, headings that skip no level, tables that say what they are: what helps who cannot see it.
#[tokio::test]
async fn the_page_can_be_found_ones_way_about_without_seeing_it() {
    let exporter = demo_of(200).await;
    exporter.scrape().await;
    let page = exporter.page("/").await;
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    for (one, count) in [("<main", 1), ("<h1", 1), ("<header", 1), ("<footer", 1)] {
        assert_eq!(page.matches(one).count(), count, "{one}");
    }
    let ids: Vec<_> = page.split(" id=\"").skip(1).map(|id| id.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "no id comes twice: {ids:?}");
    for reference in ["href=\"#", "aria-labelledby=\""] {
        for target in page.split(reference).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(ids.contains(&target), "{reference}{target} leads nowhere");
        }
    }
    let headings: Vec<u32> =
        page.match_indices("<h").filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10)).collect();
    assert!(headings.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{headings:?}");
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    let heads = page.matches("<th ").count();
    assert_eq!(heads, page.matches("scope=\"col\"").count() + page.matches("scope=\"row\"").count());
    assert_eq!(page.matches("<nav ").count(), page.matches("<nav aria-label=").count());
    let begin = page.find("<a class=\"skip\" href=\"#main\">").unwrap();
    assert!(begin < page.find("<header").unwrap(), "the first stop of the keyboard skips the rest");
}

/// Returns an exporter of accounts that fare differently: one works, one is refused, one is asked to wait, one is not
/// permitted, and the token of one never expires in this universe.
async fn in_trouble(api: &FakeApi) -> Running {
    let refuse = |status: u16, error: &str| {
        ResponseTemplate::new(status).set_body_json(json!({ "success": false, "error": error }))
    };
    let key = |name: &str| format!("{KEY}_{name}");
    api.responds_to("x-api-key", &key("refused"), refuse(401, "Invalid API key")).await;
    let busy = refuse(429, "Too many requests").insert_header("Retry-After", "600");
    api.responds_to("x-api-key", &key("busy"), busy).await;
    let usage = "/api/organizations/2/metrics";
    api.responds_to_at("x-api-key", &key("guest"), usage, refuse(403, "No permission")).await;
    let part = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let eternal = format!("{}.{}.{}", part("{}"), part("{\"exp\":1e300}"), part(KEY));
    let secret = |name: &str| file(name, &key(name));
    let configuration = format!(
        "api: {{ url: '{}' }}\ncache: {{ ttl: 0s }}\naccounts:\n\
         - {{ name: works, key_file: {}, organization_ids: [1] }}\n\
         - {{ name: refused, key_file: {}, organization_ids: [1, 2] }}\n\
         - {{ name: busy, key_file: {} }}\n\
         - {{ name: guest, key_file: {}, organization_ids: [2], collectors: {{ intervals: {{ organization: 90s }} }} }}\n\
         - {{ name: eternal, jwt_file: {}, organization_ids: [1] }}\n",
        api.url(),
        secret("works"),
        secret("refused"),
        secret("busy"),
        secret("guest"),
        file("eternal", &eternal),
    );
    let configuration = config_file::read(Path::new(&file("config.yaml", &configuration))).unwrap();
    let exporter: Arc<Exporter> = Exporter::build(configuration, Clock::Fixed(NOW), None).unwrap();
    let exporter = Running::serve(exporter).await;
    exporter.scrape().await;
    exporter
}

#[tokio::test]
async fn what_went_wrong_stands_beside_what_to_do() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = in_trouble(&api).await;
    let calls = api.calls().await;
    let page = exporter.page("/").await;
    assert_eq!(api.calls().await, calls, "nothing is asked for the page");
    assert!(!page.contains(KEY), "no key is shown");
    let page = text(&page);
    for said in [
        "Account works Authenticates with an API key (file ",
        "All 2 calls work.",
        "Fails for organization 1, organization 2: credential refused (HTTP 401): Invalid API key (0 s ago) \
         What to do: Write a new credential to its file; it is used at the next scrape without a restart.",
        "The API asked to be left alone for another 10 min: no call is made until then.",
        "What to do: Scrape less often, raise --cache.ttl, lower --api.concurrency, or switch off collectors.",
        "Not permitted for organization 2: not permitted for this credential (HTTP 403): No permission. \
         It needs an admin or member of the organization.",
        "What to do: Use a credential with the role that the collector needs, or switch the collector off.",
        "which expires in over 100 years",
        "Not asked, they need a JWT: user, trials, user_organizations.",
    ] {
        assert!(page.contains(said), "{said} is missing in {page}");
    }
}

#[tokio::test]
async fn an_organization_whose_call_fails_shows_what_was_read_last_and_says_so() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = Running::with_key(&api, &["--organization-id=1"]).await;
    exporter.scrape().await;
    let before = exporter.page("/").await;
    api.refuses("/api/organizations/1/metrics", 500, "Out of order").await;
    exporter.scrape().await;
    let after = exporter.page("/").await;
    let bars = |page: &str| page.matches("role=\"img\"").count();
    assert_eq!(bars(&before), bars(&after), "the last good answer stays");
    assert!(text(&after).contains("usage fails now"), "{after}");
    api.answers(
        "/api/organizations/1/metrics",
        &serde_json::from_str(&crate::support::data("typical/organization-1-metrics.json")).unwrap(),
    )
    .await;
    exporter.scrape().await;
    let mended = text(&exporter.page("/").await);
    assert!(
        mended.contains("Over: failed 0 s ago for organization 1: API server error (HTTP 500): Out of order"),
        "{mended}"
    );
    assert!(!mended.contains("fails now"));
}

#[tokio::test]
async fn the_configuration_in_effect_is_shown_without_its_secrets() {
    let api = FakeApi::with_samples("typical").await;
    let options = [
        "--api.timeout=90s",
        "--no-collector.usage",
        "--collector.interval=organization=5m",
        "--api.max-response-size=64MiB",
    ];
    let page = Running::with_key(&api, &options).await.page("/").await;
    assert!(!page.contains(KEY));
    let page = text(&page);
    let configuration =
        page.split("From flags and environment variables. Credentials are never shown.").nth(1).unwrap();
    let (changed, unchanged) = configuration.split_once("settings have the default").unwrap();
    for (setting, value, default) in [
        ("--api.timeout", "1m 30s", "30s"),
        ("--api.max-response-size", "64MiB", "256MiB"),
        ("--cache.ttl", "0s", "30s"),
        ("--no-collector", "usage", "none"),
    ] {
        let row = format!("{setting} In effect {value} Default {default}");
        assert!(changed.contains(&row), "{row} is missing in {changed}");
    }
    assert!(changed.contains("organization=5m, "), "{changed}");
    assert!(
        unchanged.contains("--web.listen-address In effect :10101")
            && unchanged.contains("--log.level In effect info")
    );
    let of_file = text(&in_trouble(&api).await.page("/").await);
    assert!(of_file.contains("api.url In effect http://127.0.0.1"), "{of_file}");
    assert!(of_file.contains("Account guest: API key from file "), "{of_file}");
    assert!(of_file.contains("; organization ids 2 ; collectors.intervals organization=1m 30s"), "{of_file}");
}

/// Opens a page in Chromium by `tools/page-shot`, and returns what it has to say.
fn look(url: &str, options: &[&str]) -> Value {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/page-shot/shot.py");
    let output = Command::new("timeout").args(["120", "python3", tool, url]).args(options).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium (Debian: chromium) and python3"]
async fn in_a_browser_the_page_fits_is_legible_and_can_be_heard() {
    let api = FakeApi::with_samples("typical").await;
    let (small, large, trouble) =
        (demo_of(demo::world::ORGANIZATIONS).await, demo_of(2000).await, in_trouble(&api).await);
    let empty = Running::with_key(&api, &[]).await;
    let mut widths: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, exporter, bars) in
        [("small", &small, 55), ("large", &large, 50), ("trouble", &trouble, 1), ("empty", &empty, 0)]
    {
        if name != "empty" {
            exporter.scrape().await;
        }
        let url = format!("http://{}/", exporter.address);
        for (width, scheme) in [("360", "light"), ("360", "dark"), ("1280", "light"), ("1280", "dark")] {
            let picture = format!("{}/page-{name}-{width}-{scheme}.png", env!("CARGO_TARGET_TMPDIR"));
            let (address, out) = (url.clone(), picture.clone());
            let look = move || look(&address, &["--width", width, "--scheme", scheme, "--out", &out]);
            let report = tokio::task::spawn_blocking(look).await.unwrap();
            let place = format!("{name} at {width} pixels, {scheme}: {picture}");
            let overflow = &report["overflow"];
            assert_eq!(overflow["content"], overflow["view"], "{place} is too wide: {overflow}");
            assert_eq!(overflow["beyond"], json!([]), "{place} is cut off");
            assert!(report["contrast"]["least"].as_f64().unwrap() >= 4.5, "{place}: {}", report["contrast"]);
            assert_eq!(report["console"], json!([]), "{place}: the browser complains");
            assert_eq!(
                (&report["loaded"], &report["requests"]),
                (&json!([]), &json!([url])),
                "{place} loads more"
            );
            for stop in report["focus"].as_array().unwrap() {
                assert_eq!(stop["seen"], true, "{place}: the keyboard is at {stop}, and nobody sees it");
            }
            let first = &report["focus"][0];
            assert_eq!(first["text"], "Skip to content", "{place}");
            let heard: Vec<_> = report["accessible"].as_array().unwrap().iter().collect();
            let named = |role: &str| {
                let of_role = heard.iter().filter(|node| node[0] == role);
                of_role.map(|node| node[1].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let images = named("image");
            assert!(images.len() >= bars, "{place}: {} bars are heard", images.len());
            assert!(images.iter().all(|name| name.contains('%') && name.contains(": ")), "{place}: {images:?}");
            let tables = named("table");
            assert!(!tables.is_empty() && tables.iter().all(|name| !name.is_empty()), "{place}: {tables:?}");
            assert!(named("region").iter().any(|name| name == "Organizations"), "{place}");
            // Laid out for a phone, a table is still a table to who hears it.
            let cells = named("row").len()
                + named("cell").len()
                + named("rowheader").len()
                + named("columnheader").len();
            let before = *widths.entry(name).or_insert(cells as u64);
            assert_eq!(before, cells as u64, "{place}: the same cells at every width");
        }
    }
}
