//! Until: when running programs has to end.

use crate::clock::{Clock as _, SystemClock};
use std::time::Duration;

/// A moment, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    clock: SystemClock,
    end: Option<Duration>,
}

impl Until {
    /// There is no end.
    pub(crate) fn never() -> Self {
        Self {
            clock: SystemClock::new(),
            end: None,
        }
    }

    /// So long from now on.
    pub(crate) fn within(time: Duration) -> Self {
        Self {
            end: Some(time),
            ..Self::never()
        }
    }

    pub(crate) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| self.clock.now() >= end)
    }

    /// How long it is until then.
    pub(crate) fn left(&self) -> Option<Duration> {
        let end = self.end?;
        Some(end.saturating_sub(self.clock.now()))
    }

    /// When a part of what is left is over.
    pub(crate) fn part(&self, part: u32, of: u32) -> Self {
        match self.left() {
            Some(left) => Self::within(left * part / of.max(1)),
            None => Self::never(),
        }
    }

    /// Later by so long.
    pub(crate) fn later(self, by: Duration) -> Self {
        Self {
            end: self.end.map(|end| end.saturating_add(by)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_has_no_end_is_never_over() {
        let never = Until::never();
        assert!(!never.is_over() && !never.has_end() && !never.part(1, 2).has_end());
        assert_eq!(never.left(), None);
    }

    #[test]
    fn a_part_is_over_before_the_whole_and_what_has_no_time_at_once() {
        let hour = Until::within(HOUR);
        assert!(!hour.is_over() && hour.part(1, 2).left() <= Some(HOUR / 2));
        assert!(hour.later(HOUR).left() > Some(HOUR));
        assert!(Until::within(Duration::ZERO).is_over());
    }
}
