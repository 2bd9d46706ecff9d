//! Call: a call with its span, and what a right store may do.

use crate::conformance::judge::spans::Span;
use crate::model::Nanos;

/// What was committed or found: equal numbers for equal snapshots.
pub type Value = u32;

/// One call of one client on one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who called.
    pub client: u32,
    /// What was called, and what it returned.
    pub kind: Kind,
    /// When it was called, by a counter that all clients share.
    pub invoked: u64,
    /// When it returned, by the same counter; `u64::MAX` if it never did.
    pub returned: u64,
    /// What a clock said before `invoked` was drawn and after `returned` was; to `Nanos::MAX` if it
    /// never returned.
    pub clock: Span,
    /// Whether it took effect.
    pub outcome: Outcome,
}

/// What was called, and what it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A prepare that gave this.
    Found(Value),
    /// A prepare that gave nothing.
    Nothing,
    /// A commit.
    Commit {
        /// Of what.
        value: Value,
        /// Its time to live, in nanoseconds; positive.
        ttl: Nanos,
    },
    /// A drop.
    Drop,
}

/// Whether a call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Certain,
    /// Wholly and once, at some moment before it returned; or never.
    Unknown,
}

/// What a right store may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// For this long after its deadline an entry may still be found, or found gone already, in
    /// nanoseconds (TTL-2).
    pub resolution: Nanos,
    /// How far the store's clock may be from the one that the calls were timed with, either way, in
    /// nanoseconds.
    pub uncertainty: Nanos,
    /// For this long before its deadline an entry may be gone already, in nanoseconds (TTL-1).
    pub early: Nanos,
    /// An entry with a longer time to live than this may go at any time from here on, in nanoseconds
    /// (COM-7).
    pub horizon: Option<Nanos>,
    /// Whether the store may let go of an entry at any time.
    pub may_evict: bool,
    /// What was there before the first call.
    pub start: Start,
}

/// What was there before the first call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    #[default]
    Empty,
    /// Nothing, or any entry with any deadline.
    Unknown,
}

/// What a history is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Some order explains every reply.
    Linearizable,
    /// No order explains the calls that had returned when this one did.
    Wrong {
        /// Its place in the history.
        at: usize,
    },
    /// The search was given up: too many calls were under way, or too many orders to keep.
    Undecided {
        /// The place of the call it had come to.
        at: usize,
    },
}

impl Rules {
    /// How long after the moment of its commit the deadline of an entry may be, at least and at most.
    pub(super) fn deadline(&self, ttl: Nanos) -> (Nanos, Nanos) {
        let exact = self.horizon.map_or(ttl, |horizon| ttl.min(horizon));
        (
            exact - self.uncertainty - self.early,
            exact.saturating_add(self.uncertainty),
        )
    }

    /// How long after that deadline an entry may still be found, of a ttl that may be unknown; it may be
    /// found gone all the while.
    pub(super) fn late(&self, ttl: Option<Nanos>) -> Nanos {
        match self.horizon {
            Some(horizon) if ttl.is_none_or(|ttl| ttl > horizon) => Nanos::MAX,
            _ => self.resolution,
        }
    }

    /// From when on after the moment of its commit an entry may be gone, and when it must be.
    pub(super) fn life(&self, ttl: Nanos) -> (Nanos, Nanos) {
        let (least, most) = self.deadline(ttl);
        (least, most.saturating_add(self.late(Some(ttl))))
    }
}
