//! Facts: what a minimal program says of its ids, times and commits.

use crate::conformance::program::ids::simplest;
use crate::model::{Model, Nanos, Op, Reply};
use crate::token;

/// An id that shrinking could not replace by a plain token.
pub(super) fn is_foreign(id: &str) -> bool {
    !id.is_empty() && !token::is_token(id)
}

/// Tokens that shrinking could not replace by the plainest ones: so these very ones matter.
pub(super) fn are_particular(ids: &[&str]) -> bool {
    let plainest = simplest(ids.len() + 1);
    let mut tokens = ids.iter().filter(|id| token::is_token(id));
    tokens.any(|id| !plainest.iter().any(|plain| plain == id))
}

/// A time to live that shrinking ends at when any will do.
pub(super) fn is_plain(ttl: Nanos, tick: Nanos) -> bool {
    ttl % tick == 0 && (1..=3).contains(&(ttl / tick))
}

/// The last commit of `id` that took effect in `ops`, by its place there, and when that was.
pub(super) fn last_commit(ops: &[Op], id: &str) -> Option<(usize, Nanos)> {
    let mut model = Model::default();
    let mut last = None;
    for (at, op) in ops.iter().enumerate() {
        let now = model.now();
        let done = model.step(op).reply == Reply::Done;
        match op {
            Op::Commit { .. } if done && op.id() == Some(id) => last = Some((at, now)),
            Op::Drop { id: dropped } if dropped == id => last = None,
            _ => {}
        }
    }
    last
}
