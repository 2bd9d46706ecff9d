//! Irreducible: ids and times that shrinking could not make plain, so that it takes just these.

use crate::conformance::program::ids::simplest;
use crate::model::Nanos;
use crate::token;

/// An id that shrinking could not replace by a plain token.
pub(super) fn is_foreign(id: &str) -> bool {
    !id.is_empty() && !token::is_token(id)
}

/// Tokens that shrinking could not replace by the plainest ones: so these very ones matter.
pub(super) fn are_particular_tokens(ids: &[&str]) -> bool {
    let plainest = simplest(ids.len() + 1);
    let mut tokens = ids.iter().filter(|id| token::is_token(id));
    tokens.any(|id| !plainest.iter().any(|plain| plain == id))
}

/// A time to live that shrinking ends at when any will do.
pub(super) fn is_plain_ttl(ttl: Nanos, tick: Nanos) -> bool {
    ttl % tick == 0 && (1..=3).contains(&(ttl / tick))
}
