//! Judge: what is right.
//!
//! Comes in: a program and a subject, or what was recorded of calls. Goes out: the first reply that the
//! contract does not admit, or the calls that no order explains. It must never know which search wants to
//! know, nor what the report will say.
//!
//! - *lockstep*: a program on a store and on the model, reply against reply, where time is exact.
//! - *timed*: programs by measured times; *spans*: what may be answered when the time of a call is only
//!   known to lie in a span.
//! - *failure*: a wrong reply in a program; *mistake*: how it is wrong; *symptom*: the call, what was
//!   expected and what came, which shrinking keeps.
//! - *worlds*: those in which a store may be once a call has failed, each of which may explain a reply.
//! - *flaky*: failing in some runs of a program only.
//! - *runner*: programs of one client on a subject, lockstep or timed.
//! - *schedule*: programs of several clients, made and recorded; an *execution* is what came of one.
//! - *history*: calls with the spans in which they were under way; *linearizable*: with an order that
//!   explains them (`linear`); *non-linearizable*: without one; *anomaly*: the few calls that show it.
//! - *journal*: the history that an `Oracle` has seen, as far as it can still matter.
//! - *until*: when running programs has to end.
//! - *coverage*: which clauses a program could have shown to be broken.

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
pub(crate) mod until;
pub(crate) mod worlds;
