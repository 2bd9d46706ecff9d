//! Animals: stores for the kit to judge, each a right store but for the part that makes it wrong.

use session_spec::{Clause, Clock, Constraint, ManualClock, Snapshot, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
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
    pub(crate) marks: BTreeSet<String>,
    /// The ids that a cache holds, the newest last.
    pub(crate) recent: Vec<String>,
    pub(crate) calls: u64,
    /// When something was last written.
    pub(crate) written: u128,
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

    /// The entry that expired and was not removed since.
    pub(crate) fn expired(&self, now: u128, id: &str) -> Option<Entry> {
        let entry = self.entries.get(id).filter(|entry| now >= entry.deadline);
        entry.cloned()
    }

    /// Makes room by removing any entry but that of `id`.
    pub(crate) fn evict_beyond(&mut self, most: usize, id: &str) {
        while self.entries.len() > most {
            let victim = self.entries.keys().find(|key| *key != id).cloned();
            self.entries.remove(&victim.unwrap_or_default());
        }
    }

    /// Keeps a list of deadlines aside, and removes by it.
    pub(crate) fn sweep_by_list(&mut self, now: u128) {
        let (due, later) = std::mem::take(&mut self.aside)
            .into_iter()
            .partition(|(_, entry)| now >= entry.deadline);
        self.aside = later;
        let due: BTreeMap<_, _> = due;
        self.entries.retain(|id, _| !due.contains_key(id));
    }

    /// Puts the deadline of `id` on the list, unless one stands there.
    pub(crate) fn list(&mut self, id: &str) {
        if let Some(entry) = self.entries.get(id).cloned() {
            self.aside.entry(id.to_owned()).or_insert(entry);
        }
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

/// A right one that keeps what was dropped where nobody finds it.
pub(crate) const SETS_ASIDE: Animal = Animal {
    name: "sets aside what is dropped",
    drop: |shelf, _, id| {
        if let Some(entry) = shelf.entries.remove(id) {
            shelf.aside.insert(id.to_owned(), entry);
        }
        Ok(())
    },
    ..RIGHT
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
