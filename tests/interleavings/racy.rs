//! Racy: stores that one client at a time finds right.

use crate::explore::Subject;
use loom::sync::{Mutex, MutexGuard};
use session_spec::{Clock, ManualClock, Snapshot, Store, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a store does in two critical sections, and should in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A prepare finds the entry expired, and then frees what is there.
    FreesAfterLooking,
    /// A commit finds out what has expired, and then frees what is there.
    SweepsAfterLooking,
    /// A commit removes the old entry, and then inserts the new one.
    ReplacesInTwo,
    /// A prepare that reads the shelf puts what it found in a cache, where a drop has just been.
    RefillsCache,
    /// The clock is read before the lock is taken. No flaw: a call goes by any moment of its span.
    ReadsClockFirst,
}

type Entries = BTreeMap<String, (Snapshot, Duration)>;

/// A map behind a lock.
pub(crate) struct Racy {
    flaw: Flaw,
    clock: ManualClock,
    shelf: Mutex<Entries>,
    cache: Mutex<Entries>,
}

impl Racy {
    pub(crate) fn new(flaw: Flaw, clock: ManualClock) -> Self {
        Self {
            flaw,
            clock,
            shelf: Mutex::default(),
            cache: Mutex::default(),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn shelf(&self) -> MutexGuard<'_, Entries> {
        self.shelf.lock().unwrap()
    }

    fn cache(&self) -> MutexGuard<'_, Entries> {
        self.cache.lock().unwrap()
    }

    /// The lock let go and taken again.
    fn shelf_again<'a>(&'a self, shelf: MutexGuard<'a, Entries>) -> MutexGuard<'a, Entries> {
        drop(shelf);
        self.shelf()
    }

    /// The lock and the time.
    fn begin(&self) -> (MutexGuard<'_, Entries>, Duration) {
        if self.has(Flaw::ReadsClockFirst) {
            let now = self.clock.now();
            return (self.shelf(), now);
        }
        let shelf = self.shelf();
        (shelf, self.clock.now())
    }
}

impl Store for Racy {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        if self.has(Flaw::RefillsCache) {
            let cached = self.cache().get(id).cloned();
            if let Some((snapshot, deadline)) = cached
                && self.clock.now() < deadline
            {
                return Ok(Some(snapshot));
            }
        }
        let (mut shelf, now) = self.begin();
        let Some((snapshot, deadline)) = shelf.get(id).cloned() else {
            return Ok(None);
        };
        if now < deadline {
            if self.has(Flaw::RefillsCache) {
                drop(shelf);
                self.cache()
                    .insert(id.to_owned(), (snapshot.clone(), deadline));
            }
            return Ok(Some(snapshot));
        }
        if self.has(Flaw::FreesAfterLooking) {
            shelf = self.shelf_again(shelf);
        }
        shelf.remove(id);
        Ok(None)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let id = snapshot.id().to_owned();
        let (mut shelf, now) = self.begin();
        if self.has(Flaw::ReplacesInTwo) {
            shelf.remove(&id);
            shelf = self.shelf_again(shelf);
        }
        let is_over = |(_, (_, deadline)): &(&String, &(_, Duration))| *deadline <= now;
        let expired: Vec<_> = shelf
            .iter()
            .filter(is_over)
            .map(|(id, _)| id.clone())
            .collect();
        if self.has(Flaw::SweepsAfterLooking) {
            shelf = self.shelf_again(shelf);
        }
        for id in expired {
            shelf.remove(&id);
        }
        shelf.insert(id.clone(), (snapshot.clone(), now.saturating_add(ttl)));
        if self.has(Flaw::RefillsCache) {
            self.cache().remove(&id);
        }
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let mut shelf = self.shelf();
        shelf.remove(id);
        if self.has(Flaw::RefillsCache) {
            self.cache().remove(id);
        }
        Ok(())
    }
}

impl Subject for Racy {
    fn held(&self) -> usize {
        self.shelf().len()
    }
}
