//! Unsupported: ids and values that a store need not hold, and what it may reply to a commit of one.

use super::outcome::Outcome;
use super::payload;
use super::supported::Supported;
use super::value_claims::ValueClaims;
use super::values::{self, Nested};
use crate::clause::Clause;
use crate::constraint::Constraint;
use crate::data::{Data, MAX_DEPTH};
use crate::model::{Op, Reply};
use crate::snapshot::{Snapshot, User};
use crate::token;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The places of commits that a store refused as unsupported, as it may, with how it named that. They count
/// as not made.
pub(crate) type Refusals = BTreeMap<usize, Constraint>;

/// How a store names its refusal, where it makes use of its right to refuse an id (IDN-2) or a value (VAL-1)
/// that it cannot hold. Tokens it must hold: they are what sessions have (TOK-1).
pub(crate) fn refusal(op: &Op, outcome: &Outcome, supported: &Supported) -> Option<Constraint> {
    let snapshot = payload::committed(op)?;
    let Outcome::Replied(Reply::Refused(constraint)) = outcome else {
        return None;
    };
    let (id, any_id) = (snapshot.id(), supported.ids.is_none());
    let may_refuse = match constraint {
        Constraint::UnsupportedId => any_id && !id.is_empty() && !token::is_token(id),
        Constraint::UnsupportedValue => !supported.values.has(snapshot),
        _ => false,
    };
    may_refuse.then_some(*constraint)
}

/// The clause by which a store may refuse so.
pub(crate) fn clause(constraint: Constraint) -> Clause {
    match constraint {
        Constraint::UnsupportedValue => Clause::Val1,
        _ => Clause::Idn2,
    }
}

/// Snapshots just beyond what is claimed, and far beyond, under this id: each in one respect. With those that
/// are nested, how, and how deep.
pub(crate) fn snapshots(
    claims: &ValueClaims,
    id: &str,
) -> Vec<(Option<(Nested, usize)>, Snapshot)> {
    let nested = claims.depth.into_iter().flat_map(deeper);
    let nested = nested.map(|(nested, depth)| (Some((nested, depth)), nested.snapshot(depth)));
    let large = claims.size.into_iter().flat_map(|size| larger(id, size));
    let numbers = claims.doubles_only.then(no_doubles).into_iter().flatten();
    let characters = claims.refused_characters.iter().take(CHARACTERS);
    let texts = characters.flat_map(|character| with_character(*character));
    let others = large.chain(numbers).chain(texts);
    let all = nested.chain(others.map(|snapshot| (None, snapshot)));
    let all = all.map(|(nested, snapshot)| (nested, snapshot.with_id(id)));
    all.filter(|(_, snapshot)| !claims.has(snapshot)).collect()
}

/// So many of the refused characters are tried.
const CHARACTERS: usize = 8;

fn deeper(levels: usize) -> impl Iterator<Item = (Nested, usize)> {
    let depths = [levels.saturating_add(1), MAX_DEPTH].into_iter();
    let depths = depths.filter(|depth| *depth <= MAX_DEPTH);
    depths
        .flat_map(|depth| [Nested::Lists, Nested::Maps, Nested::Both].map(|nested| (nested, depth)))
}

/// A byte too large, and twice as large, by each of their parts.
fn larger(id: &str, size: usize) -> impl Iterator<Item = Snapshot> {
    let parts: [fn(String) -> Snapshot; 4] = [
        |text| values::with_value(text.into()),
        |text| Snapshot::new("", text, None, Data::default()),
        |text| Snapshot::new("", "", User::new(text), Data::default()),
        |text| of_data([(text, Value::Null)]),
    ];
    let sizes = [size.saturating_add(1), size.saturating_mul(2)].into_iter();
    let sizes = sizes.filter(|size| *size <= LARGEST);
    sizes.flat_map(move |size| {
        parts.into_iter().filter_map(move |part| {
            let around = part(String::new()).with_id(id).encode().len();
            Some(part("x".repeat(size.checked_sub(around)?)))
        })
    })
}

/// No snapshot is made larger than this, in bytes.
const LARGEST: usize = 1 << 24;

/// Integers that doubles take for their neighbours, and doubles that they take for integers.
fn no_doubles() -> Vec<Snapshot> {
    let numbers = [
        json!((1_i64 << 53) + 1),
        json!(-(1_i64 << 53) - 1),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(1.0),
        json!(-0.0),
    ];
    numbers.iter().flat_map(everywhere).collect()
}

fn with_character(character: char) -> Vec<Snapshot> {
    let texts = [
        character.to_string(),
        format!("a{character}b"),
        format!("a{character}"),
    ];
    let of_text = |text: String| {
        let key = [(text.clone(), Value::Null)];
        let attributes = User::with_attributes("", data(key.clone()));
        let more = [
            Snapshot::new("", text.clone(), None, Data::default()),
            Snapshot::new("", "", User::new(text.clone()), Data::default()),
            Snapshot::new("", "", attributes.ok(), Data::default()),
            of_data(key),
            values::with_value(json!({ text.clone(): null })),
        ];
        everywhere(&text.into()).into_iter().chain(more)
    };
    texts.into_iter().flat_map(of_text).collect()
}

