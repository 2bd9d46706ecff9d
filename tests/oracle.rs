//! The oracle: every call of an application's tests, checked as it is made.

#[path = "block_on/mod.rs"]
mod block_on;

use block_on::block_on;
use proptest::prelude::*;
use session_spec::conformance::programs;
use session_spec::{
    Clause, Data, Disagreement, ManualClock, MemStore, Op, Oracle, Session, Snapshot, Store,
    StoreError,
};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

type Heard = Arc<Mutex<Vec<Disagreement>>>;

fn listening<S: Store>(store: S, clock: &ManualClock) -> (Oracle<S, ManualClock>, Heard) {
    let heard = Heard::default();
    let oracle = Oracle::with_clock(store, clock.clone()).on_disagreement({
        let heard = Arc::clone(&heard);
        move |disagreement| heard.lock().unwrap().push(disagreement.clone())
    });
    (oracle, heard)
}

fn clauses(heard: &Heard) -> Vec<Clause> {
    heard
        .lock()
        .unwrap()
        .iter()
        .map(|each| each.clause)
        .collect()
}

fn snapshot(id: &str, csrf: &str) -> Snapshot {
    Snapshot::new(id, csrf, None, Data::default())
}

/// A store that forgets to drop.
struct NeverDrops(MemStore<ManualClock>);

impl Store for NeverDrops {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl + Duration::from_secs(1)).await
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_right_store_is_never_accused(program in programs(30)) {
        let clock = ManualClock::new();
        let (oracle, heard) = listening(MemStore::with_clock(clock.clone()), &clock);
        for op in program.ops() {
            match op {
                Op::Advance { by } => clock.advance(Duration::from_nanos((*by).try_into().unwrap_or(u64::MAX))),
                Op::Prepare { id } => { block_on(oracle.prepare(id)).unwrap(); }
                Op::Drop { id } => block_on(oracle.drop(id)).unwrap(),
                Op::Commit { snapshot: Some(snapshot), ttl } => {
                    let ttl = Duration::from_nanos((*ttl).try_into().unwrap_or(u64::MAX));
                    let _ = block_on(oracle.commit(snapshot, ttl));
                }
                _ => {}
            }
        }
        prop_assert_eq!(clauses(&heard), vec![]);
    }
}

#[test]
fn a_right_store_is_not_accused_by_many_threads_at_once() {
    let oracle = Oracle::new(MemStore::new());
    thread::scope(|scope| {
        for client in 0..4 {
            let oracle = &oracle;
            scope.spawn(move || {
                for round in 0..500 {
                    let csrf = format!("{client} {round}");
                    let ttl = Duration::from_micros(1 + round % 50);
                    block_on(oracle.commit(&snapshot("id", &csrf), ttl)).unwrap();
                    block_on(oracle.prepare("id")).unwrap();
                    if round % 7 == client {
                        block_on(oracle.drop("id")).unwrap();
                    }
                    block_on(oracle.prepare("id")).unwrap();
                }
            });
        }
    });
}

#[test]
fn drp_1_an_entry_that_outlives_its_drop_is_told() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(NeverDrops(MemStore::with_clock(clock.clone())), &clock);
    block_on(async {
        let mut session = Session::new();
        session.save(&oracle, HOUR).await.unwrap();
        let id = session.id().to_owned();
        oracle.prepare(&id).await.unwrap();
        assert_eq!(clauses(&heard), []);
        oracle.drop(&id).await.unwrap();
        assert!(oracle.prepare(&id).await.unwrap().is_some());
        assert_eq!(clauses(&heard), [Clause::Drp1]);
        let text = heard.lock().unwrap()[0].to_string();
        assert!(
            !text.contains(&id) && !text.contains(session.csrf_token()),
            "{text}"
        );
    });
}

#[test]
fn ttl_2_an_entry_that_outlives_its_life_is_told() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(NeverDrops(MemStore::with_clock(clock.clone())), &clock);
    block_on(async {
        oracle.commit(&snapshot("id", "v"), HOUR).await.unwrap();
        clock.advance(HOUR);
        oracle.prepare("id").await.unwrap();
        assert_eq!(clauses(&heard), [Clause::Ttl2]);
        let because = &heard.lock().unwrap()[0].because;
        assert!(
            because.contains("is gone by 3600s at the latest")
                && because.contains("called at 3600s"),
            "{because}"
        );
    });
}

