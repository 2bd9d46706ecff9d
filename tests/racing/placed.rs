//! Stores whose threads race where code of the crate runs between two steps: at a snapshot or at the clock. Each
//! has a right one beside it, which looks alike.

use super::racer::{Entrant, Entries, Racer, Shelf, lock, mixed};
use super::threads;
use session_spec::{Clause, Snapshot};
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// As the const parameter of a racer: whether it is right.
const RIGHT: bool = true;
const WRONG: bool = false;

pub(crate) fn wrong() -> Vec<Entrant> {
    use Clause::{Con1, Con2, Err1};
    let mut entrants = vec![
        Entrant::of::<Decodes<WRONG>>("caches what it has decoded", &[Con1]),
        Entrant::of::<Begins<WRONG>>("makes its map twice", &[Con1]),
        Entrant::of::<Sweeps<WRONG>>("sweeps by a list from before", &[Con1]),
        Entrant::of::<Halves<WRONG>>("user and data, a clone between", &[Con2]),
        Entrant::of::<Clears<WRONG>>("clears its cache too early", &[Con1]),
        Entrant::of::<Counts<WRONG>>("looks at the version, then writes", &[Con1]),
        Entrant::of::<Merges<WRONG>>("gives back what it has compared", &[Con1]),
        Entrant::of::<Borrows<WRONG>>("panics when a clone is under way", &[Err1]),
        Entrant::of::<Orders<WRONG>>("two locks in two orders, at a clone", &[Err1]).hanging(),
    ];
    entrants.extend(threads::placed());
    entrants
}

pub(crate) fn right() -> Vec<Entrant> {
    vec![
        Entrant::of::<Decodes<RIGHT>>("caches what is still the same bytes", &[]),
        Entrant::of::<Begins<RIGHT>>("makes its map under its lock", &[]),
        Entrant::of::<Sweeps<RIGHT>>("sweeps what is still expired", &[]),
        Entrant::of::<Halves<RIGHT>>("user and data under one lock", &[]),
        Entrant::of::<Clears<RIGHT>>("clears its cache last", &[]),
        Entrant::of::<Counts<RIGHT>>("looks at the version as it writes", &[]),
        Entrant::of::<Merges<RIGHT>>("compares what it takes", &[]),
        Entrant::of::<Journal>("numbers a record before it is encoded", &[]),
        Entrant::of::<Borrows<RIGHT>>("waits while a clone is under way", &[]),
        Entrant::of::<Orders<RIGHT>>("two locks in one order, at a clone", &[]),
    ]
}

/// A snapshot's wire form, and its deadline.
type Bytes = (Vec<u8>, u128);

/// Keeps bytes, and in a cache what they say.
#[derive(Default)]
struct Decodes<const RIGHT: bool> {
    bytes: Mutex<HashMap<String, Bytes>>,
    cache: Mutex<HashMap<String, (Snapshot, u128)>>,
}

impl<const RIGHT: bool> Racer for Decodes<RIGHT> {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let cached = lock(&self.cache).get(id).cloned();
        let (snapshot, deadline) = if let Some(cached) = cached {
            cached
        } else {
            let (bytes, deadline) = lock(&self.bytes).get(id).cloned()?;
            let snapshot = Snapshot::decode(id, &bytes).ok()?;
            let mut cache = lock(&self.cache);
            if !RIGHT || lock(&self.bytes).get(id) == Some(&(bytes, deadline)) {
                cache.insert(id.to_owned(), (snapshot.clone(), deadline));
            }
            (snapshot, deadline)
        };
        (shelf.now() < deadline).then_some(snapshot)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let (id, bytes) = (snapshot.id().to_owned(), snapshot.encode());
        let deadline = shelf.now() + ttl.as_nanos();
        let mut cache = lock(&self.cache);
        lock(&self.bytes).insert(id.clone(), (bytes, deadline));
        cache.remove(&id);
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        let mut cache = lock(&self.cache);
        lock(&self.bytes).remove(id);
        cache.remove(id);
    }
}

