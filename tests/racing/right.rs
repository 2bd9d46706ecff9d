//! Right stores that only look as if they raced.

use super::cancelled::AppliedLater;
use super::racer::{Entrant, Entries, Entry, Racer, Shelf, lock, step_back};
use session_spec::Snapshot;
use session_spec::conformance::Profile;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(crate) fn entrants() -> Vec<Entrant> {
    vec![
        Entrant::of::<Dawdles>("takes its time before and after", &[]),
        Entrant::of::<YieldsOften>("lets others go first thirty times", &[]),
        Entrant::of::<DeadlineFirst>("works out the deadline before it waits", &[]),
        Entrant::of::<Shards>("sixteen shards behind a lock each", &[]),
        Entrant::of::<Optimistic>("tries again when the version is another", &[]),
        Entrant::of::<SwapsCopies>("swaps copies of everything", &[]),
        Entrant::of::<Fair>("a lock in the order of arrival", &[]),
        Entrant::of::<EndsWhenDropped>("does its work when its future is dropped", &[]),
        Entrant::of::<LooksFirst>("looks first: inserts or updates", &[]),
        Entrant::of::<ChecksAgain>("looks again before it frees", &[]),
        Entrant::of::<SharesReads>("shares a read with those that had come by then", &[]),
        Entrant::of::<ChecksCache>("caches what is still the same", &[]),
        Entrant::of::<Mailbox>("writes letters that whoever comes next opens", &[]),
        Entrant::claiming::<AppliedLater>(
            "a client whose cancelled calls arrive later",
            Profile::default().remote(),
        ),
        Entrant::claiming::<MakesRoom>(
            "a cache with room for one entry",
            Profile::default().may_evict(),
        ),
        Entrant::claiming::<WholeSeconds>(
            "deadlines in whole seconds, rounded up",
            Profile::default().resolution(Duration::from_secs(1)),
        ),
        Entrant::claiming::<SweepsNowAndThen>(
            "found until it is swept, every fourth call",
            Profile::default().resolution(Duration::from_secs(1)),
        ),
        Entrant::claiming::<SweepsWhatIsFar>(
            "found until it is swept, beyond the horizon",
            Profile::default().horizon(Duration::from_secs(2)),
        ),
    ]
}

#[derive(Default)]
struct Dawdles;

impl Racer for Dawdles {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        step_back().await;
        let found = shelf.live(id);
        step_back().await;
        found
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        step_back().await;
        shelf.put(snapshot, ttl);
        step_back().await;
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        step_back().await;
        shelf.take(id);
        step_back().await;
    }
}

#[derive(Default)]
struct YieldsOften;

impl Racer for YieldsOften {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        for _ in 0..30 {
            step_back().await;
        }
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct DeadlineFirst(tokio::sync::Mutex<()>);

impl Racer for DeadlineFirst {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        let _turn = self.0.lock().await;
        step_back().await;
        lock(&shelf.entries).insert(snapshot.id().to_owned(), entry);
    }
}

#[derive(Default)]
struct Shards {
    hasher: RandomState,
    shards: [RwLock<Entries>; 16],
}

impl Shards {
    fn shard(&self, id: &str) -> &RwLock<Entries> {
        let hash = self.hasher.hash_one(id) % 16;
        &self.shards[usize::try_from(hash).expect("it is below sixteen")]
    }
}

impl Racer for Shards {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let shard = self.shard(id).read();
        shelf.if_live(
            shard
                .unwrap_or_else(PoisonError::into_inner)
                .get(id)
                .cloned(),
        )
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        let shard = self.shard(snapshot.id()).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.insert(snapshot.id().to_owned(), entry);
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        let shard = self.shard(id).write();
        shard.unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Every write of an id counts its version up.
#[derive(Default)]
struct Optimistic(Mutex<HashMap<String, (u64, Option<Entry>)>>);

impl Optimistic {
    async fn write(&self, id: &str, entry: Option<Entry>) {
        loop {
            let version = lock(&self.0).get(id).map_or(0, |(version, _)| *version);
            step_back().await;
            let mut all = lock(&self.0);
            let there = all.entry(id.to_owned()).or_default();
            if there.0 == version {
                *there = (version + 1, entry);
                return;
            }
        }
    }
}

impl Racer for Optimistic {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let (_, entry) = lock(&self.0).get(id).cloned()?;
        shelf.if_live(entry)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        self.write(snapshot.id(), Some(entry)).await;
    }

    async fn drop(&self, _: &Shelf, id: &str) {
        self.write(id, None).await;
    }
}