#[test]
#[should_panic(expected = "DRP-1 violated: After a drop, preparing that id MUST give nothing.")]
fn unless_told_otherwise_it_panics() {
    let clock = ManualClock::new();
    let store = NeverDrops(MemStore::with_clock(clock.clone()));
    let oracle = Oracle::with_clock(store, clock);
    block_on(async {
        oracle.commit(&snapshot("id", "v"), HOUR).await.unwrap();
        oracle.drop("id").await.unwrap();
        oracle.prepare("id").await.unwrap();
    });
}

#[test]
fn what_was_there_before_is_unknown_and_not_wrong() {
    let clock = ManualClock::new();
    let store = MemStore::with_clock(clock.clone());
    block_on(store.commit(&snapshot("id", "old"), HOUR)).unwrap();
    let (oracle, heard) = listening(store, &clock);
    block_on(async {
        assert!(oracle.prepare("id").await.unwrap().is_some());
        clock.advance(HOUR);
        assert!(oracle.prepare("id").await.unwrap().is_none());
    });
    assert_eq!(clauses(&heard), []);
}

/// A store that loses its backend when told to: the call took effect, or did not.
struct Failing(MemStore<ManualClock>, Mutex<Option<bool>>);

impl Store for Failing {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let fault = *self.1.lock().unwrap();
        if fault != Some(false) {
            self.0.commit(snapshot, ttl).await?;
        }
        match fault {
            None => Ok(()),
            Some(_) => Err(StoreError::Backend {
                store: "failing",
                source: "the line is dead".into(),
            }),
        }
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn err_3_a_call_that_failed_may_have_taken_effect_or_not() {
    for took_effect in [false, true] {
        let clock = ManualClock::new();
        let failing = Failing(MemStore::with_clock(clock.clone()), Mutex::default());
        let (oracle, heard) = listening(failing, &clock);
        block_on(async {
            oracle.commit(&snapshot("id", "one"), HOUR).await.unwrap();
            *oracle.store().1.lock().unwrap() = Some(took_effect);
            assert!(oracle.commit(&snapshot("id", "two"), HOUR).await.is_err());
            oracle.prepare("id").await.unwrap();
        });
        assert_eq!(clauses(&heard), []);
    }
}

#[test]
fn can_1_a_call_whose_future_was_dropped_may_have_taken_effect_or_not() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(MemStore::with_clock(clock.clone()), &clock);
    let (one, two) = (snapshot("id", "one"), snapshot("id", "two"));
    {
        // Never polled: it has not even begun.
        let _unpolled = oracle.commit(&one, HOUR);
    }
    {
        let mut call = pin!(oracle.commit(&two, HOUR));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(()))));
    }
    block_on(async {
        assert_eq!(oracle.prepare("id").await.unwrap(), Some(two));
    });
    assert_eq!(clauses(&heard), []);
}

/// A store whose commit waits for ever, and takes effect when the next prepare comes.
struct Late(MemStore<ManualClock>, Mutex<Option<Snapshot>>);

