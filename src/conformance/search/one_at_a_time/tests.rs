//! What is told apart: a wrong order of calls, and a store that one client finds out.

use super::*;
use crate::clause::Clause;
use crate::clock::{ManualClock, SystemClock, WallClock as _};
use crate::conformance::Profile;
use crate::conformance::judge::runner::Runner;
use crate::conformance::judge::schedule::Execution;
use crate::conformance::judge::spans::Span;
use crate::conformance::program::{Program, payload};
use crate::conformance::search::found::Found;
use crate::conformance::search::histories::judge;
use crate::conformance::subject::{Factory, Subject, Waiting};
use crate::model::Reply;
use crate::store::BoxError;
use crate::{DynStore, MemStore, Snapshot, Store, StoreError, token};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// The orders, each by the clients.
fn orders(records: &[Record], most: usize) -> Vec<Vec<u32>> {
    let all: Vec<&Record> = records.iter().collect();
    let mut orders = Vec::new();
    in_orders(&all, &mut Vec::new(), &mut |order| {
        orders.push(order.iter().map(|record| record.client).collect());
        orders.len() < most
    });
    orders
}

#[test]
fn calls_come_in_every_order_that_their_spans_allow() {
    let drop = |invoked, returned| ("drop A", invoked, returned, Reply::Done);
    let records = Record::all(&[drop(1, 2), drop(3, 6), drop(4, 5), drop(7, 8)]);
    assert_eq!(orders(&records, 9), [[0, 1, 2, 3], [0, 2, 1, 3]]);
    assert_eq!(orders(&records, 1), [[0, 1, 2, 3]]);
}

/// Its drops do nothing.
struct Keeps(MemStore<ManualClock>);

impl Store for Keeps {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Judges a history that no order explains.
fn judged<S: Store + 'static>(
    make: impl Fn(ManualClock) -> S + Send + Sync + 'static,
    fails_alone: bool,
) -> Found {
    let (subject, profile) = (Arc::new(Factory(make)), Profile::default());
    let context = Context {
        is_flaky: fails_alone,
        fails_alone,
        ..Context::of(Runner::new(&subject, &profile, None))
    };
    let first = payload::numbered(1, &"A".repeat(token::LEN));
    let calls = [
        ("commit A v1 ttl 2s", 1, 2, Reply::Done),
        ("drop A", 3, 5, Reply::Done),
        ("commit B v1 ttl 2s", 4, 6, Reply::Done),
        ("prepare A", 7, 8, Reply::Found(first)),
    ];
    taken_in(&context, Record::all(&calls))
}

fn taken_in(context: &Context<'_>, records: Vec<Record>) -> Found {
    let execution = Execution {
        records,
        program: Program::default(),
        luck: None,
        came: Vec::new(),
    };
    let mut found = Found::default();
    judge(context, execution, Clause::Con1, &mut found);
    found
}

#[test]
fn what_one_client_shows_in_some_order_of_the_calls_that_are_needed_is_no_race() {
    let found = judged(|clock| Keeps(MemStore::with_clock(clock)), false);
    assert_eq!((found.sequential, found.anomalies.len()), (1, 0));
    let found = judged(MemStore::with_clock, false);
    assert_eq!((found.sequential, found.anomalies.len()), (0, 1));
}

/// Of every third store, the drops do nothing.
fn seldom() -> impl Fn(ManualClock) -> Box<dyn DynStore> {
    let made = AtomicUsize::new(0);
    move |clock| {
        let store = MemStore::with_clock(clock);
        match made.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => Box::new(Keeps(store)),
            _ => Box::new(store),
        }
    }
}

#[test]
fn what_one_client_shows_now_and_then_is_a_race_unless_it_has_shown_more() {
    let found = judged(seldom(), false);
    assert_eq!((found.sequential, found.anomalies.len()), (0, 1));
    let found = judged(seldom(), true);
    assert_eq!((found.sequential, found.anomalies.len()), (1, 0));
}

/// Its entries outlive their deadlines by far.
struct Overdue(MemStore);

impl Store for Overdue {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl + Duration::from_secs(60)).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

struct WaitedFor;

impl Subject for WaitedFor {
    type Store = Overdue;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Overdue, Waiting), BoxError> {
        Ok((Overdue(MemStore::new()), Waiting))
    }
}

#[test]
fn what_one_client_shows_after_the_same_time_is_no_race() {
    let (subject, profile) = (Arc::new(WaitedFor), Profile::default());
    let context = Context::of(Runner::new(&subject, &profile, None));
    let first = payload::numbered(1, &"A".repeat(token::LEN));
    let mut records = Record::all(&[
        ("commit A v1 ttl 2ms", 1, 2, Reply::Done),
        ("prepare A", 3, 4, Reply::Found(first)),
    ]);
    for (record, from) in records.iter_mut().zip([1_000_000, 7_000_000]) {
        let to = from + 1_000;
        record.clock = Span { from, to };
    }
    let found = taken_in(&context, records);
    assert_eq!((found.sequential, found.anomalies.len()), (1, 0));
}

/// An entry is gone when a whole second of the wall clock has begun.
#[derive(Default)]
struct Forgetful(Mutex<Option<(Snapshot, u64)>>);

fn second() -> u64 {
    let since = SystemClock::new()
        .system_time()
        .duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

impl Store for Forgetful {
    async fn prepare(&self, _: &str) -> Result<Option<Snapshot>, StoreError> {
        let entry = self.0.lock().unwrap().clone();
        Ok(entry.and_then(|(snapshot, since)| (since == second()).then_some(snapshot)))
    }

    async fn commit(&self, snapshot: &Snapshot, _: Duration) -> Result<(), StoreError> {
        *self.0.lock().unwrap() = Some((snapshot.clone(), second()));
        Ok(())
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

struct OnTheWall;

impl Subject for OnTheWall {
    type Store = Forgetful;
    type Clock = Waiting;

    async fn fresh(&self) -> Result<(Forgetful, Waiting), BoxError> {
        Ok((Forgetful::default(), Waiting))
    }
}

/// Begun at a whole second, at a tenth, or just before either, such a program meets the next second or not; begun
/// at all of them, it does.
#[test]
fn what_takes_a_phase_of_the_clock_is_found_at_some() {
    let (subject, profile) = (Arc::new(OnTheWall), Profile::default());
    let context = Context::of(Runner::new(&subject, &profile, None));
    let program: Program = "commit A v1 ttl 9s; advance 900ms; prepare A"
        .parse()
        .unwrap();
    let caught = at_some_phase(&context, vec![program.ops().to_vec()], 1);
    assert!(caught.is_some_and(|caught| caught.failure.at == 2));
}
