//! Value claims: which values a store claims to hold.

use super::payload;
use crate::data::{Data, MAX_DEPTH};
use crate::snapshot::{Snapshot, User};
use serde_json::{Map, Number, Value};
use std::collections::BTreeSet;

/// The values that a store claims to hold: any, unless told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueClaims {
    /// How deep they may nest, in levels.
    pub(crate) depth: Option<usize>,
    /// How large a snapshot's wire form may be, in bytes.
    pub(crate) size: Option<usize>,
    /// Numbers are kept as doubles.
    pub(crate) doubles_only: bool,
    /// Characters that no text may have.
    pub(crate) refused_characters: BTreeSet<char>,
}

/// The largest integer that is exact as a double, and the next one too: 2^53 - 1.
const LARGEST_EXACT: i128 = (1 << 53) - 1;

impl ValueClaims {
    /// Whether every value is claimed.
    pub(crate) fn are_all(&self) -> bool {
        *self == Self::default()
    }

    /// The same, with values of no more than so many levels.
    pub(crate) fn no_deeper(self, levels: Option<usize>) -> Self {
        Self {
            depth: self.depth.into_iter().chain(levels).min(),
            ..self
        }
    }

    /// The deepest values, in levels.
    pub(crate) fn levels(&self) -> usize {
        self.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH)
    }

    /// Whether all that is in a snapshot is claimed. Its id is another matter, but for its length.
    pub(crate) fn has(&self, snapshot: &Snapshot) -> bool {
        self.size.is_none_or(|size| snapshot.encode().len() <= size)
            && self
                .depth
                .is_none_or(|levels| payload::depth(snapshot) <= levels)
            && (!self.is_about_parts() || self.has_parts(snapshot))
    }

    /// Whether there are values that are not claimed whatever is around them.
    fn is_about_parts(&self) -> bool {
        self.doubles_only || !self.refused_characters.is_empty()
    }

    fn has_parts(&self, snapshot: &Snapshot) -> bool {
        let user = snapshot.user();
        let texts = [Some(snapshot.csrf_token()), user.map(User::email)];
        let data = [Some(snapshot.data()), user.map(User::attributes)];
        let mut entries = data.into_iter().flatten().flat_map(Data::iter);
        texts.into_iter().flatten().all(|text| self.has_text(text))
            && entries.all(|(key, value)| self.has_text(key) && self.has_value(value))
    }

    fn has_value(&self, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) => true,
            Value::Number(number) => self.has_number(number),
            Value::String(text) => self.has_text(text),
            Value::Array(items) => items.iter().all(|item| self.has_value(item)),
            Value::Object(map) => map
                .iter()
                .all(|(key, value)| self.has_text(key) && self.has_value(value)),
        }
    }

    fn has_text(&self, text: &str) -> bool {
        self.refused_characters.is_empty()
            || !text.chars().any(|c| self.refused_characters.contains(&c))
    }

    /// Where numbers are doubles, the integers that are exact among them, and the doubles that equal no
    /// integer of 64 bits: of 1 and 1.0, which are two values (SNP-4), a double is one.
    fn has_number(&self, number: &Number) -> bool {
        !self.doubles_only
            || match number.as_i128() {
                Some(integer) => integer.abs() <= LARGEST_EXACT,
                None => number.as_f64().is_some_and(|it| as_integer(it).is_none()),
            }
    }

    /// The same snapshot with claimed numbers and texts in place of others.
    pub(crate) fn nearest(&self, snapshot: &Snapshot) -> Snapshot {
        if !self.is_about_parts() {
            return snapshot.clone();
        }
        let user = snapshot.user().map(|user| {
            let attributes = self.nearest_data(user.attributes());
            User::with_attributes(self.nearest_text(user.email()), attributes)
                .unwrap_or_else(|_| User::new(""))
        });
        let csrf_token = self.nearest_text(snapshot.csrf_token());
        let data = self.nearest_data(snapshot.data());
        Snapshot::new(snapshot.id(), csrf_token, user, data)
    }

    fn nearest_data(&self, data: &Data) -> Data {
        let map = data
            .iter()
            .map(|(key, value)| self.nearest_entry(key, value));
        Data::try_from(map.collect::<Map<_, _>>()).unwrap_or_default()
    }

    fn nearest_entry(&self, key: &str, value: &Value) -> (String, Value) {
        (self.nearest_text(key), self.nearest_value(value))
    }

    fn nearest_value(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => self.nearest_number(number),
            Value::String(text) => self.nearest_text(text).into(),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.nearest_value(item));
                Value::Array(items.collect())
            }
            Value::Object(map) => {
                let entries = map.iter();
                let entries = entries.map(|(key, value)| self.nearest_entry(key, value));
                Value::Object(entries.collect())
            }
        }
    }

    fn nearest_text(&self, text: &str) -> String {
        let mut kept = text.to_owned();
        kept.retain(|c| !self.refused_characters.contains(&c));
        kept
    }

    fn nearest_number(&self, number: &Number) -> Value {
        if self.has_number(number) {
            return number.clone().into();
        }
        let integer = number.as_i128();
        let integer = integer
            .or_else(|| as_integer(number.as_f64()?))
            .unwrap_or(0);
        let exact = integer % (LARGEST_EXACT + 1);
        i64::try_from(exact).unwrap_or(0).into()
    }
}

