//! Payloads: what programs commit, apart from the id.

use crate::data::Data;
use crate::model::Op;
use crate::snapshot::{Snapshot, User};
use serde_json::Value;

/// The numbered payload `v<number>` under `id`: small, and different from every other in its CSRF
/// token, its user (every second one has none) and a data key of its own, so that a mix of two is
/// like neither. `v0` has neither user nor data.
pub(crate) fn numbered(number: u64, id: &str) -> Snapshot {
    let name = format!("v{number}");
    let user = (number % 2 == 1).then(|| User::new(format!("{name}@example.com")));
    let mut data = Data::default();
    if number > 0 {
        for (key, value) in [("v", number), (name.as_str(), 1)] {
            data.set(key, value).expect("a number has a JSON form");
        }
    }
    Snapshot::new(id, name, user, data)
}

/// The same with a text of so many characters more in its data.
pub(crate) fn with_text(snapshot: &Snapshot, length: usize) -> Option<Snapshot> {
    let mut data = snapshot.data().clone();
    data.set("", "x".repeat(length)).ok()?;
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    Some(Snapshot::new(id, csrf, snapshot.user().cloned(), data))
}

/// How many levels the deepest value in a snapshot has.
pub(crate) fn depth(snapshot: &Snapshot) -> usize {
    fn of_value(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(of_value).max().unwrap_or(0),
            Value::Object(map) => 1 + map.values().map(of_value).max().unwrap_or(0),
            _ => 0,
        }
    }
    let attributes = snapshot.user().map(User::attributes);
    let data = [Some(snapshot.data()), attributes].into_iter().flatten();
    let values = data.flat_map(|data| data.iter().map(|(_, value)| of_value(value)));
    values.max().unwrap_or(0)
}

/// What an operation commits, if it is a commit.
pub(crate) fn committed(op: &Op) -> Option<&Snapshot> {
    match op {
        Op::Commit { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    }
}

/// Which numbered payload `snapshot` carries, if it does.
pub(crate) fn number_of(snapshot: &Snapshot) -> Option<u64> {
    let number = snapshot.csrf_token().strip_prefix('v')?.parse().ok()?;
    (numbered(number, snapshot.id()) == *snapshot).then_some(number)
}
