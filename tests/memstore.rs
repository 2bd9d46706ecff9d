//! `MemStore`, beyond the contract of every store.

mod block_on;

use block_on::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use session_spec::{
    Clock, Data, ManualClock, MemStore, Model, Op, Reply, Session, Snapshot, Store,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

const TICK: Duration = Duration::from_nanos(1);
const LONG: Duration = Duration::from_secs(3600);

fn memstore() -> (MemStore<ManualClock>, ManualClock) {
    let clock = ManualClock::new();
    (MemStore::with_clock(clock.clone()), clock)
}

/// A snapshot of which every part says `mark`.
fn marked(id: &str, mark: &str) -> Snapshot {
    let mut data = Data::default();
    data.set("mark", mark).unwrap();
    Snapshot::new(id, mark, None, data)
}

fn snapshot(id: &str) -> Snapshot {
    marked(id, "mark")
}

fn commit(store: &impl Store, snapshot: &Snapshot, ttl: Duration) {
    block_on(store.commit(snapshot, ttl)).unwrap();
}

fn prepare(store: &impl Store, id: &str) -> Option<Snapshot> {
    block_on(store.prepare(id)).unwrap()
}

fn drop_id(store: &impl Store, id: &str) {
    block_on(store.drop(id)).unwrap();
}

fn refusal(snapshot: &Snapshot, ttl: Duration) -> String {
    let (store, _) = memstore();
    let refused = block_on(store.commit(snapshot, ttl)).unwrap_err();
    refused.to_string()
}

/// Whether anybody but the caller has this snapshot: then a write moves its data elsewhere (SNP-2).
fn is_held_elsewhere(snapshot: Snapshot) -> bool {
    let mut session = Session::from_snapshot(snapshot);
    let place = |session: &Session| {
        session
            .data()
            .value("mark")
            .unwrap()
            .as_str()
            .unwrap()
            .as_ptr()
    };
    let before = place(&session);
    session.set("another key", 1).unwrap();
    place(&session) != before
}

#[test]
fn a_live_entrys_snapshot_is_held() {
    let (store, _) = memstore();
    let snapshot = snapshot("id");
    commit(&store, &snapshot, TICK);
    assert!(is_held_elsewhere(snapshot));
}

#[test]
fn ses_8_its_debug_form_says_no_more_than_how_many_entries_are_held() {
    let (store, _) = memstore();
    assert!(store.is_empty());
    commit(&store, &snapshot("id"), LONG);
    assert!(!store.is_empty());
    assert_eq!(format!("{store:?}"), "MemStore { entries: 1, .. }");
}

#[test]
fn mem_1_an_expired_entry_is_freed_when_it_is_prepared() {
    let (store, clock) = memstore();
    let snapshot = snapshot("id");
    commit(&store, &snapshot, TICK);
    clock.advance(TICK);
    prepare(&store, "id");
    assert!(store.is_empty());
    assert!(!is_held_elsewhere(snapshot));
}

#[test]
fn mem_1_preparing_frees_no_other_entry_that_is_live() {
    let (store, clock) = memstore();
    commit(&store, &snapshot("expired"), TICK);
    commit(&store, &snapshot("live"), 2 * TICK);
    clock.advance(TICK);
    prepare(&store, "expired");
    assert_eq!(prepare(&store, "live"), Some(snapshot("live")));
}

#[test]
fn mem_2_time_is_the_injected_clocks() {
    let clock = Arc::new(ManualClock::new());
    let injected: Arc<dyn Clock> = clock.clone();
    let store = MemStore::with_clock(injected);
    commit(&store, &snapshot("id"), LONG);
    clock.advance(LONG);
    assert_eq!(prepare(&store, "id"), None);
}

#[test]
fn mem_3_an_empty_id_is_refused_in_these_words() {
    assert_eq!(
        refusal(&snapshot(""), TICK),
        "memstore: snapshot id must be non-empty"
    );
}

#[test]
fn mem_3_a_zero_ttl_is_refused_in_these_words() {
    assert_eq!(
        refusal(&snapshot("id"), Duration::ZERO),
        "memstore: ttl must be positive"
    );
}

#[test]
fn mem_4_a_replaced_snapshot_is_freed() {
    let (store, _) = memstore();
    let replaced = snapshot("id");
    commit(&store, &replaced, TICK);
    commit(&store, &marked("id", "another"), LONG);
    assert!(!is_held_elsewhere(replaced));
}

#[test]
fn mem_4_a_dropped_snapshot_is_freed() {
    let (store, _) = memstore();
    let dropped = snapshot("id");
    commit(&store, &dropped, LONG);
    drop_id(&store, "id");
    assert!(!is_held_elsewhere(dropped));
}

#[test]
fn mem_4_a_snapshot_that_a_commit_finds_expired_is_freed() {
    let (store, clock) = memstore();
    let expired = snapshot("expired");
    commit(&store, &expired, TICK);
    clock.advance(TICK);
    commit(&store, &snapshot("id"), LONG);
    assert!(!is_held_elsewhere(expired));
}

/// The most that may be held beside so many live entries.
fn bound(live: usize) -> usize {
    2 * live + 64
}

/// Commits `count` entries of numbered ids.
fn fill(store: &impl Store, name: &str, count: usize, ttl: impl Fn(usize) -> Duration) {
    for n in 0..count {
        commit(store, &snapshot(&format!("{name}{n}")), ttl(n));
    }
}

#[test]
fn mem_4_commits_under_one_id_free_all_that_has_expired() {
    let (store, clock) = memstore();
    fill(&store, "expired", 1_000, |_| TICK);
    clock.advance(TICK);
    for _ in 0..1_000 {
        commit(&store, &snapshot("id"), LONG);
    }
    assert!(store.len() <= bound(1), "{}", store.len());
}

#[test]
fn mem_4_commits_over_live_entries_free_all_that_has_expired() {
    let (store, clock) = memstore();
    fill(&store, "live", 100, |_| LONG);
    fill(&store, "expired", 1_000, |_| TICK);
    clock.advance(TICK);
    for _ in 0..10 {
        fill(&store, "live", 100, |_| LONG);
    }
    assert!(store.len() <= bound(100), "{}", store.len());
}

#[test]
fn mem_4_entries_that_never_expire_do_not_keep_others() {
    let (store, clock) = memstore();
    clock.advance(TICK);
    fill(&store, "immortal", 100, |_| Duration::MAX);
    fill(&store, "expired", 1_000, |_| TICK);
    clock.advance(TICK);
    for _ in 0..10 {
        fill(&store, "immortal", 100, |_| Duration::MAX);
    }
    assert!(store.len() <= bound(100), "{}", store.len());
}

#[test]
fn mem_4_entries_that_expire_one_by_one_are_freed() {
    let (store, clock) = memstore();
    fill(&store, "entry", 1_000, |n| {
        TICK * u32::try_from(n + 1).unwrap()
    });
    clock.advance(TICK * 990);
    for _ in 0..990 {
        commit(&store, &snapshot("id"), LONG);
    }
    assert!(store.len() <= bound(11), "{}", store.len());
}

#[test]
fn mem_4_a_steady_load_of_short_lives_stays_bounded() {
    let (store, clock) = memstore();
    for wave in 0..50 {
        fill(&store, &format!("wave{wave} "), 100, |_| TICK);
        assert!(store.len() <= bound(100), "wave {wave}: {}", store.len());
        clock.advance(TICK);
    }
}

/// Two for each commit, or what a burst leaves behind would stay for as long as the load does.
#[test]
fn mem_4_a_steady_load_works_off_what_a_burst_left_behind() {
    let (store, clock) = memstore();
    fill(&store, "burst", 2_000, |_| TICK);
    for wave in 0..50 {
        clock.advance(TICK);
        fill(&store, &format!("wave{wave} "), 100, |_| TICK);
    }
    assert!(store.len() <= bound(100), "{}", store.len());
}

#[test]
fn mem_4_an_entry_given_a_longer_life_is_not_freed_at_its_old_deadline() {
    let (store, clock) = memstore();
    fill(&store, "entry", 100, |_| TICK);
    fill(&store, "entry", 100, |_| LONG);
    clock.advance(TICK);
    fill(&store, "entry", 1, |_| LONG);
    assert_eq!(store.len(), 100);
}

#[test]
fn mem_4_an_entry_given_a_shorter_life_is_freed_at_its_new_deadline() {
    let (store, clock) = memstore();
    fill(&store, "entry", 1_000, |_| LONG);
    fill(&store, "entry", 1_000, |_| TICK);
    clock.advance(TICK);
    for _ in 0..1_000 {
        commit(&store, &snapshot("id"), LONG);
    }
    assert!(store.len() <= bound(1), "{}", store.len());
}

/// Many calls of one kind.
#[derive(Clone, Debug)]
enum Bulk {
    Commit { from: u32, count: u32, ttl: u32 },
    Prepare { from: u32, count: u32 },
    Drop { from: u32, count: u32 },
    Advance { by: u32 },
}

fn bulk() -> impl Strategy<Value = Bulk> {
    let span = || (0..400_u32, 0..300_u32);
    prop_oneof![
        4 => (span(), 1..=4_u32)
            .prop_map(|((from, count), ttl)| Bulk::Commit { from, count, ttl }),
        1 => span().prop_map(|(from, count)| Bulk::Prepare { from, count }),
        1 => span().prop_map(|(from, count)| Bulk::Drop { from, count }),
        3 => (1..=3_u32).prop_map(|by| Bulk::Advance { by }),
    ]
}

/// A store after a load, and the deadlines of what was committed to it and not dropped.
struct Loaded {
    store: MemStore<ManualClock>,
    now: Duration,
    deadlines: BTreeMap<String, Duration>,
}

impl Loaded {
    fn with(load: &[Bulk]) -> Self {
        let (store, clock) = memstore();
        let mut deadlines = BTreeMap::new();
        let ids = |from, count| (from..from + count).map(|n: u32| n.to_string());
        for bulk in load {
            match *bulk {
                Bulk::Commit { from, count, ttl } => {
                    for id in ids(from, count) {
                        commit(&store, &snapshot(&id), TICK * ttl);
                        deadlines.insert(id, clock.now() + TICK * ttl);
                    }
                }
                Bulk::Prepare { from, count } => {
                    ids(from, count).for_each(|id| drop(prepare(&store, &id)));
                }
                Bulk::Drop { from, count } => {
                    for id in ids(from, count) {
                        drop_id(&store, &id);
                        deadlines.remove(&id);
                    }
                }
                Bulk::Advance { by } => clock.advance(TICK * by),
            }
        }
        Self {
            store,
            now: clock.now(),
            deadlines,
        }
    }

    fn live(&self) -> impl Iterator<Item = &str> {
        let is_live = |(_, deadline): &(_, &Duration)| self.now < **deadline;
        let live = self.deadlines.iter().filter(is_live);
        live.map(|(id, _)| id.as_str())
    }
}

fn config() -> ProptestConfig {
    const SEEDS: &str = "proptest-regressions/memstore_load.txt";
    ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn mem_4_after_any_load_as_many_commits_free_what_has_expired(load in vec(bulk(), 1..12)) {
        let loaded = Loaded::with(&load);
        let live = loaded.live().count();
        for _ in 0..loaded.store.len() - live {
            commit(&loaded.store, &snapshot("one more"), LONG);
        }
        prop_assert!(loaded.store.len() <= bound(live + 1), "{} held", loaded.store.len());
    }

    #[test]
    fn mem_4_after_any_load_every_live_entry_is_there(load in vec(bulk(), 1..12)) {
        let loaded = Loaded::with(&load);
        for id in loaded.live() {
            prop_assert_eq!(prepare(&loaded.store, id), Some(snapshot(id)), "{}", id);
        }
    }
}

/// Readings from one end of a clock to the other.
fn readings() -> [Duration; 6] {
    let narrow = Duration::from_nanos(u64::MAX);
    [
        Duration::ZERO,
        TICK,
        LONG,
        narrow,
        Duration::MAX.saturating_sub(TICK),
        Duration::MAX,
    ]
}

#[test]
fn com_7_the_longest_life_does_not_end_early() {
    for reading in readings() {
        let (store, clock) = memstore();
        clock.advance(reading);
        commit(&store, &snapshot("id"), Duration::MAX);
        let last = Duration::MAX.saturating_sub(TICK);
        clock.advance(last.saturating_sub(reading));
        assert!(prepare(&store, "id").is_some(), "committed at {reading:?}");
    }
}

/// Its deadline is the last reading of the clock, and not beyond it.
#[test]
fn ttl_2_the_longest_life_from_zero_ends_with_the_clock() {
    let (store, clock) = memstore();
    commit(&store, &snapshot("id"), Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!(prepare(&store, "id"), None);
}

#[test]
fn com_7_a_deadline_beyond_the_clock_is_never_reached() {
    for reading in readings().into_iter().skip(1) {
        let (store, clock) = memstore();
        clock.advance(reading);
        commit(&store, &snapshot("id"), Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(prepare(&store, "id").is_some(), "committed at {reading:?}");
    }
}

#[test]
fn com_7_a_clock_at_its_end_still_honours_one_nanosecond() {
    let (store, clock) = memstore();
    clock.advance(Duration::MAX);
    commit(&store, &snapshot("id"), TICK);
    assert!(prepare(&store, "id").is_some());
}

#[test]
fn com_6_an_entry_that_never_expires_can_be_given_an_end() {
    let (store, clock) = memstore();
    clock.advance(TICK);
    commit(&store, &snapshot("id"), Duration::MAX);
    commit(&store, &snapshot("id"), TICK);
    clock.advance(TICK);
    assert_eq!(prepare(&store, "id"), None);
}

#[test]
fn can_1_a_call_whose_future_is_never_polled_does_nothing() {
    let (store, _) = memstore();
    drop(store.commit(&snapshot("id"), TICK));
    assert!(store.is_empty());
}

#[test]
fn can_1_a_call_takes_effect_at_its_first_poll() {
    let (store, _) = memstore();
    let snapshot = snapshot("id");
    let mut context = Context::from_waker(Waker::noop());
    let call = std::pin::pin!(store.commit(&snapshot, TICK));
    assert!(call.poll(&mut context).is_ready());
}

/// A clock that panics while it is broken.
#[derive(Default)]
struct Fragile {
    clock: ManualClock,
    is_broken: AtomicBool,
}

impl Clock for Fragile {
    fn now(&self) -> Duration {
        assert!(!self.is_broken.load(Ordering::SeqCst), "broken clock");
        self.clock.now()
    }
}

/// Lets `call` meet a broken clock, over a store with one live entry, and mends the clock again.
fn through_a_broken_clock(call: impl Fn(&MemStore<&Fragile>), then: impl Fn(&MemStore<&Fragile>)) {
    let clock = Fragile::default();
    let store = MemStore::with_clock(&clock);
    commit(&store, &snapshot("id"), LONG);
    clock.is_broken.store(true, Ordering::SeqCst);
    let outcome = catch_unwind(AssertUnwindSafe(|| call(&store)));
    clock.is_broken.store(false, Ordering::SeqCst);
    assert!(outcome.is_err(), "the clock was not read");
    then(&store);
}

#[test]
fn a_clock_that_panics_under_a_prepare_changes_nothing() {
    through_a_broken_clock(
        |store| drop(prepare(store, "id")),
        |store| assert_eq!(prepare(store, "id"), Some(snapshot("id"))),
    );
}

#[test]
fn a_clock_that_panics_under_a_commit_leaves_the_old_snapshot() {
    through_a_broken_clock(
        |store| commit(store, &marked("id", "another"), TICK),
        |store| assert_eq!(prepare(store, "id"), Some(snapshot("id"))),
    );
}

#[test]
fn a_clock_that_panics_under_a_commit_leaves_no_new_entry() {
    through_a_broken_clock(
        |store| commit(store, &snapshot("new"), LONG),
        |store| assert_eq!(store.len(), 1),
    );
}

#[test]
fn a_clock_that_panics_poisons_nothing() {
    through_a_broken_clock(
        |store| commit(store, &snapshot("new"), LONG),
        |store| {
            commit(store, &snapshot("new"), LONG);
            drop_id(store, "id");
            assert!(prepare(store, "new").is_some() && prepare(store, "id").is_none());
        },
    );
}

const THREADS: usize = 4;
const ROUNDS: usize = 500;

/// Lets every thread do `work`, with its number.
fn concurrently(work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for nth in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(nth));
        }
    });
}

