//! A planted key must appear in no log, page, metric or error.

use edgeimpulse_exporter::collect::Selection;
use edgeimpulse_exporter::metrics::Format;
use edgeimpulse_exporter::model::Clock;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::running::{JWT, KEY};
use crate::support::{FakeApi, Program, file};

#[tokio::test]
async fn a_planted_key_is_in_no_log_page_metric_or_error() {
    for (flag, secret, format) in [("--api.key-file", KEY, "text"), ("--api.jwt-file", JWT, "json")] {
        let (api, elsewhere) = (FakeApi::with_samples("typical").await, FakeApi::start().await);
        let key = file("key", secret);
        let url = api.url();
        let format = format!("--log.format={format}");
        let arguments = [
            "--api.url",
            &url,
            flag,
            &key,
            "--cache.ttl=0s",
            "--api.timeout=300ms",
            "--log.level=trace",
            &format,
            "--user-id=2",
            "--whitelabel.user-id=2",
            "--web.listen-address=127.0.0.1:0",
        ];
        let mut program = Program::start(&arguments, &[]);
        let exporter = format!("http://{}", program.address().await);
        let mut pages = String::new();

        let echo = format!("{secret} is not welcome, {{\"x-api-key\":\"{secret}\"}}");
        let redirect = format!("{}/api/organizations/1?key={secret}", elsewhere.url());
        let faults = [
            ResponseTemplate::new(401).set_body_json(json!({ "success": false, "error": echo })),
            ResponseTemplate::new(403).set_body_json(json!({ "success": false, "error": echo })),
            ResponseTemplate::new(200).set_body_json(json!({ "success": false, "error": echo })),
            ResponseTemplate::new(500).set_body_string(echo.clone()),
            ResponseTemplate::new(429).insert_header("X-Echo", secret).set_body_string(echo.clone()),
            ResponseTemplate::new(302).insert_header("Location", redirect.as_str()),
            ResponseTemplate::new(200).set_body_string(echo.clone()),
            ResponseTemplate::new(200).set_body_string(format!("{{\"{secret}\":")),
            ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(1)),
        ];
        for path in ["/api/organizations", "/api/organizations/1", "/api/organizations/1/metrics", "/api/user"]
        {
            for fault in &faults {
                api.responds(path, fault.clone()).await;
                for page in ["/metrics", "/", "/nowhere"] {
                    pages += &crate::support::get_text(format!("{exporter}{page}")).await;
                }
            }
        }
        std::fs::write(&key, format!("{secret}\u{7f}")).unwrap();
        pages += &crate::support::get_text(format!("{exporter}/metrics")).await;
        let ended = program.stop().await;
        assert!(
            ended.stderr.contains("unauthorized") && ended.stderr.contains("[credential]"),
            "the faults were met"
        );
        assert!(pages.contains("edgeimpulse_up") && pages.contains("[credential]"));
        for (place, text) in [("log", ended.stderr), ("output", ended.stdout), ("pages", pages)] {
            let found = text
                .find(secret)
                .map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
            assert_eq!(found, None, "the key is in the {place}");
        }
        assert_eq!(elsewhere.calls().await, 0, "a redirect is not followed");
    }
}

#[tokio::test]
async fn debug_of_everything_that_holds_the_key_shows_nothing_of_it() {
    let api = FakeApi::with_samples("typical").await;
    for (flag, secret) in [("--api.key-file", KEY), ("--api.jwt-file", JWT)] {
        let exporter =
            crate::support::Running::build(&api.url(), &[flag, &file("key", secret)], Clock::System, &[]);
        let (text, snapshot) = exporter
            .collect(
                &exporter.accounts,
                &Selection::default(),
                true,
                std::time::Duration::from_secs(10),
                Format::OpenMetrics,
            )
            .await;
        let shown = format!("{exporter:?} {exporter:#?} {snapshot:?} {text}");
        assert!(shown.contains("Sensitive") && shown.contains("REDACTED"), "the key is in there, hidden");
        assert!(!shown.contains(secret));
    }
}
