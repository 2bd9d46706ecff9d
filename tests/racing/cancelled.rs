//! Stores that go wrong when a call is broken off half way.

use super::racer::{Entrant, Racer, Shelf, lock, mixed, step_back, validate};
use session_spec::conformance::Profile;
use session_spec::{Clause, Snapshot, Store, StoreError};
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::sync::Semaphore;

pub(crate) fn entrants() -> Vec<Entrant> {
    use Clause::Can1;
    vec![
        Entrant::of::<StaysBusy>("keeps its lock", &[Can1]).hanging(),
        Entrant::of::<LosesOnRead>("takes an entry out to touch it", &[Can1]),
        Entrant::of::<LivesForEver>("leaves an entry without a deadline", &[Can1]),
        Entrant::of::<HalfWritten>("leaves one half of each", &[Can1]),
        Entrant::of::<LeaksPermits>("loses one of ten permits", &[Can1]).hanging(),
        Entrant::of::<LeavesFlight>("leaves a flight that nobody ends", &[Can1]).hanging(),
        Entrant::of::<AppliedLater>("applies it two calls later", &[Can1]),
        Entrant::of::<AppliedTwice>("applies it again later", &[Can1]),
        Entrant::of::<AnswersTheNext>("gives its answer to the next call", &[Can1]),
        Entrant::of::<HandsOver>("hands its lock to one that has left", &[Can1]).hanging(),
        Entrant::of::<PanicsAfter>("panics ever after", &[Can1]),
        Entrant::of::<RollsBack>("rolls back what another has written", &[Can1]),
        Entrant::of::<DropsAnew>("puts what it drops back with a life anew", &[Can1]),
        Entrant::of::<ReadsAnew>("gives what it reads a life anew", &[Can1]),
        Entrant::made(
            "undoes a refused commit after a while",
            &[Can1],
            Profile::default(),
            |clock| {
                Box::new(UndoesRefused(
                    Shelf::new(clock),
                    tokio::sync::Mutex::default(),
                ))
            },
        ),
    ]
}

/// Does this unless it is disarmed: when a call is broken off.
struct OnDrop<F: FnMut()>(F, bool);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if self.1 {
            (self.0)();
        }
    }
}

/// What a commit gave each id.
#[derive(Default)]
struct Lives(Mutex<HashMap<String, Duration>>);

impl Lives {
    fn put(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        lock(&self.0).insert(snapshot.id().to_owned(), ttl);
        shelf.put(snapshot, ttl);
    }

    fn anew(&self, shelf: &Shelf, snapshot: &Snapshot) {
        let ttl = lock(&self.0).get(snapshot.id()).copied();
        shelf.put(snapshot, ttl.unwrap_or_default());
    }
}

#[derive(Default)]
struct DropsAnew(Lives, tokio::sync::Mutex<()>);

impl Racer for DropsAnew {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.1.lock().await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.1.lock().await;
        self.0.put(shelf, snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _turn = self.1.lock().await;
        let old = shelf.live(id);
        shelf.take(id);
        let back = || old.iter().for_each(|old| self.0.anew(shelf, old));
        let mut back = OnDrop(back, true);
        step_back().await;
        back.1 = false;
    }
}

#[derive(Default)]
struct ReadsAnew(Lives, tokio::sync::Mutex<()>);

impl Racer for ReadsAnew {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.1.lock().await;
        let live = shelf.live(id)?;
        let mut anew = OnDrop(|| self.0.anew(shelf, &live), true);
        step_back().await;
        anew.1 = false;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.1.lock().await;
        self.0.put(shelf, snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _turn = self.1.lock().await;
        shelf.take(id);
    }
}

/// It writes first, and validates then.
struct UndoesRefused(Shelf, tokio::sync::Mutex<()>);

impl Store for UndoesRefused {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let _turn = self.1.lock().await;
        Ok(self.0.live(id))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let _turn = self.1.lock().await;
        let old = self.0.entry(snapshot.id());
        self.0.put(snapshot, ttl);
        let Err(refusal) = validate(snapshot, ttl) else {
            return Ok(());
        };
        step_back().await;
        self.0.take(snapshot.id());
        let back = |old| lock(&self.0.entries).insert(snapshot.id().to_owned(), old);
        old.map(back);
        Err(refusal)
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let _turn = self.1.lock().await;
        self.0.take(id);
        Ok(())
    }
}