/// Has no map before it is needed.
#[derive(Default)]
struct Begins<const RIGHT: bool>(Mutex<Option<Entries>>);

impl<const RIGHT: bool> Racer for Begins<RIGHT> {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entries = lock(&self.0);
        shelf.if_live(entries.as_ref()?.get(id).cloned())
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let has_begun = lock(&self.0).is_some();
        let (id, entry) = (snapshot.id().to_owned(), shelf.made(snapshot, ttl));
        let mut entries = lock(&self.0);
        match &mut *entries {
            Some(entries) if RIGHT || has_begun => drop(entries.insert(id, entry)),
            other => *other = Some(HashMap::from([(id, entry)])),
        }
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        if let Some(entries) = &mut *lock(&self.0) {
            entries.remove(id);
        }
    }
}

/// Frees what has expired with every commit.
#[derive(Default)]
struct Sweeps<const RIGHT: bool>;

impl<const RIGHT: bool> Racer for Sweeps<RIGHT> {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let ids: Vec<String> = lock(&shelf.entries).keys().cloned().collect();
        let entries = ids.iter().filter_map(|id| Some((id, shelf.entry(id)?)));
        let expired = entries.filter(|(_, entry)| entry.deadline <= shelf.now());
        let expired: Vec<String> = expired.map(|(id, _)| id.clone()).collect();
        let now = shelf.now();
        let mut entries = lock(&shelf.entries);
        for id in expired {
            let is_expired = entries.get(&id).is_some_and(|entry| entry.deadline <= now);
            if !RIGHT || is_expired {
                entries.remove(&id);
            }
        }
        drop(entries);
        shelf.put(snapshot, ttl);
    }
}

/// The data is beside the shelf.
#[derive(Default)]
struct Halves<const RIGHT: bool> {
    data: Mutex<Entries>,
    whole: Mutex<()>,
}

impl<const RIGHT: bool> Racer for Halves<RIGHT> {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _whole = RIGHT.then(|| lock(&self.whole));
        let user = shelf.live(id)?;
        let copy = user.clone();
        let data = lock(&self.data).get(id).cloned()?;
        Some(mixed(&copy, &data.snapshot))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _whole = RIGHT.then(|| lock(&self.whole));
        let entry = shelf.made(snapshot, ttl);
        lock(&self.data).insert(snapshot.id().to_owned(), entry);
        shelf.put(&snapshot.clone(), ttl);
    }
}

/// Forgets what it has cached when that is written.
#[derive(Default)]
struct Clears<const RIGHT: bool>(Mutex<Entries>);

impl<const RIGHT: bool> Clears<RIGHT> {
    fn forget(&self, id: &str) {
        let forgotten = lock(&self.0).remove(id);
        drop(forgotten);
    }

    /// Writes, and forgets: before it is written, or when it is.
    fn change(&self, shelf: &Shelf, id: &str, write: impl FnOnce(&mut Entries)) {
        if RIGHT {
            let mut cache = lock(&self.0);
            write(&mut lock(&shelf.entries));
            cache.remove(id);
        } else {
            self.forget(id);
            write(&mut lock(&shelf.entries));
        }
    }
}

impl<const RIGHT: bool> Racer for Clears<RIGHT> {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let mut cache = lock(&self.0);
        if !cache.contains_key(id) {
            cache.insert(id.to_owned(), shelf.entry(id)?);
        }
        shelf.if_live(cache.get(id).cloned())
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        self.change(shelf, snapshot.id(), |entries| {
            entries.insert(snapshot.id().to_owned(), entry);
        });
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        self.change(shelf, id, |entries| drop(entries.remove(id)));
    }
}

/// Writes if nobody has written since it looked, and tries again otherwise.
#[derive(Default)]
struct Counts<const RIGHT: bool>(AtomicU64);

