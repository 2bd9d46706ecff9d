//! Data: the map of JSON values that a session carries.

mod error;
mod strict;
mod unique;

pub use error::{DataError, MAX_DEPTH};

use error::Defect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value};
use std::fmt;
use std::sync::Arc;
pub(crate) use unique::Unique;

/// JSON values under string keys. Clones share one map until one of them is written to (SNP-2), so
/// a clone costs the same however much is in it. Empty data allocates nothing.
///
/// What is in it comes back equal from its wire form (SNP-4): what would not is refused when it is
/// set. Two values are equal when they are the same JSON; doubles compare by their bits, so −0.0
/// is not 0.0.
///
/// ```
/// # use session_spec::{Data, DataError};
/// let mut data = Data::default();
/// data.set("cart", vec![3, 5])?;
/// assert_eq!(data.get::<Vec<u32>>("cart")?, Some(vec![3, 5]));
/// assert!(matches!(data.set("rate", f64::NAN), Err(DataError::NotFinite { .. })));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Default)]
pub struct Data(Option<Arc<Map<String, Value>>>);

/// Keys by which `serde_json` marks numbers and raw text when its `arbitrary_precision` or
/// `raw_value` is on, as any crate in the build may switch it on. An object with one of them would
/// be read back as something else, or not at all.
const RESERVED: [&str; 2] = [
    "$serde_json::private::Number",
    "$serde_json::private::RawValue",
];

impl Data {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |map| map.len())
    }

    /// The keys and their values, in no promised order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|map| map.iter())
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The JSON value under `key`.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.0.as_ref()?.get(key)
    }

    /// The value under `key` as a `T`; nothing when the key is absent (SES-5).
    ///
    /// # Errors
    /// [`DataError::WrongType`] when there is a value that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, DataError> {
        self.value(key)
            .map(T::deserialize)
            .transpose()
            .map_err(|_| DataError::WrongType {
                key: key.to_owned(),
                wanted: std::any::type_name::<T>(),
            })
    }

    /// Puts `value` under `key`, in place of what was there (SES-5).
    ///
    /// # Errors
    /// When JSON cannot carry the value back (SNP-4): [`DataError::NotFinite`],
    /// [`DataError::OutOfRange`], [`DataError::TooDeep`], [`DataError::Repeated`],
    /// [`DataError::Unserializable`], [`DataError::Reserved`]. Nothing has changed then.
    pub fn set<T: Serialize>(&mut self, key: &str, value: T) -> Result<(), DataError> {
        let value = strict::to_value(&value)
            .and_then(|value| admit(&value, MAX_DEPTH).map(|()| value))
            .map_err(|defect| defect.under(key))?;
        Arc::make_mut(self.0.get_or_insert_default()).insert(key.to_owned(), value);
        Ok(())
    }

    /// Takes `key` away; says whether it was there (SES-5).
    pub fn delete(&mut self, key: &str) -> bool {
        if self.value(key).is_none() {
            return false;
        }
        let mut shared = self.0.take();
        if let Some(map) = &mut shared {
            Arc::make_mut(map).remove(key);
        }
        self.0 = shared.filter(|map| !map.is_empty());
        true
    }

    /// Whether both are one map in memory, as after a clone (SNP-2).
    pub fn shares_with(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl TryFrom<Map<String, Value>> for Data {
    type Error = DataError;

    /// Takes the whole map, or nothing of it.
    fn try_from(map: Map<String, Value>) -> Result<Self, DataError> {
        for (key, value) in &map {
            admit(value, MAX_DEPTH).map_err(|defect| defect.under(key))?;
        }
        Ok(Self((!map.is_empty()).then(|| Arc::new(map))))
    }
}

/// Whether JSON carries `value` back as it is.
fn admit(value: &Value, depth_left: usize) -> Result<(), Defect> {
    let inside = || depth_left.checked_sub(1).ok_or(Defect::TooDeep);
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => admit_number(number),
        Value::Array(items) => {
            let inside = inside()?;
            items.iter().try_for_each(|item| admit(item, inside))
        }
        Value::Object(map) => {
            let inside = inside()?;
            if let Some(key) = RESERVED.iter().find(|key| map.contains_key(**key)) {
                return Err(Defect::Reserved(key));
            }
            map.values().try_for_each(|item| admit(item, inside))
        }
    }
}

/// `serde_json` alone rules these out; with its `arbitrary_precision`, which any crate in the build
/// may switch on, a number can be anything.
fn admit_number(number: &Number) -> Result<(), Defect> {
    if number.is_i64() || number.is_u64() {
        return Ok(());
    }
    match number.as_f64() {
        Some(double) if !double.is_finite() => Err(Defect::NotFinite),
        Some(_) if number.is_f64() => Ok(()),
        _ => Err(Defect::OutOfRange),
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b) || same_map(a, b),
            _ => false,
        }
    }
}

/// Reflexive, since there is no NaN in it.
impl Eq for Data {}

fn same_map(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let in_b = |(key, value)| b.get(key).is_some_and(|other| same(value, other));
    a.len() == b.len() && a.iter().all(in_b)
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            a.as_f64().map(f64::to_bits) == b.as_f64().map(f64::to_bits)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => same_map(a, b),
        _ => a == b,
    }
}

/// Shows the keys; values may be secrets.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(key, _)| key))
            .finish()
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = unique::map(deserializer)?;
        Self::try_from(map).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