#[test]
fn con_1_no_thread_loses_its_own_entry() {
    let (store, _) = memstore();
    concurrently(|thread| {
        let own = format!("own{thread}");
        for round in 0..ROUNDS {
            let mine = marked(&own, &round.to_string());
            commit(&store, &mine, LONG);
            commit(&store, &snapshot("shared"), LONG);
            drop_id(&store, "shared");
            assert_eq!(prepare(&store, &own), Some(mine));
        }
    });
}

#[test]
fn con_1_no_thread_finds_what_it_has_dropped() {
    let (store, _) = memstore();
    concurrently(|thread| {
        let own = format!("own{thread}");
        for _ in 0..ROUNDS {
            commit(&store, &snapshot(&own), LONG);
            commit(&store, &snapshot("shared"), LONG);
            drop_id(&store, &own);
            assert_eq!(prepare(&store, &own), None);
        }
    });
}

#[test]
fn con_2_no_prepare_mixes_two_threads_commits() {
    let (store, _) = memstore();
    concurrently(|thread| {
        let mine = marked("shared", &thread.to_string());
        for _ in 0..ROUNDS {
            commit(&store, &mine, LONG);
            let found = prepare(&store, "shared").unwrap();
            assert_eq!(found, marked("shared", found.csrf_token()));
        }
    });
}

