//! Wrong stores that one client at a time cannot find out: they race, or break off half way. And right
//! ones that only look as if they did.

use session_spec::conformance::{Report, Verdict, check};
use session_spec::{Clause, Clock, Constraint, ManualClock, Snapshot, Store, StoreError};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

type Reply<T> = Result<T, StoreError>;

/// Lets others go first, once.
async fn step_back() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
struct Entry {
    snapshot: Snapshot,
    deadline: u128,
}

/// A map behind a lock, which wrong stores take more than once.
struct Shelf {
    clock: ManualClock,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Shelf {
    fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
        }
    }

    fn now(&self) -> u128 {
        self.clock.now().as_nanos()
    }

    fn entry(&self, id: &str) -> Option<Entry> {
        lock(&self.entries).get(id).cloned()
    }

    fn live(&self, id: &str) -> Option<Snapshot> {
        let entries = lock(&self.entries);
        let now = self.now();
        let live = entries.get(id).filter(|entry| now < entry.deadline);
        live.map(|entry| entry.snapshot.clone())
    }

    fn put(&self, snapshot: &Snapshot, ttl: Duration) {
        let mut entries = lock(&self.entries);
        let entry = Entry {
            snapshot: snapshot.clone(),
            deadline: self.now() + ttl.as_nanos(),
        };
        entries.insert(snapshot.id().to_owned(), entry);
    }

    fn take(&self, id: &str) {
        lock(&self.entries).remove(id);
    }
}

fn validate(snapshot: &Snapshot, ttl: Duration) -> Reply<()> {
    let refused = |constraint| {
        Err(StoreError::Refused {
            store: "racing",
            constraint,
        })
    };
    if snapshot.id().is_empty() {
        refused(Constraint::EmptyId)
    } else if ttl.is_zero() {
        refused(Constraint::TtlNotPositive)
    } else {
        Ok(())
    }
}

