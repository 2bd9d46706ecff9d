//! Stores: where sessions are kept between requests.

use crate::constraint::Constraint;
use crate::snapshot::{DecodeError, Snapshot};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A place that keeps snapshots, each under its id for a time to live.
///
/// **This documentation is the contract.** What each method says holds for every store;
/// implementations link here and do not restate it. [SPEC.md](crate::spec) has every clause with
/// its reason, and `conformance::check` (feature `conformance`) tests a store against it.
///
/// An entry is *live* from its commit until its deadline, which is the commit's time plus its time
/// to live, or until it is dropped. An answer of *nothing* is `Ok(None)`. A *refusal* is
/// [`StoreError::Refused`]; nothing has changed then (COM-4).
///
/// - Two ids are the same only if they are equal byte for byte (IDN-1). A store that cannot hold an
///   id refuses to commit it with [`Constraint::UnsupportedId`], prepares it as nothing and drops
///   it with success (IDN-2).
/// - A store that cannot hold some value refuses to commit it with [`Constraint::UnsupportedValue`], and
///   stores no other in its place (VAL-1).
/// - A store may be used from many tasks at once; its calls are linearizable per id (CON-1), and a
///   prepare never mixes two commits (CON-2).
/// - A call whose future is dropped takes effect wholly and once, or not at all, and later calls
///   work (CAN-1).
/// - No input makes a store panic or hang (ERR-1). A backend that cannot answer is
///   [`StoreError::Backend`] or [`StoreError::Undecodable`], never nothing and never done (ERR-2);
///   after such an error the entry is as it was or as was asked for (ERR-3).
///
/// Implementations write `async fn`:
///
/// ```
/// # use session_spec::{Snapshot, Store, StoreError};
/// # use std::time::Duration;
/// struct Nowhere;
///
/// impl Store for Nowhere {
///     async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
///         Ok(None)
///     }
///     async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
///         # let reason = "nowhere to put it";
///         Err(StoreError::Backend { store: "nowhere", source: reason.into() })
///     }
///     async fn drop(&self, id: &str) -> Result<(), StoreError> {
///         Ok(())
///     }
/// }
/// ```
///
/// `&S`, `Arc<S>` and `Box<S>` are stores where `S` is one. Through other pointers (`LazyLock`,
/// `Rc`, a mutex guard) `store.drop(id)` means [`Drop::drop`] and does not compile; write
/// `Store::drop(&*store, id)`:
///
/// ```
/// # use session_spec::{MemStore, Store, StoreError};
/// # use std::sync::LazyLock;
/// static STORE: LazyLock<MemStore> = LazyLock::new(MemStore::new);
///
/// # async fn log_out(id: &str) -> Result<(), StoreError> {
/// Store::drop(&*STORE, id).await
/// # }
/// ```
pub trait Store: Send + Sync {
    /// Loads what is live under `id`.
    ///
    /// Gives the snapshot last committed under `id`, equal in every field (PRE-3), while that
    /// commit's life lasts (TTL-1). Gives nothing when the id was never committed (PRE-1), is empty
    /// (PRE-2), was dropped (DRP-1), or when now is at or after the deadline (TTL-2); once gone, an
    /// entry stays so until a commit (TTL-4). Changes nothing that can be observed (PRE-4).
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the backend cannot answer; [`StoreError::Undecodable`] when it
    /// holds something else than this id's snapshot (SNP-5).
    fn prepare(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send;

    /// Writes `snapshot` under its id, live from now for `ttl`.
    ///
    /// The next prepare of that id gives it (COM-5). Over a live entry it replaces the whole
    /// snapshot and restarts its life, shorter or longer (COM-6); after a drop or an expiry it
    /// creates the entry again (COM-8), so a request that is slower than a logout can bring the
    /// session back. Every positive time to live is honoured, from one nanosecond to
    /// [`Duration::MAX`] (COM-7).
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the snapshot's id is empty (COM-2) or `ttl` is zero (COM-3), or
    /// when this store cannot hold the id (IDN-2); [`StoreError::Backend`] when the outcome is
    /// unknown (ERR-3).
    fn commit(
        &self,
        snapshot: &Snapshot,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes what is under `id`, and only that (DRP-1, DRP-4).
    ///
    /// Where there is nothing (an unknown, expired or dropped id, or the empty one), this does
    /// nothing and succeeds (DRP-2, DRP-3).
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the outcome is unknown (ERR-3).
    fn drop(&self, id: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed. Shows no id and no snapshot (SES-8), as long as a backend's own error shows
/// none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The call was refused; nothing changed (COM-4).
    #[error("{store}: {constraint}")]
    Refused {
        /// The store's name, such as `memstore`.
        store: &'static str,
        /// What the call broke.
        constraint: Constraint,
    },
    /// What the backend holds under this id is not its snapshot (SNP-5).
    #[error("{store}: entry cannot be decoded")]
    Undecodable {
        /// The store's name.
        store: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The backend did not answer as it should: the call's effect may be there or not (ERR-2,
    /// ERR-3).
    #[error("{store}: backend failed")]
    Backend {
        /// The store's name.
        store: &'static str,
        /// The backend's own error.
        source: BoxError,
    },
}

macro_rules! store_through_pointer {
    ($($pointer:ty),*) => {$(
        /// The store it points to.
        impl<S: Store + ?Sized> Store for $pointer {
            fn prepare(
                &self,
                id: &str,
            ) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
                (**self).prepare(id)
            }

            fn commit(
                &self,
                snapshot: &Snapshot,
                ttl: Duration,
            ) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).commit(snapshot, ttl)
            }

            fn drop(&self, id: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
                Store::drop(&**self, id)
            }
        }
    )*};
}

store_through_pointer!(&S, Arc<S>, Box<S>);

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`Store`] for trait objects. Every store is one, and `dyn DynStore` is itself a store, so code
/// that takes any store also takes an `Arc<dyn DynStore>`; the calls cost a box each.
///
/// ```
/// # use session_spec::{DynStore, MemStore, Session, StoreError};
/// # use std::{sync::Arc, time::Duration};
/// # async fn example() -> Result<(), StoreError> {
/// let store: Arc<dyn DynStore> = Arc::new(MemStore::new());
/// Session::new().save(&store, Duration::from_secs(60)).await
/// # }
/// ```
pub trait DynStore: Send + Sync {
    /// [`Store::prepare`], boxed.
    ///
    /// # Errors
    /// As [`Store::prepare`].
    fn prepare_boxed<'a>(
        &'a self,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>>;

    /// [`Store::commit`], boxed.
    ///
    /// # Errors
    /// As [`Store::commit`].
    fn commit_boxed<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// [`Store::drop`], boxed.
    ///
    /// # Errors
    /// As [`Store::drop`].
    fn drop_boxed<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl<S: Store> DynStore for S {
    fn prepare_boxed<'a>(
        &'a self,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Snapshot>, StoreError>> {
        Box::pin(self.prepare(id))
    }

    fn commit_boxed<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.commit(snapshot, ttl))
    }

    fn drop_boxed<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(Store::drop(self, id))
    }
}

impl Store for dyn DynStore + '_ {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.prepare_boxed(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.commit_boxed(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.drop_boxed(id).await
    }
}
