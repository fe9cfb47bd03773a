use super::*;
use crate::api::{self, DecodeOptions, Settings};
use crate::config::{ApiOptions, CredentialOrigin};

#[test]
fn calls_are_spread_evenly_over_their_interval_and_each_has_one_slot_in_it() {
    let interval = Duration::from_mins(15);
    let mut by_minute = [0_u32; 30];
    for id in 0..2000 {
        let call = Call::of_organization(Collector::Organization, id);
        for (minute, calls) in (0..).zip(&mut by_minute) {
            // Due if its slot lies in the minute that ends here.
            let since = since_own_slot(call, interval, Duration::from_mins(minute + 1));
            *calls += u32::from(since < Duration::from_mins(1));
        }
    }
    assert_eq!(by_minute.iter().sum::<u32>(), 4000);
    assert!(by_minute.iter().all(|calls| (90..180).contains(calls)), "{by_minute:?}");
}

/// Returns an account with an API key and the default intervals.
fn account(telemetry: &Arc<Telemetry>, max_age: Duration) -> Account {
    let settings = Settings {
        url: "http://127.0.0.1:9".parse().unwrap(),
        timeout: Duration::from_secs(1),
        max_response_size: 1,
        usage_query: Vec::new(),
        decode: DecodeOptions {
            now: 0.0,
            compute_time_unit: 1.0,
            compute_time_total_unit: 1.0,
            memory_unit: 1.0,
            projects: false,
            most_datasets: 0,
            days: false,
        },
        tap: None,
    };
    let client =
        Client::new(api::Transport::new(&ApiOptions::default()).unwrap(), settings, Arc::clone(telemetry));
    let shared = Shared {
        telemetry: Arc::clone(telemetry),
        clock: Clock::System,
        max_age,
        stale_for: Duration::ZERO,
        unit_mismatch: "".into(),
    };
    let origin = CredentialOrigin::Environment("of the test".to_owned(), "ei_x".into());
    let credential = CredentialSource::load(CredentialKind::ApiKey, origin, 0.0).unwrap();
    let intervals = Collector::ALL.into_iter().filter_map(|it| Some((it, it.default_interval()?)));
    let scope = Scope { intervals: intervals.collect(), ..Scope::default() };
    Account::new("default", Arc::new(AccountState::new(credential)), scope, client, shared, Arc::default())
}

#[tokio::test]
async fn a_failed_call_is_repeated_after_the_ttl_or_a_fifth_of_its_interval() {
    let [usage, list, portfolio, tenant] = [
        Call::of_organization(Collector::Usage, 1),
        Call::organizations(),
        Call::whitelabel(Collector::WhitelabelOrganizations, 1),
        Call::whitelabel_organization(1, 2),
    ];
    for (max_age, call, retry) in [
        (10, usage, 10),
        (0, usage, 1),
        (3600, usage, 30),
        (0, list, 1),
        (3600, list, 30),
        (0, portfolio, 180),
        (0, tenant, 180),
    ] {
        let account = account(&Arc::new(Telemetry::new(0.0)), Duration::from_secs(max_age));
        assert_eq!(account.policy(call).retry, Duration::from_secs(retry), "{call} with a TTL of {max_age} s");
    }
}

#[tokio::test]
async fn a_panic_costs_its_call_and_is_counted() {
    let telemetry = Arc::new(Telemetry::new(0.0));
    let account = account(&telemetry, Duration::ZERO);
    let (result, _) = account.catch_panic(Call::user(), async { panic!("expected in this test") }).await;
    assert_eq!(result.unwrap_err().reason(), "panic");
    let mut panics = 0;
    telemetry.panics.each(|[], count| panics += count);
    assert_eq!(panics, 1);
}
