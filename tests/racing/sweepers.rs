//! Sweepers: stores that remove what has expired on a thread of their own, which takes its time.

use super::racer::{Entrant, Entries, Entry, lock, validate};
use session_spec::conformance::Profile;
use session_spec::{Clause, Clock, ManualClock, Snapshot, Store, StoreError};
use std::sync::{Arc, Mutex, Once, Weak};
use std::thread;
use std::time::Duration;

pub(crate) fn wrong() -> Entrant {
    Entrant::made(
        "sweeps by an old list, on a thread of its own",
        &[Clause::Con1],
        Profile::default(),
        |clock| Box::new(Sweeper::new(clock, false)),
    )
}

pub(crate) fn right() -> Entrant {
    Entrant::made(
        "sweeps what is expired, on a thread of its own",
        &[],
        Profile::default(),
        |clock| Box::new(Sweeper::new(clock, true)),
    )
}

struct Sweeper {
    clock: ManualClock,
    entries: Arc<Mutex<Entries>>,
    looks_again: bool,
    has_begun: Once,
}

impl Sweeper {
    fn new(clock: ManualClock, looks_again: bool) -> Self {
        Self {
            clock,
            entries: Arc::default(),
            looks_again,
            has_begun: Once::new(),
        }
    }

    /// Sweeps until the store is gone.
    fn begin(&self) {
        let (entries, clock) = (Arc::downgrade(&self.entries), self.clock.clone());
        let looks_again = self.looks_again;
        thread::spawn(move || while sweep(&entries, &clock, looks_again) {});
    }

    fn now(&self) -> u128 {
        self.clock.now().as_nanos()
    }
}

/// Once; says whether there is still something to sweep.
#[expect(clippy::disallowed_methods, reason = "a thread that sweeps waits")]
fn sweep(entries: &Weak<Mutex<Entries>>, clock: &ManualClock, looks_again: bool) -> bool {
    const PAUSE: Duration = Duration::from_micros(400);
    let is_expired = |entry: &Entry| entry.deadline <= clock.now().as_nanos();
    let Some(all) = entries.upgrade() else {
        return false;
    };
    let expired = |(id, entry): (&String, &Entry)| is_expired(entry).then(|| id.clone());
    let expired: Vec<String> = lock(&all).iter().filter_map(expired).collect();
    drop(all);
    thread::sleep(PAUSE);
    let Some(all) = entries.upgrade() else {
        return false;
    };
    for id in expired {
        let mut all = lock(&all);
        if !looks_again || all.get(&id).is_some_and(is_expired) {
            all.remove(&id);
        }
    }
    true
}

impl Store for Sweeper {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let entry = lock(&self.entries).get(id).cloned();
        let live = entry.filter(|entry| self.now() < entry.deadline);
        Ok(live.map(|entry| entry.snapshot))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        validate(snapshot, ttl)?;
        self.has_begun.call_once(|| self.begin());
        let mut entries = lock(&self.entries);
        let entry = Entry {
            snapshot: snapshot.clone(),
            deadline: self.now() + ttl.as_nanos(),
        };
        entries.insert(snapshot.id().to_owned(), entry);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        lock(&self.entries).remove(id);
        Ok(())
    }
}
