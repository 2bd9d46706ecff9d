//! Strict: a serializer into JSON values that refuses what JSON would silently change.
//!
//! `serde_json` turns NaN and the infinities into null and recurses as deep as a value goes. This
//! wraps its serializer, looks at every number on the way, and counts levels and entries: where fewer
//! come out than went in, one had the key of another.

use super::error::{Defect, MAX_DEPTH};
use serde::ser::{self, Serialize, Serializer};
use serde_json::Value;
use std::cell::Cell;

/// The JSON form of `value`, if JSON can carry it back.
pub(super) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Defect> {
    let (defect, entries) = (Cell::new(Defect::Unserializable), Cell::new(0));
    let at = At {
        depth_left: MAX_DEPTH,
        defect: &defect,
        entries: &entries,
    };
    let serialized = at.wrap(value).serialize(serde_json::value::Serializer);
    let value = serialized.map_err(|_| defect.get())?;
    match entries_in(&value) == entries.get() {
        true => Ok(value),
        false => Err(Defect::Repeated),
    }
}

/// How many entries all objects in a value have together.
fn entries_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(entries_in).sum(),
        Value::Object(map) => map.len() + map.values().map(entries_in).sum::<usize>(),
        _ => 0,
    }
}

/// Where in the value the serializer stands.
#[derive(Clone, Copy)]
struct At<'a> {
    depth_left: usize,
    /// What went wrong, kept beside the error, which can only carry text.
    defect: &'a Cell<Defect>,
    /// How many entries of objects there were so far.
    entries: &'a Cell<usize>,
}

impl<'a> At<'a> {
    fn wrap<T: ?Sized>(self, value: &'a T) -> Wrapped<'a, T> {
        Wrapped { at: self, value }
    }

    fn fail<E: ser::Error>(self, defect: Defect) -> E {
        self.defect.set(defect);
        E::custom("JSON cannot carry this value back")
    }

    /// One more entry of an object.
    fn entry(self) {
        self.entries.set(self.entries.get() + 1);
    }

    /// One level down.
    fn inside<E: ser::Error>(self) -> Result<Self, E> {
        self.levels_down(1)
    }

    fn levels_down<E: ser::Error>(self, levels: usize) -> Result<Self, E> {
        match self.depth_left.checked_sub(levels) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.fail(Defect::TooDeep)),
        }
    }
}

/// A value whose parts are looked at while it is serialized.
struct Wrapped<'a, T: ?Sized> {
    at: At<'a>,
    value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for Wrapped<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Strict { at: self.at, inner })
    }
}

struct Strict<'a, S> {
    at: At<'a>,
    inner: S,
}

/// Passes scalars through as they are.
macro_rules! pass {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $method(self, $($arg: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        }
    )*};
}

/// Opens a list or a map, `levels` down: with two, the outer one is an object with one entry.
macro_rules! open {
    ($($method:ident($($arg:ident: $type:ty),*) -> $compound:ident, $levels:literal;)*) => {$(
        fn $method(self, $($arg: $type),*) -> Result<Self::$compound, S::Error> {
            let at = self.at.levels_down($levels)?;
            if $levels == 2 {
                at.entry();
            }
            Ok(Strict { at, inner: self.inner.$method($($arg),*)? })
        }
    )*};
}

impl<'a, S: Serializer> Serializer for Strict<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Strict<'a, S::SerializeSeq>;
    type SerializeTuple = Strict<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Strict<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Strict<'a, S::SerializeTupleVariant>;
    type SerializeMap = Strict<'a, S::SerializeMap>;
    type SerializeStruct = Strict<'a, S::SerializeStruct>;
    type SerializeStructVariant = Strict<'a, S::SerializeStructVariant>;

    pass! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    open! {
        serialize_seq(len: Option<usize>) -> SerializeSeq, 1;
        serialize_tuple(len: usize) -> SerializeTuple, 1;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct, 1;
        serialize_map(len: Option<usize>) -> SerializeMap, 1;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct, 1;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant, 2;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant, 2;
    }

    fn serialize_f32(self, v: f32) -> Result<S::Ok, S::Error> {
        if v.is_finite() {
            self.inner.serialize_f32(v)
        } else {
            Err(self.at.fail(Defect::NotFinite))
        }
    }

    fn serialize_f64(self, v: f64) -> Result<S::Ok, S::Error> {
        if v.is_finite() {
            self.inner.serialize_f64(v)
        } else {
            Err(self.at.fail(Defect::NotFinite))
        }
    }

    fn serialize_i128(self, v: i128) -> Result<S::Ok, S::Error> {
        if let Ok(v) = u64::try_from(v) {
            self.inner.serialize_u64(v)
        } else if let Ok(v) = i64::try_from(v) {
            self.inner.serialize_i64(v)
        } else {
            Err(self.at.fail(Defect::OutOfRange))
        }
    }

    fn serialize_u128(self, v: u128) -> Result<S::Ok, S::Error> {
        match u64::try_from(v) {
            Ok(v) => self.inner.serialize_u64(v),
            Err(_) => Err(self.at.fail(Defect::OutOfRange)),
        }
    }

    /// A list of numbers in JSON.
    fn serialize_bytes(self, v: &[u8]) -> Result<S::Ok, S::Error> {
        self.at.inside::<S::Error>()?;
        self.inner.serialize_bytes(v)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&self.at.wrap(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner
            .serialize_newtype_struct(name, &self.at.wrap(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let at = self.at.inside()?;
        at.entry();
        self.inner
            .serialize_newtype_variant(name, index, variant, &at.wrap(value))
    }
}

/// A compound whose items are looked at one by one.
macro_rules! items {
    ($($compound:ident::$method:ident($($name:ident: $type:ty)?);)*) => {$(
        impl<C: ser::$compound> ser::$compound for Strict<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)?
                value: &T,
            ) -> Result<(), C::Error> {
                // What has a key is an entry.
                $(
                    let _: $type = $name;
                    self.at.entry();
                )?
                self.inner.$method($($name,)? &self.at.wrap(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(key: &'static str);
    SerializeStructVariant::serialize_field(key: &'static str);
}

impl<C: ser::SerializeMap> ser::SerializeMap for Strict<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    /// Keys become strings, which carry any number.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.at.entry();
        self.inner.serialize_value(&self.at.wrap(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
