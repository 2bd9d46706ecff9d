#![cfg_attr(feature = "conformance", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "conformance"),
    doc = "The contract of server-side web sessions, executable. The feature `conformance` has the \
           conformance kit; see there for how to test a store."
)]

pub mod clause;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod constraint;
pub mod data;
pub mod memstore;
pub mod model;
mod op;
#[cfg(feature = "conformance")]
pub mod oracle;
mod places;
pub mod session;
pub mod session_model;
pub mod snapshot;
pub mod store;
mod sync;
pub mod token;
#[cfg(feature = "tower-sessions")]
pub mod tower;

/// The contract, clause by clause, for people: what a store must do, why, where the rule comes from
/// and how it is checked.
#[doc = include_str!("../SPEC.md")]
pub mod spec {}

pub use clause::Clause;
pub use clock::{Clock, ManualClock, SystemClock, WallClock};
pub use constraint::Constraint;
pub use data::{Data, DataError};
pub use memstore::MemStore;
pub use model::{Expected, Model, Nanos, Op, Reply};
#[cfg(feature = "conformance")]
pub use oracle::{Disagreement, Oracle};
pub use session::Session;
pub use session_model::SessionModel;

pub use snapshot::{DecodeError, Snapshot, User};
pub use store::{DynStore, Store, StoreError};
#[cfg(feature = "tower-sessions")]
pub use tower::{AsSessionStore, TowerStore};