/// The integer of 64 bits, signed or not, that a double equals.
fn as_integer(double: f64) -> Option<i128> {
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    let is_one = double.fract() == 0.0 && (-BEYOND / 2.0..BEYOND).contains(&double);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    is_one.then_some(double as i128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn doubles() -> ValueClaims {
        ValueClaims {
            doubles_only: true,
            ..ValueClaims::default()
        }
    }

    fn without_nul() -> ValueClaims {
        ValueClaims {
            refused_characters: BTreeSet::from(['\0']),
            ..ValueClaims::default()
        }
    }

    fn of(json: &str) -> Snapshot {
        Snapshot::decode("A", json.as_bytes()).unwrap()
    }

    fn with(value: &Value) -> Snapshot {
        of(&json!({ "id": "A", "csrf_token": "", "data": { "k": [value] } }).to_string())
    }

    #[test]
    fn of_numbers_a_double_holds_those_that_no_other_number_becomes() {
        let exact = (1_i64 << 53) - 1;
        for claimed in [
            json!(0),
            json!(exact),
            json!(-exact),
            json!(0.5),
            json!(5e-324),
            json!(1e20),
            json!(-1e19),
            json!(f64::MAX),
        ] {
            assert!(doubles().has(&with(&claimed)), "{claimed}");
            assert_eq!(doubles().nearest(&with(&claimed)), with(&claimed));
        }
        for other in [
            json!(exact + 1),
            json!(exact + 2),
            json!(-exact - 1),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1.0),
            json!(0.0),
            json!(-0.0),
            json!(1e19),
            json!(-9_223_372_036_854_775_808.0),
        ] {
            assert!(!doubles().has(&with(&other)), "{other}");
            assert!(doubles().has(&doubles().nearest(&with(&other))), "{other}");
            assert!(ValueClaims::default().has(&with(&other)), "{other}");
        }
    }

    #[test]
    fn a_refused_character_is_one_in_every_text() {
        let plain =
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","a":"b"},"data":{"k":{"l":["v"]}}}"#;
        assert!(without_nul().has(&of(plain)));
        for text in ["t", "e", "a", "b", "k", "l", "v"] {
            let quoted = format!("\"{text}\"");
            let refused = of(&plain.replace(&quoted, &format!("\"{text}\\u0000\"")));
            assert!(!without_nul().has(&refused), "{text}");
            assert_eq!(without_nul().nearest(&refused), of(plain), "{text}");
            assert!(ValueClaims::default().has(&refused));
        }
        let of_the_id = Snapshot::new("\0", "", None, Data::default());
        assert!(without_nul().has(&of_the_id));
    }

    #[test]
    fn no_value_is_deeper_than_is_claimed_and_than_is_asked_for() {
        let of = |depth: Option<usize>, levels| {
            let claims = ValueClaims {
                depth,
                ..ValueClaims::default()
            };
            claims.no_deeper(levels).depth
        };
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(4), None), Some(4));
        assert_eq!(of(None, Some(6)), Some(6));
        assert_eq!(of(Some(4), Some(6)), Some(4));
        assert_eq!(of(Some(6), Some(4)), Some(4));
    }

    #[test]
    fn depth_and_size_are_limits() {
        let deep = ValueClaims {
            depth: Some(1),
            ..ValueClaims::default()
        };
        assert!(deep.has(&with(&json!(1))) && !deep.has(&with(&json!([1]))));
        let size = with(&json!(1)).encode().len();
        let large = ValueClaims {
            size: Some(size),
            ..ValueClaims::default()
        };
        assert!(large.has(&with(&json!(1))) && !large.has(&with(&json!(10))));
    }
}
