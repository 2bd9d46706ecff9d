//! Explain: which clause a failure breaks, and why. Comes in: what a search caught. Goes out: the smallest
//! program that fails in the same way, the clause, and the argument.

pub(crate) mod counterexample;
pub(crate) mod crash;
pub(crate) mod diagnose;
pub(crate) mod hang;
pub(crate) mod masked;
pub(crate) mod shrink;
