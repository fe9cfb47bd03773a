//! The page in Chromium: size, contrast, keyboard and accessible names.

use std::collections::BTreeMap;

use edgeimpulse_exporter::demo::world::ORGANIZATIONS;
use serde_json::{Value, json};

use super::{demo_of, in_trouble};
use crate::support::repository::{path, succeed};
use crate::support::{FakeApi, Running};

/// Opens a page in Chromium by `tools/page-shot`, and returns the report.
fn look(url: &str, options: &[&str]) -> Value {
    let tool = path("tools/page-shot/shot.py");
    serde_json::from_str(&succeed("timeout", &[&["120", "python3", &tool, url], options].concat())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium (Debian: chromium) and python3"]
async fn chromium_shows_the_page_without_overflow_with_contrast_and_accessible_names() {
    let api = FakeApi::with_samples("typical").await;
    let (small, large, trouble) = (demo_of(ORGANIZATIONS).await, demo_of(120).await, in_trouble(&api).await);
    let empty = Running::with_key(&api, &[]).await;
    let mut widths = BTreeMap::new();
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
            let loads = [&report["loaded"], &report["requests"]];
            assert_eq!(loads, [&json!([]), &json!([url])], "{place} loads more");
            for stop in report["focus"].as_array().unwrap() {
                assert_eq!(stop["seen"], true, "{place}: the focus on {stop} is not visible");
            }
            assert_eq!(report["focus"][0]["text"], "Skip to content", "{place}");
            let nodes: Vec<_> = report["accessible"].as_array().unwrap().iter().collect();
            let named = |role: &str| {
                let of_role = nodes.iter().filter(|node| node[0] == role);
                of_role.map(|node| node[1].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let images = named("image");
            assert!(images.len() >= bars, "{place}: {} bars have a name", images.len());
            assert!(images.iter().all(|name| name.contains('%') && name.contains(": ")), "{place}: {images:?}");
            let tables = named("table");
            assert!(!tables.is_empty() && tables.iter().all(|name| !name.is_empty()), "{place}: {tables:?}");
            assert!(named("region").iter().any(|name| name == "Organizations"), "{place}");
            // A narrow layout must keep the roles of table cells.
            let cells = ["row", "cell", "rowheader", "columnheader"].map(|role| named(role).len());
            assert_eq!(*widths.entry(name).or_insert(cells), cells, "{place}: the same cells at every width");
        }
    }
}
