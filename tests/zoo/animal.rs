//! Animals: stores for the kit to judge, each a right store but for the part that makes it wrong.

use session_spec::{Clause, Clock, Constraint, ManualClock, Snapshot, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub(crate) type Reply<T> = Result<T, StoreError>;

/// A store, and the clause it must be caught under; none for an odd but right one.
#[derive(Clone, Copy)]
pub(crate) struct Animal {
    pub(crate) name: &'static str,
    pub(crate) clause: Option<Clause>,
    pub(crate) prepare: fn(&mut Shelf, u128, &str) -> Reply<Option<Snapshot>>,
    pub(crate) commit: fn(&mut Shelf, u128, &Snapshot, Duration) -> Reply<()>,
    pub(crate) drop: fn(&mut Shelf, u128, &str) -> Reply<()>,
}

/// What an animal remembers. Times are nanoseconds on its clock.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// Whatever else the animal keeps, by id.
    pub(crate) aside: BTreeMap<String, Entry>,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) snapshot: Snapshot,
    pub(crate) deadline: u128,
}

impl Shelf {
    pub(crate) fn put(&mut self, now: u128, snapshot: &Snapshot, ttl: Duration) {
        let entry = Entry {
            snapshot: snapshot.clone(),
            deadline: now + ttl.as_nanos(),
        };
        self.entries.insert(snapshot.id().to_owned(), entry);
    }

    pub(crate) fn live(&self, now: u128, id: &str) -> Option<&Entry> {
        self.entries.get(id).filter(|entry| now < entry.deadline)
    }
}

/// What a right store does; wrong ones say `..RIGHT` for all but their own part.
pub(crate) const RIGHT: Animal = Animal {
    name: "right",
    clause: None,
    prepare: |shelf, now, id| Ok(shelf.live(now, id).map(|entry| entry.snapshot.clone())),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        shelf.put(now, snapshot, ttl);
        Ok(())
    },
    drop: |shelf, _, id| {
        shelf.entries.remove(id);
        Ok(())
    },
};

pub(crate) fn refused<T>(constraint: Constraint) -> Reply<T> {
    Err(StoreError::Refused {
        store: "zoo",
        constraint,
    })
}

pub(crate) fn failed<T>(reason: &str) -> Reply<T> {
    Err(StoreError::Backend {
        store: "zoo",
        source: reason.into(),
    })
}

pub(crate) fn validate(snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
    if snapshot.id().is_empty() {
        refused(Constraint::EmptyId)
    } else if ttl.is_zero() {
        refused(Constraint::TtlNotPositive)
    } else {
        Ok(())
    }
}

/// An animal at work.
pub(crate) struct Cage {
    animal: Animal,
    clock: ManualClock,
    shelf: Mutex<Shelf>,
}

impl Cage {
    pub(crate) fn new(animal: Animal, clock: ManualClock) -> Self {
        Self {
            animal,
            clock,
            shelf: Mutex::default(),
        }
    }

    fn with<T>(&self, call: impl FnOnce(&mut Shelf, u128) -> T) -> T {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        call(&mut shelf, self.clock.now().as_nanos())
    }
}

impl Store for Cage {
    async fn prepare(&self, id: &str) -> Reply<Option<Snapshot>> {
        self.with(|shelf, now| (self.animal.prepare)(shelf, now, id))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
        self.with(|shelf, now| (self.animal.commit)(shelf, now, snapshot, ttl))
    }

    async fn drop(&self, id: &str) -> Reply<()> {
        self.with(|shelf, now| (self.animal.drop)(shelf, now, id))
    }
}
