//! `MemStore`: sessions in this process's memory.

use crate::clock::{Clock, SystemClock};
use crate::constraint::Constraint;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use crate::sync::{Mutex, MutexGuard};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::Duration;
use std::{fmt, mem};

/// A real [`Store`] in memory, for one process: development, tests, and services that may lose
/// their sessions at a restart.
///
/// It keeps the contract of [`Store`] as it stands there. Beyond it:
///
/// - An expired entry is freed at the latest when it is prepared (MEM-1), and memory stays bounded
///   by the live entries although no thread runs: every commit frees up to two entries that have
///   expired, those of the earliest deadline first (MEM-4).
/// - A clock that panics under the store poisons nothing: the call had no effect.
///
/// ```
/// # use session_spec::{ManualClock, MemStore};
/// # use std::time::Duration;
/// let clock = ManualClock::new();
/// let store = MemStore::with_clock(clock.clone());
/// clock.advance(Duration::from_secs(1)); // the store's time is the test's (MEM-2)
/// # assert!(store.is_empty());
/// ```
pub struct MemStore<C = SystemClock> {
    clock: C,
    shelf: Mutex<Shelf>,
}

const NAME: &str = "memstore";

/// Expired entries that a commit frees at most.
///
/// They are freed in the order of their deadlines, so what had expired at some moment goes before
/// whatever expires later, and as many commits as there were such entries free them all, and twice
/// over (MEM-4). One for each commit would do for that; with two, a store under a steady load of
/// short lives also works off what a burst left behind.
const FREED_PER_COMMIT: usize = 2;

/// Entries by id, and the same entries by deadline.
///
/// The id is kept beside the snapshot, not looked up in it: a prepare then waits for memory once
/// where it would wait twice.
#[derive(Default)]
struct Shelf {
    entries: HashMap<Box<str>, Entry>,
    /// Exactly the entries that have a deadline.
    deadlines: BTreeSet<Due>,
}

/// A snapshot until its deadline.
struct Entry {
    snapshot: Snapshot,
    /// On the store's clock; `None` beyond what the clock can show.
    deadline: Option<Duration>,
}

/// An entry in the order of deadlines.
struct Due {
    deadline: Duration,
    snapshot: Snapshot,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_id = || self.snapshot.id().cmp(other.snapshot.id());
        self.deadline.cmp(&other.deadline).then_with(by_id)
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

impl Entry {
    fn is_live(&self, now: Duration) -> bool {
        self.deadline.is_none_or(|deadline| now < deadline)
    }

    fn due(&self) -> Option<Due> {
        Some(Due {
            deadline: self.deadline?,
            snapshot: self.snapshot.clone(),
        })
    }
}

impl Shelf {
    /// Puts `entry` in place of the one under its id, which is returned.
    fn put(&mut self, entry: Entry) -> Option<Entry> {
        let due = entry.due();
        let replaced = match self.entries.get_mut(entry.snapshot.id()) {
            Some(known) => Some(mem::replace(known, entry)),
            None => self.entries.insert(entry.snapshot.id().into(), entry),
        };
        self.forget_deadline(replaced.as_ref());
        self.deadlines.extend(due);
        replaced
    }

    fn take(&mut self, id: &str) -> Option<Entry> {
        let taken = self.entries.remove(id);
        self.forget_deadline(taken.as_ref());
        self.give_back();
        taken
    }

    /// Takes the entry of the earliest deadline, if that is over.
    fn take_expired(&mut self, now: Duration) -> Option<Entry> {
        let first = self.deadlines.first()?;
        if now < first.deadline {
            return None;
        }
        let id = first.snapshot.clone();
        self.take(id.id())
    }

    fn forget_deadline(&mut self, entry: Option<&Entry>) {
        if let Some(due) = entry.and_then(Entry::due) {
            self.deadlines.remove(&due);
        }
    }

    /// Returns the room of many freed entries to the allocator.
    fn give_back(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > 4 * len + 64 {
            self.entries.shrink_to(2 * len);
        }
    }
}

impl MemStore {
    /// An empty store on the machine's monotonic clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock::new())
    }
}

impl Default for MemStore {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock> MemStore<C> {
    /// An empty store on `clock` (MEM-2).
    pub fn with_clock(clock: C) -> Self {
        Self {
            clock,
            shelf: Mutex::default(),
        }
    }

