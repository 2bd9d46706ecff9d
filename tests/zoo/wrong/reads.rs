//! Prepare: what is there, and only that.

use super::super::animal::{Animal, RIGHT, failed, validate};
use super::{SECOND, with_data};
use session_spec::{Clause, Data, Snapshot, User};

pub(crate) const READS: &[Animal] = &[
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
        name: "finds the next in order",
        clause: Some(Clause::Pre1),
        prepare: |shelf, now, id| {
            if id.is_empty() {
                return Ok(None);
            }
            let mut from = shelf.entries.range(id.to_owned()..);
            let live = from.find(|(_, entry)| now < entry.deadline);
            Ok(live.map(|(_, entry)| entry.snapshot.clone()))
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
        name: "reading one prolongs the others",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            let found = (RIGHT.prepare)(shelf, now, id)?;
            if found.is_some() {
                let others = shelf.entries.iter_mut().filter(|(other, _)| *other != id);
                others.for_each(|(_, entry)| entry.deadline += SECOND);
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
    Animal {
        name: "makes a session for an unknown id",
        clause: Some(Clause::Pre1),
        prepare: |shelf, now, id| match shelf.entries.contains_key(id) || id.is_empty() {
            true => (RIGHT.prepare)(shelf, now, id),
            false => Ok(Some(Snapshot::new(id, "new", None, Data::default()))),
        },
        drop: |shelf, _, id| {
            if let Some(entry) = shelf.entries.get_mut(id) {
                entry.deadline = 0;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "the empty id is a pattern for all",
        clause: Some(Clause::Pre2),
        prepare: |shelf, now, id| {
            let mut entries = shelf.entries.iter();
            let found = entries
                .find(|(key, entry)| now < entry.deadline && (id.is_empty() || key.as_str() == id));
            Ok(found.map(|(_, entry)| entry.snapshot.clone()))
        },
        ..RIGHT
    },
    stored!(
        "forgets the CSRF token",
        Clause::Pre3,
        |snapshot: &Snapshot| {
            Snapshot::new(
                snapshot.id(),
                "",
                snapshot.user().cloned(),
                snapshot.data().clone(),
            )
        }
    ),
    stored!(
        "a user for everybody",
        Clause::Pre3,
        |snapshot: &Snapshot| {
            let user = snapshot.user().cloned().unwrap_or(User::new("guest"));
            let (csrf, data) = (snapshot.csrf_token(), snapshot.data().clone());
            Snapshot::new(snapshot.id(), csrf, user, data)
        }
    ),
    stored!(
        "keeps one key of the data",
        Clause::Pre3,
        |snapshot: &Snapshot| {
            let mut data = Data::default();
            if let Some((key, value)) = snapshot.data().iter().next() {
                data.set(key, value).expect("it was set before");
            }
            with_data(snapshot, data)
        }
    ),
    Animal {
        name: "room for three entries",
        clause: Some(Clause::Ttl1),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.evict_beyond(3, snapshot.id());
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "room for sixteen entries",
        clause: Some(Clause::Ttl1),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.evict_beyond(16, snapshot.id());
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "remembers that there was nothing",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            if shelf.marks.contains(id) {
                return Ok(None);
            }
            let found = (RIGHT.prepare)(shelf, now, id)?;
            if found.is_none() {
                shelf.marks.insert(id.to_owned());
            }
            Ok(found)
        },
        ..RIGHT
    },
    Animal {
        name: "drops leave the cache of reads",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            if let Some(cached) = shelf.aside.get(id).filter(|entry| now < entry.deadline) {
                return Ok(Some(cached.snapshot.clone()));
            }
            if let Some(entry) = shelf.live(now, id).cloned() {
                shelf.aside.insert(id.to_owned(), entry);
            }
            (RIGHT.prepare)(shelf, now, id)
        },
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "commits leave the cache of reads",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            let Some(entry) = shelf.live(now, id).cloned() else {
                return Ok(None);
            };
            let cached = shelf.aside.entry(id.to_owned()).or_insert(entry);
            Ok(Some(cached.snapshot.clone()))
        },
        drop: |shelf, now, id| {
            shelf.aside.remove(id);
            (RIGHT.drop)(shelf, now, id)
        },
        ..RIGHT
    },
    Animal {
        name: "reading takes a second off",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            let found = (RIGHT.prepare)(shelf, now, id)?;
            if let (Some(_), Some(entry)) = (&found, shelf.entries.get_mut(id)) {
                entry.deadline = entry.deadline.saturating_sub(SECOND).max(now + 1);
            }
            Ok(found)
        },
        ..RIGHT
    },
    Animal {
        name: "every fifth read finds nothing",
        clause: Some(Clause::Pre4),
        prepare: |shelf, now, id| {
            shelf.calls += 1;
            match shelf.calls % 5 {
                0 => Ok(None),
                _ => (RIGHT.prepare)(shelf, now, id),
            }
        },
        ..RIGHT
    },
];