impl<const RIGHT: bool> Racer for Counts<RIGHT> {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        loop {
            let version = self.0.load(Ordering::SeqCst);
            let mut all = lock(&shelf.entries).clone();
            all.insert(snapshot.id().to_owned(), shelf.made(snapshot, ttl));
            if !RIGHT && self.0.load(Ordering::SeqCst) == version {
                let last = snapshot.clone();
                *lock(&shelf.entries) = all;
                self.0.fetch_add(1, Ordering::SeqCst);
                return drop(last);
            }
            let mut entries = lock(&shelf.entries);
            if RIGHT && self.0.load(Ordering::SeqCst) == version {
                self.0.fetch_add(1, Ordering::SeqCst);
                *entries = all;
                return;
            }
        }
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let mut entries = lock(&shelf.entries);
        self.0.fetch_add(1, Ordering::SeqCst);
        entries.remove(id);
    }
}

/// Takes an entry out to look at it, and puts it back where it is to stay.
#[derive(Default)]
struct Merges<const RIGHT: bool>;

impl<const RIGHT: bool> Racer for Merges<RIGHT> {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        if RIGHT {
            let mut entries = lock(&shelf.entries);
            let fresh = shelf.made(snapshot, ttl);
            match entries.get_mut(snapshot.id()) {
                Some(known) if known.snapshot == *snapshot => known.deadline = fresh.deadline,
                _ => drop(entries.insert(snapshot.id().to_owned(), fresh)),
            }
            return;
        }
        let known = lock(&shelf.entries).remove(snapshot.id());
        let mut kept = match known {
            Some(known) if known.snapshot == *snapshot => known,
            _ => shelf.made(snapshot, ttl),
        };
        kept.deadline = shelf.now() + ttl.as_nanos();
        lock(&shelf.entries).insert(snapshot.id().to_owned(), kept);
    }
}

/// Appends a record to a journal, of which the last of an id is what counts: so a commit takes effect when it is
/// numbered, though it is written later.
#[derive(Default)]
struct Journal {
    next: AtomicU64,
    records: Mutex<HashMap<(String, u64), Option<Bytes>>>,
}

impl Racer for Journal {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let records = lock(&self.records);
        let of_id = records.iter().filter(|((known, _), _)| known == id);
        let (_, last) = of_id.max_by_key(|((_, number), _)| *number)?;
        let (bytes, deadline) = last.as_ref()?;
        let is_live = shelf.now() < *deadline;
        is_live.then(|| Snapshot::decode(id, bytes).ok()).flatten()
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let record = (snapshot.encode(), shelf.now() + ttl.as_nanos());
        let key = (snapshot.id().to_owned(), number);
        lock(&self.records).insert(key, Some(record));
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        lock(&self.records).insert((id.to_owned(), number), None);
    }
}

/// Has one buffer for all.
#[derive(Default)]
struct Borrows<const RIGHT: bool> {
    is_borrowed: AtomicBool,
    turn: Mutex<()>,
}

impl<const RIGHT: bool> Racer for Borrows<RIGHT> {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = RIGHT.then(|| lock(&self.turn));
        let was_borrowed = self.is_borrowed.swap(true, Ordering::SeqCst);
        assert!(!was_borrowed, "already borrowed");
        let copy = snapshot.clone();
        self.is_borrowed.store(false, Ordering::SeqCst);
        shelf.put(&copy, ttl);
    }
}

/// Has a lock for the ids it knows, and one for what is under them.
#[derive(Default)]
struct Orders<const RIGHT: bool> {
    ids: Mutex<HashSet<String>>,
    entries: Mutex<Entries>,
}

impl<const RIGHT: bool> Racer for Orders<RIGHT> {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        shelf.if_live(lock(&self.entries).get(id).cloned())
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut ids = lock(&self.ids);
        let entry = shelf.made(snapshot, ttl);
        ids.insert(snapshot.id().to_owned());
        lock(&self.entries).insert(snapshot.id().to_owned(), entry);
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        if RIGHT {
            let mut ids = lock(&self.ids);
            lock(&self.entries).remove(id);
            ids.remove(id);
            return;
        }
        let mut entries = lock(&self.entries);
        let gone = mem::take(&mut entries.remove(id).map(|gone| gone.snapshot));
        drop(gone);
        lock(&self.ids).remove(id);
    }
}
