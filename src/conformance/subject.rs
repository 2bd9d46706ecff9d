//! Subject: what is tested, and how time passes for it.
//!
//! Comes in: a store of any type, with what makes it and moves its clock. Goes out: the outcome of each
//! call, and whether one is still under way. It must never know what is right, nor why a call is made.
//!
//! - *subject*: the system under test, which gives a fresh store for every program.
//! - *instance*: one store, with what moves its time.
//! - *type-erased*: with its type left behind, so that the kit is compiled once for all stores.
//! - *profile*: what a store claims.
//! - *watch*: notes the calls under way, so that one that hangs is noticed.
//! - *executor*: runs a future to its end; *workers*: run one task after another, on every core.

pub(crate) mod backend;
pub(crate) mod calls;
pub(crate) mod erased;
pub(crate) mod executor;
pub(crate) mod panics;
pub(crate) mod profile;
pub(crate) mod watch;
pub(crate) mod workers;

use crate::clock::ManualClock;
use crate::store::{BoxError, Store};
use profile::Profile;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A store under test that is not simply made on a [`ManualClock`]: it needs a runtime, a server, or
/// has a clock of its own.
///
/// ```
/// use session_spec::conformance::{Subject, Waiting, check_subject};
/// use session_spec::MemStore;
/// use session_spec::store::BoxError;
///
/// /// MemStore as it runs in production: nobody can move its clock.
/// struct Production;
///
/// impl Subject for Production {
///     type Store = MemStore;
///     type Clock = Waiting;
///
///     async fn fresh(&self) -> Result<(MemStore, Waiting), BoxError> {
///         Ok((MemStore::new(), Waiting))
///     }
/// }
///
/// # let _ = || {
/// check_subject(Production).assert();
/// # };
/// ```
pub trait Subject: Send + Sync + 'static {
    /// The store.
    type Store: Store + 'static;
    /// What moves the store's time.
    type Clock: Clockwork<Self::Store>;

    /// An empty store and its clock: one for every program.
    ///
    /// # Errors
    /// When there is no store to be had, such as a server that does not answer. The check ends
    /// then, and says why.
    fn fresh(&self) -> impl Future<Output = Result<(Self::Store, Self::Clock), BoxError>> + Send;

    /// Closes the store, as at the end of a process, and opens it anew over what it has kept: the same
    /// file, server or bytes. Its clock goes on. Where this is overridden, the kit restarts the store
    /// in the midst of programs (DUR-1); whether acknowledged writes must outlive that,
    /// [`Profile::durable`] says.
    ///
    /// ```
    /// # use session_spec::{ManualClock, MemStore, Snapshot, Store, StoreError};
    /// # use session_spec::conformance::{Profile, Subject};
    /// # use session_spec::store::BoxError;
    /// # use std::path::{Path, PathBuf};
    /// # use std::time::Duration;
    /// # struct FileStore(MemStore<ManualClock>);
    /// # impl FileStore {
    /// #     fn open(_: &Path, clock: ManualClock) -> Result<Self, BoxError> {
    /// #         Ok(Self(MemStore::with_clock(clock)))
    /// #     }
    /// #     fn path(&self) -> &Path { Path::new("") }
    /// # }
    /// # impl Store for FileStore {
    /// #     async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
    /// #         self.0.prepare(id).await
    /// #     }
    /// #     async fn commit(&self, s: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
    /// #         self.0.commit(s, ttl).await
    /// #     }
    /// #     async fn drop(&self, id: &str) -> Result<(), StoreError> { Store::drop(&self.0, id).await }
    /// # }
    /// # fn a_new_file() -> PathBuf { PathBuf::new() }
    /// struct OnFile;
    ///
    /// impl Subject for OnFile {
    ///     type Store = FileStore;
    ///     type Clock = ManualClock;
    ///
    ///     async fn fresh(&self) -> Result<(FileStore, ManualClock), BoxError> {
    ///         let clock = ManualClock::new();
    ///         Ok((FileStore::open(&a_new_file(), clock.clone())?, clock))
    ///     }
    ///
    ///     async fn restart(
    ///         &self,
    ///         store: FileStore,
    ///         clock: ManualClock,
    ///     ) -> Result<(FileStore, ManualClock), BoxError> {
    ///         let path = store.path().to_owned();
    ///         drop(store);
    ///         Ok((FileStore::open(&path, clock.clone())?, clock))
    ///     }
    ///
    ///     fn profile(&self) -> Profile {
    ///         Profile::default().durable()
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// When the store does not come up again. On an empty one the check ends then, and says why;
    /// after calls that were acknowledged it is a violation.
    fn restart(
        &self,
        store: Self::Store,
        clock: Self::Clock,
    ) -> impl Future<Output = Result<(Self::Store, Self::Clock), BoxError>> + Send {
        drop((store, clock));
        async { Err(NoRestart.into()) }
    }

    /// Runs a future to its end. A store that needs a runtime overrides this, for example with
    /// `self.runtime.block_on(future)`; it is called from several threads at once.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        executor::block_on(future)
    }

    /// What the store claims: everything, unless told.
    fn profile(&self) -> Profile {
        Profile::default()
    }

    /// The short way to a store on a manual clock, where there is one.
    #[doc(hidden)]
    fn make(&self) -> Option<&(dyn Fn(ManualClock) -> Self::Store + Sync)> {
        None
    }
}

/// What [`Subject::restart`] says where it is not overridden.
#[derive(Debug)]
pub(crate) struct NoRestart;

impl fmt::Display for NoRestart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this subject cannot restart its store")
    }
}

impl Error for NoRestart {}

/// How the time of a store passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passing {
    /// The store reads a clock that stands still but for [`Clockwork::advance`].
    Injected,
    /// Real time passes, and [`Clockwork::advance`] moves the deadlines in the backend towards now.
    Shifting,
    /// Real time passes, and there is nothing to do but wait. The kit waits, for many programs at
    /// once; [`Clockwork::advance`] is not called.
    Waiting,
}

/// What moves a store's time.
pub trait Clockwork<S>: Send + Sync {
    /// How the time passes.
    const PASSING: Passing;

    /// Lets `by` pass for `store`.
    ///
    /// # Errors
    /// When the backend did not do as it was told; the program decides nothing then.
    fn advance(&self, store: &S, by: Duration)
    -> impl Future<Output = Result<(), BoxError>> + Send;
}

impl<S: Sync> Clockwork<S> for ManualClock {
    const PASSING: Passing = Passing::Injected;

    async fn advance(&self, _: &S, by: Duration) -> Result<(), BoxError> {
        Self::advance(self, by);
        Ok(())
    }
}

/// The clock of a store whose clock cannot be moved: see [`Passing::Waiting`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting;

impl<S: Sync> Clockwork<S> for Waiting {
    const PASSING: Passing = Passing::Waiting;

    async fn advance(&self, _: &S, _: Duration) -> Result<(), BoxError> {
        Err("the kit waits for a clock that cannot be moved".into())
    }
}

/// The subject of [`check`](super::check): a store made on a manual clock.
#[derive(Debug)]
pub struct Factory<F>(pub(crate) F);

impl<F, S> Subject for Factory<F>
where
    F: Fn(ManualClock) -> S + Send + Sync + 'static,
    S: Store + 'static,
{
    type Store = S;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(S, ManualClock), BoxError> {
        let clock = ManualClock::new();
        Ok(((self.0)(clock.clone()), clock))
    }

    fn make(&self) -> Option<&(dyn Fn(ManualClock) -> S + Sync)> {
        Some(&self.0)
    }
}
