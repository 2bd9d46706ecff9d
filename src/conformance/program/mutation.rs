//! Edits: a snapshot as a request changes it between two commits. Two snapshots that are drawn apart
//! have nothing in common that a store could keep from the one when it writes the other.

use crate::data::Data;
use crate::snapshot::{Snapshot, User};
use serde_json::{Map, Number, Value};

/// `snapshot` with one change, by a number. Values get no deeper.
pub(crate) fn mutated(snapshot: &Snapshot, number: usize) -> Snapshot {
    let (kind, number) = (number % 8, number / 8);
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    let (user, data) = (snapshot.user(), snapshot.data());
    let with_data = |data| Snapshot::new(id, csrf, user.cloned(), data);
    let with_user = |user| Snapshot::new(id, csrf, user, data.clone());
    match (kind, user) {
        (0, Some(_)) => with_user(None),
        (0, None) => with_user(Some(User::new("a"))),
        (1, Some(user)) => with_user(with_attributes(user, Data::default())),
        (2, Some(user)) => with_user(with_attributes(user, changed(user.attributes(), number))),
        (3, Some(user)) => with_user(User::with_attributes("b", user.attributes().clone()).ok()),
        (4, _) => Snapshot::new(id, "", user.cloned(), data.clone()),
        (5, _) => with_data(Data::default()),
        _ => with_data(changed(data, number)),
    }
}

fn with_attributes(user: &User, attributes: Data) -> Option<User> {
    User::with_attributes(user.email(), attributes).ok()
}

/// One key more or less, or another value under one.
fn changed(data: &Data, number: usize) -> Data {
    let entries = data.iter();
    let mut map = entries
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    change_map(&mut map, number);
    Data::try_from(map).unwrap_or_else(|_| data.clone())
}

fn change_map(map: &mut Map<String, Value>, number: usize) {
    let (kind, number) = (number % 4, number / 4);
    let key = map.keys().nth(number % map.len().max(1)).cloned();
    match (kind, key) {
        (0, Some(key)) => {
            map.remove(&key);
        }
        (1, _) | (_, None) => {
            map.insert("new".to_owned(), Value::Null);
        }
        (_, Some(key)) => {
            if let Some(value) = map.get_mut(&key) {
                change(value, number / 2);
            }
        }
    }
}

/// Another value, as like it as can be.
fn change(value: &mut Value, choice: usize) {
    match value {
        Value::Object(map) => change_map(map, choice),
        Value::Array(items) => match (choice % 2, items.last_mut()) {
            (0, Some(_)) => {
                items.pop();
            }
            (_, Some(last)) => change(last, choice / 2),
            (_, None) => items.push(Value::Null),
        },
        Value::String(text) if choice.is_multiple_of(2) => text.push(' '),
        Value::Number(number) => *value = like(number),
        _ => *value = Value::Null,
    }
}

/// The same number of another type, or with another sign.
fn like(number: &Number) -> Value {
    match number.as_f64() {
        Some(double) if number.is_f64() => Value::from(-double),
        Some(double) => Value::from(double),
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn full() -> Snapshot {
        let of = |value: Value| match value {
            Value::Object(map) => Data::try_from(map).expect("it is not deep"),
            _ => Data::default(),
        };
        let data = of(json!({ "map": { "a": 1, "b": [1.5] }, "zero": -0.0, "text": "x" }));
        let user = User::with_attributes("a@b.c", of(json!({ "role": "admin" })));
        Snapshot::new("A", "csrf", user.expect("nothing is reserved"), data)
    }

    fn mutations() -> impl Iterator<Item = Snapshot> {
        (0..4_096).map(|number| mutated(&full(), number))
    }

    #[test]
    fn edits_change_a_snapshot_and_never_its_id() {
        assert!(mutations().all(|edited| edited != full() && edited.id() == "A"));
    }

    #[test]
    fn every_part_is_taken_away_or_changed() {
        let is_there = |such: &dyn Fn(&Snapshot) -> bool| mutations().any(|edited| such(&edited));
        let has = |key: &'static str, value: Option<Value>| {
            is_there(&|edited| edited.data().value(key).cloned() == value)
        };
        assert!(is_there(&|edited| edited.user().is_none()));
        assert!(is_there(&|edited| {
            let user = edited.user();
            user.is_some_and(|user| user.attributes().is_empty())
        }));
        assert!(is_there(&|edited| edited.csrf_token().is_empty()));
        assert!(is_there(&|edited| edited.data().is_empty()));
        assert!(has("map", None));
        assert!(has("map", Some(json!({ "b": [1.5] }))));
        assert!(has("map", Some(json!({ "a": 1, "b": [] }))));
        assert!(has("zero", Some(json!(0.0))));
    }
}