struct StaysBusy(Semaphore);

impl Default for StaysBusy {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Racer for StaysBusy {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.0.acquire().await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        self.0.acquire().await.expect("it is open").forget();
        step_back().await;
        shelf.put(snapshot, ttl);
        self.0.add_permits(1);
    }
}

#[derive(Default)]
struct LosesOnRead(tokio::sync::Mutex<()>);

impl Racer for LosesOnRead {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.0.lock().await;
        let entry = lock(&shelf.entries).remove(id)?;
        step_back().await;
        let live = shelf.if_live(Some(entry.clone()));
        lock(&shelf.entries).insert(id.to_owned(), entry);
        live
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.0.lock().await;
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _turn = self.0.lock().await;
        shelf.take(id);
    }
}

/// An entry whose deadline is not written yet has none.
#[derive(Default)]
struct LivesForEver {
    turn: tokio::sync::Mutex<()>,
    without: Mutex<HashSet<String>>,
}

impl Racer for LivesForEver {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.turn.lock().await;
        match lock(&self.without).contains(id) {
            true => shelf.entry(id).map(|entry| entry.snapshot),
            false => shelf.live(id),
        }
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.turn.lock().await;
        shelf.put(snapshot, ttl);
        lock(&self.without).insert(snapshot.id().to_owned());
        step_back().await;
        shelf.put(snapshot, ttl);
        lock(&self.without).remove(snapshot.id());
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _turn = self.turn.lock().await;
        shelf.take(id);
    }
}

#[derive(Default)]
struct HalfWritten(tokio::sync::Mutex<()>);

impl Racer for HalfWritten {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.0.lock().await;
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _turn = self.0.lock().await;
        if let Some(old) = shelf.live(snapshot.id()) {
            shelf.put(&mixed(snapshot, &old), ttl);
            step_back().await;
        }
        shelf.put(snapshot, ttl);
    }
}

struct LeaksPermits(Semaphore);

impl Default for LeaksPermits {
    fn default() -> Self {
        Self(Semaphore::new(10))
    }
}

impl Racer for LeaksPermits {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        self.0.acquire().await.expect("it is open").forget();
        step_back().await;
        shelf.put(snapshot, ttl);
        self.0.add_permits(1);
    }
}

/// Whoever is first reads for all that come meanwhile.
#[derive(Default)]
struct LeavesFlight(Mutex<HashMap<String, Vec<Waker>>>);

impl Racer for LeavesFlight {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let mut has_waited = false;
        poll_fn(|context| {
            let mut flights = lock(&self.0);
            match flights.get_mut(id) {
                Some(waiting) => {
                    has_waited = true;
                    waiting.push(context.waker().clone());
                    Poll::Pending
                }
                None if has_waited => Poll::Ready(()),
                None => {
                    flights.insert(id.to_owned(), Vec::new());
                    Poll::Ready(())
                }
            }
        })
        .await;
        if has_waited {
            return shelf.live(id);
        }
        step_back().await;
        let waiting = lock(&self.0).remove(id);
        waiting.into_iter().flatten().for_each(Waker::wake);
        shelf.live(id)
    }
}

type Errand = Box<dyn FnOnce(&Shelf) + Send>;

/// What a call that is broken off leaves to be done, and after how many calls.
#[derive(Default)]
struct Errands {
    later: Mutex<Vec<(u64, Errand)>>,
    calls: AtomicU64,
}

impl Errands {
    fn call(&self, shelf: &Shelf) {
        let now = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut later = lock(&self.later);
        let (due, rest) = std::mem::take(&mut *later)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        *later = rest;
        let due: Vec<_> = due;
        for (_, errand) in due {
            errand(shelf);
        }
    }

    fn leave(&self, calls: u64, errand: Errand) {
        let at = self.calls.load(Ordering::SeqCst) + calls;
        lock(&self.later).push((at, errand));
    }
}

/// Does something when it goes, unless it is told not to.
struct BrokenOff<F: FnMut()>(F, bool);

