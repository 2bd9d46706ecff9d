//! What one client shows after many calls is told apart from a race, though the few calls that are needed
//! do not show it.

use super::*;
use crate::clock::ManualClock;
use crate::conformance::Profile;
use crate::conformance::program::Program;
use crate::conformance::search::plan::Step;
use crate::conformance::subject::Made;
use crate::model::{Op, Reply};
use crate::{MemStore, Snapshot, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
fn judged(lost: u64) -> Concurrent {
    let make = move |clock| Counts {
        store: MemStore::with_clock(clock),
        left: AtomicU64::new(lost),
    };
    let searcher = Searcher {
        subject: &Arc::new(Made(make)),
        profile: &Profile::default(),
        tick: 1_000_000_000,
        deepest: None,
        goes_by_chance: false,
        is_wrong_alone: false,
    };
    let ops = |program: &str| program.parse::<Program>().unwrap().ops().to_vec();
    let client = |program: &str| -> Vec<Step> {
        let polls = usize::MAX;
        let step = |op: Op| Step { op, polls };
        ops(program).into_iter().map(step).collect()
    };
    let commits = "commit A v1 ttl 9s; commit A v2 ttl 9s; commit A v3 ttl 9s";
    let plan = Plan {
        opening: Vec::new(),
        clients: vec![client(commits), client(&commits.replace(" v", " v1"))],
        closing: ops("prepare A"),
        linger: Duration::ZERO,
    };
    let records = Record::all(&[
        ("commit A v1 ttl 9s", 1, 2, Reply::Done),
        ("prepare A", 3, 4, Reply::Nothing),
    ]);
    let mut found = Concurrent::default();
    searcher.judge_long(&plan, Scenario::Tasks, records, &mut found);
    found
}

#[test]
fn what_many_calls_of_one_client_show_is_no_race() {
    let found = judged(6);
    assert_eq!((found.sequential.len(), found.anomalies.len()), (1, 0));
}

#[test]
fn what_no_client_alone_shows_is_one() {
    let found = judged(1_000);
    assert_eq!((found.sequential.len(), found.anomalies.len()), (0, 1));
}
