//! Drop.

use super::super::animal::{Animal, Entry, RIGHT, SETS_ASIDE, Shelf, failed, refused, validate};
use super::SECOND;
use session_spec::{Clause, Constraint, Data, Snapshot};

pub(crate) const DROPS: &[Animal] = &[
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
    Animal {
        name: "drop hides for a second",
        clause: Some(Clause::Drp1),
        prepare: |shelf, now, id| match shelf.aside.get(id) {
            Some(hidden) if now < hidden.deadline => Ok(None),
            _ => (RIGHT.prepare)(shelf, now, id),
        },
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            Ok(())
        },
        drop: |shelf, now, id| {
            if let Some(mut entry) = shelf.entries.get(id).cloned() {
                entry.deadline = now + SECOND;
                shelf.aside.insert(id.to_owned(), entry);
            }
            Ok(())
        },
    },
    Animal {
        name: "another commit brings the dropped back",
        clause: Some(Clause::Drp1),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            for (id, entry) in std::mem::take(&mut shelf.aside) {
                shelf.entries.entry(id).or_insert(entry);
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..SETS_ASIDE
    },
    Animal {
        name: "drop comes to nothing once time has passed",
        clause: Some(Clause::Drp1),
        drop: |shelf, now, id| {
            if now == 0 {
                shelf.entries.remove(id);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "remembers the last sixteen drops",
        clause: Some(Clause::Drp4),
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
            shelf.calls += 1;
            let tombstone = Entry {
                snapshot: Snapshot::new(id, "", None, Data::default()),
                deadline: shelf.calls.into(),
            };
            shelf.aside.insert(id.to_owned(), tombstone);
            if shelf.aside.len() > 16 {
                let oldest = shelf.aside.iter().min_by_key(|(_, entry)| entry.deadline);
                let oldest = oldest.map(|(id, _)| id.clone());
                shelf.aside.remove(&oldest.unwrap_or_default());
            }
            Ok(())
        },
    },
    Animal {
        name: "the second drop is an error",
        clause: Some(Clause::Drp2),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.marks.remove(snapshot.id());
            Ok(())
        },
        drop: |shelf, _, id| {
            if shelf.marks.contains(id) {
                return failed("already deleted");
            }
            if shelf.entries.remove(id).is_some() {
                shelf.marks.insert(id.to_owned());
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "the second drop brings it back",
        clause: Some(Clause::Drp2),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            Ok(())
        },
        drop: |shelf, _, id| {
            match (shelf.entries.remove(id), shelf.aside.remove(id)) {
                (Some(entry), _) => shelf.aside.insert(id.to_owned(), entry),
                (None, Some(entry)) => shelf.entries.insert(id.to_owned(), entry),
                (None, None) => None,
            };
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "dropping the expired revives it",
        clause: Some(Clause::Drp2),
        drop: |shelf, now, id| match shelf.entries.get_mut(id) {
            Some(entry) if now >= entry.deadline => {
                entry.deadline = u128::MAX;
                Ok(())
            }
            _ => (RIGHT.drop)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "dropping the expired is an error",
        clause: Some(Clause::Drp2),
        drop: |shelf, now, id| match shelf.entries.get(id) {
            Some(entry) if now >= entry.deadline => failed("session expired"),
            _ => (RIGHT.drop)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "dropping nothing drops another",
        clause: Some(Clause::Drp4),
        drop: |shelf, _, id| {
            if shelf.entries.remove(id).is_none() && !id.is_empty() {
                shelf.entries.pop_first();
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "drop takes all that begin alike",
        clause: Some(Clause::Drp4),
        drop: |shelf, _, id| {
            let matches = |key: &str| !id.is_empty() && key.starts_with(id);
            shelf.entries.retain(|key, _| !matches(key));
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "drop takes all but for case",
        clause: Some(Clause::Drp4),
        drop: |shelf, _, id| {
            shelf.entries.retain(|key, _| !key.eq_ignore_ascii_case(id));
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "a drop of what is still to be written back leaves what it replaces",
        clause: Some(Clause::Drp1),
        prepare: |shelf, now, id| {
            let is_live = |entry: &Entry| now < entry.deadline;
            if let Some(cached) = shelf.aside.get(id) {
                return Ok(is_live(cached).then(|| cached.snapshot.clone()));
            }
            let Some(entry) = shelf.entries.get(id).cloned().filter(is_live) else {
                return Ok(None);
            };
            write_back(shelf, id);
            shelf.aside.insert(id.to_owned(), entry.clone());
            Ok(Some(entry.snapshot))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            write_back(shelf, snapshot.id());
            let deadline = now + ttl.as_nanos();
            let snapshot = snapshot.clone();
            let id = snapshot.id().to_owned();
            shelf.marks.insert(id.clone());
            shelf.aside.insert(id, Entry { snapshot, deadline });
            Ok(())
        },
        drop: |shelf, _, id| {
            shelf.aside.remove(id);
            shelf.recent.retain(|known| known != id);
            if !shelf.marks.remove(id) {
                shelf.entries.remove(id);
            }
            Ok(())
        },
    },
];

/// Makes room in a cache of two for `id`.
fn write_back(shelf: &mut Shelf, id: &str) {
    shelf.recent.retain(|known| known != id);
    shelf.recent.push(id.to_owned());
    if shelf.recent.len() > 2 {
        let oldest = shelf.recent.remove(0);
        let entry = shelf.aside.remove(&oldest);
        if let Some(entry) = entry.filter(|_| shelf.marks.remove(&oldest)) {
            shelf.entries.insert(oldest, entry);
        }
    }
}