impl Store for Late {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let late = self.1.lock().unwrap().take();
        if let Some(late) = late {
            self.0.commit(&late, HOUR).await?;
        }
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, _: Duration) -> Result<(), StoreError> {
        *self.1.lock().unwrap() = Some(snapshot.clone());
        std::future::pending().await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn can_1_a_cancelled_call_that_takes_effect_behind_a_later_one_is_told() {
    let clock = ManualClock::new();
    let late = Late(MemStore::with_clock(clock.clone()), Mutex::default());
    let (oracle, heard) = listening(late, &clock);
    {
        let snapshot = snapshot("id", "late");
        let mut call = pin!(oracle.commit(&snapshot, HOUR));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    block_on(async {
        oracle.drop("id").await.unwrap();
        assert!(oracle.prepare("id").await.unwrap().is_some());
    });
    assert_eq!(clauses(&heard), [Clause::Can1]);
}

/// A store whose commits take their time, and whose every second prepare finds nothing.
struct Flickers(MemStore<ManualClock>, AtomicUsize);

impl Store for Flickers {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let found = self.0.prepare(id).await?;
        let is_first = self.1.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        Ok(found.filter(|_| is_first))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await?;
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

#[test]
fn con_1_a_commit_that_is_still_under_way_was_not_cancelled() {
    let clock = ManualClock::new();
    let flickers = Flickers(MemStore::with_clock(clock.clone()), AtomicUsize::new(0));
    let (oracle, heard) = listening(flickers, &clock);
    let snapshot = snapshot("id", "slow");
    let mut commit = pin!(oracle.commit(&snapshot, HOUR));
    assert!(poll_once(commit.as_mut()).is_pending());
    block_on(async {
        assert!(oracle.prepare("id").await.unwrap().is_some());
        assert!(oracle.prepare("id").await.unwrap().is_none());
    });
    assert!(block_on(commit).is_ok());
    assert_eq!(clauses(&heard), [Clause::Con1]);
    let told = &heard.lock().unwrap()[0].history;
    assert!(told.contains("?: it has not returned yet"), "{told}");
}

/// A store whose prepare gives what it saw when it was called, and takes its time for that. Its third
/// commit fails, and takes effect behind the sixth.
struct Slow {
    store: MemStore<ManualClock>,
    commits: AtomicUsize,
    late: Mutex<Option<Snapshot>>,
}

impl Slow {
    fn with_clock(clock: ManualClock) -> Self {
        Self {
            store: MemStore::with_clock(clock),
            commits: AtomicUsize::new(0),
            late: Mutex::default(),
        }
    }
}

impl Store for Slow {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let seen = self.store.prepare(id).await;
        tokio::task::yield_now().await;
        seen
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if number == 3 {
            *self.late.lock().unwrap() = Some(snapshot.clone());
            return Err(StoreError::Backend {
                store: "slow",
                source: "no answer yet".into(),
            });
        }
        self.store.commit(snapshot, ttl).await?;
        let late = self.late.lock().unwrap().take_if(|_| number == 6);
        match late {
            Some(late) => self.store.commit(&late, ttl).await,
            None => Ok(()),
        }
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.store, id).await
    }
}

fn poll_once<T>(call: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn con_1_prepares_that_take_longer_than_many_commits_are_not_wrong() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(Slow::with_clock(clock.clone()), &clock);
    let commit = |csrf: &str| {
        let _ = block_on(oracle.commit(&snapshot("id", csrf), HOUR));
    };
    commit("one");
    let mut one = pin!(oracle.prepare("id"));
    assert!(poll_once(one.as_mut()).is_pending());
    commit("two");
    let mut two = pin!(oracle.prepare("id"));
    assert!(poll_once(two.as_mut()).is_pending());
    for number in 0..300 {
        commit(&number.to_string());
        block_on(oracle.prepare("id")).unwrap();
    }
    assert_eq!(block_on(one).unwrap(), Some(snapshot("id", "one")));
    assert_eq!(block_on(two).unwrap(), Some(snapshot("id", "two")));
    assert_eq!(clauses(&heard), []);
}

#[test]
fn err_3_a_call_that_failed_may_take_effect_much_later() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(Slow::with_clock(clock.clone()), &clock);
    for number in 1..=9 {
        let snapshot_of = |number: i32| snapshot("id", &number.to_string());
        let committed = block_on(oracle.commit(&snapshot_of(number), HOUR));
        assert_eq!(committed.is_err(), number == 3);
        let found = block_on(oracle.prepare("id")).unwrap();
        let behind = if number == 6 { 3 } else { number };
        if number != 3 {
            assert_eq!(found, Some(snapshot_of(behind)));
        }
    }
    assert_eq!(clauses(&heard), []);
}

#[test]
fn what_was_under_way_when_something_went_wrong_is_not_told_of_again() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(Slow::with_clock(clock.clone()), &clock);
    let commit = |csrf: &str| block_on(oracle.commit(&snapshot("id", csrf), HOUR)).unwrap();
    commit("one");
    let mut one = pin!(oracle.prepare("id"));
    assert!(poll_once(one.as_mut()).is_pending());
    commit("two");
    let mut two = pin!(oracle.prepare("id"));
    assert!(poll_once(two.as_mut()).is_pending());
    // Behind the oracle's back.
    block_on(Store::drop(&oracle.store().store, "id")).unwrap();
    block_on(oracle.prepare("id")).unwrap();
    assert_eq!(clauses(&heard), [Clause::Ttl1]);
    block_on(one).unwrap();
    block_on(two).unwrap();
    assert_eq!(clauses(&heard).len(), 1);
}

