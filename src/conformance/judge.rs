//! Judge: what is right. Comes in: what a store answered, and when. Goes out: the first reply that the
//! contract does not admit, or the calls that no order explains.

pub(crate) mod coverage;
pub(crate) mod failure;
pub(crate) mod flaky;
pub(crate) mod history;
pub(crate) mod in_turn;
pub(crate) mod journal;
pub mod linear;
pub(crate) mod lockstep;
pub(crate) mod nonlinearizable;
pub(crate) mod runner;
pub(crate) mod schedule;
pub(crate) mod spans;
pub(crate) mod timed;
