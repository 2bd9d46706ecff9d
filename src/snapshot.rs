//! Snapshots: a session's state at one moment, as it is stored and sent.

mod decode_error;

pub use decode_error::{Category, DecodeError};

use crate::data::{Data, DataError, Unique};
use crate::places::{self, Place};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::Map;
use std::fmt;
use std::sync::Arc;

/// A session's state: id, CSRF token, user and data. One pointer wide; a clone copies nothing.
///
/// Its wire form is JSON (SNP-3):
///
/// ```
/// # use session_spec::{Data, Snapshot, User};
/// let mut data = Data::default();
/// data.set("theme", "dark").unwrap();
/// let snapshot = Snapshot::new("id1", "csrf1", Some(User::new("alice@example.com")), data);
///
/// let wire = snapshot.encode();
/// assert_eq!(
///     String::from_utf8_lossy(&wire),
///     r#"{"id":"id1","csrf_token":"csrf1","user":{"email":"alice@example.com"},"data":{"theme":"dark"}}"#
/// );
/// assert_eq!(Snapshot::decode("id1", &wire).unwrap(), snapshot);
/// ```
#[derive(Eq)]
pub struct Snapshot(Arc<Parts>);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    id: Box<str>,
    csrf_token: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Arc<User>>,
    #[serde(
        default,
        skip_serializing_if = "Data::is_empty",
        deserialize_with = "absent_as_empty"
    )]
    data: Data,
}

/// Parts from a JSON object only: a derived struct would also take a list of its fields in order.
struct Object(Parts);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a snapshot's object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object, A::Error> {
                Parts::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// Go writes a nil map without `omitempty` as null, and PHP an empty one as a list.
fn absent_as_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
    struct MaybeEmpty;

    impl<'de> Visitor<'de> for MaybeEmpty {
        type Value = Data;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of data")
        }

        fn visit_unit<E>(self) -> Result<Data, E> {
            Ok(Data::default())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
            match items.next_element::<de::IgnoredAny>()? {
                None => Ok(Data::default()),
                Some(_) => Err(de::Error::invalid_type(de::Unexpected::Seq, &self)),
            }
        }

        fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Data, A::Error> {
            Data::deserialize(MapAccessDeserializer::new(entries))
        }
    }

    deserializer.deserialize_any(MaybeEmpty)
}

impl Snapshot {
    /// A snapshot of these parts. The id may be empty: a store refuses it then (COM-2).
    pub fn new(
        id: impl Into<Box<str>>,
        csrf_token: impl Into<Box<str>>,
        user: impl Into<Option<User>>,
        data: Data,
    ) -> Self {
        Self(Arc::new(Parts {
            id: id.into(),
            csrf_token: csrf_token.into(),
            user: user.into().map(Arc::new),
            data,
        }))
    }

    /// The key it is stored under.
    #[inline]
    pub fn id(&self) -> &str {
        places::here(Place::Id);
        &self.0.id
    }

    /// The token that forms must send back.
    pub fn csrf_token(&self) -> &str {
        &self.0.csrf_token
    }

    /// Who is logged in, if anybody is.
    pub fn user(&self) -> Option<&User> {
        self.0.user.as_deref()
    }

    /// The application's data.
    pub fn data(&self) -> &Data {
        &self.0.data
    }

    /// This snapshot under another id; everything else is shared with it.
    #[must_use]
    pub fn with_id(&self, id: impl Into<Box<str>>) -> Self {
        let mut renamed = self.clone();
        renamed.parts_mut().id = id.into();
        renamed
    }

    /// The wire form: JSON without white space (SNP-3).
    ///
    /// # Panics
    /// Never: all that a snapshot can hold has a JSON form (SNP-4).
    pub fn encode(&self) -> Vec<u8> {
        places::here(Place::Encode);
        serde_json::to_vec(&*self.0).expect("what a snapshot holds has a JSON form")
    }