#[test]
fn ses_8_its_debug_form_shows_the_store_and_none_of_the_calls() {
    let oracle = Oracle::new(MemStore::new());
    block_on(oracle.commit(&snapshot("id", "csrf"), HOUR)).unwrap();
    let shown = "Oracle { store: MemStore { entries: 1, .. }, .. }";
    assert_eq!(format!("{oracle:?}"), shown);
}

/// An oracle over a store that forgets to drop, and the answer that it has given wrongly by then: the task
/// that asked has ended in a panic, which somebody has caught.
fn caught_once() -> Oracle<NeverDrops, ManualClock> {
    let clock = ManualClock::new();
    let oracle = Oracle::with_clock(NeverDrops(MemStore::with_clock(clock.clone())), clock);
    block_on(oracle.commit(&snapshot("A", "v1"), HOUR)).unwrap();
    block_on(oracle.drop("A")).unwrap();
    let call = || block_on(oracle.prepare("A"));
    assert!(says_drp_1(panic::catch_unwind(AssertUnwindSafe(call))));
    oracle
}

fn says_drp_1<T>(caught: thread::Result<T>) -> bool {
    let message = caught
        .err()
        .and_then(|panic| panic.downcast::<String>().ok());
    message.is_some_and(|message| message.starts_with("DRP-1 violated: "))
}

#[test]
fn what_a_runtime_has_caught_is_raised_by_the_next_call_on_any_clone() {
    let oracle = caught_once();
    let clone = oracle.clone();
    for _ in 0..2 {
        let call = || block_on(clone.commit(&snapshot("B", "v1"), HOUR));
        assert!(says_drp_1(panic::catch_unwind(AssertUnwindSafe(call))));
    }
    assert_eq!(oracle.verify().unwrap_err().clause, Clause::Drp1);
}

#[test]
fn what_a_runtime_has_caught_is_raised_by_the_drop_of_the_last_clone() {
    let oracle = caught_once();
    let clone = oracle.clone();
    drop(oracle);
    assert!(says_drp_1(panic::catch_unwind(AssertUnwindSafe(|| drop(
        clone
    )))));
}

#[test]
fn a_thread_that_panics_already_is_not_ended_by_the_drop() {
    let ended = thread::spawn(|| {
        let _oracle = caught_once();
        panic!("for a reason of its own");
    });
    let message = ended.join().unwrap_err();
    assert_eq!(message.downcast_ref(), Some(&"for a reason of its own"));
}

#[test]
fn what_verify_has_returned_is_not_raised_again() {
    let oracle = caught_once();
    let first = oracle.verify().unwrap_err();
    assert_eq!(first.clause, Clause::Drp1);
    block_on(oracle.commit(&snapshot("B", "v1"), HOUR)).unwrap();
    assert_eq!(oracle.verify(), Err(first));
}

#[test]
fn whoever_listens_is_told_and_nothing_is_raised() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(NeverDrops(MemStore::with_clock(clock.clone())), &clock);
    assert_eq!(oracle.verify(), Ok(()));
    block_on(oracle.commit(&snapshot("A", "v1"), HOUR)).unwrap();
    block_on(oracle.drop("A")).unwrap();
    block_on(oracle.prepare("A")).unwrap();
    block_on(oracle.prepare("B")).unwrap();
    assert_eq!(clauses(&heard), [Clause::Drp1]);
    assert_eq!(oracle.verify().unwrap_err(), heard.lock().unwrap()[0]);
}

#[test]
fn a_history_says_when_each_call_was_made() {
    let clock = ManualClock::new();
    let (oracle, heard) = listening(NeverDrops(MemStore::with_clock(clock.clone())), &clock);
    block_on(oracle.commit(&snapshot("A", "v1"), HOUR)).unwrap();
    clock.advance(Duration::from_secs(1));
    block_on(oracle.drop("A")).unwrap();
    clock.advance(Duration::from_secs(2));
    block_on(oracle.prepare("A")).unwrap();
    let history = heard.lock().unwrap()[0].history.clone();
    let times =
        "c1's commit: from 0s to 0s\nc1's drop: from 1s to 1s\nc1's prepare: from 3s to 3s\n";
    assert!(history.ends_with(times), "{history}");
}
