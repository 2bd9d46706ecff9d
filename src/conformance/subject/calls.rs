//! Calls: an operation taken to a store.

use super::watch;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::duration;
use crate::model::{Op, Reply};
use crate::store::{Store, StoreError};

/// Takes `op`, which is neither an advance nor a restart, to the store.
///
/// `op` must be [expressible](crate::conformance::program::time::expressible).
pub(crate) async fn call<S: Store>(store: &S, op: &Op) -> Outcome {
    let done = |result: Result<(), StoreError>| result.map(|()| Reply::Done);
    watch::call_begins();
    let reply = match op {
        Op::Prepare { id } => store.prepare(id).await.map(|found| match found {
            Some(snapshot) => Reply::Found(snapshot),
            None => Reply::Nothing,
        }),
        Op::Commit { snapshot, ttl } => match (snapshot, duration(*ttl)) {
            (Some(snapshot), Some(ttl)) => done(store.commit(snapshot, ttl).await),
            _ => unreachable!("callers keep to what is expressible"),
        },
        Op::Drop { id } => done(store.drop(id).await),
        Op::Advance { .. } | Op::Restart => unreachable!("callers keep to calls"),
    };
    watch::call_returned();
    match reply {
        Ok(reply) => Outcome::Replied(reply),
        Err(StoreError::Refused { constraint, .. }) => Outcome::Replied(Reply::Refused(constraint)),
        Err(error) => Outcome::Failed(with_sources(&error)),
    }
}

/// An error's text, with those of its sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
