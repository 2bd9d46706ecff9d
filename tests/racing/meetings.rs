//! Stores that panic, or wait for ever, when two calls meet.

use super::racer::{Entrant, Racer, Shelf, lock, step_back};
use session_spec::{Clause, Snapshot};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(crate) fn of_tasks() -> Vec<Entrant> {
    use Clause::Err1;
    vec![
        Entrant::of::<ThinksItIsAlone>("panics when a task comes between", &[Err1]),
        Entrant::of::<LocksInTwoOrders>("waits for a lock that waits for it", &[Err1]).hanging(),
        Entrant::of::<ForgetsAWaker>("wakes one of those that wait", &[Err1]).hanging(),
    ]
}

pub(crate) fn of_threads() -> Vec<Entrant> {
    use Clause::Err1;
    vec![
        Entrant::of::<ExpectsALock>("panics when a lock is taken", &[Err1]),
        Entrant::of::<GoesByPlaces>("goes to a place that is gone", &[Err1]),
        Entrant::of::<LocksThreadsInTwoOrders>("threads wait for each other's lock", &[Err1])
            .hanging(),
    ]
}

#[derive(Default)]
struct ThinksItIsAlone(AtomicBool);

struct Alone<'a>(&'a AtomicBool);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Racer for ThinksItIsAlone {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        assert!(!self.0.swap(true, Ordering::SeqCst), "already borrowed");
        let _alone = Alone(&self.0);
        step_back().await;
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct LocksInTwoOrders {
    entries: tokio::sync::Mutex<()>,
    index: tokio::sync::Mutex<()>,
}

impl Racer for LocksInTwoOrders {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _entries = self.entries.lock().await;
        step_back().await;
        let _index = self.index.lock().await;
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _index = self.index.lock().await;
        step_back().await;
        let _entries = self.entries.lock().await;
        shelf.take(id);
    }
}

/// A lock with room for one that waits.
#[derive(Default)]
struct ForgetsAWaker {
    busy: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

struct Turn<'a>(&'a ForgetsAWaker);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::SeqCst);
        if let Some(waker) = lock(&self.0.waiting).take() {
            waker.wake();
        }
    }
}

impl Racer for ForgetsAWaker {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let turn = poll_fn(|context| {
            let mut waiting = lock(&self.waiting);
            if !self.busy.swap(true, Ordering::SeqCst) {
                return Poll::Ready(Turn(self));
            }
            *waiting = Some(context.waker().clone());
            Poll::Pending
        });
        let _turn = turn.await;
        step_back().await;
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct ExpectsALock(Mutex<u64>);

impl Racer for ExpectsALock {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        *self.0.try_lock().expect("nobody else") += 1;
        shelf.put(snapshot, ttl);
    }
}

/// The latest ids, in a list.
#[derive(Default)]
struct GoesByPlaces(Mutex<VecDeque<String>>);

impl Racer for GoesByPlaces {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.put(snapshot, ttl);
        lock(&self.0).push_back(snapshot.id().to_owned());
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        loop {
            let place = lock(&self.0).iter().position(|known| known == id);
            let Some(place) = place else { break };
            lock(&self.0).remove(place).expect("it is there");
        }
        shelf.take(id);
    }
}

#[derive(Default)]
struct LocksThreadsInTwoOrders {
    entries: Mutex<()>,
    index: Mutex<()>,
}

impl Racer for LocksThreadsInTwoOrders {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _entries = lock(&self.entries);
        let _index = lock(&self.index);
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _index = lock(&self.index);
        let _entries = lock(&self.entries);
        shelf.take(id);
    }
}