    /// How many entries are held: the live ones, and expired ones not freed yet (MEM-4).
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shelf is whole whenever the lock is free: nothing that can panic runs between two of
    /// its changes. So a poisoned lock means nothing here.
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Each call reads the clock under the lock. Read before it, a prepare could wait for the lock
    // while a commit on a later time goes first, and calls would take effect in another order than
    // their times (CON-1). What a call takes off the shelf is freed after the lock.

    fn prepare_now(&self, id: &str) -> Option<Snapshot> {
        let mut shelf = self.lock();
        let entry = shelf.entries.get(id)?;
        if entry.is_live(self.clock.now()) {
            return Some(entry.snapshot.clone());
        }
        let expired = shelf.take(id);
        drop(shelf);
        drop(expired);
        None
    }

    fn commit_now(&self, snapshot: &Snapshot, ttl: Duration) {
        let mut shelf = self.lock();
        let now = self.clock.now();
        let replaced = shelf.put(Entry {
            snapshot: snapshot.clone(),
            deadline: now.checked_add(ttl),
        });
        let expired = [(); FREED_PER_COMMIT].map(|()| shelf.take_expired(now));
        drop(shelf);
        drop((replaced, expired));
    }

    fn drop_now(&self, id: &str) {
        let taken = self.lock().take(id);
        drop(taken);
    }
}

impl<C: Clock> Store for MemStore<C> {
    /// Implements [`Store::prepare`].
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.prepare_now(id))
    }

    /// Implements [`Store::commit`].
    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let refused = |constraint| StoreError::Refused {
            store: NAME,
            constraint,
        };
        if snapshot.id().is_empty() {
            return Err(refused(Constraint::EmptyId));
        }
        if ttl.is_zero() {
            return Err(refused(Constraint::TtlNotPositive));
        }
        self.commit_now(snapshot, ttl);
        Ok(())
    }

    /// Implements [`Store::drop`].
    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.drop_now(id);
        Ok(())
    }
}

/// Shows how many entries are held, and none of them (SES-8).
impl<C: Clock> fmt::Debug for MemStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemStore")
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "conformance", not(session_spec_loom)))]
mod gaps;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::data::Data;

    /// Only from in here can be seen how much room the map keeps.
    #[test]
    fn mem_4_the_room_of_freed_entries_is_given_back() {
        let clock = ManualClock::new();
        let store = MemStore::with_clock(clock.clone());
        let commit = |id: String, ttl| {
            store.commit_now(&Snapshot::new(id, "", None, Data::default()), ttl);
        };
        for number in 0..10_000 {
            commit(number.to_string(), Duration::from_nanos(1));
        }
        clock.advance(Duration::from_nanos(1));
        for _ in 0..10_000 {
            commit("one".to_owned(), Duration::MAX);
        }
        let room = store.lock().entries.capacity();
        assert!(room <= 4 * store.len() + 64, "room for {room}");
    }

    /// As above. Giving room back moves every entry, so it may not happen at every drop.
    #[test]
    fn mem_4_room_is_given_back_in_few_steps_that_leave_room_to_grow() {
        let store = MemStore::new();
        for number in 0..2_000 {
            let snapshot = Snapshot::new(number.to_string(), "", None, Data::default());
            store.commit_now(&snapshot, Duration::MAX);
        }
        let mut room = store.lock().entries.capacity();
        for number in 0..2_000 {
            store.drop_now(&number.to_string());
            let (before, len) = (room, store.len());
            room = store.lock().entries.capacity();
            // The place that was freed may not be one to put something in.
            if before - 1 > 4 * len + 64 {
                assert!(2 * len <= room && room < before - 1, "{room} for {len}");
            } else if before <= 4 * len + 64 {
                assert!(room == before || room == before - 1, "{room} for {len}");
            }
        }
    }

    #[test]
    fn entries_are_due_in_the_order_of_their_deadlines_then_of_their_ids() {
        let due = |id: &str, nanos| Due {
            deadline: Duration::from_nanos(nanos),
            snapshot: Snapshot::new(id, "", None, Data::default()),
        };
        assert!(due("b", 1) < due("a", 2) && due("a", 2) < due("b", 2));
        assert!(due("a", 1) == due("a", 1) && due("a", 1) != due("a", 2));
    }
}
