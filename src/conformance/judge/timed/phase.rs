//! Phase: where on the wall clock programs begin. Clocks that are cut to steps err at some of these.

use crate::clock::{SystemClock, WallClock as _};
use crate::conformance::program::time::nanos;
use crate::model::Nanos;
use std::time::{Duration, SystemTime};

/// When programs begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// At once.
    Now,
    /// At the phases of the clock, in turn.
    AtPhases,
}

/// How many phases there are.
pub(crate) const PHASES: usize = 5;

/// Where on the wall clock the programs begin, in turn: the step of the clock, and how far from it: begun on one, just before one, and so that a deadline
/// one tick later falls on one.
pub(super) fn phase(index: usize, tick: Nanos) -> (Nanos, Nanos) {
    const SECOND: Nanos = 1_000_000_000;
    let phases: [(Nanos, Nanos); PHASES] = [
        (1, 0),
        (SECOND, 0),
        (SECOND, -2_000_000),
        (SECOND, -tick),
        (SECOND / 10, 0),
    ];
    phases[index % PHASES]
}

/// How long until the wall clock is at this phase.
pub(super) fn until((step, offset): (Nanos, Nanos), clock: &SystemClock) -> Duration {
    let since = clock.system_time().duration_since(SystemTime::UNIX_EPOCH);
    let wall = nanos(since.unwrap_or_default());
    let wait = (offset - wall).rem_euclid(step);
    Duration::from_nanos(u64::try_from(wait).unwrap_or(0))
}
