//! Explain: which clause a failure breaks, and why.
//!
//! Comes in: what a search caught, a program or an anomaly, and a way to run others. Goes out: the smallest
//! program that fails in the same way, the clause that it breaks, and the argument, as data. It must never
//! know what a check was asked for, nor how a report is printed, and nothing that it says may rest on which
//! search found the program.
//!
//! - *failing program*: cut behind a wrong reply; *symptom*: the call, what was expected and what came, which
//!   shrinking keeps; a reply before may be wrong in another way.
//! - *probe*: runs a program and gives a failure of it, if it has one that matters.
//! - *shrink*: make a failing program smaller until no single simplification does; the result is *minimal*.
//! - *counterexample*: the smallest program that shows a defect; of calls that overlap, with a schedule in
//!   which they go wrong each time, if there is one.
//! - *hang*, *crash*: counterexamples of what does not return, and of what ends its process.
//! - *masked*: a defect that shows in the same way as a plainer one, so that shrinking slips into that.
//! - *ingredient*: what a program cannot do without if it is to fail; it tells a masked defect from a known
//!   one.
//! - *diagnosis*: the broken clause of a minimal program, with a near miss.
//! - *evidence*: what happened before the failing call, as far as it can matter; it points to a clause.
//! - *counterfactual*: the program with other calls, ids or times in place of some, run to see what matters.
//! - *irreducible*: what shrinking could not make plain; *foreign id*: one that is no token.
//! - *remnant*: what only changes how a defect shows, such as an earlier commit that is found where the last
//!   was lost.
//! - *counting*: failing for the number of calls of one kind, whatever they are on.
//! - *argument*: why the expected reply is right, and what the broken clause says of this program; *cited*: the
//!   other clauses in it that the reply contradicts as well.
//! - *near miss*: how close to right the store came, such as by how much a life is too long.

pub(crate) mod counterexample;
pub(crate) mod crash;
pub(crate) mod diagnose;
pub(crate) mod hang;
pub(crate) mod masked;
pub(crate) mod probe;
pub(crate) mod shrink;
