//! Corpus: values, of all kinds of parts, that some format is known to take for others, to cut or to
//! lose.

use crate::data::Data;
use crate::snapshot::{Snapshot, User};
use serde_json::{Map, Value, json};

/// Every value that some format is known to take for another, cut or lose. Random ones would not hit
/// them often enough.
pub(crate) fn snapshots(depth: usize) -> Vec<Snapshot> {
    let entries = |values: &[Value]| -> Data {
        let keys = (0..).map(|number: usize| number.to_string());
        let entries: Map<String, Value> = keys.zip(values.iter().cloned()).collect();
        Data::try_from(entries).expect("no value is too deep")
    };
    let with = |data| Snapshot::new("", "", None, data);
    let telltales = TELLTALES.map(Value::from);
    let names = TELLTALES.iter().chain(&NAMES);
    let keys: Map<_, _> = names
        .map(|name| ((*name).to_owned(), Value::from(1)))
        .collect();
    let keys = Data::try_from(keys).expect("numbers are not deep");
    let of_a_user = |attributes| {
        let user =
            User::with_attributes("", attributes).expect("the one reserved key is not there");
        Snapshot::new("", "", Some(user), Data::default())
    };
    let mut snapshots = vec![
        with(entries(&telltales)),
        of_a_user(entries(&telltales)),
        with(keys.clone()),
        of_a_user(keys),
    ];
    snapshots.extend(LENGTHS.map(|length| with(entries(&["x".repeat(length).into()]))));
    let not_huge = || LENGTHS.into_iter().filter(|length| *length < 10_000);
    snapshots.extend(not_huge().flat_map(long_names));
    let many = (0..257).map(|number| (number.to_string(), Value::from(number)));
    let many: Map<String, Value> = many.collect();
    let many_keys = Data::try_from(many.clone());
    snapshots.push(with(many_keys.expect("numbers are not deep")));
    if depth > 0 {
        let lists = not_huge().map(|length| vec![Value::Null; length].into());
        let large: Vec<Value> = lists.chain([many.into()]).collect();
        snapshots.push(with(entries(&large)));
    }
    if depth > 1 {
        let shapes = shapes();
        snapshots.push(with(entries(&shapes)));
        snapshots.push(of_a_user(entries(&shapes)));
    }
    snapshots
}

/// A CSRF token, an e-mail address and a key of this length.
fn long_names(length: usize) -> [Snapshot; 3] {
    let name = || "x".repeat(length);
    let mut data = Data::default();
    data.set(&name(), true).expect("true has a JSON form");
    [
        Snapshot::new("", name(), None, Data::default()),
        Snapshot::new("", "", User::new(name()), Data::default()),
        Snapshot::new("", "", None, data),
    ]
}

/// Lists and maps, two levels deep, that some format takes for something else or makes alike.
fn shapes() -> Vec<Value> {
    let shapes = json!([
        [1, 1],
        [2, 1],
        ["a", "a"],
        ["b", "a"],
        ["", ""],
        [1, null],
        [null],
        [true],
        [1, "1", 1.0, null],
        [[]],
        [[1], [2, 3]],
        [{ "a": 1 }, { "b": 2 }],
        [["a", 1], ["b", 2]],
        ["a", 1],
        { "0": 1, "1": 2 },
        { "1": 1 },
        { "a": { "a": null } },
        { "a": 1, "A": 2 },
        { "a": 1, "a ": 2, " a": 3 },
        { "a_b": 1, "a-b": 2, "aB": 3 },
        { "é": 1, "e": 2 },
        { "a": {}, "b": [] },
        { "a.b": 1 },
        { "$date": "2020-01-01T00:00:00Z" },
        { "$oid": "0123456789abcdef01234567" },
        { "$numberLong": "1" },
        { "$set": { "a": 1 } },
        { "$ref": "#/a" },
        { "@type": "a" },
        { "type": "Buffer", "data": [1] },
        { "__proto__": { "a": 1 } },
        { "S": "a" },
        { "key": "a", "value": 1 },
    ]);
    let mut shapes = match shapes {
        Value::Array(shapes) => shapes,
        other => vec![other],
    };
    // Names, and names as long, that are keys of a map within.
    let names = TELLTALES.iter().chain(&NAMES);
    let names = names.map(|name| ((*name).to_owned(), Value::from(1)));
    shapes.push(Value::Object(names.collect()));
    let long = LENGTHS.into_iter().filter(|length| *length < 10_000);
    let long = long.map(|length| ("x".repeat(length), Value::from(1)));
    shapes.push(Value::Object(long.collect()));
    shapes
}

/// What other types look like, and what careless formats change.
const TELLTALES: [&str; 61] = [
    "",
    " ",
    " a ",
    "A",
    "0",
    "1",
    "01",
    "-1",
    "1.0",
    "1e3",
    "0x10",
    "12345678901234567890",
    "1_000",
    "true",
    "False",
    "yes",
    "on",
    "null",
    "nil",
    "None",
    "undefined",
    "NaN",
    "Infinity",
    "[]",
    "{}",
    "2020-01-01",
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00+00:00",
    "12:30:00",
    "a,b",
    "a=b&c=d",
    "%41",
    "&amp;",
    "<b>",
    "YQ==",
    "~",
    "__proto__",
    "a  b",
    "a\r\nb",
    "a\n",
    "e\u{301}",
    "\\",
    "\\\\",
    "\u{feff}a",
    "\\n",
    "\\u0041",
    "''",
    "\"\"",
    "\"a\"",
    "{\"a\":1}",
    "[1]",
    "%s",
    "$1",
    "${x}",
    "{{x}}",
    "=1",
    "a:b",
    "/a",
    "../a",
    "\u{1f44d}\u{1f3fd}",
    "\u{1f468}\u{200d}\u{1f469}",
];

/// Names that have a meaning of their own in some store, as keys.
const NAMES: [&str; 36] = [
    "a",
    "a ",
    "é",
    "e",
    "userId",
    "user-id",
    "Data",
    "_id",
    "__v",
    "id",
    "session_id",
    "csrf_token",
    "user",
    "user_id",
    "data",
    "expires",
    "expires_at",
    "expiry",
    "ttl",
    "deadline",
    "created_at",
    "version",
    "cookie",
    "type",
    "@type",
    "$set",
    "$ref",
    "a.b",
    "a[0]",
    "length",
    "constructor",
    "json_class",
    "toString",
    "key",
    "value",
    "new",
];

/// The longest text, in bytes.
pub(crate) const LONGEST: usize = 65_536;

/// Just longer than columns, buffers and pages are.
const LENGTHS: [usize; 9] = [17, 33, 65, 129, 256, 257, 1_025, 4_097, LONGEST];
