//! Odd but right stores that are built in a way of their own.

use super::animal::{Cage, Entry, Reply, Shelf, validate};
use session_spec::{Clock, ManualClock, Snapshot, Store};
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store whose every future waits once and wakes its task from another thread.
pub(crate) struct Slow(pub(crate) Cage);

async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        let waker = context.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    })
    .await;
}

impl Store for Slow {
    async fn prepare(&self, id: &str) -> Reply<Option<Snapshot>> {
        wait().await;
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
        wait().await;
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Reply<()> {
        wait().await;
        Store::drop(&self.0, id).await
    }
}

/// Entries in a vector, sorted by id.
pub(crate) struct Sorted {
    clock: ManualClock,
    entries: Mutex<Vec<(String, Entry)>>,
}

impl Sorted {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let entries = Mutex::default();
        Self { clock, entries }
    }
}

impl Store for Sorted {
    async fn prepare(&self, id: &str) -> Reply<Option<Snapshot>> {
        let entries = lock(&self.entries);
        let now = self.clock.now().as_nanos();
        let place = entries.binary_search_by(|(key, _)| key.as_str().cmp(id));
        let entry = place.ok().map(|place| &entries[place].1);
        let live = entry.filter(|entry| now < entry.deadline);
        Ok(live.map(|entry| entry.snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
        validate(snapshot, ttl)?;
        let mut entries = lock(&self.entries);
        let entry = Entry {
            snapshot: snapshot.clone(),
            deadline: self.clock.now().as_nanos() + ttl.as_nanos(),
        };
        match entries.binary_search_by(|(key, _)| key.as_str().cmp(snapshot.id())) {
            Ok(place) => entries[place].1 = entry,
            Err(place) => entries.insert(place, (snapshot.id().to_owned(), entry)),
        }
        Ok(())
    }

    async fn drop(&self, id: &str) -> Reply<()> {
        lock(&self.entries).retain(|(key, _)| key != id);
        Ok(())
    }
}

/// Several shelves with a lock each; an id's hash says which is its own.
pub(crate) struct Sharded {
    clock: ManualClock,
    hasher: RandomState,
    shards: [Mutex<Shelf>; 4],
}

impl Sharded {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shelf> {
        let hash = self.hasher.hash_one(id);
        let shards = self.shards.len() as u64;
        lock(&self.shards[usize::try_from(hash % shards).expect("it is below four")])
    }
}

impl Store for Sharded {
    async fn prepare(&self, id: &str) -> Reply<Option<Snapshot>> {
        let shard = self.shard(id);
        let live = shard.live(self.clock.now().as_nanos(), id);
        Ok(live.map(|entry| entry.snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
        validate(snapshot, ttl)?;
        let mut shard = self.shard(snapshot.id());
        shard.put(self.clock.now().as_nanos(), snapshot, ttl);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Reply<()> {
        self.shard(id).entries.remove(id);
        Ok(())
    }
}

/// A thread that owns the shelf and does what it is sent.
pub(crate) struct Actor {
    errands: Sender<Errand>,
}

type Errand = Box<dyn FnOnce(&mut Shelf, u128) + Send>;

impl Actor {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let (errands, inbox) = channel::<Errand>();
        thread::spawn(move || {
            let mut shelf = Shelf::default();
            for errand in inbox {
                errand(&mut shelf, clock.now().as_nanos());
            }
        });
        Self { errands }
    }

    /// Sends an errand and waits for what it returns.
    async fn ask<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Shelf, u128) -> T + Send + 'static,
    ) -> T {
        let answer = Arc::new(Mutex::new((None::<T>, None::<Waker>)));
        let theirs = Arc::clone(&answer);
        let sent = self.errands.send(Box::new(move |shelf, now| {
            let done = errand(shelf, now);
            let mut answer = lock(&theirs);
            answer.0 = Some(done);
            if let Some(waker) = answer.1.take() {
                waker.wake();
            }
        }));
        sent.expect("the actor lives as long as its store");
        poll_fn(|context| {
            let mut answer = lock(&answer);
            answer.1 = Some(context.waker().clone());
            answer.0.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Store for Actor {
    async fn prepare(&self, id: &str) -> Reply<Option<Snapshot>> {
        let id = id.to_owned();
        let prepare = move |shelf: &mut Shelf, now| {
            let live = shelf.live(now, &id);
            live.map(|entry| entry.snapshot.clone())
        };
        Ok(self.ask(prepare).await)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
        validate(snapshot, ttl)?;
        let snapshot = snapshot.clone();
        self.ask(move |shelf, now| shelf.put(now, &snapshot, ttl))
            .await;
        Ok(())
    }

    async fn drop(&self, id: &str) -> Reply<()> {
        let id = id.to_owned();
        self.ask(move |shelf, _| shelf.entries.remove(&id)).await;
        Ok(())
    }
}
