//! Oracle: any store, with every call checked against the contract as it runs.

use crate::clock::{Clock, SystemClock};
use crate::conformance::judge::journal::{Begun, Journal};
use crate::conformance::subject::profile::Profile;

use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
/// # async fn test() -> Result<(), session_spec::StoreError> {
/// let store = Oracle::new(MemStore::new()); // yours here
/// let mut session = Session::load(&store, "cookie").await?;
/// session.save(&store, Duration::from_secs(3600)).await?;
/// # Ok(())
/// # }
/// ```
///
/// It remembers, for every id, the last writes, and what may still matter beside them: prepares of a while,
/// and writes that may take effect at any later time. A prepare that is still under way after a hundred
/// other calls on its id is not judged. What it says shows no id and no
/// snapshot (SES-8).
pub struct Oracle<S, C = SystemClock> {
    store: S,
    clock: C,
    journal: Mutex<Journal>,
    tell: Arc<dyn Fn(&Disagreement) + Send + Sync>,
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
    /// Not this, but calls whose answer is wrong, unless
    /// [`on_disagreement`](Oracle::on_disagreement) is told.
    pub fn with_clock(store: S, clock: C) -> Self {
        Self {
            store,
            clock,
            journal: Mutex::new(Journal::default()),
            tell: Arc::new(|disagreement| panic!("{disagreement}")),
        }
    }

    /// What the store claims; everything unless told.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        self.lock().claim(profile);
        self
    }

    /// Hands what is wrong to `tell`, in place of a panic.
    #[must_use]
    pub fn on_disagreement(mut self, tell: impl Fn(&Disagreement) + Send + Sync + 'static) -> Self {
        self.tell = Arc::new(tell);
        self
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    fn lock(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the call before it is made; what is returned notes that it was cancelled, if it is.
    fn begin(&self, op: Op) -> UnderWay<'_, S, C> {
        let now = self.clock.now();
        UnderWay {
            oracle: self,
            begun: Some(self.lock().begin(op, now)),
        }
    }
}

/// A call that has not returned.
struct UnderWay<'a, S: Store, C: Clock> {
    oracle: &'a Oracle<S, C>,
    begun: Option<Begun>,
}

impl<S: Store, C: Clock> UnderWay<'_, S, C> {
    /// The call has returned: nothing where it failed, so that it may have taken effect or not.
    fn returned(mut self, reply: Option<Reply>) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        let returned = self.oracle.lock().returned();
        let now = self.oracle.clock.now();
        let wrong = self.oracle.lock().end(&begun, reply, returned, now);
        if let Some(disagreement) = wrong {
            (self.oracle.tell)(&disagreement);
        }
    }
}

impl<S: Store, C: Clock> Drop for UnderWay<'_, S, C> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun.take() {
            let returned = self.oracle.lock().returned();
            let now = self.oracle.clock.now();
            self.oracle.lock().cancel(&begun, returned, now);
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
        let result = self.store.prepare(id).await;
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
        let result = self.store.commit(snapshot, ttl).await;
        call.returned(reply(&result, |()| Reply::Done));
        result
    }

    /// Implements [`Store::drop`].
    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let call = self.begin(Op::Drop { id: id.to_owned() });
        let result = Store::drop(&self.store, id).await;
        call.returned(reply(&result, |()| Reply::Done));
        result
    }
}

impl<S: fmt::Debug, C> fmt::Debug for Oracle<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oracle")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
