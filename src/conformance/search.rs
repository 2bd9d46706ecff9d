//! Search: where failures are looked for, one file a search. Comes in: a [`Context`](context::Context).
//! Goes out: what was [found](found::Found).

pub(crate) mod cancelled;
pub(crate) mod concurrent;
pub(crate) mod context;
pub(crate) mod crash;
pub(crate) mod definition;
pub(crate) mod elsewhere;
pub(crate) mod exhaustive;
pub(crate) mod found;
pub(crate) mod given;
pub(crate) mod histories;
pub(crate) mod listed;
pub(crate) mod notorious;
pub(crate) mod one_at_a_time;
pub(crate) mod random;
pub(crate) mod repeated;
pub(crate) mod restarted;
pub(crate) mod vectors;
