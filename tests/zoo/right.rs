//! The odd but right stores: they do it in their own way, and must be left in peace.

use super::animal::{Animal, Entry, RIGHT, refused, validate};
use session_spec::{Constraint, DecodeError, Snapshot, StoreError};

pub(crate) const ODD: &[Animal] = &[
    Animal {
        name: "sweeps at every call",
        prepare: |shelf, now, id| {
            shelf.entries.retain(|_, entry| now < entry.deadline);
            Ok(shelf.entries.get(id).map(|entry| entry.snapshot.clone()))
        },
        drop: |shelf, now, id| {
            shelf
                .entries
                .retain(|key, entry| now < entry.deadline && key != id);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "keeps tombstones",
        prepare: |shelf, now, id| match shelf.aside.contains_key(id) {
            true => Ok(None),
            false => (RIGHT.prepare)(shelf, now, id),
        },
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            Ok(())
        },
        drop: |shelf, _, id| {
            if let Some(entry) = shelf.entries.get(id).cloned() {
                shelf.aside.insert(id.to_owned(), entry);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "keeps encoded bytes",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let undecodable = |source: DecodeError| StoreError::Undecodable {
                store: "zoo",
                source,
            };
            let copy = Snapshot::decode(snapshot.id(), &snapshot.encode()).map_err(undecodable)?;
            shelf.put(now, &copy, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "refuses ids that are not ASCII",
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_ascii() {
            true => (RIGHT.commit)(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedId),
        },
        ..RIGHT
    },
    Animal {
        name: "refuses ids of more than 255 bytes",
        commit: |shelf, now, snapshot, ttl| match snapshot.id().len() <= 255 {
            true => (RIGHT.commit)(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedId),
        },
        ..RIGHT
    },
    Animal {
        name: "checks the ttl before the id",
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() {
            true => refused(Constraint::TtlNotPositive),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "remembers the time left",
        prepare: |shelf, now, id| {
            let Some(Entry { snapshot, deadline }) = shelf.entries.get(id) else {
                return Ok(None);
            };
            let left = deadline.saturating_sub(now);
            Ok((left > 0).then(|| snapshot.clone()))
        },
        ..RIGHT
    },
];
