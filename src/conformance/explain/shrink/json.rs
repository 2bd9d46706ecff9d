//! JSON: values with less in them. They come one at a time, since there may be many and the first may do.

use crate::conformance::program::cuts::{cuts, shorter};
use crate::data::Data;
use serde_json::{Map, Value};

pub(super) type Simpler<'a, T> = Box<dyn Iterator<Item = T> + 'a>;

/// Some keys less, or one key or value simpler.
pub(super) fn simpler_data(data: &Data) -> Simpler<'_, Data> {
    let entries = data.iter();
    let map: Map<String, Value> = entries
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    let fewer = fewer_keys(&map);
    let inside = data.iter().flat_map(move |(key, value)| {
        let map = map.clone();
        simpler_entries(key, value)
            .filter_map(move |(new_key, value)| with_entry(&map, key, new_key, value))
    });
    let simpler = fewer.into_iter().chain(inside);
    Box::new(simpler.flat_map(Data::try_from))
}

fn simpler_map(map: &Map<String, Value>) -> Simpler<'_, Map<String, Value>> {
    let inside = map.iter().flat_map(move |(key, value)| {
        simpler_entries(key, value)
            .filter_map(move |(new_key, value)| with_entry(map, key, new_key, value))
    });
    Box::new(fewer_keys(map).into_iter().chain(inside))
}

fn fewer_keys(map: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let fewer = cuts(map.len()).into_iter().map(|(start, end)| {
        let entries = map.iter().enumerate();
        let kept = entries.filter(|(at, _)| !(start..end).contains(at));
        kept.map(|(_, (key, value))| (key.clone(), value.clone()))
            .collect()
    });
    fewer.collect()
}

/// The value simpler, or the key.
fn simpler_entries<'a>(key: &'a str, value: &'a Value) -> Simpler<'a, (String, Value)> {
    let values = simpler_values(value).map(|value| (key.to_owned(), value));
    let keys = simpler_text(key).into_iter();
    Box::new(values.chain(keys.map(|key| (key, value.clone()))))
}

/// `map` with another entry for that of `key`, unless that would replace a third.
fn with_entry(
    map: &Map<String, Value>,
    key: &str,
    new_key: String,
    value: Value,
) -> Option<Map<String, Value>> {
    let mut map = map.clone();
    map.remove(key);
    if map.contains_key(&new_key) {
        return None;
    }
    map.insert(new_key, value);
    Some(map)
}

fn simpler_values(value: &Value) -> Simpler<'_, Value> {
    let null = [Value::Null].into_iter();
    match value {
        Value::Null => Box::new(std::iter::empty()),
        Value::Bool(_) => Box::new(null),
        Value::Number(number) => Box::new(simpler_numbers(number).into_iter()),
        Value::String(text) => {
            Box::new(null.chain(simpler_text(text).into_iter().map(Value::from)))
        }
        Value::Array(items) => {
            let shorter = cuts(items.len()).into_iter().map(|(start, end)| {
                let mut items = items.clone();
                items.drain(start..end);
                Value::from(items)
            });
            let simpler = items.iter().enumerate().flat_map(move |(at, item)| {
                simpler_values(item).map(move |simple| {
                    let mut items = items.clone();
                    items[at] = simple;
                    Value::from(items)
                })
            });
            let inside = far_inside(value).into_iter().chain(items.iter().cloned());
            let inside = as_lists(value).into_iter().chain(inside);
            Box::new(null.chain(inside).chain(shorter).chain(simpler))
        }
        Value::Object(map) => {
            let inside = far_inside(value).into_iter().chain(map.values().cloned());
            let inside = as_lists(value).into_iter().chain(inside);
            Box::new(null.chain(inside).chain(simpler_map(map).map(Value::from)))
        }
    }
}

/// A deep value as lists in lists, if it is not made so.
fn as_lists(value: &Value) -> Option<Value> {
    const DEEP: usize = 8;
    let (mut levels, mut has_maps, mut inside) = (0, false, value);
    loop {
        inside = match inside {
            Value::Array(items) if items.len() == 1 => &items[0],
            Value::Object(map) if map.len() == 1 => {
                has_maps = true;
                map.values().next()?
            }
            _ => break,
        };
        levels += 1;
    }
    let lists = || (0..levels).fold(inside.clone(), |inside, _| Value::from(vec![inside]));
    (levels > DEEP && has_maps).then(lists)
}

