use super::*;
use serde_json::json;
use std::collections::BTreeMap;

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inside, level| {
        if level % 2 == 0 {
            json!([inside])
        } else {
            json!({ "in": inside })
        }
    })
}

fn of(value: impl Serialize) -> Result<Data, DataError> {
    let mut data = Data::default();
    data.set("k", value).map(|()| data)
}

#[derive(Serialize)]
enum Shape {
    Newtype(Value),
    Tuple(Value, u8),
    Struct { field: Value },
}

#[test]
fn ses_5_data_is_a_map() {
    let mut data = Data::default();
    assert_eq!(data.get::<u32>("k"), Ok(None));
    assert!(!data.delete("k"));
    data.set("k", 1).unwrap();
    data.set("k", 2).unwrap();
    assert_eq!((data.get("k"), data.len()), (Ok(Some(2)), 1));
    assert!(data.delete("k"));
    assert!(data.is_empty() && data == Data::default());
}

#[test]
fn ses_5_a_value_read_as_the_wrong_type_is_an_error_and_stays() {
    let data = of("text").unwrap();
    let error = data.get::<u32>("k").unwrap_err();
    assert_eq!(error.to_string(), r#"value under "k" is not a u32"#);
    assert_eq!(data.get("k"), Ok(Some("text".to_owned())));
}

#[test]
fn snp_2_a_write_is_seen_on_one_side_only() {
    let mut ours = of(1).unwrap();
    let theirs = ours.clone();
    assert!(ours.shares_with(&theirs));
    ours.set("k", 2).unwrap();
    assert!(!ours.shares_with(&theirs));
    assert_eq!((ours.get("k"), theirs.get("k")), (Ok(Some(2)), Ok(Some(1))));
    let mut third = theirs.clone();
    assert!(third.delete("k"));
    assert_eq!(theirs.get("k"), Ok(Some(1)));
}

#[test]
fn snp_4_numbers_that_json_cannot_carry_are_refused_wherever_they_stand() {
    let key = || "k".to_owned();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = Err(DataError::NotFinite { key: key() });
        assert_eq!(of(bad), error);
        assert_eq!(of(Some(1.0_f32 / 0.0)), error);
        assert_eq!(of(Some((1, [bad]))), error);
        assert_eq!(of(BTreeMap::from([("x", vec![Some(bad)])])), error);
    }
    for bad in [i128::from(u64::MAX) + 1, i128::from(i64::MIN) - 1] {
        assert_eq!(of([bad]), Err(DataError::OutOfRange { key: key() }));
    }
    assert_eq!(of(u128::MAX), Err(DataError::OutOfRange { key: key() }));
    for good in [i128::from(u64::MAX), i128::from(i64::MIN), 0] {
        assert_eq!(of(good).unwrap().get("k"), Ok(Some(good)));
    }
}

/// With `raw_value` on, as another crate in the build may have it, this would not be read back.
#[test]
fn snp_4_a_key_that_serde_json_keeps_for_itself_is_refused() {
    for key in RESERVED {
        let reserved = DataError::Reserved {
            key: key.to_owned(),
        };
        assert_eq!(of(json!([{ key: null }])), Err(reserved));
        let mut data = Data::default();
        data.set(key, 1).unwrap();
        assert_eq!(data.get(key), Ok(Some(1)));
    }
}

/// A map whose keys are numbers or texts.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Key {
    Number(u32),
    Text(&'static str),
}

/// Two fields, and whatever else there is.
#[derive(Serialize)]
struct Open {
    role: u32,
    #[serde(flatten)]
    rest: BTreeMap<&'static str, u32>,
}

#[derive(Serialize)]
enum Wrapped {
    Open(Open),
}

#[test]
fn snp_4_an_object_that_would_have_a_key_twice_is_refused() {
    let repeated = Err(DataError::Repeated {
        key: "k".to_owned(),
    });
    let keys = |text| BTreeMap::from([(Key::Number(1), 1), (Key::Text(text), 2)]);
    assert_eq!(of(keys("1")), repeated);
    assert_eq!(of([Some(keys("1"))]), repeated);
    assert!(of(keys("2")).is_ok());
    let open = |key| Open {
        role: 1,
        rest: BTreeMap::from([(key, 2)]),
    };
    assert_eq!(of(open("role")), repeated);
    assert_eq!(of(Wrapped::Open(open("role"))), repeated);
    assert!(of(open("roles")).is_ok());
    assert!(of(Wrapped::Open(open("roles"))).is_ok());
}

#[test]
fn snp_4_the_depth_limit_is_exact() {
    let too_deep = Err(DataError::TooDeep {
        key: "k".to_owned(),
    });
    assert!(of(nested(MAX_DEPTH)).is_ok());
    assert_eq!(of(nested(MAX_DEPTH + 1)), too_deep);
    let map = |depth| Map::from_iter([("k".to_owned(), nested(depth))]);
    assert!(Data::try_from(map(MAX_DEPTH)).is_ok());
    assert_eq!(Data::try_from(map(MAX_DEPTH + 1)), too_deep);

    let in_variants = |inside| {
        [
            of(Shape::Newtype(nested(inside + 1))),
            of(Shape::Tuple(nested(inside), 0)),
            of(Shape::Struct {
                field: nested(inside),
            }),
        ]
    };
    assert!(in_variants(MAX_DEPTH - 2).iter().all(Result::is_ok));
    assert!(in_variants(MAX_DEPTH - 1).iter().all(|r| *r == too_deep));
}

/// Far beyond the limit, and beyond what recursion without a limit would survive.
#[test]
fn snp_4_a_bottomless_value_is_refused_without_a_crash() {
    struct Bottomless;
    impl Serialize for Bottomless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Bottomless])
        }
    }
    assert!(matches!(of(Bottomless), Err(DataError::TooDeep { .. })));
}

#[test]
fn a_type_without_a_json_form_is_refused_and_nothing_changes() {
    let mut data = of(1).unwrap();
    let before = data.clone();
    let keyed_by_lists = BTreeMap::from([(vec![1], 1)]);
    assert_eq!(
        data.set("k", keyed_by_lists),
        Err(DataError::Unserializable {
            key: "k".to_owned()
        })
    );
    assert_eq!(data, before);
}

#[test]
fn snp_4_equality_is_by_bits() {
    assert_ne!(of(0.0).unwrap(), of(-0.0).unwrap());
    assert_ne!(of(1).unwrap(), of(1.0).unwrap());
    assert_ne!(of([0.0]).unwrap(), of([-0.0]).unwrap());
    assert_ne!(
        of(json!({"a": 0.0})).unwrap(),
        of(json!({"a": -0.0})).unwrap()
    );
    assert_ne!(of(json!({"a": 1})).unwrap(), of(json!({"b": 1})).unwrap());
    assert_ne!(of(json!([1])).unwrap(), of(json!([1, 2])).unwrap());
    assert_eq!(of(5e-324).unwrap(), of(5e-324).unwrap());
}

#[test]
fn ses_8_debug_shows_no_values() {
    let data = of("secret").unwrap();
    assert_eq!(format!("{data:?}"), r#"{"k"}"#);
}
