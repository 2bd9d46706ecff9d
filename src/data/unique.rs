//! Unique: a reader of JSON values that refuses an object with a key twice. One reader keeps the first
//! such entry, another the last, so two services would see two sessions.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A value in which every object has each key once.
pub(crate) struct Unique(pub(crate) Value);

/// What `serde_json` hands a number over as when its `arbitrary_precision` is on, as any crate in the
/// build may switch it on: an object with this key.
const NUMBER: &str = "$serde_json::private::Number";

/// An object in which every key stands once.
pub(super) fn map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = Map::new();
            while let Some(key) = entries.next_key::<String>()? {
                insert(&mut map, key, &mut entries)?;
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Entries)
}

fn insert<'de, A: MapAccess<'de>>(
    map: &mut Map<String, Value>,
    key: String,
    entries: &mut A,
) -> Result<(), A::Error> {
    let Unique(value) = entries.next_value()?;
    match map.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(de::Error::custom("a key stands twice")),
    }
}

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

/// Passes scalars on to the values that they make.
macro_rules! scalars {
    ($($method:ident($type:ty);)*) => {$(
        fn $method<E>(self, value: $type) -> Result<Value, E> {
            Ok(Value::from(value))
        }
    )*};
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    scalars! {
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
        visit_string(String);
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.is_empty() && key == NUMBER {
                let digits: String = entries.next_value()?;
                return serde_json::from_str(&digits).map_err(de::Error::custom);
            }
            insert(&mut map, key, &mut entries)?;
        }
        Ok(Value::Object(map))
    }
}
