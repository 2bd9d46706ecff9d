//! Stores that let others go first between two steps, so that tasks meet there.

use super::racer::{Entrant, Entries, Entry, Racer, Shelf, lock, mixed, step_back};
use session_spec::{Clause, Snapshot};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn entrants() -> Vec<Entrant> {
    use Clause::{Can1, Con1, Con2};
    vec![
        Entrant::of::<TakesOutFirst>("takes the old entry out first", &[Con1, Can1]),
        Entrant::of::<SweepsLate>("frees what was expired when it looked", &[Con1]),
        Entrant::of::<SweepsByList>("sweeps by a list that has grown old", &[Con1]),
        Entrant::of::<StaleCache>("caches what it read before a drop", &[Con1]),
        Entrant::of::<MissCache>("caches a miss beside a commit", &[Con1]),
        Entrant::of::<Touches>("writes back what it has read, to touch it", &[Con1]),
        Entrant::of::<Renews>("renews what was replaced since", &[Con1]),
        Entrant::of::<DataThenDeadline>("writes the data, then the deadline", &[Con1, Can1]),
        Entrant::of::<TokenThenData>("writes the user, then the data", &[Con2, Can1]),
        Entrant::of::<WritesAllBack>("writes a copy of everything back", &[Con1]),
        Entrant::of::<TwoReplicas>("reads from two replicas in turn", &[Con1, Can1]),
        Entrant::of::<DropsIfFree>("leaves a write out when another is at it", &[Con1]),
        Entrant::of::<TwoLocks>("may have two locks of one id", &[Con1, Can1]),
        Entrant::of::<Versions>("counts versions anew after a drop", &[Con1]),
        Entrant::of::<WritesBehind>("acknowledges before it is applied", &[Con1]),
        Entrant::of::<JoinsFlight>("joins a read that began long ago", &[Con1]),
        Entrant::of::<SharedBuffer>("reads into a buffer that all share", &[Con1]),
    ]
}

#[derive(Default)]
struct TakesOutFirst;

impl Racer for TakesOutFirst {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.take(snapshot.id());
        step_back().await;
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct SweepsLate;

impl Racer for SweepsLate {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = shelf.entry(id)?;
        if shelf.now() < entry.deadline {
            return Some(entry.snapshot);
        }
        step_back().await;
        shelf.take(id);
        None
    }
}

#[derive(Default)]
struct SweepsByList;

impl Racer for SweepsByList {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        let now = shelf.now();
        let expired = |(id, entry): (&String, &Entry)| (entry.deadline <= now).then(|| id.clone());
        let expired: Vec<_> = lock(&shelf.entries).iter().filter_map(expired).collect();
        step_back().await;
        for id in expired {
            shelf.take(&id);
        }
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
        step_back().await;
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
        step_back().await;
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
struct Touches;

impl Racer for Touches {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = shelf.entry(id)?;
        step_back().await;
        let live = shelf.if_live(Some(entry.clone()));
        lock(&shelf.entries).insert(id.to_owned(), entry);
        live
    }
}

/// What is committed again as it is gets another deadline, and no more.
#[derive(Default)]
struct Renews;

impl Racer for Renews {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let known = shelf.entry(snapshot.id());
        if known.is_none_or(|known| known.snapshot != *snapshot) {
            return shelf.put(snapshot, ttl);
        }
        step_back().await;
        shelf.renew(snapshot, ttl);
    }
}

#[derive(Default)]
struct DataThenDeadline;

impl Racer for DataThenDeadline {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let old = lock(&shelf.entries).get_mut(snapshot.id()).map(|there| {
            there.snapshot = snapshot.clone();
        });
        if old.is_some() {
            step_back().await;
        }
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct TokenThenData;

impl Racer for TokenThenData {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut entry = shelf.made(snapshot, ttl);
        let id = snapshot.id().to_owned();
        if let Some(old) = shelf.live(&id) {
            entry.snapshot = mixed(snapshot, &old);
            lock(&shelf.entries).insert(id.clone(), entry.clone());
            step_back().await;
        }
        entry.snapshot = snapshot.clone();
        lock(&shelf.entries).insert(id, entry);
    }
}

#[derive(Default)]
struct WritesAllBack;

