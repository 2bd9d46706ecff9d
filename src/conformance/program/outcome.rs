//! Outcome: what came back from a call.

use crate::model::Reply;
use std::time::Duration;

/// What came back from a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// One of the contract's replies.
    Replied(Reply),
    /// An error that is no refusal, with its text and those of its sources.
    Failed(String),
    /// The store panicked, with this message (ERR-1).
    Panicked(String),
    /// The call had not returned after this time (ERR-1).
    Hung(Duration),
    /// The process that ran the program ended in its midst, like this: a stack overflow, an abort
    /// (ERR-1).
    Died(String),
}
