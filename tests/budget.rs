//! The budget of a check: how long it takes, whatever a call takes.

use session_spec::conformance::{Check, Subject, Verdict, check};
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError};
use std::time::Duration;

/// Every call takes its time. Drops do nothing, if that is how it is.
struct Far {
    store: MemStore<ManualClock>,
    drops: bool,
}

#[expect(clippy::disallowed_methods, reason = "it waits for a network")]
fn travel() {
    std::thread::sleep(Duration::from_millis(25));
}

impl Store for Far {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        travel();
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        travel();
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        travel();
        match self.drops {
            true => Store::drop(&self.store, id).await,
            false => Ok(()),
        }
    }
}

fn checked(drops: bool, budget: Duration) -> Check<impl Subject> {
    let make = move |clock| Far {
        store: MemStore::with_clock(clock),
        drops,
    };
    check(make).budget(budget).clients(1).seed(1)
}

#[test]
fn what_a_budget_leaves_out_is_told() {
    let report = checked(true, Duration::from_secs(1)).run();
    assert_eq!(report.violations, [], "{report}");
    let mut notes = report.notes.iter();
    let is_told =
        |note: &String| note.starts_with("programs that were left out by a budget of 1s: ");
    assert!(notes.any(is_told), "{report}");
}

#[test]
fn a_slow_store_is_found_out_within_its_budget() {
    let check = checked(false, Duration::from_secs(20)).isolate(false);
    let report = check.depth(1).sequences(20).run();
    let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
    assert_eq!(found, [Clause::Drp1], "{report}");
}

#[test]
fn a_budget_of_nothing_is_misuse() {
    let report = checked(true, Duration::ZERO).run();
    let Verdict::Misused(reason) = &report.verdict else {
        panic!("{report}");
    };
    assert!(reason.starts_with("Check::budget is 0s"), "{reason}");
}
