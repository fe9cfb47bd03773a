//! The status page at `/`.

mod browser;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use edgeimpulse_exporter::collect::Exporter;
use edgeimpulse_exporter::config::{OptionSources, file as config_file};
use edgeimpulse_exporter::demo::{self, world::World};
use edgeimpulse_exporter::model::Clock;
use reqwest::Method;
use reqwest::header::CONTENT_SECURITY_POLICY;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::running::{KEY, NOW, jwt};
use crate::support::{Exposition, FakeApi, Running, data, eventually, file};

/// Returns the demo's exporter, of that many organizations.
async fn demo_of(organizations: u64) -> Running {
    let world = World::starting(NOW).with_organizations(organizations);
    let demo = demo::start_in(world, Clock::Fixed(NOW)).await.unwrap();
    Running::of_demo(&demo, &[]).await
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
                assert_eq!(cell.contains("unknown"), !is_known, "{id}: {cell}");
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
    for part in [
        "Delta Agritech organization 1004",
        "22 of 20 110 %, over the limit",
        "12 of 12 100 %, full",
        "56 h, no limit",
        "8.8 TB of 10 TB 88 %, near the limit",
        "Developer profile organization 1011",
        "usage unknown, no limit",
        "14 organizations : 1 at or over a limit ( Delta Agritech ), 1 above 80 % of a limit ( Borealis Wearables ).",
        "1 trial runs , the next ends in 5 days : Fjord Startup ; 1 expired, deletion in 18 days : Glacier Prototypes .",
        "4 of 10 40 %",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(page.contains("<a href=\"#organization-1004\"><bdi>Delta Agritech</bdi></a>"), "{page}");
    assert!(!page.contains("demo-user"), "a developer profile is named for its user");
}

#[tokio::test]
async fn the_next_dates_are_shown_with_their_events() {
    let exporter = demo_of(demo::world::ORGANIZATIONS).await;
    exporter.scrape().await;
    let page = text(&exporter.page("/").await);
    let dates = page.split("When Event Organization or account").nth(1).unwrap();
    let places = [
        "in 5 days 2026-11-06 The trial ends Fjord Startup organization 1006",
        "in 18 days 2026-11-19 The organization is deleted (its trial expired) Glacier Prototypes",
        "in 20 days 2026-11-21 The first year of the contract ends Harbor Dormant Systems organization 1009",
        "in 90 days 2027-01-30 The credential expires Account default",
    ]
    .map(|date| dates.find(date).unwrap_or_else(|| panic!("{date} is missing in {dates}")));
    assert!(places.is_sorted(), "the nearest first");
    assert!(page.contains("5 later dates are not shown"), "{page}");
    assert!(page.contains("trial ends in 5 days"), "the organization says so too");
}

#[tokio::test]
async fn many_organizations_come_in_pages_that_stay_small() {
    let exporter = demo_of(120).await;
    let metrics = exporter.scrape().await;
    assert_eq!(metrics.series("edgeimpulse_organization_info", &[]).len(), 120);
    // A response that arrives between two pages would change their order.
    eventually(async || match text(&exporter.page("/").await) {
        page if page.contains("are late") || page.contains("is late") => Err(page),
        _ => Ok(()),
    })
    .await;
    let mut seen = BTreeSet::new();
    let mut least = f64::INFINITY;
    for number in 1..=3 {
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
    assert_eq!(seen.len(), 120, "none is left out");
    let first = exporter.page("/").await;
    assert_eq!(rows(&first).len(), 50);
    let shown = "Organizations 1 to 50 of 120, highest usage first; the metrics contain all of them";
    assert!(text(&first).contains(shown), "{}", text(&first));
    assert!(
        first.contains("href=\"?page=2#organizations\"") && first.contains("href=\"?page=3#organizations\"")
    );
    for (odd, number) in [("0", 1), ("-3", 1), ("all", 1), ("", 1), ("4000", 3)] {
        let page = text(&exporter.page(&format!("/?page={odd}")).await);
        assert!(page.contains(&format!("Page {number} of 3")), "{odd}");
    }
    assert_eq!(text(&first).matches("What to do").count(), 0);
    let third = exporter.page("/?page=3").await;
    assert!(
        third.contains("<a href=\"?page=1#organization-1004\">"),
        "a link leads to the page of the organization"
    );
}

#[tokio::test]
async fn without_an_organization_the_page_says_what_will_happen() {
    let api = FakeApi::start().await;
    api.answers("/api/organizations", &json!({ "success": true, "organizations": [] })).await;
    let exporter = Running::with_key(&api, &["--web.telemetry-path=/edge"]).await;
    let before = text(&exporter.page("/").await);
    assert!(before.contains("Not scraped yet."), "{before}");
    assert!(!before.contains("0 organizations"), "{before}");
    assert!(before.contains("open /edge and reload this page."), "{before}");
    exporter.page("/edge").await;
    let after = text(&exporter.page("/").await);
    assert!(after.contains("No organizations: "), "{after}");
    assert!(after.contains("0 organizations"), "{after}");
}

#[tokio::test]
async fn what_was_not_read_yet_is_not_zero() {
    let api = FakeApi::start().await;
    api.lists(&[1, 2]).await;
    api.dawdles("/api/organizations/1/metrics", std::time::Duration::from_mins(10), &json!({})).await;
    api.dawdles("/api/organizations/2/metrics", std::time::Duration::from_mins(10), &json!({})).await;
    let exporter = Running::with_key(&api, &["--no-collector.organization"]).await;
    exporter.scrape_within("0.5").await;
    let page = text(&exporter.page("/").await);
    assert!(page.contains("2 organizations , usage not scraped yet."), "{page}");
    let api = FakeApi::start().await;
    let exporter = Running::with_key(&api, &[]).await;
    exporter.scrape().await;
    let page = text(&exporter.page("/").await);
    assert!(!page.contains("0 organizations") && page.contains("1 of 1 call failed"), "{page}");
}

/// Names that change the page if it does not escape them.
const HOSTILE: [&str; 4] = [
    "</table><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "<img src=x onerror=alert(1)>",
    "' style='display:none",
];

#[tokio::test]
async fn a_deleted_organization_is_not_reported_as_over_a_limit() {
    for (deleted, summary) in
        [(json!(null), "1 at or over a limit"), (json!("2026-10-01T00:00:00Z"), "0 at or over a limit")]
    {
        let api = FakeApi::with_organization(&json!({
            "success": true,
            "organization": { "id": 1, "name": "Gone", "deletedDate": deleted },
            "entitlementLimits": { "numberOfProjects": 2 },
        }))
        .await;
        let usage = json!({ "success": true, "metrics": { "projectCount": 3 } });
        api.answers("/api/organizations/1/metrics", &usage).await;
        let exporter = Running::with_key(&api, &[]).await;
        exporter.scrape().await;
        let page = text(&exporter.page("/").await);
        assert!(page.contains(summary), "{deleted}: {page}");
    }
}

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
        assert!(page.contains("API server error (HTTP 500): [...]"), "{name}: {page}");
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
    for loads in "<script <link <img <iframe <object src= url( @import http-equiv javascript:".split(' ') {
        assert!(!page.contains(loads), "{loads}");
    }
    let links: Vec<_> = page.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap()).collect();
    assert!(!links.iter().any(|link| link.starts_with('/')), "a proxy may put a prefix in front: {links:?}");
    let elsewhere: BTreeSet<_> = links.into_iter().filter(|link| link.contains(':')).collect();
    assert_eq!(elsewhere.into_iter().collect::<Vec<_>>(), ["https://docs.edgeimpulse.com/apis/studio"]);
}

