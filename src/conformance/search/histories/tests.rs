//! What one client shows after many calls is told apart from a race, though the few calls that are needed
//! do not show it.

use super::*;
use crate::clause::Clause;
use crate::clock::ManualClock;
use crate::conformance::Profile;
use crate::conformance::judge::history::Record;
use crate::conformance::judge::runner::Runner;
use crate::conformance::subject::{Factory, Subject, Waiting};
use crate::model::Reply;
use crate::store::BoxError;
use crate::{MemStore, Snapshot, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Its sixth commit is lost, or none is.
struct Counts {
    store: MemStore<ManualClock>,
    left: AtomicU64,
}

impl Store for Counts {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1 => Ok(()),
            _ => self.store.commit(snapshot, ttl).await,
        }
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.store.drop(id).await
    }
}

/// What comes of a history that no order explains, of clients that commit six times together.
fn judged(lost: u64) -> Found {
    let make = move |clock| Counts {
        store: MemStore::with_clock(clock),
        left: AtomicU64::new(lost),
    };
    let (subject, profile) = (Arc::new(Factory(make)), Profile::default());
    let context = Context::of(Runner::new(&subject, &profile, None));
    let commits = "commit A v1 ttl 9s; commit A v2 ttl 9s; commit A v3 ttl 9s";
    let others = commits.replace(" v", " v1");
    let program = format!("together {{ {commits} | {others} }}; prepare A");
    let execution = Execution {
        records: Record::all(&[
            ("commit A v1 ttl 9s", 1, 2, Reply::Done),
            ("prepare A", 3, 4, Reply::Nothing),
        ]),
        program: program.parse().unwrap(),
        luck: None,
        came: Vec::new(),
    };
    let mut found = Found::default();
    judge(&context, execution, Clause::Con1, &mut found);
    found
}

#[test]
fn what_many_calls_of_one_client_show_is_no_race() {
    let found = judged(6);
    assert_eq!((found.sequential, found.anomalies.len()), (1, 0));
}

#[test]
fn what_no_client_alone_shows_is_one() {
    let found = judged(1_000);
    assert_eq!((found.sequential, found.anomalies.len()), (0, 1));
}

#[test]
fn what_one_client_shows_on_a_clock_that_goes_on_is_no_race_of_a_store_that_fails_alone() {
    struct Real;

    impl Subject for Real {
        type Store = MemStore;
        type Clock = Waiting;

        async fn fresh(&self) -> Result<(MemStore, Waiting), BoxError> {
            Ok((MemStore::new(), Waiting))
        }
    }

    let judged = |fails_alone, second| {
        let (subject, profile) = (Arc::new(Real), Profile::default());
        let mut context = Context::of(Runner::new(&subject, &profile, None));
        context.fails_alone = fails_alone;
        let mut records = Record::all(&[
            ("commit A v1 ttl 9s", 1, 2, Reply::Done),
            ("prepare A", 3, 4, Reply::Nothing),
        ]);
        records[0].client = 0;
        records[1].client = second;
        let execution = Execution {
            records,
            program: "together { commit A v1 ttl 9s; prepare A | prepare B }"
                .parse()
                .unwrap(),
            luck: None,
            came: Vec::new(),
        };
        let mut found = Found::default();
        judge(&context, execution, Clause::Con1, &mut found);
        (found.sequential, found.anomalies.len())
    };
    assert_eq!(judged(true, 0), (1, 0));
    assert_eq!(judged(true, 1), (0, 1));
    assert_eq!(judged(false, 0), (0, 1));
}