impl Racer for WritesAllBack {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut all = lock(&shelf.entries).clone();
        step_back().await;
        all.insert(snapshot.id().to_owned(), shelf.made(snapshot, ttl));
        *lock(&shelf.entries) = all;
    }
}

/// The second replica is written after the first.
#[derive(Default)]
struct TwoReplicas {
    second: Mutex<Entries>,
    turn: AtomicUsize,
}

impl Racer for TwoReplicas {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        if self.turn.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return shelf.live(id);
        }
        let entry = lock(&self.second).get(id).cloned();
        shelf.if_live(entry)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        let id = snapshot.id().to_owned();
        lock(&shelf.entries).insert(id.clone(), entry.clone());
        step_back().await;
        lock(&self.second).insert(id, entry);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        shelf.take(id);
        step_back().await;
        lock(&self.second).remove(id);
    }
}

#[derive(Default)]
struct DropsIfFree(tokio::sync::Mutex<()>);

impl Racer for DropsIfFree {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.0.lock().await;
        step_back().await;
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        if let Ok(_turn) = self.0.try_lock() {
            shelf.take(id);
        }
    }
}

/// The lock of an id goes when its holder is done, whoever waits for it.
#[derive(Default)]
struct TwoLocks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl TwoLocks {
    fn lock_of(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.0).entry(id.to_owned()).or_default())
    }
}

impl Racer for TwoLocks {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let its = self.lock_of(id);
        let _turn = its.lock().await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let its = self.lock_of(snapshot.id());
        let _turn = its.lock().await;
        shelf.take(snapshot.id());
        step_back().await;
        shelf.put(snapshot, ttl);
        lock(&self.0).remove(snapshot.id());
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let its = self.lock_of(id);
        let _turn = its.lock().await;
        shelf.take(id);
        lock(&self.0).remove(id);
    }
}

/// A cached entry is good while the version of its id is the same.
#[derive(Default)]
struct Versions {
    versions: Mutex<HashMap<String, u64>>,
    cache: Mutex<HashMap<String, (u64, Entry)>>,
}

impl Racer for Versions {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let version = lock(&self.versions).get(id).copied()?;
        if let Some((same, entry)) = lock(&self.cache).get(id).cloned()
            && same == version
        {
            return shelf.if_live(Some(entry));
        }
        let entry = shelf.entry(id)?;
        step_back().await;
        lock(&self.cache).insert(id.to_owned(), (version, entry.clone()));
        shelf.if_live(Some(entry))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        *lock(&self.versions)
            .entry(snapshot.id().to_owned())
            .or_default() += 1;
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        lock(&self.versions).remove(id);
        shelf.take(id);
        lock(&self.cache).remove(id);
    }
}

/// Each call first applies the drops in the queue, unless another one is at it.
#[derive(Default)]
struct WritesBehind {
    queue: Mutex<Vec<String>>,
    busy: tokio::sync::Mutex<()>,
}

impl WritesBehind {
    async fn apply(&self, shelf: &Shelf) {
        if let Ok(_turn) = self.busy.try_lock() {
            step_back().await;
            for id in lock(&self.queue).drain(..) {
                shelf.take(&id);
            }
        }
    }
}

impl Racer for WritesBehind {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        self.apply(shelf).await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        lock(&self.queue).retain(|id| id != snapshot.id());
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        lock(&self.queue).push(id.to_owned());
    }
}

/// Prepares of one id share the answer of the first of them.
#[derive(Default)]
struct JoinsFlight(Mutex<HashMap<String, Arc<Flight>>>);

#[derive(Default)]
struct Flight {
    answer: tokio::sync::OnceCell<Option<Snapshot>>,
}

impl Racer for JoinsFlight {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let flight = Arc::clone(lock(&self.0).entry(id.to_owned()).or_default());
        let read = async || {
            let found = shelf.live(id);
            step_back().await;
            found
        };
        let answer = flight.answer.get_or_init(read).await.clone();
        lock(&self.0).remove(id);
        answer
    }
}

#[derive(Default)]
struct SharedBuffer(Mutex<Option<Snapshot>>);

impl Racer for SharedBuffer {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        *lock(&self.0) = shelf.live(id);
        step_back().await;
        lock(&self.0).take()
    }
}