#[derive(Default)]
struct SwapsCopies(Mutex<Arc<Entries>>);

impl SwapsCopies {
    fn all(&self) -> Arc<Entries> {
        Arc::clone(&lock(&self.0))
    }

    async fn write(&self, change: impl Fn(&mut Entries)) {
        loop {
            let before = self.all();
            let mut after = Entries::clone(&before);
            change(&mut after);
            step_back().await;
            let mut all = lock(&self.0);
            if Arc::ptr_eq(&all, &before) {
                *all = Arc::new(after);
                return;
            }
        }
    }
}

impl Racer for SwapsCopies {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        shelf.if_live(self.all().get(id).cloned())
    }

    fn commit(
        &self,
        shelf: &Shelf,
        snapshot: &Snapshot,
        ttl: Duration,
    ) -> impl Future<Output = ()> + Send {
        let entry = shelf.made(snapshot, ttl);
        self.write(move |all| {
            all.insert(entry.snapshot.id().to_owned(), entry.clone());
        })
    }

    fn drop(&self, _: &Shelf, id: &str) -> impl Future<Output = ()> + Send {
        self.write(move |all| {
            all.remove(id);
        })
    }
}

#[derive(Default)]
struct Fair(tokio::sync::Mutex<()>);

impl Racer for Fair {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.0.lock().await;
        step_back().await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.0.lock().await;
        shelf.take(snapshot.id());
        let entry = shelf.made(snapshot, ttl);
        // Whoever is cancelled here has lost the old entry, but not one of another's.
        lock(&shelf.entries).insert(snapshot.id().to_owned(), entry);
        step_back().await;
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _turn = self.0.lock().await;
        step_back().await;
        shelf.take(id);
    }
}

/// A write is done when its future goes, whether that was polled to its end or not.
#[derive(Default)]
struct EndsWhenDropped;

struct Ends<F: Fn()>(F);

impl<F: Fn()> Drop for Ends<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Racer for EndsWhenDropped {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _ends = Ends(|| shelf.put(snapshot, ttl));
        step_back().await;
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _ends = Ends(|| shelf.take(id));
        step_back().await;
    }
}

/// What it leaves out was written over by another at the same time.
#[derive(Default)]
struct LooksFirst;

impl Racer for LooksFirst {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let is_there = shelf.entry(snapshot.id()).is_some();
        step_back().await;
        let entry = shelf.made(snapshot, ttl);
        let mut entries = lock(&shelf.entries);
        match is_there {
            true => {
                if let Some(there) = entries.get_mut(snapshot.id()) {
                    *there = entry;
                }
            }
            false => {
                entries.entry(snapshot.id().to_owned()).or_insert(entry);
            }
        }
    }
}

#[derive(Default)]
struct ChecksAgain;

impl Racer for ChecksAgain {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let entry = shelf.entry(id)?;
        if shelf.now() < entry.deadline {
            return Some(entry.snapshot);
        }
        step_back().await;
        let mut entries = lock(&shelf.entries);
        if entries
            .get(id)
            .is_some_and(|entry| entry.deadline <= shelf.now())
        {
            entries.remove(id);
        }
        None
    }
}

/// A read is shared by those that came before it was made.
#[derive(Default)]
struct SharesReads(Mutex<HashMap<String, Arc<tokio::sync::OnceCell<Option<Snapshot>>>>>);

impl Racer for SharesReads {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let shared = Arc::clone(lock(&self.0).entry(id.to_owned()).or_default());
        let read = async || {
            step_back().await;
            // Whoever comes from here on begins another.
            let mut all = lock(&self.0);
            if all.get(id).is_some_and(|other| Arc::ptr_eq(other, &shared)) {
                all.remove(id);
            }
            shelf.live(id)
        };
        shared.get_or_init(read).await.clone()
    }
}

/// What was read goes into the cache only if nothing was written meanwhile.
#[derive(Default)]
struct ChecksCache {
    writes: AtomicU64,
    cache: Mutex<Entries>,
}

impl Racer for ChecksCache {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let cached = lock(&self.cache).get(id).cloned();
        if cached.is_some() {
            return shelf.if_live(cached);
        }
        let writes = self.writes.load(Ordering::SeqCst);
        let entry = shelf.entry(id)?;
        step_back().await;
        let mut cache = lock(&self.cache);
        if writes == self.writes.load(Ordering::SeqCst) {
            cache.insert(id.to_owned(), entry.clone());
        }
        shelf.if_live(Some(entry))
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut cache = lock(&self.cache);
        shelf.put(snapshot, ttl);
        // Whoever reads this count reads the entry after it: counted before, an old one could pass.
        self.writes.fetch_add(1, Ordering::SeqCst);
        cache.remove(snapshot.id());
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let mut cache = lock(&self.cache);
        shelf.take(id);
        self.writes.fetch_add(1, Ordering::SeqCst);
        cache.remove(id);
    }
}

