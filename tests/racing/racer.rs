//! Racers: stores for the kit to judge, each a right store but for the part in which it races.

use session_spec::conformance::{Check, Factory, Profile, Report, check};
use session_spec::{Clause, Clock, Constraint, DynStore, ManualClock, Snapshot, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// The three calls of a store over a shelf. What is not overridden is right, one step under a lock.
pub(crate) trait Racer: Default + Send + Sync + 'static {
    fn prepare(&self, shelf: &Shelf, id: &str) -> impl Future<Output = Option<Snapshot>> + Send {
        async { shelf.live(id) }
    }

    fn commit(
        &self,
        shelf: &Shelf,
        snapshot: &Snapshot,
        ttl: Duration,
    ) -> impl Future<Output = ()> + Send {
        async move { shelf.put(snapshot, ttl) }
    }

    fn drop(&self, shelf: &Shelf, id: &str) -> impl Future<Output = ()> + Send {
        async { shelf.take(id) }
    }
}

/// The store that a racer is.
pub(crate) struct Track<R> {
    shelf: Shelf,
    racer: R,
}

impl<R: Racer> Track<R> {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            shelf: Shelf::new(clock),
            racer: R::default(),
        }
    }
}

impl<R: Racer> Store for Track<R> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.racer.prepare(&self.shelf, id).await)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        validate(snapshot, ttl)?;
        self.racer.commit(&self.shelf, snapshot, ttl).await;
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.racer.drop(&self.shelf, id).await;
        Ok(())
    }
}

pub(crate) fn validate(snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
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

/// A racer with its name, and the clauses it must be caught under: none if it is right.
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) clauses: &'static [Clause],
    profile: Profile,
    make: Make,
    patience: Duration,
}

/// None of those that return is in one call for as long as this, even where it has to wait for its turn
/// on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of those that hang, each is waited for as long.
const BRIEF: Duration = Duration::from_secs(1);

type Make = fn(ManualClock) -> Box<dyn DynStore>;

impl Entrant {
    pub(crate) fn of<R: Racer>(name: &'static str, clauses: &'static [Clause]) -> Self {
        Self {
            name,
            clauses,
            profile: Profile::default(),
            make: |clock| Box::new(Track::<R>::new(clock)),
            patience: PATIENCE,
        }
    }

    /// The same, one that hangs.
    pub(crate) fn hanging(self) -> Self {
        Self {
            patience: BRIEF,
            ..self
        }
    }

    /// A right one, which claims less.
    pub(crate) fn claiming<R: Racer>(name: &'static str, profile: Profile) -> Self {
        Self {
            profile,
            ..Self::of::<R>(name, &[])
        }
    }

    /// One that is no racer.
    pub(crate) fn made(
        name: &'static str,
        clauses: &'static [Clause],
        profile: Profile,
        make: fn(ManualClock) -> Box<dyn DynStore>,
    ) -> Self {
        Self {
            name,
            clauses,
            profile,
            make,
            patience: PATIENCE,
        }
    }

    /// What a check of so many random programs says: made once, for all tests that ask for it.
    pub(crate) fn report(&self, sequences: usize) -> Report {
        type Reports = BTreeMap<(&'static str, usize), Arc<OnceLock<Report>>>;
        static REPORTS: Mutex<Reports> = Mutex::new(BTreeMap::new());
        let key = (self.name, sequences);
        let report = Arc::clone(lock(&REPORTS).entry(key).or_default());
        report.get_or_init(|| self.judged(sequences, 1)).clone()
    }

    pub(crate) fn judged(&self, sequences: usize, seed: u64) -> Report {
        self.checked(sequences, seed).run()
    }

    pub(crate) fn checked(&self, sequences: usize, seed: u64) -> Check<Factory<Make>> {
        check(self.make)
            .depth(2)
            .sequences(sequences)
            .patience(self.patience)
            .profile(self.profile.clone())
            .seed(seed)
    }
}

/// Lets others go first, once.
pub(crate) async fn step_back() {
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

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) snapshot: Snapshot,
    pub(crate) deadline: u128,
}

pub(crate) type Entries = HashMap<String, Entry>;

/// A map behind a lock, which wrong stores take more than once.
pub(crate) struct Shelf {
    clock: ManualClock,
    pub(crate) entries: Mutex<Entries>,
}

impl Shelf {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> u128 {
        self.clock.now().as_nanos()
    }

    /// The entry as it stands, live or not.
    pub(crate) fn entry(&self, id: &str) -> Option<Entry> {
        lock(&self.entries).get(id).cloned()
    }

    pub(crate) fn live(&self, id: &str) -> Option<Snapshot> {
        let entries = lock(&self.entries);
        self.if_live(entries.get(id).cloned())
    }

    pub(crate) fn if_live(&self, entry: Option<Entry>) -> Option<Snapshot> {
        let live = entry.filter(|entry| self.now() < entry.deadline);
        live.map(|entry| entry.snapshot)
    }

    /// What a commit writes, now.
    pub(crate) fn made(&self, snapshot: &Snapshot, ttl: Duration) -> Entry {
        Entry {
            snapshot: snapshot.clone(),
            deadline: self.now() + ttl.as_nanos(),
        }
    }

    pub(crate) fn put(&self, snapshot: &Snapshot, ttl: Duration) {
        let mut entries = lock(&self.entries);
        let entry = self.made(snapshot, ttl);
        entries.insert(snapshot.id().to_owned(), entry);
    }

    /// The same under another deadline, whatever it is by now.
    pub(crate) fn renew(&self, snapshot: &Snapshot, ttl: Duration) {
        let fresh = self.made(snapshot, ttl);
        let mut entries = lock(&self.entries);
        let entry = entries.entry(snapshot.id().to_owned());
        entry.or_insert_with(|| fresh.clone()).deadline = fresh.deadline;
    }

    pub(crate) fn take(&self, id: &str) {
        lock(&self.entries).remove(id);
    }
}

/// The user and token of one with the data of another.
pub(crate) fn mixed(one: &Snapshot, other: &Snapshot) -> Snapshot {
    let user = one.user().cloned();
    Snapshot::new(one.id(), one.csrf_token(), user, other.data().clone())
}
