//! The wrong stores: one defect each, as real ones have had them.

use super::animal::Animal;
use session_spec::{Data, Snapshot};

const SECOND: u128 = 1_000_000_000;
const MILLISECOND: u128 = 1_000_000;

/// The same snapshot with other data.
fn with_data(snapshot: &Snapshot, data: Data) -> Snapshot {
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    Snapshot::new(id, csrf, snapshot.user().cloned(), data)
}

/// `name`, or `otherwise` if it is empty: the empty id stays what it is, and no other becomes it.
fn named(name: &str, otherwise: &str) -> String {
    match name {
        "" => otherwise.to_owned(),
        _ => name.to_owned(),
    }
}

/// A store whose ids all go through `key` first.
macro_rules! keyed {
    ($name:literal, $clause:expr, $key:expr) => {
        Animal {
            name: $name,
            clause: Some($clause),
            prepare: |shelf, now, id| (RIGHT.prepare)(shelf, now, &($key)(id)),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                let deadline = now + ttl.as_nanos();
                let snapshot = snapshot.clone();
                shelf
                    .entries
                    .insert(($key)(snapshot.id()), Entry { snapshot, deadline });
                Ok(())
            },
            drop: |shelf, now, id| (RIGHT.drop)(shelf, now, &($key)(id)),
        }
    };
}

/// A store that does something to every time to live.
macro_rules! timed {
    ($name:literal, $clause:expr, $deadline:expr) => {
        Animal {
            name: $name,
            clause: Some($clause),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                let deadline = ($deadline)(now, ttl);
                let snapshot = snapshot.clone();
                shelf
                    .entries
                    .insert(snapshot.id().to_owned(), Entry { snapshot, deadline });
                Ok(())
            },
            ..RIGHT
        }
    };
}

/// A store that does something to every snapshot.
macro_rules! stored {
    ($name:literal, $clause:expr, $stored:expr) => {
        Animal {
            name: $name,
            clause: Some($clause),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                shelf.put(now, &($stored)(snapshot), ttl);
                Ok(())
            },
            ..RIGHT
        }
    };
}

/// A store that keeps something of the live entry when it is committed over.
macro_rules! replaced {
    ($name:literal, $clause:expr, $merged:expr) => {
        Animal {
            name: $name,
            clause: Some($clause),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                let before = shelf.live(now, snapshot.id());
                let merged = match before {
                    Some(before) => ($merged)(&before.snapshot, snapshot),
                    None => snapshot.clone(),
                };
                shelf.put(now, &merged, ttl);
                Ok(())
            },
            ..RIGHT
        }
    };
}

/// A store that changes or loses some of the values in the data.
macro_rules! values {
    ($name:literal, $change:expr) => {
        stored!($name, Clause::Snp4, |snapshot: &Snapshot| {
            values_changed(snapshot, &$change)
        })
    };
}

pub(crate) mod commits;
pub(crate) mod drops;
pub(crate) mod errors;
pub(crate) mod ids;
pub(crate) mod reads;
pub(crate) mod times;
pub(crate) mod values;

/// All of them.
pub(crate) fn wrong() -> impl Iterator<Item = &'static Animal> {
    [
        reads::READS,
        commits::COMMITS,
        drops::DROPS,
        times::TIMES,
        ids::IDS,
        values::VALUES,
        errors::ERRORS,
    ]
    .into_iter()
    .flatten()
}
