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
mod call;
mod lanes;
mod reduce;
mod search;
mod state;
mod timeline;

pub use super::spans::Span;
pub use call::{Call, Judgement, Kind, Outcome, Rules, Start, Value};
pub use reduce::{Reduced, reduce};

use crate::conformance::subject::workers;
use search::Search;
use timeline::Timeline;

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

#[cfg(test)]
mod tests;
