//! Panics.

use super::super::animal::{Animal, RIGHT, Shelf, validate};
use serde_json::Value;
use session_spec::Clause;

pub(crate) const ERRORS: &[Animal] = &[
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
    Animal {
        name: "panics inside a character",
        clause: Some(Clause::Err1),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let _ = &snapshot.id()[..1];
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "panics at deep values",
        clause: Some(Clause::Err1),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            for (_, value) in snapshot.data().iter() {
                assert!(depth(value) < 64, "recursion limit exceeded");
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "panics at the second drop",
        clause: Some(Clause::Err1),
        drop: |shelf, _, id| {
            let known = shelf.marks.contains(id);
            if shelf.entries.remove(id).is_some() {
                shelf.marks.insert(id.to_owned());
            } else {
                assert!(!known, "no such key");
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "panics at a deadline before its clock",
        clause: Some(Clause::Err1),
        prepare: |shelf, now, id| {
            let Some(entry) = shelf.entries.get(id) else {
                return Ok(None);
            };
            let left = entry.deadline.checked_sub(now).expect("time left");
            Ok((left > 0).then(|| entry.snapshot.clone()))
        },
        ..RIGHT
    },
];

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
