use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::*;
use crate::api::ErrorDetail;

type Answer = Result<u64, Error>;

const CALL: Call = Call::user();

const POLICY: CachePolicy = CachePolicy {
    max_age: Duration::from_secs(30),
    interval: Duration::ZERO,
    is_spread: false,
    retry: Duration::from_secs(10),
    stale_for: Duration::ZERO,
};

/// How long a scrape waits.
const BUDGET: Duration = Duration::from_secs(10);

/// A store under tokio's paused clock.
#[derive(Clone, Default)]
struct Source {
    store: Arc<Store>,
    calls: Arc<std::sync::atomic::AtomicU64>,
}

fn broken() -> Error {
    Error::Decode("broken".to_owned())
}

fn forbidden() -> Error {
    Error::Forbidden(ErrorDetail::default())
}

impl Source {
    /// Scrapes the call; if it is started now, it takes `duration` seconds and gives `answer`.
    async fn scrape(&self, policy: CachePolicy, duration: u64, answer: Answer) -> Read {
        let asked = self.ask(CALL, policy, duration, &answer);
        self.store.wait(&asked, Instant::now() + BUDGET).await;
        self.read(&asked)
    }

    fn read(&self, asked: &Asked) -> Read {
        self.reads(asked).pop().unwrap().1
    }

    fn reads(&self, asked: &Asked) -> Vec<(Call, Read)> {
        let mut reads = Vec::new();
        self.store.read(asked, &mut reads);
        reads
    }

    /// Asks for all of `calls`, without making them.
    fn ask_for(
        &self,
        calls: impl IntoIterator<Item = Call>,
        policy: CachePolicy,
        permit: impl Fn() -> Option<Permit>,
    ) -> Asked {
        let plan = Plan::of_lists(calls);
        self.store.ask(plan, |_| true, |_| policy, |_| permit())
    }

    fn ask(&self, call: Call, policy: CachePolicy, duration: u64, answer: &Answer) -> Asked {
        let asked = self.ask_for([call], policy, || Some(Permit::unlimited()));
        for _ in 0..self.store.missing_workers(8) {
            tokio::spawn(self.clone().work(0, sleep(Duration::from_secs(duration)), answer.clone()));
        }
        asked
    }

    async fn work(self, generation: u64, duration: impl Future<Output = ()>, answer: Answer) {
        let Some(Queued { call, .. }) = self.store.next_queued() else { return };
        self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let requested_at = Some(Instant::now());
        duration.await;
        let result = answer.map(|user| Facts { own_user: Some(user), ..Facts::default() });
        self.store.complete(call, Outcome { requested_at, generation, result });
        assert!(self.store.next_queued().is_none());
    }

