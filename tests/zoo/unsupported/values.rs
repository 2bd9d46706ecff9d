//! Values: which ones a store cannot hold, and what becomes of them.

use serde_json::{Map, Number, Value};
use session_spec::{Data, Snapshot, User};

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn values(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &Value)> {
    let attributes = snapshot.user().map(User::attributes);
    let data = [Some(snapshot.data()), attributes].into_iter().flatten();
    data.flat_map(Data::iter)
}

pub(super) fn is_deeper(snapshot: &Snapshot, levels: usize) -> bool {
    values(snapshot).any(|(_, value)| depth(value) > levels)
}

pub(super) fn is_larger(snapshot: &Snapshot, bytes: usize) -> bool {
    snapshot.encode().len() > bytes
}

/// The snapshot with other texts and other numbers.
pub(super) fn changed(snapshot: &Snapshot, change: &impl Fn(&Value) -> Value) -> Snapshot {
    let text = |text: &str| match change(&text.into()) {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let user = snapshot.user().map(|user| {
        let attributes = changed_data(user.attributes(), change);
        User::with_attributes(text(user.email()), attributes).expect("nothing is reserved")
    });
    let data = changed_data(snapshot.data(), change);
    Snapshot::new(snapshot.id(), text(snapshot.csrf_token()), user, data)
}

fn changed_data(data: &Data, change: &impl Fn(&Value) -> Value) -> Data {
    let map = data.iter();
    let map = map.map(|(key, value)| (key.to_owned(), value.clone()));
    match changed_value(&Value::Object(map.collect()), change) {
        Value::Object(map) => Data::try_from(map).expect("it is no deeper"),
        _ => Data::default(),
    }
}

fn changed_value(value: &Value, change: &impl Fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| changed_value(item, change));
            items.collect::<Vec<_>>().into()
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| {
                let key = match change(&key.as_str().into()) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, changed_value(value, change))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        scalar => change(scalar),
    }
}

/// A number as a script in a language with doubles only reads and writes it.
pub(super) fn through_a_double(value: &Value) -> Value {
    let Some(double) = value.as_f64() else {
        return value.clone();
    };
    let text = if double.fract() == 0.0 && double.abs() < 1e21 {
        // Of zero the sign is not written.
        format!("{:.0}", double + 0.0)
    } else {
        Value::from(double).to_string()
    };
    let number: Result<Number, _> = serde_json::from_str(&text);
    number.map_or(Value::Null, Value::Number)
}

pub(super) fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "").into(),
        other => other.clone(),
    }
}

pub(super) fn has_nul(snapshot: &Snapshot) -> bool {
    changed(snapshot, &without_nul) != *snapshot
}
