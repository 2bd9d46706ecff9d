//! Gaps: the calls of [`MemStore`] as they would be if its lock were released in their midst. So they are wrong,
//! and the kit's own schedules have to find it.

use super::{Entry, MemStore};
use crate::clause::Clause;
use crate::clock::{Clock as _, ManualClock};
use crate::conformance::check;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::time::Duration;

/// Where the lock is released.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nowhere.
    None,
    /// Between the look at an entry and taking it off, if it has expired.
    Prepare,
    /// Between taking the old entry off and putting the new one there.
    Commit,
}

struct Gaps(MemStore<ManualClock>, Gap);

impl Store for Gaps {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let Self(store, gap) = self;
        if *gap != Gap::Prepare {
            return store.prepare(id).await;
        }
        let shelf = store.lock();
        let known = shelf.entries.get(id);
        let Some((snapshot, is_live)) =
            known.map(|entry| (entry.snapshot.clone(), entry.is_live(store.clock.now())))
        else {
            return Ok(None);
        };
        drop(shelf);
        if is_live {
            return Ok(Some(snapshot));
        }
        drop(snapshot);
        drop(store.lock().take(id));
        Ok(None)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let Self(store, gap) = self;
        if *gap != Gap::Commit || snapshot.id().is_empty() || ttl.is_zero() {
            return store.commit(snapshot, ttl).await;
        }
        let replaced = store.lock().take(snapshot.id());
        drop(replaced);
        let mut shelf = store.lock();
        let deadline = store.clock.now().checked_add(ttl);
        let snapshot = snapshot.clone();
        let replaced = shelf.put(Entry { snapshot, deadline });
        drop(shelf);
        drop(replaced);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.0, id).await
    }
}

/// Where it is found, and in which schedule.
fn found(gap: Gap) -> Vec<(Clause, String)> {
    let make = move |clock| Gaps(MemStore::with_clock(clock), gap);
    let report = check(make)
        .depth(2)
        .sequences(2_000)
        .seed(1)
        .isolate(false)
        .run();
    let found = report.violations.iter();
    let found = found.map(|found| (found.clause, found.program.to_string()));
    found.collect()
}

#[test]
fn con_1_a_lock_that_is_released_in_the_midst_of_a_call_is_found() {
    assert_eq!(found(Gap::None), []);
    let prepare = "s2: commit A v1 ttl 1s; advance 1s; \
                   together threads hold 2 at release 1 { commit A v2 ttl 1s | prepare A }; prepare A";
    assert_eq!(found(Gap::Prepare), [(Clause::Con1, prepare.to_owned())]);
    let commit = "s2: commit A v1 ttl 1s; \
                  together threads hold 1 at release 3 { commit A v2 ttl 1s | prepare A }";
    assert_eq!(found(Gap::Commit), [(Clause::Con1, commit.to_owned())]);
}
