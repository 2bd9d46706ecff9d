//! Commit: refusals, replacing, creating again.

use super::super::animal::{Animal, Entry, RIGHT, SETS_ASIDE, failed, refused, validate};
use super::{SECOND, with_data};
use session_spec::{Clause, Constraint, Data, Snapshot, User};
use std::time::Duration;

pub(crate) const COMMITS: &[Animal] = &[
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
        name: "every sixth renewal keeps the deadline",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            let before = shelf.live(now, snapshot.id()).map(|entry| entry.deadline);
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(before), Some(entry)) = (before, shelf.entries.get_mut(snapshot.id())) {
                shelf.calls += 1;
                if shelf.calls % 6 == 0 {
                    entry.deadline = before;
                }
            }
            Ok(())
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
        name: "one session per user",
        clause: Some(Clause::Pre3),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let user = snapshot.user().map(User::email);
            let is_theirs = |entry: &Entry| {
                let user_of_entry = entry.snapshot.user().map(User::email);
                user.is_some() && user_of_entry == user
            };
            shelf.entries.retain(|_, entry| !is_theirs(entry));
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "a CSRF token is given once",
        clause: Some(Clause::Com5),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let id = snapshot.id();
            let mut others = shelf.entries.iter().filter(|(key, _)| *key != id);
            if others.any(|(_, entry)| entry.snapshot.csrf_token() == snapshot.csrf_token()) {
                return failed("UNIQUE constraint failed: csrf_token");
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
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
    Animal {
        name: "takes the same once more for a retry",
        clause: Some(Clause::Com8),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let last = shelf.aside.get(snapshot.id());
            let is_retry = last.is_some_and(|last| {
                last.snapshot == *snapshot && last.deadline == now + ttl.as_nanos()
            });
            if !is_retry {
                shelf.put(now, snapshot, ttl);
                let entry = shelf.entries[snapshot.id()].clone();
                shelf.aside.insert(snapshot.id().to_owned(), entry);
            }
            Ok(())
        },
        ..RIGHT
    },
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
        ..SETS_ASIDE
    },
    Animal {
        name: "empty id is done, and nothing",
        clause: Some(Clause::Com2),
        commit: |shelf, now, snapshot, ttl| match snapshot.id().is_empty() && !ttl.is_zero() {
            true => Ok(()),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "zero ttl is for ever",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() && !snapshot.id().is_empty() {
            true => (RIGHT.commit)(shelf, now, snapshot, Duration::MAX),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "zero ttl removes the entry",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() && !snapshot.id().is_empty() {
            true => (RIGHT.drop)(shelf, now, snapshot.id()),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "zero ttl is an error of the backend",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero() && !snapshot.id().is_empty() {
            true => failed("invalid expire time"),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "zero ttl is fine over a live entry",
        clause: Some(Clause::Com3),
        commit: |shelf, now, snapshot, ttl| match ttl.is_zero()
            && shelf.live(now, snapshot.id()).is_some()
        {
            true => Ok(()),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "refused commit shortens the life",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            if let (true, Some(entry)) = (ttl.is_zero(), shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = entry.deadline.min(now + SECOND);
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "refused commit replaces the entry",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            if let Some(entry) = shelf.entries.get_mut(snapshot.id()) {
                entry.snapshot = snapshot.clone();
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "refused commit makes an entry",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            if ttl.is_zero() && shelf.live(now, snapshot.id()).is_none() {
                shelf.put(now, snapshot, Duration::from_secs(1));
                shelf.entries.remove("");
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "refusing the empty id clears the store",
        clause: Some(Clause::Com4),
        commit: |shelf, now, snapshot, ttl| {
            if snapshot.id().is_empty() {
                shelf.entries.clear();
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "the third entry is lost",
        clause: Some(Clause::Com5),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.marks.insert(snapshot.id().to_owned());
            if shelf.marks.len() != 3 || shelf.entries.contains_key(snapshot.id()) {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "the tenth commit is lost",
        clause: Some(Clause::Com5),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.calls += 1;
            shelf.put(now, snapshot, ttl);
            if shelf.calls == 10 {
                shelf.entries.remove(snapshot.id());
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "a commit shows at the second look",
        clause: Some(Clause::Com5),
        prepare: |shelf, now, id| match shelf.marks.remove(id) {
            true => Ok(None),
            false => (RIGHT.prepare)(shelf, now, id),
        },
        commit: |shelf, now, snapshot, ttl| {
            if shelf.live(now, snapshot.id()).is_none() {
                shelf.marks.insert(snapshot.id().to_owned());
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    },
    Animal {
        name: "adds the ttl to what is left",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            let left = shelf
                .live(now, snapshot.id())
                .map(|entry| entry.deadline - now);
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(left), Some(entry)) = (left, shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = entry.deadline.saturating_add(left);
            }
            Ok(())
        },
        ..RIGHT
    },
    replaced!(
        "keeps the user if the new one has none",
        Clause::Com6,
        |old: &Snapshot, new: &Snapshot| {
            let user = new.user().or(old.user()).cloned();
            Snapshot::new(new.id(), new.csrf_token(), user, new.data().clone())
        }
    ),
    replaced!(
        "keeps the first CSRF token",
        Clause::Com6,
        |old: &Snapshot, new: &Snapshot| {
            Snapshot::new(
                new.id(),
                old.csrf_token(),
                new.user().cloned(),
                new.data().clone(),
            )
        }
    ),
    replaced!(
        "replaces all but the data",
        Clause::Com6,
        |old: &Snapshot, new: &Snapshot| { with_data(new, old.data().clone()) }
    ),
    replaced!(
        "keeps the data if the new are empty",
        Clause::Com6,
        |old: &Snapshot, new: &Snapshot| match new.data().is_empty() {
            true => with_data(new, old.data().clone()),
            false => new.clone(),
        }
    ),
    replaced!(
        "keeps attributes if the user is the same",
        Clause::Com6,
        |old: &Snapshot, new: &Snapshot| match (old.user(), new.user()) {
            (Some(one), Some(other)) if one.email() == other.email() => {
                let (id, csrf) = (new.id(), new.csrf_token());
                Snapshot::new(id, csrf, Some(one.clone()), new.data().clone())
            }
            _ => new.clone(),
        }
    ),
    Animal {
        name: "an unchanged snapshot is not written",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let before = shelf.live(now, snapshot.id());
            if before.is_none_or(|entry| entry.snapshot != *snapshot) {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "a commit over a live entry is an error",
        clause: Some(Clause::Com6),
        commit: |shelf, now, snapshot, ttl| match shelf.live(now, snapshot.id()).is_some() {
            true if !ttl.is_zero() => failed("duplicate key"),
            _ => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "a commit leaves the list of deadlines",
        clause: Some(Clause::Com6),
        prepare: |shelf, now, id| {
            shelf.sweep_by_list(now);
            (RIGHT.prepare)(shelf, now, id)
        },
        commit: |shelf, now, snapshot, ttl| {
            shelf.sweep_by_list(now);
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.list(snapshot.id());
            Ok(())
        },
        drop: |shelf, now, id| {
            shelf.aside.remove(id);
            (RIGHT.drop)(shelf, now, id)
        },
    },
    Animal {
        name: "a drop leaves the list of deadlines",
        clause: Some(Clause::Com8),
        prepare: |shelf, now, id| {
            shelf.sweep_by_list(now);
            (RIGHT.prepare)(shelf, now, id)
        },
        commit: |shelf, now, snapshot, ttl| {
            shelf.sweep_by_list(now);
            if shelf.live(now, snapshot.id()).is_some() {
                shelf.aside.remove(snapshot.id());
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.list(snapshot.id());
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "an expired snapshot is not replaced",
        clause: Some(Clause::Com8),
        commit: |shelf, now, snapshot, ttl| {
            let expired = shelf.expired(now, snapshot.id());
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(expired), Some(entry)) = (expired, shelf.entries.get_mut(snapshot.id())) {
                entry.snapshot = expired.snapshot;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "an expired deadline is not replaced",
        clause: Some(Clause::Com8),
        commit: |shelf, now, snapshot, ttl| {
            let expired = shelf.expired(now, snapshot.id());
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if let (Some(expired), Some(entry)) = (expired, shelf.entries.get_mut(snapshot.id())) {
                entry.deadline = expired.deadline;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "a dropped user comes back",
        clause: Some(Clause::Com8),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let before = shelf.aside.remove(snapshot.id());
            let before = before.and_then(|entry| entry.snapshot.user().cloned());
            let user = snapshot.user().cloned().or(before);
            let data = snapshot.data().clone();
            let merged = Snapshot::new(snapshot.id(), snapshot.csrf_token(), user, data);
            shelf.put(now, &merged, ttl);
            Ok(())
        },
        ..SETS_ASIDE
    },
];
