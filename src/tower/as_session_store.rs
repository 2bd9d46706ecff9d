//! `AsSessionStore`: one of our stores as a tower-sessions store.

use super::date;
use crate::clock::{SystemClock, WallClock};
use crate::data::{Data, DataError};
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use std::time::Duration;
use std::{fmt, iter};
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, Result};

/// Where a snapshot's data has the whole data of a record, as one map.
pub const DATA_KEY: &str = "tower_sessions_data";

/// Where a snapshot's data has a record's `expiry_date`, as `[seconds since 1970, nanoseconds]`.
pub const EXPIRY_KEY: &str = "tower_sessions_expiry_date";

/// A tower-sessions [`SessionStore`] that keeps its records in any [`Store`].
///
/// [The module](super) says how records are mapped. The store behind should be for these records
/// alone: a snapshot that is none is [`Error::Decode`].
#[derive(Clone)]
pub struct AsSessionStore<S, C = SystemClock> {
    store: S,
    clock: C,
}

impl<S: Store> AsSessionStore<S> {
    /// A tower-sessions store on `store` and the machine's calendar, by which tower-sessions sets
    /// its dates.
    pub fn new(store: S) -> Self {
        Self::with_clock(store, SystemClock::new())
    }
}

/// Fresh ids that a `create` tries. Two of 128 random bits do not meet; a store that says otherwise
/// this often is broken, and would say it for ever.
const TRIES: usize = 8;

impl<S: Store, C: WallClock> AsSessionStore<S, C> {
    /// A tower-sessions store on `store` and on `clock`, which must show the time by which the
    /// `expiry_date`s were set.
    pub fn with_clock(store: S, clock: C) -> Self {
        Self { store, clock }
    }

    fn time_left(&self, record: &Record) -> Option<Duration> {
        date::until(record.expiry_date, self.clock.system_time())
    }
}

#[async_trait]
impl<S: Store + 'static, C: WallClock + 'static> SessionStore for AsSessionStore<S, C> {
    /// Saves `record`, under a fresh id if its own is taken. Not atomic: see [the module](super).
    async fn create(&self, record: &mut Record) -> Result<()> {
        for _ in 0..TRIES {
            let found = self.store.prepare(&record.id.to_string()).await;
            if found.map_err(|error| failed(&error))?.is_none() {
                return self.save(record).await;
            }
            record.id = Id::default();
        }
        Err(Error::Backend("every fresh id is taken".to_owned()))
    }

    /// Commits `record` until its `expiry_date`; drops it when that is past.
    async fn save(&self, record: &Record) -> Result<()> {
        let snapshot = to_snapshot(record).map_err(|error| Error::Encode(error.to_string()))?;
        let saved = match self.time_left(record) {
            Some(ttl) => self.store.commit(&snapshot, ttl).await,
            None => self.store.drop(snapshot.id()).await,
        };
        saved.map_err(|error| failed(&error))
    }

    /// Prepares the record of `id`; nothing once its `expiry_date` has come.
    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self
            .store
            .prepare(&id.to_string())
            .await
            .map_err(|error| failed(&error))?;
        let Some(snapshot) = found else {
            return Ok(None);
        };
        let record = to_record(*id, &snapshot)
            .ok_or_else(|| Error::Decode("the snapshot is no record".to_owned()))?;
        Ok(Some(record).filter(|record| self.time_left(record).is_some()))
    }

    /// Drops the record of `id`.
    async fn delete(&self, id: &Id) -> Result<()> {
        self.store
            .drop(&id.to_string())
            .await
            .map_err(|error| failed(&error))
    }
}

fn to_snapshot(record: &Record) -> std::result::Result<Snapshot, DataError> {
    let data: Map<String, Value> = record.data.clone().into_iter().collect();
    let expiry = json!(date::to_parts(record.expiry_date));
    let whole = [
        (DATA_KEY.to_owned(), Value::Object(data)),
        (EXPIRY_KEY.to_owned(), expiry),
    ];
    let whole = Data::try_from(Map::from_iter(whole))?;
    Ok(Snapshot::new(record.id.to_string(), "", None, whole))
}

fn to_record(id: Id, snapshot: &Snapshot) -> Option<Record> {
    let data = snapshot.data().value(DATA_KEY)?.as_object()?;
    let expiry = snapshot.data().get(EXPIRY_KEY).ok()??;
    Some(Record {
        id,
        data: data.clone().into_iter().collect(),
        expiry_date: date::from_parts(expiry)?,
    })
}

fn failed(error: &StoreError) -> Error {
    match error {
        StoreError::Undecodable { .. } => Error::Decode(with_sources(error)),
        _ => Error::Backend(with_sources(error)),
    }
}

/// tower-sessions' errors are text and have no sources, so the text has them all.
fn with_sources(error: &StoreError) -> String {
    let first: &dyn std::error::Error = error;
    let chain = iter::successors(Some(first), |error| error.source());
    let texts: Vec<_> = chain.map(ToString::to_string).collect();
    texts.join(": ")
}

/// Shows nothing of the store behind (SES-8).
impl<S, C> fmt::Debug for AsSessionStore<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsSessionStore").finish_non_exhaustive()
    }
}
