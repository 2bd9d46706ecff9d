//! Shelf: a small tower-sessions store, as somebody might write one.

use async_trait::async_trait;
use session_spec::{ManualClock, Snapshot};
use std::collections::HashMap;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::SystemTime;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// Records as JSON, in memory, on a clock that the test moves. Expired ones stay where they are.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    clock: ManualClock,
    manner: Manner,
    records: Arc<Mutex<HashMap<Id, String>>>,
}

/// What tower-sessions leaves to a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    /// `save` also inserts, as in most stores.
    Upsert,
    /// `save` does nothing for an id that is not there, as with `SET .. XX`.
    UpdateOnly,
    /// `create` fails where it might take another id; `save` inserts.
    CreateFails,
}

impl Shelf {
    pub(crate) fn new(clock: ManualClock, manner: Manner) -> Self {
        let records = Arc::default();
        Self {
            clock,
            manner,
            records,
        }
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    pub(crate) fn len(&self) -> usize {
        self.records.lock().unwrap().len()
    }

    pub(crate) fn record(&self, id: Id) -> Record {
        decode(&self.records.lock().unwrap()[&id]).unwrap()
    }

    /// Puts bytes where a record should be.
    pub(crate) fn put(&self, id: Id, json: impl Into<String>) {
        self.records.lock().unwrap().insert(id, json.into());
    }
}

/// A record's data that has `wire` where the bridge has a snapshot.
pub(crate) fn record_of(id: Id, snapshot: &Snapshot) -> String {
    let wire = String::from_utf8(snapshot.encode()).unwrap();
    let record = Record {
        id,
        data: [(session_spec::tower::SNAPSHOT_KEY.to_owned(), wire.into())].into(),
        expiry_date: session_spec::tower::HORIZON,
    };
    serde_json::to_string(&record).unwrap()
}

fn decode(json: &str) -> Result<Record> {
    serde_json::from_str(json).map_err(|error| Error::Decode(format!("{error}, in {json}")))
}

fn is_live(record: &Record, now: SystemTime) -> bool {
    now < SystemTime::from(record.expiry_date.to_offset(time::UtcOffset::UTC))
}

#[async_trait]
impl SessionStore for Shelf {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut records = self.records.lock().unwrap();
        while records.contains_key(&record.id) {
            if self.manner == Manner::CreateFails {
                return Err(Error::Backend("UNIQUE constraint failed".to_owned()));
            }
            record.id = Id::default();
        }
        records.insert(record.id, serde_json::to_string(record).unwrap());
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let mut records = self.records.lock().unwrap();
        if self.manner != Manner::UpdateOnly || records.contains_key(&record.id) {
            records.insert(record.id, serde_json::to_string(record).unwrap());
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let records = self.records.lock().unwrap();
        let record = records.get(id).map(|json| decode(json)).transpose()?;
        Ok(record.filter(|record| is_live(record, self.clock.system_time())))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.records.lock().unwrap().remove(id);
        Ok(())
    }
}

/// What becomes of a call that a [`Faulty`] store gets: it goes through unless this is an error.
pub(crate) type Fault = fn(&str) -> Result<()>;

/// A store whose calls fail when told to, and wait before they do anything.
#[derive(Clone)]
pub(crate) struct Faulty(pub(crate) Fault, pub(crate) Shelf);

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

/// Is ready at the second poll.
async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        match mem::replace(&mut waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

#[async_trait]
impl SessionStore for Faulty {
    async fn create(&self, record: &mut Record) -> Result<()> {
        wait().await;
        (self.0)("create")?;
        self.1.create(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        wait().await;
        (self.0)("save")?;
        self.1.save(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        wait().await;
        (self.0)("load")?;
        self.1.load(id).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        wait().await;
        (self.0)("delete")?;
        self.1.delete(id).await
    }
}

/// The date that `clock` shows.
pub(crate) fn now(clock: &ManualClock) -> OffsetDateTime {
    clock.system_time().into()
}
