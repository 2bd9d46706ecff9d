//! The bridge to and from tower-sessions.

mod app;
mod as_session_store;
#[cfg(feature = "conformance")]
mod kit;
mod shelf;
mod tower_store;
