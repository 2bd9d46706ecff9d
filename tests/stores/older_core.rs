//! Stores of tower-sessions-core 0.14 as stores of 0.15: the same calls, records and errors under
//! another version's names.

use async_trait::async_trait;
use std::fmt;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, Result, SessionStore};
use tower_sessions_core_0_14::session as older;
use tower_sessions_core_0_14::session_store as older_store;

#[derive(Clone)]
pub(crate) struct OnOlderCore<T>(pub(crate) T);

impl<T> fmt::Debug for OnOlderCore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnOlderCore").finish_non_exhaustive()
    }
}

fn to_older(record: &Record) -> older::Record {
    older::Record {
        id: older::Id(record.id.0),
        data: record.data.clone(),
        expiry_date: record.expiry_date,
    }
}

fn error(error: older_store::Error) -> Error {
    match error {
        older_store::Error::Encode(text) => Error::Encode(text),
        older_store::Error::Decode(text) => Error::Decode(text),
        older_store::Error::Backend(text) => Error::Backend(text),
    }
}

#[async_trait]
impl<T: older_store::SessionStore> SessionStore for OnOlderCore<T> {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut theirs = to_older(record);
        self.0.create(&mut theirs).await.map_err(error)?;
        record.id = Id(theirs.id.0);
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.0.save(&to_older(record)).await.map_err(error)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = self.0.load(&older::Id(id.0)).await.map_err(error)?;
        Ok(found.map(|record| Record {
            id: Id(record.id.0),
            data: record.data,
            expiry_date: record.expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.delete(&older::Id(id.0)).await.map_err(error)
    }
}