/// What lies half as deep inside, a quarter, ..: of a deep value, a step at a time would take long.
fn far_inside(value: &Value) -> Vec<Value> {
    let mut chain = vec![value];
    let mut inside = Some(value);
    while let Some(value) = inside {
        inside = match value {
            Value::Array(items) => items.first(),
            Value::Object(map) => map.values().next(),
            _ => None,
        };
        chain.extend(inside);
    }
    let halvings = std::iter::successors(Some(chain.len() / 2), |depth| Some(depth / 2));
    let depths = halvings.take_while(|depth| *depth > 1);
    depths.map(|depth| chain[depth].clone()).collect()
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
pub(super) fn simpler_text(text: &str) -> Vec<String> {
    let empty = (!text.is_empty()).then(String::new);
    let shorter = shorter(text).into_iter();
    let shorter = shorter.filter(|text| !text.is_empty());
    empty.into_iter().chain(shorter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is simpler than a value, as text.
    fn simpler(value: &Value) -> String {
        let simpler = simpler_values(value).map(|value| value.to_string());
        simpler.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn plain_values_become_null_and_texts_and_numbers_less() {
        assert_eq!(simpler(&json!(null)), "");
        assert_eq!(simpler(&json!(true)), "null");
        assert_eq!(simpler(&json!("")), "null");
        assert_eq!(simpler(&json!("ab")), r#"null "" "b" "a""#);
    }

    #[test]
    fn integers_come_nearer_to_zero_by_halving() {
        assert_eq!(simpler(&json!(0)), "null");
        assert_eq!(simpler(&json!(1)), "null 0");
        assert_eq!(simpler(&json!(13)), "null 0 7 10 12");
        assert_eq!(simpler(&json!(-13)), "null 0 -7 -10 -12");
        let largest = simpler(&json!(u64::MAX));
        let halves = format!("null 0 {} ", 1_u64 << 63);
        assert!(largest.starts_with(&halves), "{largest}");
        let last = format!(" {}", u64::MAX - 1);
        assert!(largest.ends_with(&last), "{largest}");
        let smallest = simpler(&json!(i64::MIN));
        assert!(smallest.ends_with(" -9223372036854775807"), "{smallest}");
    }

    #[test]
    fn of_doubles_the_whole_part_is_left() {
        assert_eq!(simpler(&json!(1.5)), "null 1.0");
        assert_eq!(simpler(&json!(-0.5)), "null -0.0");
        assert_eq!(simpler(&json!(2.0)), "null");
        assert_eq!(simpler(&json!(-0.0)), "null");
    }

    #[test]
    fn of_what_holds_others_some_are_left_or_one_or_one_is_simpler() {
        assert_eq!(simpler(&json!([])), "null");
        assert_eq!(simpler(&json!([1])), "null 1 [] [null] [0]");
        assert_eq!(
            simpler(&json!([true, "", 1])),
            r#"null true "" 1 [1] [true,""] ["",1] [true,1] [true,""] [null,"",1] [true,null,1] [true,"",null] [true,"",0]"#
        );
        assert_eq!(simpler(&json!({})), "null");
        assert_eq!(
            simpler(&json!({ "": true, "k": 1 })),
            r#"null true 1 {"k":1} {"":true} {"":null,"k":1} {"":true,"k":null} {"":true,"k":0}"#
        );
    }

    #[test]
    fn a_key_becomes_shorter_unless_another_is_called_that() {
        assert_eq!(
            simpler(&json!({ "kl": null })),
            r#"null null {} {"":null} {"l":null} {"k":null}"#
        );
        assert_eq!(
            simpler(&json!({ "k": null, "kl": null })),
            r#"null null null {"kl":null} {"k":null} {"":null,"kl":null} {"":null,"k":null} {"k":null,"l":null}"#
        );
    }

    #[test]
    fn of_a_deep_value_what_is_far_inside_comes_first() {
        let deep = |depth: usize| {
            let around = |inside: Value, level| match level % 2 {
                0 => json!([inside]),
                _ => json!({ "k": inside }),
            };
            (0..depth).fold(json!(7), around)
        };
        let inside = |depth| -> Vec<Value> { far_inside(&deep(depth)) };
        assert_eq!(inside(0), [] as [Value; 0]);
        assert_eq!(inside(2), [] as [Value; 0]);
        assert_eq!(inside(3), [deep(1)]);
        assert_eq!(inside(8), [deep(4), deep(6)]);
        let of = |value: &Value| simpler_values(value).take(4).collect::<Vec<_>>();
        assert_eq!(of(&deep(8)), [json!(null), deep(4), deep(6), deep(7)]);
        let lists = (0..9).fold(json!(7), |inside, _| json!([inside]));
        assert_eq!(of(&deep(9)), [json!(null), lists, deep(4), deep(7)]);
    }

    #[test]
    fn data_has_fewer_keys_or_simpler_entries() {
        let mut data = Data::default();
        data.set("a", json!([1])).unwrap();
        data.set("b", true).unwrap();
        let simpler = simpler_data(&data);
        let texts = simpler.map(|data| serde_json::to_string(&data).unwrap());
        let expected = [
            r#"{"b":true}"#,
            r#"{"a":[1]}"#,
            r#"{"a":null,"b":true}"#,
            r#"{"a":1,"b":true}"#,
            r#"{"a":[],"b":true}"#,
            r#"{"a":[null],"b":true}"#,
            r#"{"a":[0],"b":true}"#,
            r#"{"":[1],"b":true}"#,
            r#"{"a":[1],"b":null}"#,
            r#"{"":true,"a":[1]}"#,
        ];
        assert_eq!(texts.collect::<Vec<_>>(), expected);
    }
}
