use super::*;
use crate::conformance::judge::runner::Runner;
use crate::conformance::subject::Factory;
use crate::conformance::subject::profile::Profile;
use crate::memstore::MemStore;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// All sequences of letters, told apart only by how A and B are called.
fn naively(length: usize) -> u64 {
    let mut seen = HashSet::new();
    let letters = ALPHABET.len();
    for number in 0..letters.pow(u32::try_from(length).unwrap()) {
        let program: Vec<usize> = (0..length)
            .map(|place| number / letters.pow(u32::try_from(place).unwrap()) % letters)
            .collect();
        seen.insert(canonical(&program));
    }
    seen.len() as u64
}

/// The program with A and B exchanged, if that is the lesser one.
fn canonical(program: &[usize]) -> Vec<String> {
    let spelled = |exchange: bool| -> Vec<String> {
        let name = |id| match (id, exchange) {
            (A, true) => B,
            (B, true) => A,
            _ => id,
        };
        let spell = |letter: &usize| match ALPHABET[*letter] {
            Letter::Prepare(id) => format!("prepare {}", name(id)),
            Letter::Commit(id, ticks) => format!("commit {} {ticks}", name(id)),
            Letter::Drop(id) => format!("drop {}", name(id)),
            Letter::Advance(ticks) => format!("advance {ticks}"),
        };
        program.iter().map(spell).collect()
    };
    spelled(false).min(spelled(true))
}

fn scope() -> Scope {
    Scope::new(&Supported::default(), 1_000_000_000)
}

#[test]
fn programs_are_those_that_the_walk_runs() {
    let listed = programs(&scope(), 3);
    assert_eq!(listed.count() as u64, programs_of(3));
    assert!(programs(&scope(), 2).all(|ops| ops.len() == 2 + 4));
}

#[test]
fn naming_by_first_use_loses_no_program_and_counts_none_twice() {
    for length in 0..=3 {
        assert_eq!(programs_of(length), naively(length), "length {length}");
    }
}

/// What the search comes to for a store that `make` makes.
fn walked<S: Store + 'static>(
    depth: usize,
    make: impl Fn(ManualClock) -> S + Send + Sync + 'static,
) -> Found {
    let (subject, profile) = (Arc::new(Factory(make)), Profile::default());
    let mut context = Context::of(Runner::new(&subject, &profile, None));
    context.budget.depth = depth;
    run(&context).unwrap()
}

#[test]
fn every_program_is_run_once() {
    let made = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&made);
    let found = walked(3, move |clock| {
        count.fetch_add(1, Ordering::Relaxed);
        MemStore::with_clock(clock)
    });
    let (total, made) = (programs_up_to(3), made.load(Ordering::Relaxed));
    assert_eq!((found.tally.programs, made), (total, total));
}

#[test]
fn each_program_is_followed_by_a_prepare_of_every_id() {
    let found = walked(2, MemStore::with_clock);
    let steps: u64 = (1..=2)
        .map(|length| programs_of(length) * (length as u64 + 4))
        .sum();
    assert_eq!(found.tally.steps, steps);
}

/// A store of which one call may fail, and no other after it.
struct FailsOnce(MemStore<ManualClock>, AtomicBool);

impl FailsOnce {
    fn call(&self) -> Result<(), StoreError> {
        match self.1.swap(false, Ordering::SeqCst) {
            false => Ok(()),
            true => Err(StoreError::Backend {
                store: "once",
                source: "the line broke".into(),
            }),
        }
    }
}

impl Store for FailsOnce {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.call()?;
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.call()?;
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.call()?;
        Store::drop(&self.0, id).await
    }
}

/// No shorter program has shown it: the first call of the third program of two fails.
#[test]
fn what_comes_once_in_the_midst_of_a_program_is_caught() {
    let (made, third) = (AtomicU64::new(0), programs_of(1) + 2);
    let found = walked(2, move |clock| {
        let fails = made.fetch_add(1, Ordering::SeqCst) == third;
        FailsOnce(MemStore::with_clock(clock), AtomicBool::new(fails))
    });
    let caught: Vec<usize> = found
        .caught
        .values()
        .map(|caught| caught.ops.len())
        .collect();
    assert_eq!(caught, [1]);
}
