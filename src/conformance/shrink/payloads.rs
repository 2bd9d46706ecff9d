//! Payloads: small ones, and of large ones the part that matters.

use super::{Shrinker, ids};
use crate::conformance::lockstep::Failure;
use crate::conformance::payload;
use crate::data::Data;
use crate::model::Op;
use crate::snapshot::{Snapshot, User};
use serde_json::{Map, Value};

impl<R: Fn(&[Op]) -> Option<Failure>> Shrinker<R> {
    pub(super) fn simplify_payloads(&mut self) -> bool {
        (0..self.best.ops.len()).any(|at| {
            let Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } = &self.best.ops[at]
            else {
                return false;
            };
            let ttl = *ttl;
            self.simpler(snapshot, at).into_iter().any(|simpler| {
                let mut ops = self.best.ops.clone();
                ops[at] = Op::Commit {
                    snapshot: Some(simpler),
                    ttl,
                };
                self.try_these(ops)
            })
        })
    }

    /// Simpler payloads than `snapshot`, which operation `at` commits.
    fn simpler(&self, snapshot: &Snapshot, at: usize) -> Vec<Snapshot> {
        let id = snapshot.id();
        // v1 for the first commit, v2 for the second, ..: small, and no two alike.
        let commits = self.best.ops[..=at]
            .iter()
            .filter(|op| matches!(op, Op::Commit { .. }));
        let target = commits.count() as u64;
        match payload::number_of(snapshot) {
            Some(number) if number <= target => Vec::new(),
            Some(_) => vec![payload::numbered(target, id)],
            None => {
                let mut simpler = vec![payload::numbered(target, id)];
                simpler.extend(parts_left_out(snapshot));
                simpler
            }
        }
    }
}

/// `snapshot` without some part of it, or with a simpler part.
fn parts_left_out(snapshot: &Snapshot) -> Vec<Snapshot> {
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    let (user, data) = (snapshot.user(), snapshot.data());
    let mut simpler = Vec::new();
    if user.is_some() {
        simpler.push(Snapshot::new(id, csrf, None, data.clone()));
    }
    for csrf in simpler_text(csrf) {
        simpler.push(Snapshot::new(id, csrf, user.cloned(), data.clone()));
    }
    for data in simpler_data(data) {
        simpler.push(Snapshot::new(id, csrf, user.cloned(), data));
    }
    if let Some(user) = user {
        let emails = simpler_text(user.email()).into_iter();
        let renamed = emails.map(|email| User::with_attributes(email, user.attributes().clone()));
        let attributes = simpler_data(user.attributes()).into_iter();
        let lessened = attributes.map(|attributes| User::with_attributes(user.email(), attributes));
        for user in renamed.chain(lessened).flatten() {
            simpler.push(Snapshot::new(id, csrf, user, data.clone()));
        }
    }
    simpler
}

/// One key less, or one key or value simpler.
fn simpler_data(data: &Data) -> Vec<Data> {
    let map: Map<String, Value> = data
        .iter()
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    let simpler = simpler_map(&map);
    simpler.into_iter().flat_map(Data::try_from).collect()
}

fn simpler_map(map: &Map<String, Value>) -> Vec<Map<String, Value>> {
    map.iter()
        .flat_map(|(key, value)| {
            let without: Map<String, Value> = map
                .iter()
                .filter(|(other, _)| *other != key)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let with = |key: &str, value: &Value| {
                let mut map = without.clone();
                map.insert(key.to_owned(), value.clone());
                map
            };
            let values: Vec<_> = simpler_values(value).iter().map(|v| with(key, v)).collect();
            let keys: Vec<_> = simpler_text(key)
                .iter()
                .filter(|short| !map.contains_key(*short))
                .map(|short| with(short, value))
                .collect();
            [without.clone()].into_iter().chain(values).chain(keys)
        })
        .collect()
}

fn simpler_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(_) => vec![Value::Null],
        Value::Number(number) => simpler_numbers(number),
        Value::String(text) => [Value::Null]
            .into_iter()
            .chain(simpler_text(text).into_iter().map(Value::from))
            .collect(),
        Value::Array(items) => {
            let shorter = ids::cuts(items.len()).into_iter().map(|(start, end)| {
                let mut items = items.clone();
                items.drain(start..end);
                Value::from(items)
            });
            let simpler = items.iter().enumerate().flat_map(|(at, item)| {
                simpler_values(item).into_iter().map(move |simple| {
                    let mut items = items.clone();
                    items[at] = simple;
                    Value::from(items)
                })
            });
            [Value::Null]
                .into_iter()
                .chain(items.iter().cloned())
                .chain(shorter)
                .chain(simpler)
                .collect()
        }
        Value::Object(map) => [Value::Null]
            .into_iter()
            .chain(map.values().cloned())
            .chain(simpler_map(map).into_iter().map(Value::from))
            .collect(),
    }
}

/// Of integers those nearer to zero, on the way to a threshold by halving; of doubles the whole
/// part.
fn simpler_numbers(number: &serde_json::Number) -> Vec<Value> {
    if number.is_f64() {
        let double = number.as_f64().unwrap_or_default();
        let whole = double.trunc();
        let simpler = (whole.to_bits() != double.to_bits()).then(|| Value::from(whole));
        return [Value::Null].into_iter().chain(simpler).collect();
    }
    let integer = number.as_i128().unwrap_or_default();
    let nearer = (0..64).map(|halvings| integer - (integer / (1 << halvings)));
    let nearer = nearer.filter(|new| *new != integer).filter_map(|new| {
        let unsigned = u64::try_from(new).map(Value::from);
        unsigned
            .or_else(|_| i64::try_from(new).map(Value::from))
            .ok()
    });
    [Value::Null].into_iter().chain(nearer).collect()
}

/// The empty one, and without some of its characters.
fn simpler_text(text: &str) -> Vec<String> {
    let empty = (!text.is_empty()).then(String::new);
    empty.into_iter().chain(ids::shorter(text)).collect()
}
