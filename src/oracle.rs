//! Oracle: any store, with every call checked against the contract as it runs.

use crate::clock::{Clock, SystemClock};
use crate::conformance::judge::journal::{Begun, Journal};
use crate::conformance::subject::profile::Profile;

use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, thread};

pub use crate::conformance::judge::journal::Disagreement;

/// A store whose every call is checked as an application's own tests run.
///
/// It passes each call on, and its answer back. Calls may overlap, so it judges histories: an answer
/// is wrong only if no order of the calls explains it, at any moment between its call and its return.
/// An entry that it never saw committed is unknown, not wrong; a call that failed or was cancelled may
/// have taken effect or not.
///
/// ```
/// use session_spec::{MemStore, Oracle, Session};
/// use std::time::Duration;
///
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Oracle::new(MemStore::new()); // yours here
/// let mut session = Session::load(&store, "cookie").await?;
/// session.save(&store, Duration::from_secs(3600)).await?;
/// store.verify()?;
/// # Ok(())
/// # }
/// ```
///
/// # A wrong answer does not go unnoticed
///
/// The call whose answer is wrong panics. A server may catch that, and go on: so the disagreement is kept,
/// the next call on any clone panics with it as well, and so does the drop of the last clone, unless its
/// thread is panicking already or [`verify`](Oracle::verify) has returned it. Where the runtime catches all
/// of these too, only `verify` helps: call it at the end of a test.
///
/// It remembers, for every id, the last writes, and what may still matter beside them: prepares of a while,
/// and writes that may take effect at any later time. A prepare that is still under way after a hundred
/// other calls on its id is not judged. What it says shows no id and no
/// snapshot (SES-8).
pub struct Oracle<S, C = SystemClock>(Arc<Shared<S, C>>);

/// What all clones share.
struct Shared<S, C> {
    store: S,
    clock: C,
    journal: Mutex<Journal>,
    /// Who is handed what is wrong, in place of a panic.
    listener: Mutex<Option<Listener>>,
    seen: Mutex<Seen>,
}

type Listener = Arc<dyn Fn(&Disagreement) + Send + Sync>;

/// The first disagreement, and whether somebody knows of it.
#[derive(Default)]
struct Seen {
    first: Option<Disagreement>,
    is_known: bool,
}

impl<S: Store> Oracle<S> {
    /// Checks `store` by the machine's clock, as a store that claims everything. It panics when an
    /// answer is wrong.
    pub fn new(store: S) -> Self {
        Self::with_clock(store, SystemClock::new())
    }
}

impl<S: Store, C: Clock> Oracle<S, C> {
    /// The same by `clock`, which has to be the store's own, or one that goes as fast.
    ///
    /// # Panics
    /// Not this, but calls whose answer is wrong, those that come after, and the drop of the last clone,
    /// unless [`on_disagreement`](Oracle::on_disagreement) is told.
    pub fn with_clock(store: S, clock: C) -> Self {
        Self(Arc::new(Shared {
            store,
            clock,
            journal: Mutex::default(),
            listener: Mutex::default(),
            seen: Mutex::default(),
        }))
    }

    /// What the store claims; everything unless told.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        lock(&self.0.journal).claim(profile);
        self
    }

    /// Hands what is wrong to `tell`, in place of all panics.
    #[must_use]
    pub fn on_disagreement(self, tell: impl Fn(&Disagreement) + Send + Sync + 'static) -> Self {
        *lock(&self.0.listener) = Some(Arc::new(tell));
        self
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// Whether every answer so far was right.
    ///
    /// # Errors
    /// The first disagreement, every time. From then on neither calls nor drops panic for it.
    pub fn verify(&self) -> Result<(), Disagreement> {
        let mut seen = lock(&self.0.seen);
        seen.is_known = true;
        seen.first.clone().map_or(Ok(()), Err)
    }

    /// Notes the call before it is made; what is returned notes that it was cancelled, if it is.
    fn begin(&self, op: Op) -> UnderWay<'_, S, C> {
        self.0.raise();
        let now = self.0.clock.now();
        UnderWay {
            shared: &self.0,
            begun: Some(lock(&self.0.journal).begin(op, now)),
        }
    }
}

impl<S, C> Shared<S, C> {
    /// Panics with a disagreement that nobody knows of for certain.
    fn raise(&self) {
        let seen = lock(&self.seen);
        let unknown = seen.first.clone().filter(|_| !seen.is_known);
        drop(seen);
        if let Some(disagreement) = unknown {
            panic!("{disagreement}");
        }
    }

    /// Keeps what is wrong, and tells it.
    fn disagree(&self, disagreement: &Disagreement) {
        let listener = lock(&self.listener).clone();
        let mut seen = lock(&self.seen);
        seen.is_known |= listener.is_some();
        seen.first.get_or_insert_with(|| disagreement.clone());
        drop(seen);
        match listener {
            Some(tell) => tell(disagreement),
            None => panic!("{disagreement}"),
        }
    }
}

impl<S, C> Drop for Shared<S, C> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.raise();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same store, and one history.
impl<S, C> Clone for Oracle<S, C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A call that has not returned.
struct UnderWay<'a, S: Store, C: Clock> {
    shared: &'a Shared<S, C>,
    begun: Option<Begun>,
}

impl<S: Store, C: Clock> UnderWay<'_, S, C> {
    /// The call has returned: nothing where it failed, so that it may have taken effect or not.
    fn returned(mut self, reply: Option<Reply>) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        let returned = lock(&self.shared.journal).returned();
        let now = self.shared.clock.now();
        let wrong = lock(&self.shared.journal).end(&begun, reply, returned, now);
        if let Some(disagreement) = wrong {
            self.shared.disagree(&disagreement);
        }
    }
}

impl<S: Store, C: Clock> Drop for UnderWay<'_, S, C> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            let returned = lock(&self.shared.journal).returned();
            let now = self.shared.clock.now();
            lock(&self.shared.journal).cancel(&begun, returned, now);
        }
    }
}

/// What a result says of the call; nothing where it failed.
fn reply<T>(result: &Result<T, StoreError>, done: impl FnOnce(&T) -> Reply) -> Option<Reply> {
    match result {
        Ok(value) => Some(done(value)),
        Err(StoreError::Refused { constraint, .. }) => Some(Reply::Refused(*constraint)),
        Err(_) => None,
    }
}

impl<S: Store, C: Clock> Store for Oracle<S, C> {
    /// Implements [`Store::prepare`].
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let call = self.begin(Op::Prepare { id: id.to_owned() });
        let result = self.0.store.prepare(id).await;
        call.returned(reply(&result, |found| match found {
            Some(snapshot) => Reply::Found(snapshot.clone()),
            None => Reply::Nothing,
        }));
        result
    }

    /// Implements [`Store::commit`].
    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let call = self.begin(Op::Commit {
            snapshot: Some(snapshot.clone()),
            ttl: ttl.as_nanos().cast_signed(),
        });
        let result = self.0.store.commit(snapshot, ttl).await;
        call.returned(reply(&result, |()| Reply::Done));
        result
    }

    /// Implements [`Store::drop`].
    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let call = self.begin(Op::Drop { id: id.to_owned() });
        let result = Store::drop(&self.0.store, id).await;
        call.returned(reply(&result, |()| Reply::Done));
        result
    }
}

impl<S: fmt::Debug, C> fmt::Debug for Oracle<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oracle")
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