#[tokio::test]
async fn a_screen_reader_can_navigate_the_page() {
    let exporter = demo_of(60).await;
    exporter.scrape().await;
    let page = exporter.page("/").await;
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
    assert_eq!(["<main", "<h1", "<header", "<footer"].map(|element| page.matches(element).count()), [1; 4]);
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

/// Returns an exporter with five accounts: one works, one is refused, one is rate limited, one lacks a permission, and
/// the JWT of one expires in more than a lifetime.
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
        file("eternal", &jwt(1e300)),
    );
    let configuration =
        config_file::read(Path::new(&file("config.yaml", &configuration)), &OptionSources::default()).unwrap();
    let exporter: Arc<Exporter> = Exporter::build(configuration, Clock::Fixed(NOW), None).unwrap();
    let exporter = Running::serve(exporter).await;
    exporter.scrape().await;
    exporter
}

#[tokio::test]
async fn failures_are_shown_with_what_to_do() {
    let api = FakeApi::with_samples("typical").await;
    let exporter = in_trouble(&api).await;
    let calls = api.calls().await;
    let page = exporter.page("/").await;
    assert_eq!(api.calls().await, calls, "nothing is asked for the page");
    assert!(!page.contains(KEY), "no key is shown");
    assert!(
        page.contains("href=\"metrics\"") && page.contains("<bdi>Org 1 \\ &quot;quoted&quot;</bdi>"),
        "{page}"
    );
    let page = text(&page);
    for part in [
        concat!("Version ", env!("CARGO_PKG_VERSION")),
        "calls failed",
        "Account works Authenticates with an API key (file ",
        "All 5 calls succeeded.",
        "Failing for organizations 1, 2: credential refused (HTTP 401): Invalid API key (0 s ago) \
         What to do: Write a new credential to the file; the next scrape uses it without a restart.",
        "Rate limited: no calls for another 10 min.",
        "What to do: Scrape less often, raise cache.ttl, lower api.concurrency, or disable collectors.",
        "Forbidden for organization 2: not permitted for this credential (HTTP 403): No permission. \
         Requires an admin or member of the organization.",
        "What to do: Use a credential with the role that the collector requires, or disable the collector.",
        "which expires in over 100 years",
        "Skipped, needs a JWT: user, trials, user_organizations, plan, api_keys.",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
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
    assert!(text(&after).contains("failing: usage"), "{after}");
    api.answers_text("/api/organizations/1/metrics", &data("typical/organization-1-metrics.json")).await;
    let mended = eventually(async || {
        exporter.scrape().await;
        let page = text(&exporter.page("/").await);
        if page.contains("failing:") { Err(page) } else { Ok(page) }
    })
    .await;
    let (_, resolved) = mended.split_once("Resolved: failed ").expect(&mended);
    assert!(
        resolved.contains("s ago for organization 1: API server error (HTTP 500): Out of order"),
        "{mended}"
    );
}

#[tokio::test]
async fn the_configuration_in_effect_is_shown_without_its_secrets() {
    let api = FakeApi::with_samples("typical").await;
    let options = [
        "--api.timeout=90s",
        "--no-collector.usage",
        "--collector.interval=organization=5m",
        "--api.max-response-size=32MiB",
    ];
    let page = Running::with_key(&api, &options).await.page("/").await;
    assert!(!page.contains(KEY));
    let page = text(&page);
    let configuration =
        page.split("named as in the configuration file. Credentials are never shown.").nth(1).unwrap();
    let (changed, unchanged) = configuration.split_once("settings have their default values").unwrap();
    for (setting, value, default) in [
        ("api.timeout", "1m 30s", "30s"),
        ("api.max_response_size", "32MiB", "64MiB"),
        ("cache.ttl", "0s", "30s"),
        ("collectors.disabled", "usage", "none"),
        ("collectors.intervals.organization", "5m", "not set"),
    ] {
        let row = format!("{setting} In effect {value} Default {default}");
        assert!(changed.contains(&row), "{row} is missing in {changed}");
    }
    for setting in [
        "collectors.intervals.whitelabel In effect 15m Default 15m",
        "log.level In effect info Default info",
        "replay In effect not set Default not set",
        "web.listen_addresses In effect :10101 Default :10101",
    ] {
        assert!(unchanged.contains(setting), "{setting} is missing in {unchanged}");
    }
    let of_file = text(&in_trouble(&api).await.page("/").await);
    assert!(of_file.contains("api.url In effect http://127.0.0.1"), "{of_file}");
    assert!(of_file.contains("Account guest: API key from file "), "{of_file}");
    assert!(of_file.contains("; organization_ids 2 ; collectors.intervals.organization 1m 30s ."), "{of_file}");
}
