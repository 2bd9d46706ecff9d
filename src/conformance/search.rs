//! Search: where failures are looked for, one file a search, all of one shape.
//!
//! Comes in: a [`Context`](context::Context). Goes out: what was [found](found::Found). A search must never
//! know which clause its finding breaks in the end, nor what other searches there are.
//!
//! - *definition*: a name, what it runs, its condition, its share of the budget, and a function.
//! - *claim*: what exactly was covered; *budget*: how much is searched.
//! - *small scope*: every program up to a length over a few operations (`exhaustive`).
//! - *notorious*: values and ids that some store is known to confuse.
//! - *unsupported*: values that the store does not claim to hold.
//! - *calendar*: lives around midnight, summer time, 2038.
//! - *crash*: what may end the process; *elsewhere*: in another process.
//! - *listed*: programs that are listed, not walked through; *given*: programs as they stand.
//! - *broken*: failing with errors ever after a cancelled call.
//! - *one at a time*: the calls of several clients made by one, which is no race.

pub(crate) mod calendar;
pub(crate) mod cancelled;
pub(crate) mod concurrent;
pub(crate) mod context;
pub(crate) mod crash;
pub(crate) mod definition;
pub(crate) mod elsewhere;
pub(crate) mod exhaustive;
pub(crate) mod found;
pub(crate) mod given;
pub(crate) mod held;
pub(crate) mod histories;
pub(crate) mod listed;
pub(crate) mod notorious;
pub(crate) mod one_at_a_time;
pub(crate) mod random;
pub(crate) mod repeated;
pub(crate) mod restarted;
pub(crate) mod scenarios;
pub(crate) mod schedules;
pub(crate) mod unsupported;
pub(crate) mod vectors;
