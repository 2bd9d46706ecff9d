//! Backends that go away in the midst of a check: that is no defect of the store.

use session_spec::conformance::{Profile, Report, Subject, Verdict, check_subject};
use session_spec::store::BoxError;
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A server that answers so many calls, and is down from then on, or only for one.
struct Server {
    calls: AtomicU64,
    is_down: fn(u64) -> bool,
    drops: bool,
}

impl Server {
    fn answer(&self) -> Result<(), StoreError> {
        match (self.is_down)(self.calls.fetch_add(1, Ordering::SeqCst)) {
            true => Err(StoreError::Backend {
                store: "far",
                source: "connection refused".into(),
            }),
            false => Ok(()),
        }
    }
}

struct Client {
    server: Arc<Server>,
    store: MemStore<ManualClock>,
}

impl Store for Client {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.server.answer()?;
        self.store.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.server.answer()?;
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.server.answer()?;
        match self.server.drops {
            true => Store::drop(&self.store, id).await,
            false => Ok(()),
        }
    }
}

struct Far {
    server: Arc<Server>,
    is_remote: bool,
}

impl Subject for Far {
    type Store = Client;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Client, ManualClock), BoxError> {
        let (clock, server) = (ManualClock::new(), Arc::clone(&self.server));
        let store = MemStore::with_clock(clock.clone());
        Ok((Client { server, store }, clock))
    }

    fn profile(&self) -> Profile {
        match self.is_remote {
            true => Profile::default().remote(),
            false => Profile::default(),
        }
    }
}

fn checked(is_down: fn(u64) -> bool, drops: bool, is_remote: bool) -> Report {
    let calls = AtomicU64::new(0);
    let server = Server {
        calls,
        is_down,
        drops,
    };
    let server = Arc::new(server);
    let check = check_subject(Far { server, is_remote });
    check.depth(3).sequences(100).clients(1).seed(1).run()
}

fn clauses(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

#[test]
fn of_a_backend_that_is_gone_nothing_is_decided() {
    let report = checked(|call| call >= 3_000, true, true);
    assert_eq!(report.violations, [], "{report}");
    let Verdict::Undecided(reason) = &report.verdict else {
        panic!("{report}");
    };
    assert!(reason.starts_with("the backend is gone since "), "{reason}");
    assert!(reason.contains("in the exhaustive search"), "{reason}");
}

#[test]
fn what_was_found_before_the_backend_was_gone_stands() {
    let report = checked(|call| call >= 60_000, false, true);
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
    assert_eq!(clauses(&report), [Clause::Drp1], "{report}");
    let mut notes = report.notes.iter();
    assert!(
        notes.any(|note| note.starts_with("the backend is gone")),
        "{report}"
    );
}

#[test]
fn a_backend_that_comes_back_is_not_gone() {
    let report = checked(|call| call == 3_000, true, true);
    assert_eq!(report.violations, [], "{report}");
    let mut notes = report.notes.iter();
    assert!(
        !notes.any(|note| note.starts_with("the backend")),
        "{report}"
    );
}

/// In this process there is nothing that could be gone.
#[test]
fn a_store_of_this_process_that_fails_ever_after_is_a_finding() {
    let report = checked(|call| call >= 3_000, true, false);
    assert_eq!(report.verdict, Verdict::Violated, "{report}");
}