impl<F: FnMut()> Drop for BrokenOff<F> {
    fn drop(&mut self) {
        if self.1 {
            (self.0)();
        }
    }
}

/// Waits once; where it is broken off, does this.
async fn step_back_or(broken_off: impl FnMut() + Send) {
    let mut guard = BrokenOff(broken_off, true);
    step_back().await;
    guard.1 = false;
}

#[derive(Default)]
pub(crate) struct AppliedLater(Errands);

impl Racer for AppliedLater {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        self.0.call(shelf);
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let leave = || {
            let snapshot = snapshot.clone();
            self.0
                .leave(1, Box::new(move |shelf| shelf.put(&snapshot, ttl)));
        };
        step_back_or(leave).await;
        shelf.put(snapshot, ttl);
    }
}

#[derive(Default)]
struct AppliedTwice(Errands);

impl Racer for AppliedTwice {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        self.0.call(shelf);
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let entry = shelf.made(snapshot, ttl);
        let write = move |shelf: &Shelf| {
            lock(&shelf.entries).insert(entry.snapshot.id().to_owned(), entry.clone());
        };
        write(shelf);
        step_back_or(|| self.0.leave(0, Box::new(write.clone()))).await;
    }
}

/// One connection, on which answers come in order.
#[derive(Default)]
struct AnswersTheNext {
    turn: tokio::sync::Mutex<()>,
    answers: Mutex<VecDeque<Option<Snapshot>>>,
}

impl Racer for AnswersTheNext {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        let _turn = self.turn.lock().await;
        let found = shelf.live(id);
        lock(&self.answers).push_back(found);
        step_back().await;
        lock(&self.answers).pop_front()?
    }
}

/// A fair lock: it goes to whoever waits longest, even to one that does not wait any more.
#[derive(Default)]
struct HandsOver(Mutex<Line>);

#[derive(Default)]
struct Line {
    holder: Option<u64>,
    waiting: VecDeque<(u64, Waker)>,
    numbers: u64,
}

struct Held<'a>(&'a HandsOver);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut line = lock(&self.0.0);
        let next = line.waiting.pop_front();
        line.holder = next.as_ref().map(|(number, _)| *number);
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }
}

impl HandsOver {
    async fn turn(&self) -> Held<'_> {
        let mut mine = None;
        poll_fn(|context| {
            let mut line = lock(&self.0);
            if let Some(number) = mine {
                if line.holder == mine {
                    return Poll::Ready(());
                }
                let place = line.waiting.iter_mut().find(|(other, _)| *other == number);
                if let Some((_, waker)) = place {
                    waker.clone_from(context.waker());
                }
                return Poll::Pending;
            }
            line.numbers += 1;
            let number = line.numbers;
            mine = Some(number);
            if line.holder.is_none() {
                line.holder = mine;
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            line.waiting.push_back((number, waker));
            Poll::Pending
        })
        .await;
        Held(self)
    }
}

impl Racer for HandsOver {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let _held = self.turn().await;
        step_back().await;
        shelf.put(snapshot, ttl);
    }

    async fn drop(&self, shelf: &Shelf, id: &str) {
        let _held = self.turn().await;
        shelf.take(id);
    }
}

#[derive(Default)]
struct PanicsAfter(tokio::sync::Mutex<bool>);

impl Racer for PanicsAfter {
    async fn prepare(&self, shelf: &Shelf, id: &str) -> Option<Snapshot> {
        assert!(!*self.0.lock().await, "a write is under way");
        shelf.live(id)
    }

    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let mut busy = self.0.lock().await;
        *busy = true;
        step_back().await;
        shelf.put(snapshot, ttl);
        *busy = false;
    }
}

/// Writes first, and puts back what was there if it is broken off.
#[derive(Default)]
struct RollsBack;

impl Racer for RollsBack {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        let old = shelf.entry(snapshot.id());
        let roll_back = || {
            let mut entries = lock(&shelf.entries);
            match old.clone() {
                Some(old) => entries.insert(snapshot.id().to_owned(), old),
                None => entries.remove(snapshot.id()),
            };
        };
        step_back_or(roll_back).await;
        shelf.put(snapshot, ttl);
    }
}
