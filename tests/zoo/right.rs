//! The odd but right stores: they do it in their own way, and must be left in peace.

use super::animal::{Animal, Entry, RIGHT, Shelf, refused, validate};
use session_spec::conformance::Profile;
use session_spec::token::is_token;
use session_spec::{Constraint, DecodeError, Snapshot, StoreError};
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;
const MILLISECOND: u128 = 1_000_000;
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// All of them, with what they claim.
pub(crate) fn odd() -> impl Iterator<Item = (Animal, Profile)> {
    let exact = ODD.iter().chain([&RIGHT]);
    let exact = exact.map(|animal| (*animal, Profile::default()));
    let coarse = COARSE.iter().map(|(animal, claim)| (*animal, claim()));
    exact.chain(coarse)
}

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
    Animal {
        name: "refuses all ids but tokens",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            match is_token(snapshot.id()) {
                true => (RIGHT.commit)(shelf, now, snapshot, ttl),
                false => refused(Constraint::UnsupportedId),
            }
        },
        ..RIGHT
    },
    Animal {
        name: "makes every snapshot anew",
        prepare: |shelf, now, id| {
            let live = shelf.live(now, id).map(|entry| &entry.snapshot);
            Ok(live.map(|snapshot| {
                let (user, data) = (snapshot.user().cloned(), snapshot.data().clone());
                Snapshot::new(id, snapshot.csrf_token(), user, data)
            }))
        },
        ..RIGHT
    },
    Animal {
        name: "moves what is read to the front",
        clause: None,
        prepare: |shelf, now, id| {
            if let Some(entry) = shelf.entries.remove(id) {
                shelf.aside.insert(id.to_owned(), entry);
            }
            let front = shelf.aside.get(id).filter(|entry| now < entry.deadline);
            Ok(front.map(|entry| entry.snapshot.clone()))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        drop: |shelf, _, id| {
            shelf.aside.remove(id);
            shelf.entries.remove(id);
            Ok(())
        },
    },
];

type Claim = fn() -> Profile;

/// Stores whose profile says what they do not claim.
const COARSE: &[(Animal, Claim)] = &[
    (
        Animal {
            name: "a row of 300 bytes",
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                match snapshot.encode().len() {
                    ..=300 => (RIGHT.commit)(shelf, now, snapshot, ttl),
                    _ => refused(Constraint::UnsupportedValue),
                }
            },
            ..RIGHT
        },
        || Profile::default().size(300),
    ),
    (
        Animal {
            name: "milliseconds, rounded up",
            commit: |shelf, now, snapshot, ttl| {
                let deadline = |exact: u128| exact.next_multiple_of(MILLISECOND);
                commit_until(shelf, snapshot, ttl, deadline(now + ttl.as_nanos()))
            },
            ..RIGHT
        },
        || Profile::default().resolution(Duration::from_millis(1)),
    ),
    (
        Animal {
            name: "whole seconds, rounded up",
            commit: |shelf, now, snapshot, ttl| {
                let deadline = |exact: u128| exact.next_multiple_of(SECOND);
                commit_until(shelf, snapshot, ttl, deadline(now + ttl.as_nanos()))
            },
            ..RIGHT
        },
        || Profile::default().resolution(Duration::from_secs(1)),
    ),
    (
        Animal {
            name: "looks at the clock once a second",
            prepare: |shelf, now, id| (RIGHT.prepare)(shelf, now / SECOND * SECOND, id),
            ..RIGHT
        },
        || Profile::default().resolution(Duration::from_secs(1)),
    ),
    (
        Animal {
            name: "no ttl above a year",
            commit: |shelf, now, snapshot, ttl| (RIGHT.commit)(shelf, now, snapshot, ttl.min(YEAR)),
            ..RIGHT
        },
        || Profile::default().horizon(YEAR),
    ),
    (
        Animal {
            name: "beyond a year it is for ever",
            commit: |shelf, now, snapshot, ttl| match ttl > YEAR {
                true => commit_until(shelf, snapshot, ttl, u128::MAX),
                false => (RIGHT.commit)(shelf, now, snapshot, ttl),
            },
            ..RIGHT
        },
        || Profile::default().horizon(YEAR),
    ),
];

fn commit_until(
    shelf: &mut Shelf,
    snapshot: &Snapshot,
    ttl: Duration,
    deadline: u128,
) -> Result<(), StoreError> {
    validate(snapshot, ttl)?;
    let snapshot = snapshot.clone();
    let entry = Entry { snapshot, deadline };
    shelf.entries.insert(entry.snapshot.id().to_owned(), entry);
    Ok(())
}
