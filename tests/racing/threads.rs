//! Stores that give up a lock between two steps, where only threads meet: with luck.

use super::racer::{Entrant, Entries, Entry, Racer, Shelf, lock, mixed};
use session_spec::{Clause, Snapshot};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

pub(crate) fn entrants() -> Vec<Entrant> {
    use Clause::{Con1, Con2};
    vec![
        Entrant::of::<TakesOutFirst>("takes the old entry out first, at once", &[Con1]),
        Entrant::of::<Touches>("writes back what it has read, at once", &[Con1]),
        Entrant::of::<TokenThenData>("user and data behind a lock each", &[Con2]),
        Entrant::of::<StaleCache>("caches what it read, with locks", &[Con1]),
        Entrant::of::<MissCache>("caches a miss, with locks", &[Con1]),
    ]
}

/// Those whose threads race where code of the crate runs: at a clock or a snapshot.
pub(crate) fn placed() -> Vec<Entrant> {
    use Clause::Con1;
    vec![
        Entrant::of::<SweepsLate>("locks for reading, then for writing", &[Con1]),
        Entrant::of::<Renews>("renews what was replaced since, at once", &[Con1]),
        Entrant::of::<WritesAllBack>("swaps a copy in without a look", &[Con1]),
        Entrant::of::<SkipsIfBusy>("leaves a drop out under contention", &[Con1]),
        Entrant::of::<CachesByThread>("has a cache for each thread", &[Con1]),
    ]
}

/// It takes more luck than a test can count on for these.
pub(crate) fn seldom_caught() -> Vec<Entrant> {
    use Clause::Con1;
    vec![
        Entrant::of::<DataThenDeadline>("data and deadline behind a lock each", &[Con1]),
        Entrant::of::<TwoLocks>("makes the lock of an id twice", &[Con1]),
    ]
}

#[derive(Default)]
struct TakesOutFirst;

impl Racer for TakesOutFirst {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.take(snapshot.id());
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct Touches;

impl Racer for Touches {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = shelf.entry(id)?;
        lock(&shelf.entries).insert(id.to_owned(), entry.clone());
        shelf.if_live(Some(entry))
    }
}

#[derive(Default)]
struct SweepsLate(RwLock<Entries>);

impl Racer for SweepsLate {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = self.0.read().unwrap().get(id).cloned()?;
        if shelf.now() < entry.deadline {
            return Some(entry.snapshot);
        }
        self.0.write().unwrap().remove(id);
        None
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(snapshot.id().to_owned(), shelf.made(snapshot, ttl));
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        self.0.write().unwrap().remove(id);
    }
}

/// What is committed again as it is gets another deadline, and no more.
#[derive(Default)]
struct Renews;

impl Racer for Renews {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let known = shelf.entry(snapshot.id());
        match known.is_some_and(|known| known.snapshot == *snapshot) {
            true => shelf.renew(snapshot, ttl),
            false => shelf.put(snapshot, ttl),
        }
    }
}

/// The deadlines are beside the shelf.
#[derive(Default)]
struct DataThenDeadline(Mutex<HashMap<String, u128>>);

impl Racer for DataThenDeadline {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = shelf.entry(id)?;
        let deadline = lock(&self.0).get(id).copied()?;
        (shelf.now() < deadline).then_some(entry.snapshot)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        let (id, deadline) = (snapshot.id().to_owned(), entry.deadline);
        lock(&shelf.entries).insert(id.clone(), entry);
        lock(&self.0).insert(id, deadline);
    }
}

/// The data is beside the shelf.
#[derive(Default)]
struct TokenThenData(Mutex<Entries>);

impl Racer for TokenThenData {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let user = shelf.live(id)?;
        let data = lock(&self.0).get(id).cloned()?;
        Some(mixed(&user, &data.snapshot))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        lock(&self.0).insert(snapshot.id().to_owned(), entry);
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct StaleCache(Mutex<Entries>);

impl Racer for StaleCache {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let cached = lock(&self.0).get(id).cloned();
        if cached.is_some() {
            return shelf.if_live(cached);
        }
        let entry = shelf.entry(id)?;
        lock(&self.0).insert(id.to_owned(), entry.clone());
        shelf.if_live(Some(entry))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        lock(&self.0).remove(snapshot.id());
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        shelf.take(id);
        lock(&self.0).remove(id);
    }
}

#[derive(Default)]
struct MissCache(Mutex<HashSet<String>>);

impl Racer for MissCache {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        if lock(&self.0).contains(id) {
            return None;
        }
        let found = shelf.live(id);
        if found.is_none() {
            lock(&self.0).insert(id.to_owned());
        }
        found
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        lock(&self.0).remove(snapshot.id());
    }
}

#[derive(Default)]
struct WritesAllBack(Mutex<Arc<Entries>>);

impl WritesAllBack {
    fn write(&self, change: impl FnOnce(&mut Entries)) {
        let mut all = Entries::clone(&self.all());
        change(&mut all);
        *lock(&self.0) = Arc::new(all);
    }

    fn all(&self) -> Arc<Entries> {
        Arc::clone(&lock(&self.0))
    }
}

impl Racer for WritesAllBack {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        shelf.if_live(self.all().get(id).cloned())
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        self.write(|all| {
            all.insert(snapshot.id().to_owned(), entry);
        });
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        self.write(|all| {
            all.remove(id);
        });
    }
}

#[derive(Default)]
struct SkipsIfBusy(AtomicBool);

impl Racer for SkipsIfBusy {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        self.0.store(true, Ordering::SeqCst);
        shelf.put(snapshot, ttl);
        self.0.store(false, Ordering::SeqCst);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        if !self.0.load(Ordering::SeqCst) {
            shelf.take(id);
        }
    }
}

/// A thread forgets what it has cached only when it writes itself.
#[derive(Default)]
struct CachesByThread(Mutex<HashMap<(ThreadId, String), Entry>>);

impl Racer for CachesByThread {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let key = (thread::current().id(), id.to_owned());
        let mut cache = lock(&self.0);
        if let Some(entry) = cache.get(&key).cloned() {
            return shelf.if_live(Some(entry));
        }
        let entry = shelf.entry(id)?;
        cache.insert(key, entry.clone());
        shelf.if_live(Some(entry))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        let key = (thread::current().id(), snapshot.id().to_owned());
        lock(&self.0).remove(&key);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        shelf.take(id);
        lock(&self.0).remove(&(thread::current().id(), id.to_owned()));
    }
}

/// What two that see no lock make is two.
#[derive(Default)]
struct TwoLocks(Mutex<HashMap<String, Arc<Mutex<()>>>>);

impl TwoLocks {
    fn lock_of(&self, id: &str) -> Arc<Mutex<()>> {
        let known = lock(&self.0).get(id).cloned();
        known.unwrap_or_else(|| {
            let its = Arc::<Mutex<()>>::default();
            lock(&self.0).insert(id.to_owned(), Arc::clone(&its));
            its
        })
    }
}

impl Racer for TwoLocks {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let its = self.lock_of(id);
        let _turn = lock(&its);
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let its = self.lock_of(snapshot.id());
        let _turn = lock(&its);
        shelf.take(snapshot.id());
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let its = self.lock_of(id);
        let _turn = lock(&its);
        shelf.take(id);
        lock(&self.0).remove(id);
    }
}