#[test]
fn mem_4_threads_leave_no_more_than_is_live() {
    let (store, clock) = memstore();
    concurrently(|thread| {
        for round in 0..ROUNDS {
            commit(&store, &snapshot(&format!("{thread} {round}")), TICK);
            clock.advance(TICK);
        }
    });
    assert!(store.len() <= bound(THREADS), "{}", store.len());
}

/// A clock whose every reading is a step later, and which tells the thread what it read.
#[derive(Default)]
struct Stepping(AtomicU64);

thread_local! {
    static READ: Cell<Option<u64>> = const { Cell::new(None) };
}

impl Clock for Stepping {
    fn now(&self) -> Duration {
        let reading = self.0.fetch_add(1, Ordering::SeqCst);
        READ.set(Some(reading));
        // Long enough for another call to get in between, if it can.
        thread::yield_now();
        Duration::from_nanos(reading)
    }
}

/// Calls of one id take effect in the order in which they read the clock:
///
/// ```text
///   one    |--prepare: reads 5 ............... finds v2--|
///   other       |--commit v2: reads 6--|
/// ```
///
/// At 5 there was no v2 yet. So each call holds the lock from its reading to its effect, and in the
/// order of their readings the model explains every reply.
#[test]
fn con_1_calls_take_effect_in_the_order_of_their_clock_readings() {
    let store = MemStore::with_clock(Stepping::default());
    let log = Mutex::new(BTreeMap::new());
    concurrently(|thread| {
        for round in 0..ROUNDS {
            let id = format!("shared{}", round % 3);
            let (op, reply) = if (round + thread).is_multiple_of(2) {
                let ttl = Duration::from_nanos(1 + round as u64 % 20);
                let snapshot = marked(&id, &format!("{thread} {round}"));
                commit(&store, &snapshot, ttl);
                let op = Op::Commit {
                    snapshot: Some(snapshot),
                    ttl: ttl.as_nanos().try_into().unwrap(),
                };
                (op, Reply::Done)
            } else {
                let found = prepare(&store, &id);
                (
                    Op::Prepare { id },
                    found.map_or(Reply::Nothing, Reply::Found),
                )
            };
            // Where there was no entry, the clock was not read, and the call has no place.
            if let Some(reading) = READ.take() {
                log.lock().unwrap().insert(reading, (op, reply));
            }
        }
    });
    let mut model = Model::default();
    for (reading, (op, reply)) in log.into_inner().unwrap() {
        let by = i128::from(reading) - model.now();
        model.step(&Op::Advance { by });
        let expected = model.step(&op);
        assert!(
            expected.admits(&reply),
            "at {reading}: {op:?} gave {reply:?}, and {} asks for {:?}",
            expected.clause,
            expected.reply
        );
    }
}

