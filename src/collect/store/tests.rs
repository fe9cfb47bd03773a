use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

type Answer = Result<u32, &'static str>;

/// A cell under tokio's paused clock, and a source that counts its calls.
#[derive(Default)]
struct Source {
    cell: Arc<Cell<u32, &'static str>>,
    calls: Arc<AtomicU32>,
}

const FRESHNESS: Freshness<&'static str> = Freshness {
    max_age: Duration::from_secs(30),
    believe: |error| (*error == "refused").then_some(Duration::from_mins(10)),
    retry: Duration::ZERO,
    stale_for: Duration::ZERO,
};
const PATIENCE: Duration = Duration::from_secs(10);

impl Source {
    /// Reads the cell; a call takes `duration` and yields `answer`.
    async fn read(
        &self,
        freshness: Freshness<&'static str>,
        duration: u64,
        answer: Answer,
    ) -> Reading<u32, &'static str> {
        let calls = Arc::clone(&self.calls);
        let call = async move {
            let began = Some(Instant::now());
            calls.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(duration)).await;
            Outcome { began, result: answer }
        };
        self.cell.read(freshness, Instant::now() + PATIENCE, || Some(call)).await
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

fn shown(reading: &Reading<u32, &'static str>) -> (Option<u32>, How) {
    (reading.value.as_deref().copied(), reading.how)
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_used_again_until_it_is_too_old() {
    let source = Source::default();
    assert_eq!(shown(&source.read(FRESHNESS, 1, Ok(1)).await), (Some(1), How::Fetched));
    pass(28).await;
    assert_eq!(shown(&source.read(FRESHNESS, 1, Ok(2)).await), (Some(1), How::Reused));
    pass(1).await;
    // 30 seconds after the call began, not after it ended.
    assert_eq!(shown(&source.read(FRESHNESS, 1, Ok(2)).await), (Some(2), How::Fetched));
    let never = Freshness { max_age: Duration::ZERO, ..FRESHNESS };
    assert_eq!(shown(&source.read(never, 1, Ok(3)).await), (Some(3), How::Fetched));
    assert_eq!(source.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn readers_at_the_same_time_share_one_call() {
    let source = Source::default();
    let (first, second) = tokio::join!(source.read(FRESHNESS, 2, Ok(1)), source.read(FRESHNESS, 2, Ok(2)));
    assert_eq!(shown(&first), (Some(1), How::Fetched));
    assert_eq!(shown(&second), (Some(1), How::Shared));
    assert!(first.is_success && second.is_success);
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_cancels_nothing() {
    let source = Source::default();
    let impatient = tokio::time::timeout(Duration::from_secs(1), source.read(FRESHNESS, 5, Ok(1))).await;
    assert!(impatient.is_err());
    assert_eq!(shown(&source.read(FRESHNESS, 5, Ok(2)).await), (Some(1), How::Shared));
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_too_late_for_one_scrape_is_there_for_the_next() {
    let source = Source::default();
    let late = source.read(FRESHNESS, 15, Ok(1)).await;
    assert_eq!((shown(&late), late.first_late, late.is_success), ((None, How::Late), true, false));
    let shared = source.read(FRESHNESS, 15, Ok(2)).await;
    assert_eq!(shown(&shared), (Some(1), How::Shared));
    assert_eq!(source.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_late_once_however_many_wait_for_it() {
    let source = Source::default();
    let (first, second) = tokio::join!(source.read(FRESHNESS, 15, Ok(1)), source.read(FRESHNESS, 15, Ok(1)));
    assert_eq!([first.first_late, second.first_late].iter().filter(|late| **late).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_answer_stands_in_while_a_call_is_under_way() {
    let source = Source::default();
    source.read(FRESHNESS, 0, Ok(1)).await;
    pass(60).await;
    let late = source.read(FRESHNESS, 1000, Ok(2)).await;
    assert_eq!((shown(&late), late.is_success), ((Some(1), How::Late), false));
    pass(240).await;
    assert_eq!(shown(&source.read(FRESHNESS, 1000, Ok(2)).await), (None, How::Late));
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_old_data_is_shown_only_if_asked_for() {
    let source = Source::default();
    source.read(FRESHNESS, 0, Ok(1)).await;
    pass(60).await;
    let failed = source.read(FRESHNESS, 1, Err("broken")).await;
    assert_eq!((shown(&failed), failed.error), ((None, How::Fetched), Some("broken")));
    assert_eq!(failed.history.last_good.as_deref(), Some(&1));
    let patient = Freshness { stale_for: Duration::from_secs(100), ..FRESHNESS };
    let stale = source.read(patient, 1, Err("broken")).await;
    assert_eq!((shown(&stale), stale.is_success), ((Some(1), How::Stale), false));
    // A call under way does not hide that the one before it failed.
    assert_eq!(shown(&source.read(FRESHNESS, 1000, Ok(2)).await), (None, How::Late));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_asked_about_again_unless_it_is_to_be_believed() {
    let source = Source::default();
    source.read(FRESHNESS, 1, Err("broken")).await;
    assert_eq!(shown(&source.read(FRESHNESS, 1, Err("refused")).await).1, How::Fetched);
    pass(500).await;
    assert_eq!(shown(&source.read(FRESHNESS, 1, Ok(1)).await), (None, How::Reused));
    pass(100).await;
    assert_eq!(shown(&source.read(FRESHNESS, 1, Ok(1)).await), (Some(1), How::Fetched));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_dies_is_made_again() {
    let cell = Arc::new(Cell::<u32, &'static str>::default());
    let deadline = Instant::now() + PATIENCE;
    let died = cell.read(FRESHNESS, deadline, || Some(async { panic!("expected in this test") })).await;
    assert!(died.value.is_none());
    assert!(!died.is_success && !died.first_late, "nobody can say that it is late");
    let alive = || Some(async { Outcome { began: Some(Instant::now()), result: Ok(1) } });
    let alive = cell.read(FRESHNESS, deadline, alive).await;
    assert_eq!(shown(&alive), (Some(1), How::Fetched));
}

#[tokio::test(start_paused = true)]
async fn a_source_slower_than_every_scrape_works_all_the_same() {
    let source = Source::default();
    assert!(!source.read(FRESHNESS, 15, Ok(0)).await.is_success);
    for scrape in 1..5 {
        pass(50).await;
        let reading = source.read(FRESHNESS, 15, Ok(scrape)).await;
        assert_eq!((shown(&reading), reading.is_success), ((Some(scrape - 1), How::Late), true));
    }
    // The same answer once more is no news.
    let again = source.read(FRESHNESS, 15, Ok(9)).await;
    assert_eq!((shown(&again), again.is_success), ((Some(4), How::Shared), true));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_made_has_no_duration() {
    let source = Source::default();
    source.read(FRESHNESS, 3, Ok(1)).await;
    pass(60).await;
    let deadline = Instant::now() + PATIENCE;
    let paused = || Some(async { Outcome { began: None, result: Err("paused") } });
    let reading = source.cell.read(FRESHNESS, deadline, paused).await;
    assert_eq!((reading.error, reading.history.duration), (Some("paused"), Some(Duration::from_secs(3))));
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_remembered_after_a_success() {
    let source = Source::default();
    source.read(FRESHNESS, 1, Err("broken")).await;
    let reading = source.read(FRESHNESS, 1, Ok(1)).await;
    assert_eq!((reading.error, reading.history.is_failing), (None, false));
    assert_eq!(reading.history.last_failure.map(|(error, _)| error), Some("broken"));
}
