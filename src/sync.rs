//! Sync: the locks and atomics of `MemStore` and `ManualClock`.
//!
//! The standard library's; under `--cfg session_spec_loom` those of loom, so that
//! `tests/interleavings` can try every order in which threads may meet in them.

#[cfg(session_spec_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic::AtomicU64};
#[cfg(not(session_spec_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};
