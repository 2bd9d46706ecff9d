//! The wrong stores: one defect each, as real ones have had them.

use super::animal::{Animal, Entry, RIGHT, Shelf, failed, refused, validate};
use session_spec::{Clause, Constraint, Data, Snapshot, User};
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

/// The same snapshot with other data.
fn with_data(snapshot: &Snapshot, data: Data) -> Snapshot {
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    Snapshot::new(id, csrf, snapshot.user().cloned(), data)
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

pub(crate) const WRONG: &[Animal] = &[
    // Prepare.
    Animal {
        name: "unknown id is an error",
        clause: Some(Clause::Pre1),
        prepare: |shelf, now, id| match shelf.entries.contains_key(id) || id.is_empty() {
            true => (RIGHT.prepare)(shelf, now, id),
            false => failed("no such session"),
        },
        drop: |shelf, _, id| {
            // Kept as long dead, so that only unknown ids are errors.
            if let Some(entry) = shelf.entries.get_mut(id) {
                entry.deadline = 0;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "empty id is an error",
        clause: Some(Clause::Pre2),
        prepare: |shelf, now, id| match id {
            "" => failed("no id"),
            _ => (RIGHT.prepare)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "forgets the user",
        clause: Some(Clause::Pre3),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let data = snapshot.data().clone();
            let lessened = Snapshot::new(snapshot.id(), snapshot.csrf_token(), None, data);
            shelf.put(now, &lessened, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "room for one entry",
        clause: Some(Clause::Pre3),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.entries.clear();
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "reading restarts the life",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            let found = (RIGHT.prepare)(shelf, now, id)?;
            if let (Some(_), Some(entry)) = (&found, shelf.entries.get_mut(id)) {
                entry.deadline = entry.deadline.max(now + SECOND);
            }
            Ok(found)
        },
        ..RIGHT
    },
    Animal {
        name: "reading takes the entry out",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            let found = (RIGHT.prepare)(shelf, now, id);
            shelf.entries.remove(id);
            found
        },
        ..RIGHT
    },
    // Commit.
    Animal {
        name: "takes the empty id",
        clause: Some(Clause::Com2),
        prepare: |shelf, now, id| match id {
            "" => Ok(None),
            _ => (RIGHT.prepare)(shelf, now, id),
        },
        commit: |shelf, now, snapshot, ttl| {
            if ttl.is_zero() {
                return refused(Constraint::TtlNotPositive);
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "zero ttl is done, and nothing",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() && !snapshot.id().is_empty() {
            true => Ok(()),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "names the wrong constraint",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() {
            true => refused(Constraint::EmptyId),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "refused commit removes the entry",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            shelf.entries.remove(snapshot.id());
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "refused commit makes the entry immortal",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            if let (true, Some(entry)) = (ttl.is_zero(), shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = u128::MAX;
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "loses the first commit",
        clause: Some(Clause::Com5),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let id = snapshot.id().to_owned();
            let entry = Entry {
                snapshot: snapshot.clone(),
                deadline: 0,
            };
            if shelf.aside.insert(id, entry).is_some() {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "keeps the first deadline",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            let before = shelf.live(now, snapshot.id()).map(|entry| entry.deadline);
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(before), Some(entry)) = (before, shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = before;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "keeps the later deadline",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            let before = shelf.live(now, snapshot.id()).map(|entry| entry.deadline);
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(before), Some(entry)) = (before, shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = entry.deadline.max(before);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "merges the data",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let mut data = Data::default();
            let before = shelf
                .live(now, snapshot.id())
                .map(|entry| entry.snapshot.clone());
            for source in before.iter().chain([snapshot]) {
                for (key, value) in source.data().iter() {
                    data.set(key, value).expect("it was set before");
                }
            }
            shelf.put(now, &with_data(snapshot, data), ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "inserts only where nothing is",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            if shelf.live(now, snapshot.id()).is_none() {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    timed!(
        "whole seconds, rounded down",
        Clause::Com7,
        |now, ttl: Duration| { now + u128::from(ttl.as_secs()) * SECOND }
    ),
    timed!("seconds in 32 bits", Clause::Com7, |now, ttl: Duration| {
        now + u128::from(ttl.as_secs() % (1 << 32)) * SECOND + u128::from(ttl.subsec_nanos())
    }),
    timed!(
        "nanoseconds in 64 bits",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_nanos() % (1 << 64) }
    ),
    timed!(
        "no ttl above a month",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_nanos().min(30 * 86_400 * SECOND) }
    ),
    Animal {
        name: "a drop is for ever",
        clause: Some(Clause::Com8),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            if !shelf.aside.contains_key(snapshot.id()) {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        drop: |shelf, _, id| {
            if let Some(entry) = shelf.entries.remove(id) {
                shelf.aside.insert(id.to_owned(), entry);
            }
            Ok(())
        },
        ..RIGHT
    },
    // Drop.
    Animal {
        name: "drop does nothing",
        clause: Some(Clause::Drp1),
        drop: |_, _, _| Ok(()),
        ..RIGHT
    },
    Animal {
        name: "dropping nothing is an error",
        clause: Some(Clause::Drp2),
        drop: |shelf, now, id| match shelf.entries.contains_key(id) || id.is_empty() {
            true => (RIGHT.drop)(shelf, now, id),
            false => failed("no such session"),
        },
        ..RIGHT
    },
    Animal {
        name: "dropping the empty id is refused",
        clause: Some(Clause::Drp3),
        drop: |shelf, now, id| match id {
            "" => refused(Constraint::EmptyId),
            _ => (RIGHT.drop)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "dropping the empty id drops all",
        clause: Some(Clause::Drp3),
        drop: |shelf, now, id| {
            if id.is_empty() {
                shelf.entries.clear();
            }
            (RIGHT.drop)(shelf, now, id)
        },
        ..RIGHT
    },
    Animal {
        name: "drop drops all",
        clause: Some(Clause::Drp4),
        drop: |shelf, _, id| {
            if !id.is_empty() {
                shelf.entries.clear();
            }
            Ok(())
        },
        ..RIGHT
    },
    // Time.
    timed!(
        "expires a nanosecond early",
        Clause::Ttl1,
        |now, ttl: Duration| { now + ttl.as_nanos().max(2) - 1 }
    ),
    timed!(
        "live at the deadline",
        Clause::Ttl2,
        |now, ttl: Duration| now + ttl.as_nanos() + 1
    ),
    timed!(
        "whole seconds, rounded up",
        Clause::Ttl2,
        |now, ttl: Duration| { now + ttl.as_nanos().next_multiple_of(SECOND) }
    ),
    Animal {
        name: "expired is an error",
        clause: Some(Clause::Ttl2),
        prepare: |shelf, now, id| match shelf.entries.get(id) {
            Some(entry) if now >= entry.deadline => failed("session expired"),
            _ => (RIGHT.prepare)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "one deadline for all",
        clause: Some(Clause::Ttl3),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            let latest = shelf
                .live(now, snapshot.id())
                .map_or(0, |entry| entry.deadline);
            for entry in shelf
                .entries
                .values_mut()
                .filter(|entry| now < entry.deadline)
            {
                entry.deadline = latest;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "the second look finds it again",
        clause: Some(Clause::Ttl4),
        prepare: |shelf, now, id| {
            let expired = shelf
                .entries
                .get(id)
                .cloned()
                .filter(|entry| now >= entry.deadline);
            let found = (RIGHT.prepare)(shelf, now, id);
            if let Some(mut entry) = expired {
                entry.deadline = u128::MAX;
                shelf.entries.insert(id.to_owned(), entry);
            }
            found
        },
        ..RIGHT
    },
    // Ids.
    keyed!("folds case", Clause::Idn1, |id: &str| id.to_lowercase()),
    keyed!("trims", Clause::Idn1, |id: &str| id.trim_end().to_owned()),
    keyed!(
        "cuts at 64 characters",
        Clause::Idn1,
        |id: &str| -> String { id.chars().take(64).collect() }
    ),
    keyed!("cuts at NUL", Clause::Idn1, |id: &str| {
        let end = id.find('\0').unwrap_or(id.len());
        // The empty id stays what it is.
        id[..end.max(usize::from(!id.is_empty()))].to_owned()
    }),
    keyed!("composes accents", Clause::Idn1, |id: &str| id
        .replace("e\u{301}", "é")),
    Animal {
        name: "an id is a pattern",
        clause: Some(Clause::Idn1),
        prepare: |shelf, now, id| match id.split_once('*') {
            None => (RIGHT.prepare)(shelf, now, id),
            Some((begin, _)) => {
                let mut matching = shelf
                    .entries
                    .iter()
                    .filter(|(key, _)| key.starts_with(begin));
                let live = matching.find(|(_, entry)| now < entry.deadline);
                Ok(live.map(|(_, entry)| entry.snapshot.clone()))
            }
        },
        ..RIGHT
    },
    Animal {
        name: "a strange id is an error",
        clause: Some(Clause::Idn2),
        prepare: |shelf, now, id| match id.is_ascii() {
            true => (RIGHT.prepare)(shelf, now, id),
            false => failed("invalid key"),
        },
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_ascii() {
            true => (RIGHT.commit)(shelf, now, snapshot, ttl),
            false => refused(Constraint::UnsupportedId),
        },
        ..RIGHT
    },
    // Values.
    Animal {
        name: "numbers are doubles",
        clause: Some(Clause::Snp4),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let mut data = Data::default();
            for (key, value) in snapshot.data().iter() {
                match value.as_f64() {
                    Some(double) if double.abs() > 1e6 => data.set(key, double),
                    _ => data.set(key, value),
                }
                .expect("it was set before");
            }
            shelf.put(now, &with_data(snapshot, data), ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "strings end at NUL",
        clause: Some(Clause::Snp4),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let user = snapshot.user().map(|user| {
                let email = user.email().split('\0').next().unwrap_or_default();
                User::with_attributes(email, user.attributes().clone()).expect("it was set before")
            });
            let data = snapshot.data().clone();
            let damaged = Snapshot::new(snapshot.id(), snapshot.csrf_token(), user, data);
            shelf.put(now, &damaged, ttl);
            Ok(())
        },
        ..RIGHT
    },
    // Errors.
    Animal {
        name: "panics at the longest ttl",
        clause: Some(Clause::Err1),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let _ = u64::try_from(now + ttl.as_nanos()).expect("time fits 64 bits");
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "panics at long ids",
        clause: Some(Clause::Err1),
        prepare: |shelf: &mut Shelf, now, id| {
            assert!(id.len() <= 255, "key too long");
            (RIGHT.prepare)(shelf, now, id)
        },
        ..RIGHT
    },
];
