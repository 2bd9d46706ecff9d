//! Time: model time and `Duration`, each as the other, and what a Rust store can be handed of it.

use crate::model::{Nanos, Op};
use std::time::Duration;

/// A duration in model time.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().cast_signed()
}

/// The last instant a [`ManualClock`](crate::ManualClock) can show.
pub(crate) const CLOCK_END: Nanos = {
    let max = Duration::MAX;
    max.as_nanos().cast_signed()
};

/// Whether a Rust store can be handed this: it has no nil snapshot and no negative time to live.
pub(crate) fn expressible(op: &Op) -> bool {
    match op {
        Op::Commit { snapshot, ttl } => snapshot.is_some() && duration(*ttl).is_some(),
        _ => true,
    }
}

/// Model time as a `Duration`, where there is one.
pub(crate) fn duration(nanos: Nanos) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    // The short way for the times most programs have: 128-bit division is slow.
    if let Ok(nanos) = u64::try_from(nanos) {
        return Some(Duration::from_nanos(nanos));
    }
    let nanos = u128::try_from(nanos).ok()?;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    Some(Duration::new(seconds, (nanos % SECOND) as u32))
}