/// A value in the data, inside of another value, and among a user's attributes.
fn everywhere(value: &Value) -> Vec<Snapshot> {
    let attributes = User::with_attributes("", data([(String::new(), value.clone())]));
    vec![
        values::with_value(value.clone()),
        values::with_value(json!([value])),
        Snapshot::new("", "", attributes.ok(), Data::default()),
    ]
}

fn of_data(entries: impl IntoIterator<Item = (String, Value)>) -> Snapshot {
    Snapshot::new("", "", None, data(entries))
}

fn data(entries: impl IntoIterator<Item = (String, Value)>) -> Data {
    Data::try_from(entries.into_iter().collect::<serde_json::Map<_, _>>())
        .expect("no value is too deep")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn beyond(claims: &ValueClaims) -> Vec<(Option<(Nested, usize)>, Snapshot)> {
        snapshots(claims, &"A".repeat(token::LEN))
    }

    #[test]
    fn of_all_values_none_is_beyond() {
        assert_eq!(beyond(&ValueClaims::default()), []);
    }

    #[test]
    fn deeper_values_are_one_level_deeper_and_as_deep_as_they_get() {
        let of = |depth| {
            let claims = ValueClaims {
                depth: Some(depth),
                ..ValueClaims::default()
            };
            let nested = beyond(&claims).into_iter().map(|(nested, _)| nested);
            let depths = nested.map(|nested| nested.map_or(0, |(_, depth)| depth));
            depths.collect::<BTreeSet<_>>()
        };
        assert_eq!(of(0), BTreeSet::from([1, MAX_DEPTH]));
        assert_eq!(of(MAX_DEPTH - 1), BTreeSet::from([MAX_DEPTH]));
        assert_eq!(of(MAX_DEPTH), BTreeSet::new());
    }

    #[test]
    fn larger_ones_are_a_byte_larger_and_twice_as_large() {
        let claims = ValueClaims {
            size: Some(300),
            ..ValueClaims::default()
        };
        let sizes = beyond(&claims).into_iter();
        let sizes: Vec<usize> = sizes.map(|(_, it)| it.encode().len()).collect();
        assert_eq!(sizes, [301, 301, 301, 301, 600, 600, 600, 600]);
    }

    #[test]
    fn numbers_and_characters_stand_everywhere() {
        let claims = ValueClaims {
            doubles_only: true,
            refused_characters: BTreeSet::from(['\0']),
            ..ValueClaims::default()
        };
        let beyond = beyond(&claims).into_iter();
        let wire = beyond.map(|(_, it)| String::from_utf8(it.encode()).unwrap());
        let wire: Vec<String> = wire.collect();
        for part in [
            r#""data":{"":9007199254740993}"#,
            r#""data":{"":[1.0]}"#,
            r#""user":{"email":"","":-0.0}"#,
            r#""csrf_token":"\u0000""#,
            r#""email":"a\u0000b""#,
            r#""user":{"email":"","a\u0000":null}"#,
            r#""data":{"a\u0000":null}"#,
            r#""data":{"":{"\u0000":null}}"#,
            r#""data":{"":["a\u0000b"]}"#,
        ] {
            assert!(wire.iter().any(|it| it.contains(part)), "{part}\n{wire:#?}");
        }
    }

    /// What it names so is not its own.
    #[test]
    fn only_what_is_not_claimed_may_be_refused() {
        let supported = Supported {
            values: ValueClaims {
                depth: Some(0),
                ..ValueClaims::default()
            },
            ..Supported::default()
        };
        let commit = |snapshot: &Snapshot, id: &str| Op::Commit {
            snapshot: Some(snapshot.with_id(id)),
            ttl: 1,
        };
        let token = "A".repeat(token::LEN);
        let (flat, deep) = (payload::numbered(1, ""), Nested::Lists.snapshot(1));
        let refusal = |op: &Op, constraint| {
            let outcome = Outcome::Replied(Reply::Refused(constraint));
            super::refusal(op, &outcome, &supported)
        };
        let [of_a_value, of_an_id] = [Constraint::UnsupportedValue, Constraint::UnsupportedId];
        assert_eq!(
            refusal(&commit(&deep, &token), of_a_value),
            Some(of_a_value)
        );
        assert_eq!(refusal(&commit(&deep, "x"), of_a_value), Some(of_a_value));
        assert_eq!(refusal(&commit(&flat, "x"), of_an_id), Some(of_an_id));
        assert_eq!(refusal(&commit(&flat, &token), of_a_value), None);
        assert_eq!(refusal(&commit(&flat, "x"), of_a_value), None);
        assert_eq!(refusal(&commit(&deep, &token), of_an_id), None);
        assert_eq!(refusal(&commit(&flat, ""), of_an_id), None);
        assert_eq!(refusal(&Op::Drop { id: token }, of_a_value), None);
    }
}
