//! Values: snapshots that come back otherwise.

use super::super::animal::{Animal, RIGHT, failed, refused, validate};
use super::{named, with_data};
use serde_json::Value;
use session_spec::{Clause, Constraint, Data, Snapshot, User};
use std::collections::BTreeSet;

pub(crate) const VALUES: &[Animal] = &[
    Animal {
        name: "refuses an e-mail address with NUL",
        clause: Some(Clause::Val1),
        commit: |shelf, now, snapshot, ttl| match snapshot.user() {
            Some(user) if user.email().contains('\0') => refused(Constraint::UnsupportedValue),
            _ => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    Animal {
        name: "more than two keys are an error",
        clause: Some(Clause::Val1),
        commit: |shelf, now, snapshot, ttl| match snapshot.data().iter().count() > 2 {
            true => failed("too many columns"),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
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
    values!("drops nulls", |value: &Value| match value {
        Value::Null => None,
        _ => Some(value.clone()),
    }),
    values!("drops empty lists", |value: &Value| match value {
        Value::Array(items) if items.is_empty() => None,
        _ => Some(value.clone()),
    }),
    values!("drops empty objects", |value: &Value| match value {
        Value::Object(map) if map.is_empty() => None,
        _ => Some(value.clone()),
    }),
    values!("a list is a set", |value: &Value| match value {
        Value::Array(items) => {
            let is_first = |at: &usize| !items[..*at].contains(&items[*at]);
            let firsts = (0..items.len()).filter(is_first);
            Some(firsts.map(|at| items[at].clone()).collect())
        }
        _ => Some(value.clone()),
    }),
    stored!(
        "keys in any case are one",
        Clause::Snp4,
        |snapshot: &Snapshot| {
            // The first of them keeps its name.
            let mut known = BTreeSet::new();
            let mut data = Data::default();
            for (key, value) in snapshot.data().iter() {
                if known.insert(key.to_lowercase()) {
                    data.set(key, value).expect("it was set before");
                }
            }
            with_data(snapshot, data)
        }
    ),
    values!("numeric strings become numbers", |value: &Value| {
        let number = value.as_str().and_then(|text| text.parse::<u64>().ok());
        Some(number.map_or(value.clone(), Value::from))
    }),
    values!("floats in 32 bits", |value: &Value| match value {
        Value::Number(number) if number.is_f64() => {
            let double = number.as_f64().unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "this is the defect")]
            let single = double as f32;
            Some(Value::from(f64::from(single)))
        }
        _ => Some(value.clone()),
    }),
    values!(
        "integers in 64 bits with a sign",
        |value: &Value| match value.as_u64() {
            Some(unsigned) => Some(Value::from(unsigned.cast_signed())),
            None => Some(value.clone()),
        }
    ),
    values!("no zero below zero", |value: &Value| match value.as_f64() {
        Some(0.0) if value.is_f64() => Some(Value::from(0.0)),
        _ => Some(value.clone()),
    }),
    Animal {
        name: "keeps no data that a cookie has no room for",
        clause: Some(Clause::Snp4),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
            let bare = Snapshot::new(id, csrf, snapshot.user().cloned(), Data::default());
            let has_room = snapshot.encode().len() <= 4_096;
            shelf.put(now, if has_room { snapshot } else { &bare }, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "an empty session is not written",
        clause: Some(Clause::Snp4),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            if snapshot.user().is_some() || !snapshot.data().is_empty() {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "an empty session is not kept",
        clause: Some(Clause::Snp4),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.entries.remove(snapshot.id());
            if snapshot.user().is_some() || !snapshot.data().is_empty() {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    },
    values!(
        "whole doubles become integers",
        |value: &Value| match value.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "this is the defect")]
            Some(double) if value.is_f64() && double.fract() == 0.0 && double.abs() < 1e15 => {
                Some(Value::from(double as i64))
            }
            _ => Some(value.clone()),
        }
    ),
    values!(
        "three bytes a character",
        |value: &Value| match value.as_str() {
            Some(text) => Some(Value::from(text.replace(|c| c > '\u{ffff}', "?"))),
            None => Some(value.clone()),
        }
    ),
    values!(
        "normalises line ends",
        |value: &Value| match value.as_str() {
            Some(text) => Some(Value::from(text.replace('\r', "\n"))),
            None => Some(value.clone()),
        }
    ),
    values!("trims strings", |value: &Value| match value.as_str() {
        Some(text) => Some(Value::from(text.trim())),
        None => Some(value.clone()),
    }),
    values!("escapes for HTML", |value: &Value| match value.as_str() {
        Some(text) => Some(Value::from(text.replace('<', "&lt;"))),
        None => Some(value.clone()),
    }),
    values!("lists of one are their item", |value: &Value| match value {
        Value::Array(items) if items.len() == 1 => Some(items[0].clone()),
        _ => Some(value.clone()),
    }),
    values!("true is 1", |value: &Value| Some(match value {
        Value::Bool(true) => Value::from(1),
        _ => value.clone(),
    })),
    stored!("lowers the keys", Clause::Snp4, |snapshot: &Snapshot| {
        keys_changed(snapshot, &|key| key.to_lowercase())
    }),
    stored!("trims the keys", Clause::Snp4, |snapshot: &Snapshot| {
        keys_changed(snapshot, &|key| key.trim().to_owned())
    }),
    stored!("no empty key", Clause::Snp4, |snapshot: &Snapshot| {
        keys_changed(snapshot, &|key| named(key, "_"))
    }),
    stored!(
        "a dot in a key is a path",
        Clause::Snp4,
        |snapshot: &Snapshot| { keys_changed(snapshot, &|key| key.replace('.', "_")) }
    ),
    stored!(
        "forgets what it does not know of users",
        Clause::Snp4,
        |snapshot: &Snapshot| {
            let user = snapshot.user().map(|user| User::new(user.email()));
            let (csrf, data) = (snapshot.csrf_token(), snapshot.data().clone());
            Snapshot::new(snapshot.id(), csrf, user, data)
        }
    ),
    stored!(
        "lowers e-mail addresses",
        Clause::Snp4,
        |snapshot: &Snapshot| {
            let user = snapshot.user().map(|user| {
                let email = user.email().to_lowercase();
                User::with_attributes(email, user.attributes().clone()).expect("it was set before")
            });
            let (csrf, data) = (snapshot.csrf_token(), snapshot.data().clone());
            Snapshot::new(snapshot.id(), csrf, user, data)
        }
    ),
    stored!("trims CSRF tokens", Clause::Snp4, |snapshot: &Snapshot| {
        let (csrf, data) = (snapshot.csrf_token().trim(), snapshot.data().clone());
        Snapshot::new(snapshot.id(), csrf, snapshot.user().cloned(), data)
    }),
    stored!(
        "no user without an address",
        Clause::Snp4,
        |snapshot: &Snapshot| {
            let user = snapshot
                .user()
                .filter(|user| !user.email().is_empty())
                .cloned();
            let (csrf, data) = (snapshot.csrf_token(), snapshot.data().clone());
            Snapshot::new(snapshot.id(), csrf, user, data)
        }
    ),
];

/// `snapshot` with the values of its data changed, at every level.
fn values_changed(snapshot: &Snapshot, change: &dyn Fn(&Value) -> Option<Value>) -> Snapshot {
    let mut data = Data::default();
    for (key, value) in snapshot.data().iter() {
        if let Some(value) = changed(value, change) {
            data.set(key, value).expect("it was set before");
        }
    }
    with_data(snapshot, data)
}

fn changed(value: &Value, change: &dyn Fn(&Value) -> Option<Value>) -> Option<Value> {
    let inside = |value| changed(value, change);
    change(&match value {
        Value::Array(items) => items.iter().filter_map(inside).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            let kept = entries.filter_map(|(key, value)| Some((key.clone(), inside(value)?)));
            Value::Object(kept.collect())
        }
        _ => value.clone(),
    })
}

/// `snapshot` with the keys of its data changed.
fn keys_changed(snapshot: &Snapshot, change: &dyn Fn(&str) -> String) -> Snapshot {
    let mut data = Data::default();
    for (key, value) in snapshot.data().iter() {
        data.set(&change(key), value).expect("it was set before");
    }
    with_data(snapshot, data)
}
