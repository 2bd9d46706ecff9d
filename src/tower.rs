//! The bridge to and from [tower-sessions](tower_sessions_core): its stores as ours, and ours as
//! its.
//!
//! [`TowerStore`] makes a [`Store`](crate::Store) of any tower-sessions [`SessionStore`], so that
//! the whole of that ecosystem can be used under this contract, and held against it:
//!
//! ```
//! use session_spec::{MemStore, Session, StoreError, TowerStore};
//! use std::time::Duration;
//! # use session_spec::AsSessionStore;
//! # fn any_tower_sessions_store() -> impl tower_sessions_core::SessionStore {
//! #     AsSessionStore::new(MemStore::new())
//! # }
//!
//! # async fn example() -> Result<(), StoreError> {
//! let store = TowerStore::new(any_tower_sessions_store());
//! Session::new().save(&store, Duration::from_secs(3600)).await
//! # }
//! ```
//!
//! [`AsSessionStore`] goes the other way: a tower-sessions application on any of our stores.
//!
//! ```
//! use session_spec::{AsSessionStore, MemStore};
//!
//! let store = AsSessionStore::new(MemStore::new());
//! // let sessions = tower_sessions::SessionManagerLayer::new(store);
//! ```
//!
//! # How `TowerStore` maps the contract
//!
//! | here | there |
//! |---|---|
//! | an id, any string | an [`Id`], 128 bits of its hash: [`record_id`] |
//! | a snapshot | its wire form (SNP-3), as one string, under [`SNAPSHOT_KEY`] of the record's data |
//! | a time to live | `expiry_date`: now on the bridge's clock plus the time to live, to the nanosecond; [`HORIZON`] if that is later |
//! | prepare | `load`; the snapshot must have the id that was asked for (SNP-5) |
//! | commit | `save` where `load` finds something, else `create` |
//! | drop | `delete` |
//! | a refusal of the empty id or of a zero time to live, prepare or drop of the empty id | the bridge's own answer; the store is not asked |
//! | [`StoreError::Undecodable`](crate::StoreError::Undecodable) | a prepare's [`Error::Decode`], or a record that is not the bridge's |
//! | [`StoreError::Backend`](crate::StoreError::Backend) | any other [`Error`] |
//!
//! **Why not always `save`.** A commit writes whatever was there before (COM-8). `save` is there
//! "for updating the state of an existing session": in many stores it also inserts, in others
//! (`SET .. XX` on Redis) it does nothing for an id that is not there, and does not say so. `create`
//! inserts, but takes another id, or fails, when this one is taken, as it may still be by an expired
//! record that nobody removed. So what `load` does not find is created. If that took another id, the
//! record under it is deleted and the one under its own id saved. If it failed, the record is saved
//! and then looked for, and the failure stands unless it is found.
//!
//! On all these paths the record under the entry's id is written once (and once more, the same, after
//! a `create` that failed), so a commit has one moment of effect (CON-1). A cancelled one (CAN-1) may
//! leave a copy under an id that nobody knows, until it expires.
//!
//! # What it cannot show
//!
//! A clause that the bridge keeps on its own says nothing of the store behind it:
//!
//! - IDN-1, IDN-2: ids are hashed, so the store sees ids of one form that look random. How it takes
//!   long or odd ones is not asked, and two that differ only in the case of a letter do not come up.
//!   Two ids of one hash would share a record, and a prepare of the one call the other's
//!   undecodable; whoever does not choose both ids needs some 2^128 tries for that.
//! - SNP-4: values reach the store inside a string, so its way with numbers, nesting and keys does
//!   not matter; its way with long strings and with any Unicode does.
//! - COM-2, COM-3, PRE-2, DRP-3, and what COM-4 says of them, are the bridge's own.
//! - COM-7: beyond [`HORIZON`] the store is not asked. Nor does it ever get an `expiry_date` that is
//!   not later than the bridge's clock, except beyond the horizon.
//! - `ExpiredDeletion` is not called, and the ids that `create` chooses are not used.
//!
//! And three things that can go wrong between the two:
//!
//! - The store reads a clock of its own, a little later than the bridge, and perhaps another
//!   machine's (a database's `now()`); its deadlines are off by as much as the clocks differ. The
//!   bridge never compares an `expiry_date` that it loads, neither to hide what has expired nor to
//!   revive it.
//! - Where `save` only updates, an entry that expires between the bridge's `load` and its `save` is
//!   not written.
//! - A calendar that is set back brings expired entries back (TTL-4), unless the store removed them.
//!
//! # How `AsSessionStore` maps tower-sessions
//!
//! | there | here |
//! |---|---|
//! | an [`Id`] | its text, 22 characters of base64, as in the cookie |
//! | a record's data | one map, under [`DATA_KEY`] |
//! | `expiry_date` | seconds since 1970 and nanoseconds, under [`EXPIRY_KEY`]; read back in UTC |
//! | user and CSRF token, which a record has none of | no user; the empty token, which verifies nothing (SES-9) |
//! | `save` | commit for `expiry_date` minus now; where that is past, drop |
//! | `create` | the same, under a fresh id as long as prepare finds something under the record's |
//! | `load` | prepare, and nothing once `expiry_date` has come: the store's clock may stand still while the machine sleeps |
//! | `delete` | drop |
//! | [`Error::Encode`] | data that JSON cannot carry back, or that nests deeper than 124 levels (SNP-4) |
//! | [`Error::Decode`] | [`StoreError::Undecodable`](crate::StoreError::Undecodable), or a snapshot that is no record |
//! | [`Error::Backend`] | any other [`StoreError`](crate::StoreError) |
//!
//! **`create` is not atomic.** Commit is an upsert (COM-8), so between the look and the commit
//! another process may commit under the same id, and is overwritten. Ids are 128 random bits; it
//! takes a broken generator for two to meet.

mod as_session_store;
mod date;
mod tower_store;

pub use as_session_store::{AsSessionStore, DATA_KEY, EXPIRY_KEY};
pub use date::HORIZON;
pub use tower_store::{SNAPSHOT_KEY, TowerStore, record_id};

#[cfg(doc)]
use tower_sessions_core::{SessionStore, session::Id, session_store::Error};
