//! Linear: whether the calls of overlapping clients on one id, with times to live, have an order
//! that explains what they returned (CON-1).
//!
//! A history is linearizable if its calls can be put in an order, each with a moment of its own span,
//! in which a right store would have replied the same. Each store has a clock, rounds and cuts
//! deadlines as its [`Rules`] say, and the order keeps what is known of the calls: one that had
//! returned before another was invoked comes first, and their moments do not go back.
//!
//! ```text
//!  c1  [---commit v1 ttl 5s---]                     [---drop---]
//!  c2             [---prepare v1---]  [---commit v2 ttl 5s---]  [---prepare v2---]
//!                 any order would do;  the drop came first
//! ```
//!
//! The order is looked for *just in time* (G. Lowe, "Testing for linearizability", 2017, after J. Wing
//! and C. Gong, 1993): call by call as they return, with all that may be the case by then. What has
//! returned is forgotten, so a long history costs no more a call than a short one.

mod argue;
mod lanes;
mod reduce;
mod search;
mod state;
mod timeline;

pub use super::Span;
pub use reduce::{Reduced, reduce};

use crate::conformance::subject::workers;
use crate::model::Nanos;
use search::Search;
use timeline::Timeline;

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

/// Judges the calls on one id, in the order in which they were invoked.
pub fn check(calls: &[Call], rules: &Rules) -> Judgement {
    let mut timeline = Timeline::new(calls, rules);
    let judgement = Search::new(&timeline).run();
    match judgement {
        Judgement::Wrong { at } => Judgement::Wrong {
            at: first_wrong(&mut timeline, at),
        },
        _ => judgement,
    }
}

/// The first call by whose return the history is wrong, whatever comes later. The search looks ahead,
/// so it ends at that call or at one that returned earlier.
fn first_wrong(timeline: &mut Timeline, at: usize) -> usize {
    let returns = timeline.returns().to_vec();
    let is_wrong = |timeline: &mut Timeline, returned| {
        timeline.look_ahead(returned);
        matches!(Search::new(timeline).run(), Judgement::Wrong { .. })
    };
    let (mut wrong, mut step) = (returns.len(), 1);
    let mut right = returns
        .iter()
        .take_while(|call| **call as usize != at)
        .count();
    while wrong - right > 1 {
        let middle = right + step.min((wrong - right) / 2);
        if is_wrong(timeline, middle) {
            wrong = middle;
        } else {
            right = middle;
            step *= 2;
        }
    }
    returns[wrong - 1] as usize
}

/// Judges the calls on every id, each id on its own, on all cores.
pub fn check_all(histories: &[Vec<Call>], rules: &Rules) -> Vec<Judgement> {
    workers::each(histories.len(), |id| check(&histories[id], rules))
}

/// Parts one history by id: the calls on the id 0, on 1, and so on, each in the order in which they
/// were invoked.
pub fn by_id(history: &[(u32, Call)]) -> Vec<Vec<Call>> {
    let mut lengths = Vec::new();
    for (id, _) in history {
        let id = *id as usize;
        if lengths.len() <= id {
            lengths.resize(id + 1, 0);
        }
        lengths[id] += 1;
    }
    let mut histories: Vec<Vec<Call>> = lengths.into_iter().map(Vec::with_capacity).collect();
    for (id, call) in history {
        histories[*id as usize].push(*call);
    }
    for calls in &mut histories {
        calls.sort_by_key(|call| call.invoked);
    }
    histories
}

impl Rules {
    /// How long after the moment of its commit the deadline of an entry may be, at least and at most.
    fn deadline(&self, ttl: Nanos) -> (Nanos, Nanos) {
        let exact = self.horizon.map_or(ttl, |horizon| ttl.min(horizon));
        (
            exact - self.uncertainty,
            exact.saturating_add(self.uncertainty),
        )
    }

    /// How long after that deadline an entry may still be found, of a ttl that may be unknown; it may be
    /// found gone all the while.
    fn late(&self, ttl: Option<Nanos>) -> Nanos {
        match self.horizon {
            Some(horizon) if ttl.is_none_or(|ttl| ttl > horizon) => Nanos::MAX,
            _ => self.resolution,
        }
    }

    /// From when on after the moment of its commit an entry may be gone, and when it must be.
    fn life(&self, ttl: Nanos) -> (Nanos, Nanos) {
        let (least, most) = self.deadline(ttl);
        (least, most.saturating_add(self.late(Some(ttl))))
    }
}

#[cfg(test)]
mod tests;
