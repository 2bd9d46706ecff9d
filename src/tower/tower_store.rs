//! `TowerStore`: a tower-sessions store as one of ours.

use super::date;
use crate::clock::{SystemClock, WallClock};
use crate::constraint::Constraint;
use crate::snapshot::{DecodeError, Snapshot};
use crate::store::{Store, StoreError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use std::{array, fmt, mem};
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::Error;

/// Where a record's data has the snapshot's wire form, as one string.
pub const SNAPSHOT_KEY: &str = "session_spec_snapshot";

const NAME: &str = "tower-sessions";

/// A [`Store`] that keeps its snapshots in any tower-sessions [`SessionStore`].
///
/// [The module](super) says how the contract is mapped, and what it cannot show of the store behind.
#[derive(Clone)]
pub struct TowerStore<T, C = SystemClock> {
    store: T,
    clock: C,
}

/// The id of the record that holds the entry under `id`: 128 bits of a SHA-256 hash.
///
/// For programs that look for a session in the store's own tables. It tells nothing about `id` to
/// whoever sees it.
pub fn record_id(id: &str) -> Id {
    let hash = Sha256::new()
        .chain_update(b"session-spec tower-sessions id v1\0")
        .chain_update(id)
        .finalize();
    Id(i128::from_le_bytes(array::from_fn(|at| hash[at])))
}

impl<T: SessionStore> TowerStore<T> {
    /// A store on `store`, and on the machine's calendar, where tower-sessions stores read the time
    /// as well.
    pub fn new(store: T) -> Self {
        Self::with_clock(store, SystemClock::new())
    }
}

impl<T: SessionStore, C: WallClock> TowerStore<T, C> {
    /// A store on `store` and on `clock`, which must show the time that `store` goes by.
    ///
    /// A clock that rounds up to whole steps gives round dates, such as applications set too. A store
    /// that errs at those does not err at others; the step is the resolution to declare then.
    pub fn with_clock(store: T, clock: C) -> Self {
        Self { store, clock }
    }

    /// The store behind.
    pub fn get_ref(&self) -> &T {
        &self.store
    }

    /// Writes what is not there, as far as `load` can tell.
    async fn create(&self, mut record: Record) -> Result<(), Error> {
        let id = record.id;
        let created = self.store.create(&mut record).await;
        let taken = mem::replace(&mut record.id, id);
        match created {
            Ok(()) if taken == id => Ok(()),
            // Something is there: an expired record, or another task's commit from just now.
            Ok(()) => {
                self.store.delete(&taken).await?;
                self.store.save(&record).await
            }
            // Perhaps the same, since a store may answer so; or the store is away. A `save` that
            // only updates does not tell the two apart, so the record is looked for.
            Err(error) => {
                self.store.save(&record).await?;
                match self.store.load(&id).await? {
                    None if date::until(record.expiry_date, self.clock.system_time()).is_some() => {
                        Err(error)
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl<T: SessionStore, C: WallClock> Store for TowerStore<T, C> {
    /// Implements [`Store::prepare`].
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        if id.is_empty() {
            return Ok(None);
        }
        let found = match self.store.load(&record_id(id)).await {
            Ok(found) => found,
            Err(Error::Decode(_)) => return Err(undecodable(DecodeError::NoSnapshot)),
            Err(error) => return Err(failed(error)),
        };
        let Some(record) = found else {
            return Ok(None);
        };
        let wire = record.data.get(SNAPSHOT_KEY).and_then(Value::as_str);
        wire.ok_or(DecodeError::NoSnapshot)
            .and_then(|wire| Snapshot::decode(id, wire.as_bytes()))
            .map(Some)
            .map_err(undecodable)
    }

    /// Implements [`Store::commit`].
    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let refused = |constraint| StoreError::Refused {
            store: NAME,
            constraint,
        };
        if snapshot.id().is_empty() {
            return Err(refused(Constraint::EmptyId));
        }
        if ttl.is_zero() {
            return Err(refused(Constraint::TtlNotPositive));
        }
        let id = record_id(snapshot.id());
        let is_there = match self.store.load(&id).await {
            Ok(found) => found.is_some(),
            // What cannot be read is there all the same, and about to be replaced.
            Err(Error::Decode(_)) => true,
            Err(error) => return Err(failed(error)),
        };
        let wire = String::from_utf8(snapshot.encode()).expect("JSON is UTF-8");
        let record = Record {
            id,
            data: [(SNAPSHOT_KEY.to_owned(), Value::String(wire))].into(),
            expiry_date: date::deadline(self.clock.system_time(), ttl),
        };
        let written = match is_there {
            true => self.store.save(&record).await,
            false => self.create(record).await,
        };
        written.map_err(failed)
    }

    /// Implements [`Store::drop`].
    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        if id.is_empty() {
            return Ok(());
        }
        self.store.delete(&record_id(id)).await.map_err(failed)
    }
}

fn undecodable(source: DecodeError) -> StoreError {
    StoreError::Undecodable {
        store: NAME,
        source,
    }
}

fn failed(error: Error) -> StoreError {
    StoreError::Backend {
        store: NAME,
        source: match error {
            Error::Encode(_) => Withheld::Encode.into(),
            Error::Decode(_) => Withheld::Decode.into(),
            Error::Backend(_) => error.into(),
        },
    }
}

/// Encoders and decoders see the data, and some quote it, so what they say is not passed on (SNP-5).
#[derive(Debug, thiserror::Error)]
enum Withheld {
    #[error("a record could not be encoded")]
    Encode,
    #[error("a record could not be decoded")]
    Decode,
}

/// Shows nothing of the store behind, whose own debug form may show all sessions (SES-8).
impl<T, C> fmt::Debug for TowerStore<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerStore").finish_non_exhaustive()
    }
}