/// Calls are letters, which whoever has the time opens in the order in which they came.
#[derive(Default)]
struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    opener: tokio::sync::Mutex<()>,
}

struct Letter {
    write: Box<dyn FnOnce(&Shelf) + Send>,
    done: Arc<Mutex<(bool, Option<Waker>)>>,
}

impl Mailbox {
    async fn send(&self, shelf: &Shelf, write: impl FnOnce(&Shelf) + Send + 'static) {
        let done = Arc::<Mutex<(bool, Option<Waker>)>>::default();
        lock(&self.letters).push(Letter {
            write: Box::new(write),
            done: Arc::clone(&done),
        });
        step_back().await;
        self.open(shelf);
        std::future::poll_fn(|context| {
            let mut done = lock(&done);
            done.1 = Some(context.waker().clone());
            match done.0 {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    fn open(&self, shelf: &Shelf) {
        // A letter that came while another had the turn is not left in the box.
        while !lock(&self.letters).is_empty() {
            let Ok(_turn) = self.opener.try_lock() else {
                return;
            };
            for letter in lock(&self.letters).drain(..) {
                (letter.write)(shelf);
                let mut done = lock(&letter.done);
                done.0 = true;
                if let Some(waker) = done.1.take() {
                    waker.wake();
                }
            }
        }
    }
}

impl Racer for Mailbox {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        self.send(shelf, |_| {}).await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        self.send(shelf, move |shelf| {
            lock(&shelf.entries).insert(entry.snapshot.id().to_owned(), entry);
        })
        .await;
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let id = id.to_owned();
        self.send(shelf, move |shelf| shelf.take(&id)).await;
    }
}

#[derive(Default)]
struct MakesRoom;

impl Racer for MakesRoom {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        step_back().await;
        let entry = shelf.made(snapshot, ttl);
        let mut entries = lock(&shelf.entries);
        entries.clear();
        entries.insert(snapshot.id().to_owned(), entry);
    }
}

#[derive(Default)]
struct WholeSeconds;

impl Racer for WholeSeconds {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        step_back().await;
        let mut entry = shelf.made(snapshot, ttl);
        entry.deadline = entry.deadline.next_multiple_of(1_000_000_000);
        step_back().await;
        lock(&shelf.entries).insert(snapshot.id().to_owned(), entry);
    }
}

/// What has expired is found until some call sweeps it, for a second at most.
#[derive(Default)]
struct SweepsNowAndThen(AtomicU64);

impl SweepsNowAndThen {
    fn sweep(&self, shelf: &Shelf) {
        let is_time = self.0.fetch_add(1, Ordering::SeqCst) % 4 == 3;
        let spare = if is_time { 0 } else { 1_000_000_000 };
        let now = shelf.now();
        lock(&shelf.entries).retain(|_, entry| now < entry.deadline + spare);
    }
}

impl Racer for SweepsNowAndThen {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        self.sweep(shelf);
        shelf.entry(id).map(|entry| entry.snapshot)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        self.sweep(shelf);
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        self.sweep(shelf);
        shelf.take(id);
    }
}

/// Of what was committed for longer than two seconds: after these, found until it is swept.
#[derive(Default)]
struct SweepsWhatIsFar {
    calls: AtomicU64,
    far: Mutex<HashSet<String>>,
}

impl Racer for SweepsWhatIsFar {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let is_time = self.calls.fetch_add(1, Ordering::SeqCst) % 4 == 3;
        let mut entries = lock(&shelf.entries);
        let entry = entries.get(id).cloned()?;
        let is_spared = !is_time && lock(&self.far).contains(id);
        if shelf.now() < entry.deadline || is_spared {
            return Some(entry.snapshot);
        }
        entries.remove(id);
        None
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        const HORIZON: Duration = Duration::from_secs(2);
        let mut entries = lock(&shelf.entries);
        let id = snapshot.id().to_owned();
        match ttl > HORIZON {
            true => lock(&self.far).insert(id.clone()),
            false => lock(&self.far).remove(&id),
        };
        entries.insert(id, shelf.made(snapshot, ttl.min(HORIZON)));
    }
}