    fn calls(&self) -> u64 {
        self.calls.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn shown(read: &Read) -> (Option<u64>, ReadResult) {
    (read.facts.as_ref().and_then(|facts| facts.own_user), read.result)
}

async fn pass(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn facts_are_used_again_until_they_are_too_old() {
    let source = Source::default();
    assert_eq!(shown(&source.scrape(POLICY, 1, Ok(1)).await), (Some(1), ReadResult::Fetched));
    pass(28).await;
    assert_eq!(shown(&source.scrape(POLICY, 1, Ok(2)).await), (Some(1), ReadResult::Reused));
    pass(1).await;
    // 30 seconds after the request, not after its end.
    assert_eq!(shown(&source.scrape(POLICY, 1, Ok(2)).await), (Some(2), ReadResult::Fetched));
    let never = CachePolicy { max_age: Duration::ZERO, ..POLICY };
    assert_eq!(shown(&source.scrape(never, 1, Ok(3)).await), (Some(3), ReadResult::Fetched));
    assert_eq!(source.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn facts_grow_older_while_the_machine_is_suspended() {
    let source = Source::default();
    let suspended = |hours| {
        let state = &mut *source.store.0.lock();
        state.notice_suspend(state.suspended + Duration::from_hours(hours));
    };
    let policy = CachePolicy { max_age: Duration::from_hours(1), ..POLICY };
    assert_eq!(shown(&source.scrape(policy, 1, Ok(1)).await), (Some(1), ReadResult::Fetched));
    suspended(0);
    assert_eq!(shown(&source.scrape(policy, 1, Ok(2)).await), (Some(1), ReadResult::Reused));
    suspended(8);
    let age = source.store.statuses()[0].1.last_success.unwrap().elapsed();
    assert!(age >= Duration::from_hours(8), "{age:?}");
    assert_eq!(shown(&source.scrape(policy, 1, Ok(2)).await), (Some(2), ReadResult::Fetched));
}

#[tokio::test(start_paused = true)]
async fn concurrent_scrapes_share_one_call() {
    let source = Source::default();
    let (first, second) = tokio::join!(source.scrape(POLICY, 2, Ok(1)), source.scrape(POLICY, 2, Ok(2)));
    assert_eq!(shown(&first), (Some(1), ReadResult::Fetched));
    assert_eq!(shown(&second), (Some(1), ReadResult::Shared));
    assert!(first.is_success && second.is_success);
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_is_cancelled_cancels_no_call() {
    let source = Source::default();
    let cancelled = tokio::time::timeout(Duration::from_secs(1), source.scrape(POLICY, 5, Ok(1))).await;
    assert!(cancelled.is_err());
    assert_eq!(shown(&source.scrape(POLICY, 5, Ok(2)).await), (Some(1), ReadResult::Shared));
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_result_too_late_for_one_scrape_is_there_for_the_next() {
    let source = Source::default();
    let late = source.scrape(POLICY, 15, Ok(1)).await;
    assert_eq!((shown(&late), late.is_first_late, late.is_success), ((None, ReadResult::Late), true, false));
    let shared = source.scrape(POLICY, 15, Ok(2)).await;
    assert_eq!(shown(&shared), (Some(1), ReadResult::Shared));
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_is_counted_once_however_many_scrapes_wait_for_it() {
    let source = Source::default();
    let (first, second) = tokio::join!(source.scrape(POLICY, 15, Ok(1)), source.scrape(POLICY, 15, Ok(1)));
    assert_eq!([first.is_first_late, second.is_first_late].iter().filter(|late| **late).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_latest_facts_replace_those_of_a_late_call_for_five_minutes() {
    let source = Source::default();
    source.scrape(POLICY, 0, Ok(1)).await;
    pass(60).await;
    let late = source.scrape(POLICY, 1000, Ok(2)).await;
    assert_eq!((shown(&late), late.is_success), ((Some(1), ReadResult::Late), false));
    pass(240).await;
    assert_eq!(shown(&source.scrape(POLICY, 1000, Ok(2)).await), (None, ReadResult::Late));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_old_facts_are_shown_only_if_configured() {
    let source = Source::default();
    source.scrape(POLICY, 0, Ok(1)).await;
    pass(60).await;
    let failed = source.scrape(POLICY, 1, Err(broken())).await;
    assert_eq!((shown(&failed), failed.status.error()), ((None, ReadResult::Fetched), Some(&broken())));
    assert_eq!(failed.status.facts.and_then(|facts| facts.own_user), Some(1));
    let stale_for = CachePolicy { stale_for: Duration::from_secs(100), ..POLICY };
    pass(9).await;
    let stale = source.scrape(stale_for, 1, Err(broken())).await;
    assert_eq!((shown(&stale), stale.is_success), ((Some(1), ReadResult::Stale), false));
    pass(9).await;
    // A running call does not hide that the one before it failed.
    assert_eq!(shown(&source.scrape(POLICY, 1000, Ok(2)).await), (None, ReadResult::Late));
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_repeated_after_a_while_and_a_forbidden_one_after_ten_minutes() {
    let source = Source::default();
    source.scrape(POLICY, 1, Err(broken())).await;
    // Whoever scrapes in the meantime sees the same.
    let (first, second) = tokio::join!(source.scrape(POLICY, 1, Ok(1)), source.scrape(POLICY, 1, Ok(1)));
    for read in [first, second] {
        assert_eq!((shown(&read), read.status.error()), ((None, ReadResult::Reused), Some(&broken())));
    }
    assert_eq!(source.calls(), 1);
    pass(9).await;
    assert_eq!(shown(&source.scrape(POLICY, 1, Err(forbidden())).await).1, ReadResult::Fetched);
    pass(500).await;
    assert_eq!(shown(&source.scrape(POLICY, 1, Ok(1)).await), (None, ReadResult::Reused));
    pass(100).await;
    assert_eq!(shown(&source.scrape(POLICY, 1, Ok(1)).await), (Some(1), ReadResult::Fetched));
}

#[tokio::test(start_paused = true)]
async fn a_source_slower_than_every_scrape_is_a_success_for_every_scrape() {
    let source = Source::default();
    assert!(!source.scrape(POLICY, 15, Ok(0)).await.is_success, "there are no facts yet");
    for number in 1..5 {
        pass(50).await;
        // Two Prometheus servers: what the first one has read, the second one reads too.
        let (first, second) =
            tokio::join!(source.scrape(POLICY, 15, Ok(number)), source.scrape(POLICY, 15, Ok(9)));
        for read in [first, second] {
            assert_eq!((shown(&read), read.is_success), ((Some(number - 1), ReadResult::Late), true));
        }
        let later = source.scrape(POLICY, 15, Ok(9)).await;
        assert_eq!((shown(&later), later.is_success), ((Some(number), ReadResult::Shared), true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_much_longer_than_the_one_before_is_no_success() {
    let source = Source::default();
    source.scrape(POLICY, 4, Ok(1)).await;
    pass(60).await;
    let late = source.scrape(POLICY, 1000, Ok(2)).await;
    assert_eq!((shown(&late), late.is_success), ((Some(1), ReadResult::Late), false));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_made_has_no_duration() {
    let source = Source::default();
    source.scrape(POLICY, 3, Ok(1)).await;
    pass(60).await;
    let asked = source.ask_for([CALL], POLICY, || Some(Permit::unlimited()));
    let paused = Error::Paused { remaining: Duration::from_secs(1) };
    let outcome = Outcome { requested_at: None, generation: 0, result: Err(paused.clone()) };
    source.store.complete(source.store.next_queued().unwrap().call, outcome);
    let read = source.read(&asked);
    assert_eq!((read.status.error(), read.status.duration), (Some(&paused), Some(Duration::from_secs(3))));
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_remembered_after_a_success() {
    let source = Source::default();
    source.scrape(POLICY, 1, Err(broken())).await;
    pass(9).await;
    let read = source.scrape(POLICY, 1, Ok(1)).await;
    assert_eq!((read.status.error(), read.status.is_failing), (None, false));
    assert_eq!(read.status.last_failure.map(|failure| failure.0.clone()), Some(broken()));
}

#[tokio::test(start_paused = true)]
async fn a_deferred_call_is_not_started_and_its_facts_are_stale_five_minutes_after_the_interval() {
    let source = Source::default();
    let asked = source.ask_for([CALL], POLICY, || None);
    assert_eq!(source.store.missing_workers(8), 0);
    assert_eq!(shown(&source.read(&asked)), (None, ReadResult::Deferred));
    source.scrape(POLICY, 0, Ok(1)).await;
    let interval = CachePolicy { interval: Duration::from_mins(15), ..POLICY };
    for (seconds, is_success) in [(901, true), (298, true), (1, false), (10_000, false)] {
        pass(seconds).await;
        let asked = source.ask_for([CALL], interval, || None);
        let read = source.read(&asked);
        assert_eq!((shown(&read), read.is_success), ((Some(1), ReadResult::Deferred), is_success), "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_facts_of_a_late_call_with_an_interval_are_not_old_because_the_interval_is_long() {
    let source = Source::default();
    let interval = CachePolicy { interval: Duration::from_mins(15), ..POLICY };
    source.scrape(interval, 0, Ok(1)).await;
    pass(900).await;
    assert_eq!(shown(&source.scrape(interval, 1000, Ok(2)).await), (Some(1), ReadResult::Late));
    pass(290).await;
    assert_eq!(shown(&source.scrape(interval, 1000, Ok(2)).await), (None, ReadResult::Late));
}

#[tokio::test(start_paused = true)]
async fn results_of_a_replaced_credential_are_dropped_and_those_of_the_new_one_are_kept() {
    let source = Source::default();
    source.scrape(POLICY, 1, Ok(1)).await;
    pass(60).await;
    let [old, new] = [Call::user(), Call::organizations()];
    let asked = source.ask_for([old, new], POLICY, || Some(Permit::unlimited()));
    let outcome = |generation| Outcome {
        requested_at: Some(Instant::now()),
        generation,
        result: Ok(Facts { own_user: Some(generation), ..Facts::default() }),
    };
    // The response to the new credential arrives before anybody has told the store of it.
    source.store.complete(new, outcome(1));
    source.store.start_generation(1);
    source.store.complete(old, outcome(0));
    let reads = source.reads(&asked);
    assert_eq!(reads.iter().map(|(_, read)| shown(read).0).collect::<Vec<_>>(), [None, Some(1)]);
    assert!(!reads[0].1.is_success && reads[1].1.is_success);
    assert!(source.store.status(&old).unwrap().facts.is_none(), "the facts from before are gone");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_last_call_or_at_the_deadline_whatever_the_number_of_calls() {
    let source = Source::default();
    let calls = (0..100_000).map(|id| Call::of_organization(Collector::Usage, id));
    let asked = source.ask_for(calls, POLICY, || Some(Permit::unlimited()));
    assert_eq!(source.store.missing_workers(8), 8);
    let began = Instant::now();
    source.store.wait(&asked, began + BUDGET).await;
    assert_eq!(began.elapsed(), BUDGET);
    while let Some(Queued { call, .. }) = source.store.next_queued() {
        let result = Ok(Facts::default());
        source.store.complete(call, Outcome { requested_at: Some(Instant::now()), generation: 0, result });
    }
    source.store.wait(&asked, Instant::now() + BUDGET).await;
    assert_eq!(began.elapsed(), BUDGET, "nothing is waited for");
    assert!(source.reads(&asked).iter().all(|(_, read)| read.is_success));
}
