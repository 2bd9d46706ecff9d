//! Error: what JSON cannot carry back, and why a value was not stored or read.

/// How deep a value may nest: a scalar is 0 deep, `[]` is 1, `[[]]` is 2 (SNP-4).
///
/// In a snapshot's wire form a value stands two levels down, and JSON readers, `serde_json` among
/// them, commonly stop at 127.
pub const MAX_DEPTH: usize = 125;

/// Why a value was not stored, or not read. Never shows the value itself (SES-8).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Infinities and NaN have no JSON form.
    #[error("value under {key:?} has a number that is not finite, which JSON cannot carry")]
    NotFinite {
        /// The key it was set under.
        key: String,
    },
    /// An integer below `i64::MIN` or above `u64::MAX`: other readers would round it.
    #[error("value under {key:?} has an integer outside the ranges of i64 and u64")]
    OutOfRange {
        /// The key it was set under.
        key: String,
    },
    /// Deeper than [`MAX_DEPTH`]: other readers would refuse the whole snapshot.
    #[error("value under {key:?} nests deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// The key it was set under.
        key: String,
    },
    /// An object in it would have a key twice, of which JSON readers keep one: the map keys `1` and `"1"`,
    /// or a field that repeats one of those it is flattened among.
    #[error("value under {key:?} has an object with a key twice")]
    Repeated {
        /// The key it was set under.
        key: String,
    },
    /// The type's own `Serialize` failed, or it has map keys that are not strings in JSON.
    #[error("value under {key:?} has no JSON form")]
    Unserializable {
        /// The key it was set under.
        key: String,
    },
    /// The value is there, but it is of another type. It stays (SES-5).
    #[error("value under {key:?} is not a {wanted}")]
    WrongType {
        /// The key it was read under.
        key: String,
        /// The Rust type it was read as.
        wanted: &'static str,
    },
    /// The key has a meaning of its own in this place: a user's `email` is no attribute, and two
    /// keys that begin with `$serde_json::private` have one to `serde_json` inside a value.
    #[error("key {key:?} is reserved")]
    Reserved {
        /// The key.
        key: String,
    },
}

/// What a value has that JSON cannot carry back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    NotFinite,
    OutOfRange,
    TooDeep,
    Repeated,
    Unserializable,
    /// A key that `serde_json` gives a meaning of its own.
    Reserved(&'static str),
}

impl Defect {
    pub(super) fn under(self, key: &str) -> DataError {
        let key = key.to_owned();
        match self {
            Self::NotFinite => DataError::NotFinite { key },
            Self::OutOfRange => DataError::OutOfRange { key },
            Self::TooDeep => DataError::TooDeep { key },
            Self::Repeated => DataError::Repeated { key },
            Self::Unserializable => DataError::Unserializable { key },
            Self::Reserved(inner) => DataError::Reserved {
                key: inner.to_owned(),
            },
        }
    }
}
