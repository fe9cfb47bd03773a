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

#[tokio::test]
async fn a_panic_costs_its_call_and_is_counted() {
    let telemetry = Arc::new(Telemetry::new(0.0));
    let settings = Settings {
        url: "http://127.0.0.1:9".parse().unwrap(),
        timeout: Duration::from_secs(1),
        max_response_size: 1,
        usage_query: Vec::new(),
        decode: DecodeOptions {
            now: 0.0,
            compute_time_unit: 1.0,
            memory_unit: 1.0,
            projects: false,
            most_datasets: 0,
            days: false,
        },
        tap: None,
    };
    let client =
        Client::new(api::Transport::new(&ApiOptions::default()).unwrap(), settings, Arc::clone(&telemetry));
    let shared = Shared {
        telemetry: Arc::clone(&telemetry),
        clock: Clock::System,
        max_age: Duration::ZERO,
        stale_for: Duration::ZERO,
    };
    let origin = CredentialOrigin::Environment("of the test".to_owned(), "ei_x".into());
    let credential = CredentialSource::load(CredentialKind::ApiKey, origin, 0.0).unwrap();
    let state = Arc::new(AccountState::new(credential));
    let account = Account::new("default", state, Scope::default(), client, shared, Limits::new(1, 1));
    let (result, _) = account.catch_panic(Call::user(), async { panic!("expected in this test") }).await;
    assert_eq!(result.unwrap_err().reason(), "panic");
    let mut panics = 0;
    telemetry.panics.each(|[], count| panics += count);
    assert_eq!(panics, 1);
}
