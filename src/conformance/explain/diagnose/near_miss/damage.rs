//! Damage: in what the snapshot that was found differs from the one that was committed.

use crate::conformance::program::{Id, Payload, payload};
use crate::data::Data;
use crate::model::Op;
use crate::snapshot::{Snapshot, User};
use serde_json::Value;
use std::fmt::Display;

/// The first difference between what was `committed` and what was `found`; if that was committed
/// too, where.
pub(in super::super) fn damage(
    committed: &Snapshot,
    found: &Snapshot,
    ops: &[Op],
) -> Option<String> {
    let same = |op: &&Op| match op {
        Op::Commit {
            snapshot: Some(snapshot),
            ..
        } => snapshot.with_id("") == found.with_id(""),
        _ => false,
    };
    if let Some(op) = ops.iter().rev().find(same) {
        let id = op.id().unwrap_or_default();
        return match (
            committed.with_id("") == found.with_id(""),
            committed.id() == id,
        ) {
            (true, _) => Some(format!(
                "the snapshot came back with the id {}",
                Id(found.id())
            )),
            (_, true) => Some(format!(
                "what came back is {:#}, as committed before",
                Payload(found)
            )),
            (_, false) => Some(format!(
                "what came back is {:#}, as committed for {}",
                Payload(found),
                Id(id)
            )),
        };
    }
    let differences = [
        (committed.csrf_token() != found.csrf_token()).then(|| {
            came_back_as(
                "the CSRF token",
                &quoted(committed.csrf_token()),
                &quoted(found.csrf_token()),
            )
        }),
        user_damage(committed.user(), found.user()),
        data_damage("the data", committed.data(), found.data()),
    ];
    differences.into_iter().flatten().next()
}

/// Of what was found where nothing should be: whose it is, if it was committed for another id only.
pub(super) fn committed_for_another(found: &Snapshot, ops: &[Op]) -> Option<String> {
    let id = ops.last()?.id()?;
    let committed = ops.iter().rev().filter_map(payload::committed);
    let same = committed.filter(|committed| committed.with_id("") == found.with_id(""));
    let ids: Vec<&str> = same.map(Snapshot::id).collect();
    let other = ids.first().filter(|_| !ids.contains(&id))?;
    let (found, other) = (Payload(found), Id(other));
    Some(format!(
        "what came back is {found:#}, as committed for {other}"
    ))
}

fn user_damage(committed: Option<&User>, found: Option<&User>) -> Option<String> {
    match (committed, found) {
        (None, None) => None,
        (Some(_), None) => Some("the user did not come back".to_owned()),
        (None, Some(_)) => Some("a user came back where there was none".to_owned()),
        (Some(user), Some(found)) if user.email() != found.email() => Some(came_back_as(
            "the user's e-mail address",
            &quoted(user.email()),
            &quoted(found.email()),
        )),
        (Some(user), Some(found)) => data_damage(
            "the user's attributes",
            user.attributes(),
            found.attributes(),
        ),
    }
}

fn data_damage(of: &str, committed: &Data, found: &Data) -> Option<String> {
    let lost = committed.iter().find(|(key, _)| found.value(key).is_none());
    let more = found.iter().find(|(key, _)| committed.value(key).is_none());
    let mut both = committed
        .iter()
        .filter_map(|(key, value)| Some((value, found.value(key)?)));
    match (lost, more) {
        (Some((lost, _)), Some((more, _))) => Some(came_back_as(
            &format!("a key of {of}"),
            &quoted(lost),
            &quoted(more),
        )),
        (Some((key, value)), None) => {
            let shown = format!("{} under {}", described(value), quoted(key));
            Some(format!("{shown} did not come back with {of}"))
        }
        (None, Some((key, _))) => Some(format!("{of} came back with the key {} too", quoted(key))),
        (None, None) => both.find_map(|(value, found)| value_damage(value, found)),
    }
}

/// The first difference, as deep as it lies.
fn value_damage(committed: &Value, found: &Value) -> Option<String> {
    let texts = [committed, found].map(Value::to_string);
    if texts[0] == texts[1] {
        return None;
    }
    let deeper = match (committed, found) {
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others);
            pairs.find_map(|(item, other)| value_damage(item, other))
        }
        (Value::Object(map), Value::Object(other)) if map.keys().eq(other.keys()) => {
            let mut pairs = map.values().zip(other.values());
            pairs.find_map(|(item, other)| value_damage(item, other))
        }
        _ => None,
    };
    let here = || format!("{} came back as {}", described(committed), described(found));
    deeper.or_else(|| Some(here()))
}

fn came_back_as(what: &str, from: &impl Display, to: &impl Display) -> String {
    format!("{what} {from} came back as {to}")
}

fn quoted(text: &str) -> String {
    Id(text).to_string()
}

/// A value with its type, if it is short.
fn described(value: &Value) -> String {
    const LONGEST: usize = 40;
    let name = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(items) => return format!("list of {}", items.len()),
        Value::Object(map) => return format!("map of {}", map.len()),
    };
    let shown = match value {
        Value::String(string) => quoted(string),
        _ => value.to_string(),
    };
    match shown.len() <= LONGEST {
        true => format!("{name} {shown}"),
        false => format!("a {name}"),
    }
}