/// A store over a shelf whose calls are these.
macro_rules! racing {
    ($(#[$doc:meta])* $name:ident: $shelf:ident, $id:ident, $snapshot:ident, $ttl:ident;
        prepare $prepare:block commit $commit:block drop $drop:block) => {
        $(#[$doc])*
        struct $name(Shelf, #[allow(dead_code)] Aside);

        impl $name {
            fn new(clock: ManualClock) -> Self {
                Self(Shelf::new(clock), Aside::default())
            }
        }

        impl Store for $name {
            async fn prepare(&self, $id: &str) -> Reply<Option<Snapshot>> {
                let $shelf = self;
                $prepare
            }

            async fn commit(&self, $snapshot: &Snapshot, $ttl: Duration) -> Reply<()> {
                validate($snapshot, $ttl)?;
                let $shelf = self;
                $commit
            }

            async fn drop(&self, $id: &str) -> Reply<()> {
                let $shelf = self;
                $drop
            }
        }
    };
}

/// What some of them keep besides.
#[derive(Default)]
struct Aside {
    cache: Mutex<HashMap<String, Entry>>,
    busy: Mutex<bool>,
}

racing! {
    /// Replaces an entry by taking the old one out first.
    NotAtomic: this, id, snapshot, ttl;
    prepare { Ok(this.0.live(id)) }
    commit {
        this.0.take(snapshot.id());
        step_back().await;
        this.0.put(snapshot, ttl);
        Ok(())
    }
    drop { this.0.take(id); Ok(()) }
}

racing! {
    /// Frees what it has found expired, whatever has been committed since.
    SweepsLate: this, id, snapshot, ttl;
    prepare {
        let Some(entry) = this.0.entry(id) else {
            return Ok(None);
        };
        if this.0.now() < entry.deadline {
            return Ok(Some(entry.snapshot));
        }
        step_back().await;
        this.0.take(id);
        Ok(None)
    }
    commit { this.0.put(snapshot, ttl); Ok(()) }
    drop { this.0.take(id); Ok(()) }
}

racing! {
    /// Fills its cache with what it read before a drop.
    StaleCache: this, id, snapshot, ttl;
    prepare {
        let cached = lock(&this.1.cache).get(id).cloned();
        let live = |entry: Entry| (this.0.now() < entry.deadline).then_some(entry.snapshot);
        if let Some(entry) = cached {
            return Ok(live(entry));
        }
        let Some(entry) = this.0.entry(id) else {
            return Ok(None);
        };
        step_back().await;
        lock(&this.1.cache).insert(id.to_owned(), entry.clone());
        Ok(live(entry))
    }
    commit {
        this.0.put(snapshot, ttl);
        lock(&this.1.cache).remove(snapshot.id());
        Ok(())
    }
    drop {
        this.0.take(id);
        lock(&this.1.cache).remove(id);
        Ok(())
    }
}

racing! {
    /// Writes the data first and the rest after it.
    TwoParts: this, id, snapshot, ttl;
    prepare { Ok(this.0.live(id)) }
    commit {
        if let Some(old) = this.0.live(snapshot.id()) {
            let user = old.user().cloned();
            let mix = Snapshot::new(old.id(), old.csrf_token(), user, snapshot.data().clone());
            this.0.put(&mix, ttl);
            step_back().await;
        }
        this.0.put(snapshot, ttl);
        Ok(())
    }
    drop { this.0.take(id); Ok(()) }
}

racing! {
    /// Writes back a copy of everything.
    CopiesAll: this, id, snapshot, ttl;
    prepare { Ok(this.0.live(id)) }
    commit {
        let deadline = this.0.now() + ttl.as_nanos();
        let mut all = lock(&this.0.entries).clone();
        let entry = Entry { snapshot: snapshot.clone(), deadline };
        all.insert(snapshot.id().to_owned(), entry);
        for _ in 0..2_000 {
            std::hint::spin_loop();
        }
        *lock(&this.0.entries) = all;
        Ok(())
    }
    drop { this.0.take(id); Ok(()) }
}

racing! {
    /// Marks itself busy for the time of a commit, and stays so when that is cancelled.
    StaysBusy: this, id, snapshot, ttl;
    prepare {
        while *lock(&this.1.busy) {
            step_back().await;
        }
        Ok(this.0.live(id))
    }
    commit {
        while std::mem::replace(&mut *lock(&this.1.busy), true) {
            step_back().await;
        }
        step_back().await;
        this.0.put(snapshot, ttl);
        *lock(&this.1.busy) = false;
        Ok(())
    }
    drop { this.0.take(id); Ok(()) }
}

racing! {
    /// Right: it only takes its time before and after.
    Dawdles: this, id, snapshot, ttl;
    prepare { step_back().await; let found = this.0.live(id); step_back().await; Ok(found) }
    commit { step_back().await; this.0.put(snapshot, ttl); step_back().await; Ok(()) }
    drop { step_back().await; this.0.take(id); step_back().await; Ok(()) }
}

fn judged<S: Store + 'static>(make: fn(ManualClock) -> S, seed: u64) -> Report {
    check(make)
        .depth(3)
        .sequences(2_000)
        .patience(Duration::from_secs(1))
        .seed(seed)
        .run()
}

fn caught(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

#[test]
fn con_1_stores_that_race_are_caught() {
    for report in [
        judged(SweepsLate::new, 1),
        judged(StaleCache::new, 1),
        judged(CopiesAll::new, 1),
    ] {
        assert_eq!(caught(&report), [Clause::Con1], "{report}");
    }
}

#[test]
fn con_2_a_mix_of_two_commits_is_caught() {
    let report = judged(TwoParts::new, 1);
    assert!(caught(&report).contains(&Clause::Con2), "{report}");
}

#[test]
fn can_1_calls_that_break_off_half_way_are_caught() {
    let report = judged(NotAtomic::new, 1);
    assert_eq!(caught(&report), [Clause::Con1, Clause::Can1], "{report}");
    let report = judged(StaysBusy::new, 1);
    assert_eq!(caught(&report), [Clause::Can1], "{report}");
}

#[test]
fn a_right_store_that_takes_its_time_is_left_in_peace() {
    for seed in 0..10 {
        let report = judged(Dawdles::new, seed);
        assert_eq!(report.verdict, Verdict::Conforms, "{report}");
    }
}
