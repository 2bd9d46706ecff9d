//! Values: snapshots over the whole JSON value space (SNP-4).

use super::corpus::LONGEST;
use super::value_claims::ValueClaims;
use super::{corpus, payload};
use crate::data::Data;
use crate::snapshot::{Snapshot, User};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Number, Value, json};

/// `count` snapshots under the empty id, of claimed values: those of the corpus, and random ones.
pub(crate) fn snapshots(
    count: usize,
    claims: &ValueClaims,
    runner: &mut TestRunner,
) -> Vec<Snapshot> {
    let depth = claims.levels();
    let corpus = corpus::snapshots(depth).into_iter();
    let corpus = corpus.map(|snapshot| claims.nearest(&snapshot));
    let mut snapshots: Vec<Snapshot> = corpus.filter(|snapshot| claims.has(snapshot)).collect();
    let strategy = snapshot(depth);
    while snapshots.len() < count {
        let tree = strategy.new_tree(runner);
        let drawn = tree.expect("values are drawn without rejection").current();
        let drawn = claims.nearest(&drawn);
        // A small one in place of one that is too large.
        snapshots.push(match claims.has(&drawn) {
            true => drawn,
            false => payload::numbered(0, ""),
        });
    }
    snapshots
}

/// How a deep value is nested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nested {
    /// Lists in lists.
    Lists,
    /// Maps in maps.
    Maps,
    /// Lists and maps in turn.
    Both,
}

impl Nested {
    /// A snapshot under the empty id with a value of this depth.
    pub(crate) fn snapshot(self, depth: usize) -> Snapshot {
        with_value(match self {
            Self::Lists => lists(depth),
            Self::Maps => maps(depth),
            Self::Both => tower(depth),
        })
    }
}

/// The deepest values of up to `deepest` levels, by way of ever deeper ones, and the longest text, as
/// far as they are claimed: how each is nested, and how deep.
pub(crate) fn extremes(
    claims: &ValueClaims,
    deepest: usize,
) -> Vec<(Option<(Nested, usize)>, Snapshot)> {
    let deepest = deepest.min(claims.levels());
    let depths = std::iter::successors(Some(1), |depth| Some(depth * 2));
    let depths = depths.take_while(|depth| *depth < deepest).chain([deepest]);
    let kinds = [Nested::Lists, Nested::Maps, Nested::Both];
    let values = depths.flat_map(|depth| kinds.map(|nested| (nested, depth)));
    let values = values.filter(|(_, depth)| *depth > 0);
    let values = values.map(|(nested, depth)| (Some((nested, depth)), nested.snapshot(depth)));
    let text = with_value(Value::from("x".repeat(LONGEST)));
    let snapshots = values.chain([(None, text)]);
    let snapshots = snapshots.map(|(nested, snapshot)| (nested, claims.nearest(&snapshot)));
    let snapshots = snapshots.filter(|(_, snapshot)| claims.has(snapshot));
    snapshots.collect()
}

/// A snapshot under the empty id with this value in its data.
pub(crate) fn with_value(value: Value) -> Snapshot {
    let data = Data::try_from(Map::from_iter([(String::new(), value)]));
    Snapshot::new("", "", None, data.expect("no value is too deep"))
}

fn snapshot(depth: usize) -> impl Strategy<Value = Snapshot> {
    let user = (text(), data(depth)).prop_map(|(email, mut attributes)| {
        attributes.delete("email");
        User::with_attributes(email, attributes).expect("the one reserved key is gone")
    });
    (text(), proptest::option::of(user), data(depth))
        .prop_map(|(csrf_token, user, data)| Snapshot::new("", csrf_token, user, data))
}

fn data(depth: usize) -> impl Strategy<Value = Data> {
    let values = prop_oneof![8 => value(depth), 1 => (0..=depth).prop_map(tower)];
    proptest::collection::vec((text(), values), 0..4).prop_map(|entries| {
        let entries: Map<String, Value> = entries.into_iter().collect();
        Data::try_from(entries).expect("no value is too deep")
    })
}

/// Any JSON value, a few levels deep.
fn value(depth: usize) -> impl Strategy<Value = Value> {
    let levels = u32::try_from(depth.min(4)).unwrap_or(0);
    scalar().prop_recursive(levels, 16, 4, |inside| {
        prop_oneof![
            proptest::collection::vec(inside.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inside), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Lists and maps in turn, to this depth.
fn tower(depth: usize) -> Value {
    (0..depth).fold(json!(-0.0), |inside, level| match level % 2 {
        0 => json!([inside]),
        _ => json!({ "": inside }),
    })
}

fn lists(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inside, _| json!([inside]))
}

fn maps(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inside, _| json!({ "": inside }))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => prop_oneof![Just(json!(null)), Just(json!(false)), Just(json!(true))],
        2 => text().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => integers().prop_map(Value::from),
        3 => doubles().prop_map(Value::from),
    ]
}

/// The ends of the integer types, and where doubles stop to tell integers apart.
fn integers() -> impl Strategy<Value = Number> {
    let signed = [
        i64::MIN,
        i64::MIN + 1,
        -(1 << 53) - 1,
        -1,
        0,
        1,
        i64::from(i32::MAX) + 1,
    ];
    let unsigned = [
        (1 << 53) + 1,
        i64::MAX as u64,
        i64::MAX as u64 + 1,
        u64::MAX,
    ];
    let all: Vec<Number> = signed
        .map(Number::from)
        .into_iter()
        .chain(unsigned.map(Number::from))
        .collect();
    proptest::sample::select(all)
}

/// Doubles of every bit pattern that is a number, and those that careless formats change.
fn doubles() -> impl Strategy<Value = f64> {
    let finite = |bits| Some(f64::from_bits(bits)).filter(|double| double.is_finite());
    prop_oneof![
        any::<u64>().prop_map(move |bits| finite(bits).unwrap_or(-0.0)),
        proptest::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.1,
            1e21,
            1e-7,
            5e-324,
            2.225_073_858_507_201e-308,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
            f64::EPSILON,
            9_007_199_254_740_993.0,
            1.844_674_407_370_955_2e19,
        ]),
    ]
}

/// Any Unicode, with what JSON, C strings, HTML and databases treat apart.
fn text() -> impl Strategy<Value = String> {
    let special = [
        '\0',
        '"',
        '\\',
        '/',
        '\n',
        '\r',
        '\t',
        '\u{7f}',
        '<',
        '&',
        '\'',
        '\u{2028}',
        '\u{2029}',
        '\u{feff}',
        '\u{fffd}',
        '\u{ffff}',
        'é',
        '\u{301}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{1f980}',
        '\u{10ffff}',
    ];
    let character = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        2 => proptest::sample::select(special.to_vec()),
        1 => any::<char>(),
    ];
    proptest::collection::vec(character, 0..8).prop_map(|chars| chars.into_iter().collect())
}
