//! What is noted of a schedule, and that it is made again as it was.

mod enumerated;
mod held;

use super::*;
use crate::clock::ManualClock;
use crate::conformance::judge::history::Record;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::shape::Poll as Turn;
use crate::conformance::subject::Factory;
use crate::memstore::MemStore;
use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;
use crate::store::{DynStore, Store, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A right store that waits in every call, before it looks at anything.
struct Waits {
    store: MemStore<ManualClock>,
    wait: fn() -> Wait,
}

impl Store for Waits {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        (self.wait)().await;
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        (self.wait)().await;
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        (self.wait)().await;
        Store::drop(&self.store, id).await
    }
}

/// Lets others go first, once.
async fn step_back() {
    let mut has_waited = false;
    poll_fn(|context| {
        if mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn twice() -> Wait {
    Box::pin(async {
        step_back().await;
        step_back().await;
    })
}

/// Sleeps until a thread of its own has waited for a while.
fn for_a_thread() -> Wait {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut is_asleep = false;
    Box::pin(poll_fn(move |context| {
        if is_over.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        if !mem::replace(&mut is_asleep, true) {
            let (is_over, waker) = (Arc::clone(&is_over), context.waker().clone());
            thread::spawn(move || {
                pass(Duration::from_millis(3));
                is_over.store(true, Ordering::SeqCst);
                waker.wake();
            });
        }
        Poll::Pending
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "what a thread of a store waits for, no clock of a test moves"
)]
fn pass(time: Duration) {
    thread::sleep(time);
}

type Make = fn(ManualClock) -> Box<dyn DynStore>;

const STEPS_BACK: Make = |clock| {
    Box::new(Waits {
        store: MemStore::with_clock(clock),
        wait: twice,
    })
};

const SLEEPS: Make = |clock| {
    Box::new(Waits {
        store: MemStore::with_clock(clock),
        wait: for_a_thread,
    })
};

fn run(make: Make, program: &Program, seed: u64) -> Execution {
    let subject = Arc::new(Factory(make));
    let executed = panics::silently(|| execute(&subject, program, &mut Rng::new(seed, 0)));
    executed.expect("there is a store")
}

/// The program that `text` says, in one of the schedules that it leaves open.
fn run_text(make: Make, text: &str, seed: u64) -> Execution {
    run(make, &text.parse().unwrap(), seed)
}

/// All that is noted of calls.
fn told(execution: &Execution) -> Vec<(u32, Op, Option<Outcome>, u64, u64)> {
    let told = |record: &Record| {
        let Record { client, op, .. } = record.clone();
        let (invoked, returned) = (record.invoked, record.returned);
        (client, op, record.outcome.clone(), invoked, returned)
    };
    execution.records.iter().map(told).collect()
}

/// The schedules, in the order of the program.
fn schedules(execution: &Execution) -> Vec<Schedule> {
    let together = execution.program.together().iter();
    together.map(|one| one.schedule.clone()).collect()
}

/// What the last prepare gave.
fn last(execution: &Execution) -> Option<Outcome> {
    execution.records.last()?.outcome.clone()
}

fn found(number: u32) -> Outcome {
    let id = "A".repeat(crate::token::LEN);
    let snapshot = payload::numbered(number.into(), &id);
    Outcome::Replied(Reply::Found(snapshot))
}

const CROWD: &str = "commit A v9 ttl 5s; \
                     together { commit A v1 ttl 1s; prepare A | commit A v2 ttl 1s | drop A; prepare A }; \
                     prepare A";

/// It is brief, and that it mattered is not known.
#[test]
fn a_hold_that_was_drawn_is_not_noted() {
    let program = "s2: together threads { commit A v1 ttl 1s | prepare A }";
    for seed in 0..16 {
        let execution = run_text(STEPS_BACK, program, seed);
        assert_eq!(schedules(&execution), [Schedule::Threads(Vec::new())]);
    }
}

#[test]
fn the_same_seed_draws_the_same_schedule() {
    for seed in 0..50 {
        let schedule = || schedules(&run_text(STEPS_BACK, CROWD, seed));
        assert_eq!(schedule(), schedule());
    }
}

#[test]
fn another_seed_draws_another_schedule() {
    let text = |seed| run_text(STEPS_BACK, CROWD, seed).program.to_string();
    let drawn: BTreeSet<String> = (0..50).map(text).collect();
    assert!(drawn.len() > 40, "{drawn:#?}");
}

#[test]
fn what_was_noted_shows_the_same_calls_again_whatever_the_seed() {
    for seed in 0..50 {
        let first = run_text(STEPS_BACK, CROWD, seed);
        let again = run_text(STEPS_BACK, &first.program.to_string(), seed + 1);
        assert_eq!(told(&again), told(&first), "{}", first.program);
    }
}

#[test]
fn what_was_noted_is_noted_again() {
    for seed in 0..50 {
        let first = run_text(STEPS_BACK, CROWD, seed).program;
        assert_eq!(run(STEPS_BACK, &first, seed + 1).program, first);
    }
}

#[test]
fn tasks_that_the_run_wakes_are_no_matter_of_luck() {
    let luck = |seed| run_text(STEPS_BACK, CROWD, seed).luck;
    assert_eq!((0..50).find_map(luck), None);
}

#[test]
fn a_client_that_has_ended_has_no_turn() {
    let text = "together polls 1 1 1 1 1! 2 1 2 2 { prepare A | prepare A }";
    let [schedule] = &schedules(&run_text(STEPS_BACK, text, 0))[..] else {
        panic!("it has one");
    };
    let [one, other] = [Turn::Woken(0), Turn::Woken(1)];
    assert_eq!(
        *schedule,
        Schedule::Polls(vec![one, one, one, other, other, other])
    );
}

#[test]
fn clients_go_on_to_their_ends_when_no_turn_is_given_any_more() {
    let text = "together polls 2 2 { prepare A; drop A | prepare A }";
    let execution = run_text(STEPS_BACK, text, 0);
    let Schedule::Polls(polls) = &schedules(&execution)[0] else {
        panic!("{}", execution.program);
    };
    assert_eq!(polls[..2], [Turn::Woken(1), Turn::Woken(1)]);
    let mut outcomes = execution.records.iter().map(|record| &record.outcome);
    assert!(outcomes.all(Option::is_some));
    assert_eq!(execution.records.len(), 3);
}

#[test]
fn a_client_that_sleeps_is_waited_for_where_it_is_next() {
    let text = "s2: together polls 1 1 2 2 { commit A v1 ttl 1s | commit A v2 ttl 1s }; prepare A";
    for _ in 0..5 {
        let execution = run_text(SLEEPS, text, 0);
        assert_eq!(execution.program.to_string(), text);
        assert_eq!(last(&execution), Some(found(2)));
    }
}

#[test]
fn a_client_that_sleeps_is_polled_where_that_is_asked_for() {
    let text = "s2: together polls 1 1! 1! 1 { prepare A }";
    let execution = run_text(SLEEPS, text, 0);
    assert_eq!(execution.program.to_string(), text);
}

/// Its commits sleep until something is dropped.
struct WaitsForADrop(MemStore<ManualClock>, Mutex<Gate>);

#[derive(Default)]
struct Gate {
    is_open: bool,
    waiting: Option<Waker>,
}

impl WaitsForADrop {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for WaitsForADrop {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        poll_fn(|context| {
            let mut gate = self.gate();
            gate.waiting = Some(context.waker().clone());
            match gate.is_open {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.gate().is_open = true;
        let waiting = self.gate().waiting.take();
        waiting.into_iter().for_each(Waker::wake);
        Store::drop(&self.0, id).await
    }
}

const WAITS_FOR_A_DROP: Make =
    |clock| Box::new(WaitsForADrop(MemStore::with_clock(clock), Mutex::default()));

#[test]
fn a_turn_passes_of_a_client_that_only_the_next_can_wake() {
    let text = "together polls 1 1 2 { commit A v1 ttl 1s | drop A }";
    let noted = run_text(WAITS_FOR_A_DROP, text, 0).program.to_string();
    assert_eq!(
        noted,
        "s2: together polls 1 2 1 { commit A v1 ttl 1s | drop A }"
    );
}

#[test]
fn calls_that_a_thread_of_the_store_wakes_go_by_luck() {
    for text in [
        "together { prepare A | prepare A }",
        "together polls 1 2 1 2! 2! 2 { prepare A | prepare A }",
        "cancel after 1 poll { drop A }; prepare A",
    ] {
        let luck = run_text(SLEEPS, text, 0).luck;
        assert_eq!(luck, Some(Luck::Woken), "{text}");
    }
}

/// Reads write back what they have read, unless it has expired, to touch it.
struct Touches(ManualClock, Mutex<HashMap<String, (Snapshot, Duration)>>);

impl Touches {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, (Snapshot, Duration)>> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Touches {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let entry = self.entries().get(id).cloned();
        let live = entry.filter(|(_, deadline)| self.0.now() < *deadline);
        if let Some(live) = &live {
            self.entries().insert(id.to_owned(), live.clone());
        }
        Ok(live.map(|(snapshot, _)| snapshot))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let entry = (snapshot.clone(), self.0.now() + ttl);
        self.entries().insert(snapshot.id().to_owned(), entry);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.entries().remove(id);
        Ok(())
    }
}

const TOUCHES: Make = |clock| Box::new(Touches(clock, Mutex::default()));

const LOCKS: Make = |clock| Box::new(MemStore::with_clock(clock));

const ALL_KINDS: &str = "commit A v1 ttl 9s; together { prepare A | prepare B }; advance 1s; \
                         together threads { drop A | drop B }; prepare A; \
                         together polls 2 2 2 1 1 1 { commit A v3 ttl 9s | commit A v2 ttl 9s }; prepare A";

#[test]
fn clients_meet_again_and_again_in_one_program_as_tasks_and_as_threads() {
    let execution = run_text(STEPS_BACK, ALL_KINDS, 0);
    assert_eq!(execution.records.len(), 9);
    let outcome = |at: usize| execution.records[at].outcome.clone();
    assert_eq!(outcome(5), Some(Outcome::Replied(Reply::Nothing)));
    assert_eq!(last(&execution), Some(found(3)));
}

#[test]
fn each_meeting_has_a_schedule_of_its_own() {
    let schedules = schedules(&run_text(STEPS_BACK, ALL_KINDS, 0));
    let [first, second, third] = &schedules[..] else {
        panic!("{schedules:?}");
    };
    assert!(matches!(first, Schedule::Polls(polls) if polls.len() >= 6));
    assert!(matches!(second, Schedule::Threads(_)));
    let [one, other] = [Turn::Woken(0), Turn::Woken(1)];
    assert_eq!(
        *third,
        Schedule::Polls(vec![other, other, other, one, one, one])
    );
}

#[test]
fn every_call_of_clients_comes_after_a_pause() {
    for text in [
        "together pause 3ms { prepare A; drop A; prepare A }",
        "together threads pause 3ms { prepare A; drop A; prepare A | drop A }",
    ] {
        let clock = SystemClock::new();
        run_text(LOCKS, text, 0);
        let took = clock.now();
        assert!(took >= Duration::from_millis(9), "{text} took {took:?}");
    }
}

#[test]
fn others_have_their_turn_in_a_pause() {
    let text = "s2: together polls 1 2 2 1 pause 1ms { drop A | drop A }";
    assert_eq!(run_text(LOCKS, text, 0).program.to_string(), text);
}

#[test]
fn a_call_is_cancelled_as_often_as_the_program_says() {
    let text = "cancel after 1 poll, 5 times { commit A v1 ttl 1s }; prepare A";
    let execution = run_text(STEPS_BACK, text, 0);
    let cancelled = execution
        .records
        .iter()
        .take_while(|it| it.outcome.is_none());
    assert_eq!((cancelled.count(), execution.records.len()), (5, 6));
}

#[test]
fn a_call_that_returns_before_it_is_cancelled_is_made_as_often() {
    let text = "cancel after 9 polls, 3 times { prepare A }";
    let execution = run_text(STEPS_BACK, text, 0);
    let returned = execution.records.iter().filter(|it| it.outcome.is_some());
    assert_eq!(returned.count(), 3);
}

/// Panics when it is asked for what is there.
struct Panics(MemStore<ManualClock>);

impl Store for Panics {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        step_back().await;
        let found = self.0.prepare(id).await?;
        assert!(found.is_none(), "the shelf fell down");
        Ok(found)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        step_back().await;
        Store::drop(&self.0, id).await
    }
}

const PANICS: Make = |clock| Box::new(Panics(MemStore::with_clock(clock)));

#[test]
fn a_call_that_panics_is_the_last_of_its_client_and_of_no_other() {
    for schedule in ["", "threads"] {
        let text = format!(
            "commit A v1 ttl 1s; together {schedule} {{ prepare A; prepare B | drop B; drop B }}"
        );
        let execution = run_text(PANICS, &text, 0);
        let made = |client| {
            execution.records[1..]
                .iter()
                .filter(move |it| it.client == client)
        };
        let panicked = Outcome::Panicked("the shelf fell down".to_owned());
        let outcomes: Vec<_> = made(0).map(|record| record.outcome.clone()).collect();
        assert_eq!(outcomes, [Some(panicked)], "{text}");
        assert_eq!(made(1).count(), 2, "{text}");
    }
}

#[test]
fn a_call_that_panics_while_nobody_else_calls_is_the_last_of_all() {
    let text = "commit A v1 ttl 1s; prepare A; together { prepare A | prepare A }";
    assert_eq!(run_text(PANICS, text, 0).records.len(), 2);
}

/// How often a program is made.
fn times(make: Make, text: &str) -> usize {
    let subject = Arc::new(Factory(make));
    executions(&subject, &text.parse().unwrap(), &mut drop).count()
}

#[test]
fn a_schedule_that_says_all_is_made_once() {
    let text = "together polls 1 2 1 2 1 2 { prepare A | drop A }";
    assert_eq!(times(STEPS_BACK, text), 1);
    assert_eq!(times(STEPS_BACK, "cancel after 1 poll { drop A }"), 1);
    let held = "together threads hold 1 at clock 1 { prepare A | drop A }";
    assert_eq!(times(TOUCHES, held), 1);
}

#[test]
fn a_schedule_that_is_left_open_is_drawn_again_and_again() {
    assert!(times(STEPS_BACK, "together { prepare A | drop A }") >= FEW as usize);
    assert!(times(TOUCHES, "together threads { prepare A | drop A }") >= FEW as usize);
}

#[test]
fn a_schedule_that_goes_by_luck_is_tried_more_than_once() {
    assert!(times(SLEEPS, "together polls 1 1 2 2 { prepare A | drop A }") > 1);
    let held = "commit A v1 ttl 1s; together threads hold 1 at clock 1 { prepare A | drop A }";
    assert!(times(LOCKS, held) > 1);
}