    /// Reads the wire form of the snapshot stored under `expected_id` (SNP-3, SNP-4).
    ///
    /// Unknown top-level fields are ignored; unknown attributes of the user are kept. A number that is
    /// neither an integer of i64 or u64 nor exactly a double is read as the nearest double, as JSON
    /// readers commonly do; one beyond the largest is malformed, and so is an object in `user` or `data`
    /// with a key twice.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] when the bytes are no snapshot, [`DecodeError::OtherId`] when
    /// they are that of another id (SNP-5).
    pub fn decode(expected_id: &str, bytes: &[u8]) -> Result<Self, DecodeError> {
        places::here(Place::Decode);
        let Object(parts) = serde_json::from_slice(bytes)?;
        if *parts.id == *expected_id {
            Ok(Self(Arc::new(parts)))
        } else {
            Err(DecodeError::OtherId)
        }
    }

    pub(crate) fn set_tokens(&mut self, id: String, csrf_token: String) {
        let parts = self.parts_mut();
        parts.id = id.into();
        parts.csrf_token = csrf_token.into();
    }

    pub(crate) fn set_user(&mut self, user: User) {
        self.parts_mut().user = Some(Arc::new(user));
    }

    pub(crate) fn data_mut(&mut self) -> &mut Data {
        &mut self.parts_mut().data
    }

    /// The parts to write to: our own from here on, if they were shared (SNP-2). Costs two tokens
    /// and two pointers, however much data there is.
    fn parts_mut(&mut self) -> &mut Parts {
        Arc::make_mut(&mut self.0)
    }

    /// Whether both are one snapshot in memory.
    pub fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Clone for Snapshot {
    #[inline]
    fn clone(&self) -> Self {
        places::here(Place::Clone);
        Self(Arc::clone(&self.0))
    }
}

impl PartialEq for Snapshot {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        places::here(Place::Compare);
        self.0 == other.0
    }
}

#[cfg(feature = "conformance")]
impl Drop for Snapshot {
    #[inline]
    fn drop(&mut self) {
        places::here(Place::Release);
    }
}

/// Shows neither id nor CSRF token (SES-8).
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("user", &self.user())
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

/// A logged-in user: an e-mail address and any further attributes, which are kept as they are
/// (SNP-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    email: String,
    attributes: Data,
}

/// The one key that is no attribute.
const EMAIL: &str = "email";

impl User {
    /// A user without attributes.
    pub fn new(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            attributes: Data::default(),
        }
    }

    /// A user with these attributes.
    ///
    /// # Errors
    /// [`DataError::Reserved`] when `email` is among them.
    pub fn with_attributes(email: impl Into<String>, attributes: Data) -> Result<Self, DataError> {
        if attributes.value(EMAIL).is_some() {
            return Err(reserved());
        }
        Ok(Self {
            email: email.into(),
            attributes,
        })
    }

    /// The e-mail address, as it was given; possibly empty.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// All further attributes.
    pub fn attributes(&self) -> &Data {
        &self.attributes
    }

    /// The attribute under `key` as a `T`; nothing when it is absent.
    ///
    /// # Errors
    /// [`DataError::WrongType`] when there is one that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, DataError> {
        self.attributes.get(key)
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// [`DataError::Reserved`] for `email`; otherwise as [`Data::set`].
    pub fn set<T: Serialize>(&mut self, key: &str, value: T) -> Result<(), DataError> {
        if key == EMAIL {
            return Err(reserved());
        }
        self.attributes.set(key, value)
    }

    /// Takes an attribute away; says whether it was there.
    pub fn delete(&mut self, key: &str) -> bool {
        self.attributes.delete(key)
    }
}

fn reserved() -> DataError {
    DataError::Reserved {
        key: EMAIL.to_owned(),
    }
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.attributes.len()))?;
        map.serialize_entry(EMAIL, &self.email)?;
        for (key, value) in self.attributes.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = User;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a user with an email")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<User, A::Error> {
                let mut email = None;
                let mut attributes = Map::new();
                while let Some(key) = fields.next_key::<String>()? {
                    let is_repeated = if key == EMAIL {
                        email.replace(fields.next_value()?).is_some()
                    } else {
                        let Unique(value) = fields.next_value()?;
                        attributes.insert(key, value).is_some()
                    };
                    if is_repeated {
                        return Err(de::Error::custom("a key stands twice"));
                    }
                }
                Ok(User {
                    email: email.ok_or_else(|| de::Error::missing_field(EMAIL))?,
                    attributes: Data::try_from(attributes).map_err(de::Error::custom)?,
                })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
