//! Snapshots: the wire and storage form.

use insta::assert_snapshot;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Value, json};
use session_spec::data::MAX_DEPTH;
use session_spec::{Data, DecodeError, Snapshot, User};

fn data(map: Map<String, Value>) -> Data {
    Data::try_from(map).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("not an object: {value}"),
    }
}

fn wire(snapshot: &Snapshot) -> String {
    String::from_utf8(snapshot.encode()).unwrap()
}

fn with_data(value: Value) -> Snapshot {
    Snapshot::new("id1", "csrf1", None, data(object(value)))
}

fn decode(wire: &str) -> Result<Snapshot, DecodeError> {
    Snapshot::decode("id1", wire.as_bytes())
}

/// `{"id":"id1","csrf_token":"csrf1",..}`
fn with_fields(fields: &str) -> Result<Snapshot, DecodeError> {
    decode(&format!(r#"{{"id":"id1","csrf_token":"csrf1",{fields}}}"#))
}

fn is_malformed(decoded: &Result<Snapshot, DecodeError>) -> bool {
    matches!(decoded, Err(DecodeError::Malformed { .. }))
}

#[test]
fn snp_3_the_smallest_snapshot_has_neither_user_nor_data() {
    let snapshot = Snapshot::new("id1", "csrf1", None, Data::default());
    assert_snapshot!(wire(&snapshot), @r#"{"id":"id1","csrf_token":"csrf1"}"#);
}

#[test]
fn snp_3_a_user_is_an_email_and_attributes_side_by_side() {
    let attributes = object(json!({"groups": ["staff", null], "name": "Alice"}));
    let user = User::with_attributes("alice@example.com", data(attributes)).unwrap();
    let snapshot = Snapshot::new("id1", "csrf1", user, Data::default());
    assert_snapshot!(wire(&snapshot), @r#"{"id":"id1","csrf_token":"csrf1","user":{"email":"alice@example.com","groups":["staff",null],"name":"Alice"}}"#);
}

#[test]
fn snp_3_data_is_an_object_of_any_json() {
    let snapshot = with_data(json!({"": {}, "cart": [1, {"of": [2.5]}], "seen": true}));
    assert_snapshot!(wire(&snapshot), @r#"{"id":"id1","csrf_token":"csrf1","data":{"":{},"cart":[1,{"of":[2.5]}],"seen":true}}"#);
}

#[test]
fn snp_4_numbers_keep_their_kind_on_the_wire() {
    let numbers = json!([i64::MIN, u64::MAX, 1, 1.0, -0.0, 0.1, 5e-324, f64::MAX]);
    let snapshot = with_data(json!({ "n": numbers }));
    assert_snapshot!(wire(&snapshot), @r#"{"id":"id1","csrf_token":"csrf1","data":{"n":[-9223372036854775808,18446744073709551615,1,1.0,-0.0,0.1,5e-324,1.7976931348623157e+308]}}"#);
}

#[test]
fn snp_4_zeros_of_either_sign_are_two_values() {
    assert_ne!(with_data(json!({"k": 0.0})), with_data(json!({"k": -0.0})));
}

#[test]
fn snp_4_characters_are_escaped_only_where_json_asks_for_it() {
    let snapshot = with_data(json!({"k": "\0\n\"\\/<ä\u{2028}🦀\u{10ffff}"}));
    let data = "{\"k\":\"\\u0000\\n\\\"\\\\/<ä\u{2028}🦀\u{10ffff}\"}";
    assert_eq!(
        wire(&snapshot),
        format!(r#"{{"id":"id1","csrf_token":"csrf1","data":{data}}}"#)
    );
}

#[test]
fn snp_3_unknown_top_level_fields_are_ignored() {
    let decoded = with_fields(r#""v":2,"data":{"k":1},"meta":{"id":"other","user":{}},"":[null]"#);
    assert_eq!(decoded, Ok(with_data(json!({"k": 1}))));
}

#[test]
fn snp_3_unknown_attributes_of_the_user_are_kept() {
    let wire = r#"{"id":"id1","csrf_token":"csrf1","user":{"email":"a","x":{"y":[1.5]},"z":null}}"#;
    assert_eq!(self::wire(&decode(wire).unwrap()), wire);
}

#[test]
fn snp_3_fields_come_in_any_order() {
    let decoded = decode(r#"{"data":{"k":1},"csrf_token":"csrf1","id":"id1"}"#);
    assert_eq!(decoded, Ok(with_data(json!({"k": 1}))));
}

#[test]
fn snp_3_a_null_user_is_nobody() {
    assert_eq!(with_fields(r#""user":null"#), Ok(with_data(json!({}))));
}

#[test]
fn snp_3_null_data_is_empty() {
    assert_eq!(with_fields(r#""data":null"#), Ok(with_data(json!({}))));
}

/// As PHP writes an empty map, and Lua one that it has read.
#[test]
fn snp_3_data_that_are_an_empty_list_are_empty() {
    assert_eq!(with_fields(r#""data":[]"#), Ok(with_data(json!({}))));
    assert!(is_malformed(&with_fields(r#""data":[null]"#)));
    assert!(is_malformed(&with_fields(r#""user":[]"#)));
}

#[test]
fn snp_3_an_object_with_a_key_twice_is_malformed() {
    for fields in [
        r#""data":{"k":1,"k":1}"#,
        r#""data":{"k":[{"a":1,"b":2,"a":3}]}"#,
        r#""user":{"email":"a","email":"b"}"#,
        r#""user":{"email":"a","role":1,"role":1}"#,
        r#""user":{"email":"a","x":{"":1,"":2}}"#,
    ] {
        assert!(is_malformed(&with_fields(fields)), "{fields}");
    }
    let apart = r#""user":{"email":"k","k":1},"data":{"k":{"k":1}}"#;
    assert!(with_fields(apart).is_ok());
}

#[test]
fn snp_4_a_number_that_no_double_holds_is_the_nearest_double() {
    let read = |number: &str| with_fields(&format!(r#""data":{{"k":{number}}}"#));
    for (number, nearest) in [
        ("1e-400", 0.0),
        ("-1e-400", -0.0),
        (
            "0.1000000000000000055511151231257827021181583404541015625",
            0.1,
        ),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ("-9223372036854775809", -9_223_372_036_854_775_808.0),
    ] {
        assert_eq!(
            read(number),
            Ok(with_data(json!({ "k": nearest }))),
            "{number}"
        );
    }
    assert!(is_malformed(&read("1e400")) && is_malformed(&read("-1e400")));
}

#[test]
fn snp_3_the_email_comes_back_empty_too() {
    let decoded = with_fields(r#""user":{"email":""}"#).unwrap();
    assert_eq!(decoded.user(), Some(&User::new("")));
}

/// What Go's `encoding/json` writes: the bytes, and the same as a JSON value.
fn written_by_go() -> Vec<(String, Value)> {
    include_str!("data/go.jsonl")
        .lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let wire = case["wire"].as_str().unwrap();
            (wire.to_owned(), serde_json::from_str(wire).unwrap())
        })
        .collect()
}

#[test]
fn snp_3_what_go_writes_is_read_as_it_was_meant() {
    for (wire, value) in written_by_go() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let meant = |name: &str| value.get(name).cloned().map(object).unwrap_or_default();
        let mut attributes = meant("user");
        let user = attributes
            .remove("email")
            .map(|email| User::with_attributes(text(&email), data(attributes)).unwrap());
        let (id, csrf_token) = (text(&value["id"]), text(&value["csrf_token"]));
        let meant = Snapshot::new(id, csrf_token, user, data(meant("data")));
        assert_eq!(
            Snapshot::decode(meant.id(), wire.as_bytes()),
            Ok(meant),
            "{wire}"
        );
    }
}

#[test]
fn snp_4_what_go_writes_is_written_again_with_the_same_meaning() {
    for (wire, value) in written_by_go() {
        let snapshot = Snapshot::decode(value["id"].as_str().unwrap(), wire.as_bytes()).unwrap();
        let again: Value = serde_json::from_slice(&snapshot.encode()).unwrap();
        assert_eq!(again, value, "{wire}");
    }
}

#[test]
fn snp_4_what_go_writes_comes_back_equal() {
    for (wire, value) in written_by_go() {
        let id = value["id"].as_str().unwrap();
        let snapshot = Snapshot::decode(id, wire.as_bytes()).unwrap();
        let again = Snapshot::decode(id, &snapshot.encode());
        assert_eq!(again, Ok(snapshot), "{wire}");
    }
}

#[test]
fn snp_5_another_ids_snapshot_is_told_from_bad_bytes() {
    let wire = with_data(json!({})).encode();
    for other in ["", "id", "id11", "ID1", "id1 "] {
        let decoded = Snapshot::decode(other, &wire);
        assert_eq!(decoded, Err(DecodeError::OtherId), "{other:?}");
    }
}

#[test]
fn snp_5_json_of_another_shape_is_malformed() {
    for wire in [
        "null",
        "7",
        r#""id1""#,
        "{}",
        r#"{"id":"id1"}"#,
        r#"{"csrf_token":"csrf1"}"#,
        r#"{"id":null,"csrf_token":"csrf1"}"#,
        r#"{"id":1,"csrf_token":"csrf1"}"#,
        r#"{"id":"id1","csrf_token":null}"#,
        r#"{"Id":"id1","csrf_token":"csrf1"}"#,
    ] {
        let decoded = decode(wire);
        assert!(is_malformed(&decoded), "{wire} is {decoded:?}");
    }
}

#[test]
fn snp_5_a_list_of_the_parts_is_malformed() {
    for wire in [
        "[]",
        r#"["id1","csrf1"]"#,
        r#"["id1","csrf1",{"email":"a"},{}]"#,
    ] {
        let decoded = decode(wire);
        assert!(is_malformed(&decoded), "{wire} is {decoded:?}");
    }
}

#[test]
fn snp_5_a_user_of_another_shape_is_malformed() {
    for user in [
        "{}",
        "[]",
        r#""alice""#,
        r#"{"name":"Alice"}"#,
        r#"{"email":null}"#,
        r#"{"email":["a"]}"#,
    ] {
        let decoded = with_fields(&format!(r#""user":{user}"#));
        assert!(is_malformed(&decoded), "{user} is {decoded:?}");
    }
}

#[test]
fn snp_5_data_of_another_shape_is_malformed() {
    for data in ["0", r#""k""#, "false", "[null]"] {
        let decoded = with_fields(&format!(r#""data":{data}"#));
        assert!(is_malformed(&decoded), "{data} is {decoded:?}");
    }
}

#[test]
fn snp_5_errors_say_what_is_wrong_and_where() {
    let shown = |wire| decode(wire).unwrap_err().to_string();
    assert_snapshot!(shown("{\n  'id'"), @"not a snapshot: bad JSON at line 2 column 3");
    assert_snapshot!(shown(r#"{"id":"id1"}"#), @"not a snapshot: unexpected content at line 1 column 12");
    assert_snapshot!(shown(r#"{"id":"id1""#), @"not a snapshot: premature end at line 1 column 11");
    assert_snapshot!(
        shown(r#"{"id":"id2","csrf_token":""}"#),
        @"snapshot has another id than the key it was read under"
    );
}

/// `open`, `depth` times, around a null.
fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}null{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn snp_4_data_nests_on_the_wire_as_deep_as_it_can_be_set() {
    let at = |depth| with_fields(&format!(r#""data":{{"k":{}}}"#, nested(depth, "[", "]")));
    assert!(at(MAX_DEPTH).is_ok());
    assert!(is_malformed(&at(MAX_DEPTH + 1)));
}

#[test]
fn snp_4_a_users_attributes_nest_on_the_wire_as_deep_as_they_can_be_set() {
    let at = |depth| {
        let inside = nested(depth, r#"{"k":"#, "}");
        with_fields(&format!(r#""user":{{"email":"a","k":{inside}}}"#))
    };
    assert!(at(MAX_DEPTH).is_ok());
    assert!(is_malformed(&at(MAX_DEPTH + 1)));
}

/// Deeper than recursion would survive.
const BOTTOMLESS: usize = 200_000;

#[test]
fn snp_5_a_bottomless_snapshot_is_malformed() {
    for (open, close) in [("[", "]"), (r#"{"data":"#, "}"), (r#"{"id":"#, "}")] {
        assert!(is_malformed(&decode(&nested(BOTTOMLESS, open, close))));
    }
}

#[test]
fn snp_5_a_bottomless_value_is_malformed() {
    for field in [r#""data":{"k":@}"#, r#""user":{"email":"a","k":@}"#] {
        let wire = field.replace('@', &nested(BOTTOMLESS, "[", "]"));
        assert!(is_malformed(&with_fields(&wire)), "{field}");
    }
}

#[test]
fn snp_3_an_unknown_field_is_ignored_however_deep() {
    for (open, close) in [("[", "]"), (r#"{"k":"#, "}")] {
        let decoded = with_fields(&format!(r#""x":{}"#, nested(BOTTOMLESS, open, close)));
        assert_eq!(decoded, Ok(with_data(json!({}))));
    }
}

fn of_size(keys: usize) -> Snapshot {
    let map = (0..keys).map(|key| (key.to_string(), json!("v".repeat(100))));
    Snapshot::new("id1", "csrf1", User::new("a"), data(map.collect()))
}

#[test]
fn snp_2_a_clone_is_the_same_memory_whatever_the_size() {
    for keys in [0, 1, 10_000] {
        let snapshot = of_size(keys);
        assert!(snapshot.clone().shares_with(&snapshot), "{keys} keys");
    }
}

#[test]
fn snp_2_equal_snapshots_are_not_the_same_memory() {
    assert!(!of_size(1).shares_with(&of_size(1)));
}

#[test]
fn snp_2_a_snapshot_under_another_id_shares_user_and_data() {
    let snapshot = of_size(10_000);
    let renamed = snapshot.with_id("id2");
    assert!(renamed.data().shares_with(snapshot.data()));
    assert!(std::ptr::eq(
        renamed.user().unwrap(),
        snapshot.user().unwrap()
    ));
}

#[test]
fn a_snapshot_under_another_id_differs_in_that_alone() {
    let snapshot = of_size(1);
    let renamed = snapshot.with_id("id2");
    assert_eq!(renamed.id(), "id2");
    assert_eq!(renamed.with_id("id1"), snapshot);
}

/// Every character there is, and often the ones that a storage might trip over.
fn text() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "\0",
        "\u{feff}",
        "e\u{301}",
        "\u{ffff}",
        "__proto__",
    ]);
    prop_oneof![
        3 => vec(any::<char>(), 0..8).prop_map(String::from_iter),
        1 => odd.prop_map(str::to_owned),
    ]
}

/// Every finite double there is, by its bits.
fn double() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(|bits| match f64::from_bits(bits) {
        double if double.is_finite() => double,
        // With one bit less, the exponent is in range.
        _ => f64::from_bits(bits & !(1 << 62)),
    })
}

fn scalar() -> impl Strategy<Value = Value> {
    let edges = vec![
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(0.0),
        json!(-0.0),
        json!(5e-324),
        json!(f64::MIN_POSITIVE),
        json!(9_007_199_254_740_993_u64),
        json!(1e23),
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        double().prop_map(Value::from),
        select(edges),
        text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let bushy = scalar().prop_recursive(5, 32, 4, |inside| {
        prop_oneof![
            vec(inside.clone(), 0..4).prop_map(Value::from),
            vec((text(), inside), 0..4).prop_map(Value::from_iter),
        ]
    });
    let deep = (text(), scalar(), vec(any::<bool>(), 0..=MAX_DEPTH)).prop_map(
        |(key, inside, is_list): (String, _, _)| {
            is_list.into_iter().fold(inside, |inside, is_list| {
                if is_list {
                    json!([inside])
                } else {
                    Value::from_iter([(key.clone(), inside)])
                }
            })
        },
    );
    prop_oneof![4 => bushy, 1 => deep]
}

fn entries() -> impl Strategy<Value = Vec<(String, Value)>> {
    vec((text(), value()), 0..4)
}

/// What a snapshot is made of, for a counterexample to show.
#[derive(Clone, Debug)]
struct Parts {
    id: String,
    csrf_token: String,
    user: Option<(String, Vec<(String, Value)>)>,
    data: Vec<(String, Value)>,
}

impl Parts {
    fn snapshot(&self) -> Snapshot {
        let set = |entries: &[(String, Value)]| {
            let mut data = Data::default();
            for (key, value) in entries {
                data.set(key, value).unwrap();
            }
            data
        };
        let user = self.user.as_ref().map(|(email, attributes)| {
            User::with_attributes(email, set(attributes)).expect("text() gives no `email`")
        });
        Snapshot::new(&*self.id, &*self.csrf_token, user, set(&self.data))
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let user = prop::option::of((text(), entries()));
    (text(), text(), user, entries()).prop_map(|(id, csrf_token, user, data)| Parts {
        id,
        csrf_token,
        user,
        data,
    })
}

/// Damage to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Put(Index, u8),
    Insert(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index| index.index(bytes.len().max(1));
        let range = |index, len: usize| at(index)..(at(index) + len).min(bytes.len());
        match self {
            _ if bytes.is_empty() => {}
            Self::Cut(index) => bytes.truncate(at(index)),
            Self::Put(index, byte) => {
                let at = at(index);
                bytes[at] = *byte;
            }
            Self::Insert(index, byte) => bytes.insert(at(index), *byte),
            Self::Remove(index, len) => drop(bytes.drain(range(index, *len))),
            Self::Repeat(index, len) => bytes.extend_from_within(range(index, *len)),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let byte = || prop_oneof![any::<u8>(), select(&br#"{}[]":,\0-9eutn"#[..])];
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), byte()).prop_map(|(at, byte)| Damage::Put(at, byte)),
        (at(), byte()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        (at(), 1..40_usize).prop_map(|(at, len)| Damage::Remove(at, len)),
        (at(), 1..40_usize).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

/// Stands wherever a snapshot has text; no four bytes of it are in any error's own words.
const SECRET: &str = "Zq0XvKwJ5hYbUg8f";

fn secretive() -> Snapshot {
    let attributes = data(object(json!({SECRET: SECRET})));
    let user = User::with_attributes(SECRET, attributes).unwrap();
    let data = data(object(json!({SECRET: [SECRET, {SECRET: SECRET}]})));
    Snapshot::new(SECRET, SECRET, user, data)
}

fn quotes_the_secret(error: DecodeError) -> bool {
    let text = format!("{error} {error:?} {error:#?}");
    let mut chunks = SECRET.as_bytes().windows(4);
    chunks.any(|chunk| text.contains(std::str::from_utf8(chunk).unwrap()))
}

fn config() -> ProptestConfig {
    const SEEDS: &str = "proptest-regressions/snapshot.txt";
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn snp_4_an_encoded_snapshot_decodes_to_an_equal_one(parts in parts()) {
        let snapshot = parts.snapshot();
        let decoded = Snapshot::decode(snapshot.id(), &snapshot.encode());
        prop_assert_eq!(decoded, Ok(snapshot));
    }

    /// Without the word of the snapshot's own equality.
    #[test]
    fn snp_4_a_decoded_snapshot_encodes_to_the_same_bytes(parts in parts()) {
        let wire = parts.snapshot().encode();
        let decoded = Snapshot::decode(&parts.id, &wire).unwrap();
        prop_assert_eq!(decoded.encode(), wire);
    }

    #[test]
    fn snp_4_what_is_set_is_what_is_read(key in text(), value in value()) {
        let mut data = Data::default();
        data.set(&key, &value).unwrap();
        prop_assert_eq!(data.value(&key), Some(&value));
    }

    #[test]
    fn snp_4_a_double_keeps_its_bits(double in double()) {
        let wire = with_data(json!({"k": double})).encode();
        let decoded = Snapshot::decode("id1", &wire).unwrap();
        let read = decoded.data().get::<f64>("k").unwrap().unwrap();
        prop_assert_eq!(read.to_bits(), double.to_bits());
    }

    #[test]
    fn snp_5_damaged_bytes_are_never_quoted(damage in vec(damage(), 1..4)) {
        let mut bytes = secretive().encode();
        for damage in damage {
            damage.apply(&mut bytes);
        }
        if let Err(error) = Snapshot::decode(SECRET, &bytes) {
            prop_assert!(!quotes_the_secret(error), "{}", error);
        }
    }

    #[test]
    fn snp_5_damaged_bytes_never_give_another_id(damage in vec(damage(), 1..4)) {
        let mut bytes = secretive().encode();
        for damage in damage {
            damage.apply(&mut bytes);
        }
        if let Ok(decoded) = Snapshot::decode(SECRET, &bytes) {
            prop_assert_eq!(decoded.id(), SECRET);
        }
    }

    #[test]
    fn snp_5_half_a_snapshot_is_malformed(cut in any::<Index>()) {
        let whole = secretive().encode();
        let decoded = Snapshot::decode(SECRET, &whole[..cut.index(whole.len())]);
        prop_assert!(is_malformed(&decoded));
    }

    #[test]
    fn snp_5_the_place_of_an_error_is_in_the_bytes(damage in vec(damage(), 1..4)) {
        let mut bytes = secretive().encode();
        for damage in damage {
            damage.apply(&mut bytes);
        }
        if let Err(DecodeError::Malformed { line, column, .. }) = Snapshot::decode(SECRET, &bytes) {
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let found = line.checked_sub(1).and_then(|before| lines.nth(before));
            prop_assert!(found.is_some_and(|line| column <= line.len()), "{}:{}", line, column);
        }
    }

    #[test]
    fn snp_5_arbitrary_bytes_are_malformed(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(is_malformed(&Snapshot::decode("", &bytes)));
    }

    #[test]
    fn snp_5_arbitrary_json_is_malformed(value in value()) {
        prop_assert!(is_malformed(&decode(&value.to_string())));
    }
}
