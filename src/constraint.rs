//! Constraints: why a store refuses a call.

use serde::{Deserialize, Serialize};

/// What a refused call broke. Its text is the tail of a refusal's message: `memstore: ttl must be
/// positive` (MEM-3).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Constraint {
    /// A commit without a snapshot (COM-1). Rust's types rule it out; on the wire it occurs.
    #[error("snapshot must be non-nil")]
    NilSnapshot,
    /// A commit under the empty id (COM-2).
    #[error("snapshot id must be non-empty")]
    EmptyId,
    /// A commit whose time to live is zero or negative (COM-3).
    #[error("ttl must be positive")]
    TtlNotPositive,
    /// A commit under an id that this store cannot hold (IDN-2).
    #[error("snapshot id is not one this store can hold")]
    UnsupportedId,
    /// A commit of a snapshot with a value that this store cannot hold (VAL-1).
    #[error("snapshot holds a value that this store cannot hold")]
    UnsupportedValue,
}