/// What a thread under the gate has come to.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    ReadsTheClock,
    IsDone,
}

/// A clock that says when it is read, and does not answer before it is told the time.
struct Gate {
    events: mpsc::Sender<Event>,
    times: Mutex<mpsc::Receiver<Duration>>,
}

impl Clock for Gate {
    fn now(&self) -> Duration {
        self.events.send(Event::ReadsTheClock).unwrap();
        self.times.lock().unwrap().recv().unwrap()
    }
}

/// Lets `first` wait for the clock and then begins `second`: what that has come to in the meantime.
fn while_the_clock_is_read(
    first: impl Fn(&MemStore<Gate>) + Sync,
    second: impl Fn(&MemStore<Gate>) + Sync,
) -> Option<Event> {
    let (events, seen) = mpsc::channel();
    let (times, told) = mpsc::channel();
    let store = &MemStore::with_clock(Gate {
        events: events.clone(),
        times: Mutex::new(told),
    });
    let (first, second) = (&first, &second);

    times.send(Duration::ZERO).unwrap();
    commit(store, &snapshot("id"), LONG);
    seen.recv().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || first(store));
        let reads = seen.recv_timeout(Duration::from_secs(10));
        assert_eq!(reads, Ok(Event::ReadsTheClock));
        scope.spawn(move || {
            second(store);
            events.send(Event::IsDone).unwrap();
        });
        // A right store is silent here for as long as anybody listens.
        let meanwhile = seen.recv_timeout(Duration::from_millis(100)).ok();
        for _ in 0..2 {
            times.send(TICK).unwrap();
        }
        meanwhile
    })
}

#[test]
fn con_1_while_a_prepare_reads_the_clock_no_other_call_begins() {
    let prepares = |store: &MemStore<Gate>| drop(prepare(store, "id"));
    let commits = |store: &MemStore<Gate>| commit(store, &snapshot("id"), LONG);
    let drops = |store: &MemStore<Gate>| drop_id(store, "id");
    assert_eq!(while_the_clock_is_read(prepares, prepares), None);
    assert_eq!(while_the_clock_is_read(prepares, commits), None);
    assert_eq!(while_the_clock_is_read(prepares, drops), None);
}

#[test]
fn con_1_while_a_commit_reads_the_clock_no_other_call_begins() {
    let prepares = |store: &MemStore<Gate>| drop(prepare(store, "id"));
    let commits = |store: &MemStore<Gate>| commit(store, &snapshot("id"), LONG);
    let drops = |store: &MemStore<Gate>| drop_id(store, "id");
    assert_eq!(while_the_clock_is_read(commits, prepares), None);
    assert_eq!(while_the_clock_is_read(commits, commits), None);
    assert_eq!(while_the_clock_is_read(commits, drops), None);
}
