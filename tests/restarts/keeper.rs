//! Keepers: stores that write to a disk and read it when they are opened, each right but for the
//! part that makes it wrong.

use session_spec::conformance::{Profile, Subject};
use session_spec::store::BoxError;
use session_spec::{Clause, Clock, Constraint, ManualClock, Snapshot, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A store over a disk, and the clause it must be caught under; none for a right one.
#[derive(Clone, Copy)]
pub(crate) struct Keeper {
    pub(crate) name: &'static str,
    pub(crate) clause: Option<Clause>,
    pub(crate) claims: fn() -> Profile,
    /// Whether an entry is live at a time, by its deadline.
    pub(crate) is_live: fn(u128, u128) -> bool,
    /// What reaches the disk of a write.
    pub(crate) write: fn(&mut Disk, Line),
    /// What is made of the disk when the store is opened.
    pub(crate) open: fn(&mut Disk, u128) -> Result<Entries, BoxError>,
}

/// What outlives the store. Times are nanoseconds on its clock.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) log: Vec<Line>,
    /// Not written yet.
    pub(crate) buffer: Vec<Line>,
    /// The entries as they once were.
    pub(crate) checkpoint: Entries,
    pub(crate) opened: u32,
}

#[derive(Clone)]
pub(crate) enum Line {
    Put(Entry),
    Gone(String),
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) snapshot: Snapshot,
    pub(crate) ttl: u128,
    pub(crate) deadline: u128,
}

pub(crate) type Entries = BTreeMap<String, Entry>;

/// What a durable store does; others say `..DURABLE` for all but their own part.
pub(crate) const DURABLE: Keeper = Keeper {
    name: "appends to a log and reads it",
    clause: None,
    claims: || Profile::default().durable(),
    is_live: |now, deadline| now < deadline,
    write: |disk, line| disk.log.push(line),
    open: |disk, _| Ok(replayed(&disk.log)),
};

/// What the lines of a log come to, one after another.
pub(crate) fn replayed<'a>(log: impl IntoIterator<Item = &'a Line>) -> Entries {
    let mut entries = Entries::new();
    for line in log {
        match line {
            Line::Put(entry) => {
                entries.insert(entry.snapshot.id().to_owned(), entry.clone());
            }
            Line::Gone(id) => {
                entries.remove(id);
            }
        }
    }
    entries
}

/// A keeper at work.
pub(crate) struct Desk {
    keeper: Keeper,
    clock: ManualClock,
    disk: Arc<Mutex<Disk>>,
    entries: Mutex<Entries>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn open(keeper: Keeper, clock: ManualClock, disk: Arc<Mutex<Disk>>) -> Result<Self, BoxError> {
        let entries = {
            let mut disk = lock(&disk);
            disk.opened += 1;
            (keeper.open)(&mut disk, clock.now().as_nanos())?
        };
        Ok(Self {
            keeper,
            clock,
            disk,
            entries: Mutex::new(entries),
        })
    }

    fn refused(constraint: Constraint) -> StoreError {
        StoreError::Refused {
            store: "keeper",
            constraint,
        }
    }
}

impl Store for Desk {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let now = self.clock.now().as_nanos();
        let entries = lock(&self.entries);
        let live = entries
            .get(id)
            .filter(|entry| (self.keeper.is_live)(now, entry.deadline));
        Ok(live.map(|entry| entry.snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        if snapshot.id().is_empty() {
            return Err(Self::refused(Constraint::EmptyId));
        }
        if ttl.is_zero() {
            return Err(Self::refused(Constraint::TtlNotPositive));
        }
        let entry = Entry {
            snapshot: snapshot.clone(),
            ttl: ttl.as_nanos(),
            deadline: self.clock.now().as_nanos() + ttl.as_nanos(),
        };
        let mut entries = lock(&self.entries);
        (self.keeper.write)(&mut lock(&self.disk), Line::Put(entry.clone()));
        entries.insert(snapshot.id().to_owned(), entry);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let mut entries = lock(&self.entries);
        (self.keeper.write)(&mut lock(&self.disk), Line::Gone(id.to_owned()));
        entries.remove(id);
        Ok(())
    }
}

impl Subject for Keeper {
    type Store = Desk;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Desk, ManualClock), BoxError> {
        let clock = ManualClock::new();
        let desk = Desk::open(*self, clock.clone(), Arc::default())?;
        Ok((desk, clock))
    }

    async fn restart(
        &self,
        store: Desk,
        clock: ManualClock,
    ) -> Result<(Desk, ManualClock), BoxError> {
        let disk = Arc::clone(&store.disk);
        drop(store);
        Ok((Desk::open(*self, clock.clone(), disk)?, clock))
    }

    fn profile(&self) -> Profile {
        (self.claims)()
    }
}
