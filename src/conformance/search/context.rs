//! Context: what a search is handed.

use super::elsewhere::Elsewhere;
use super::found::Deadly;
use crate::conformance::judge::runner::Runner;
use std::time::Duration;

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The search, by its name in [`searches`](crate::conformance::searches()).
    pub search: &'static str,
    /// Programs done, roughly.
    pub done: u64,
    /// Programs to do.
    pub total: u64,
    /// About how long the search goes on: as fast as it was so far, and no longer than the budget allows. Nothing
    /// while none of its programs is done.
    pub left: Option<Duration>,
}

impl Progress {
    pub(crate) fn new(search: &'static str, done: u64, total: u64) -> Self {
        Self {
            search,
            done,
            total,
            left: None,
        }
    }

    /// The same with what is to be expected of a search that has taken so long, and has so much time left.
    pub(crate) fn estimated(self, taken: Duration, budget: Option<Duration>) -> Self {
        let to_do = u128::from(self.total.saturating_sub(self.done));
        let nanos = (taken.as_nanos() * to_do).checked_div(self.done.into());
        let left =
            nanos.map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        Self {
            left: left.map(|left| budget.map_or(left, |budget| left.min(budget))),
            ..self
        }
    }
}

/// How much is searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// The most operations in a program of the exhaustive search.
    pub(crate) depth: usize,
    /// How many random programs there are: the other searches have their share of it.
    pub(crate) sequences: usize,
    /// Somebody asked for just so many, however long they take.
    pub(crate) is_asked_for: bool,
    /// The most operations in a random program.
    pub(crate) length: usize,
    /// How many clients call at once.
    pub(crate) clients: usize,
}

/// A check under way, as a search sees it.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Context<'a> {
    pub(crate) runner: Runner<'a>,
    pub(crate) budget: Budget,
    pub(crate) seed: u64,
    /// Hears how far the search has come.
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
    /// Another process, for what may end this one.
    pub(crate) elsewhere: Option<&'a dyn Elsewhere>,
    /// The subject can restart its store.
    pub(crate) restarts: bool,
    /// What ends the process of the store.
    pub(crate) deadly: Option<Deadly>,
    /// Some program failed in some of its runs only.
    pub(crate) is_flaky: bool,
    /// Some program of one client has failed.
    pub(crate) fails_alone: bool,
    /// Clients that call at once are known to go wrong, or some call to panic or hang.
    pub(crate) fails_at_once: bool,
}

impl Context<'_> {
    /// Values that are nested more deeply than this end the process.
    pub(crate) fn deepest(&self) -> Option<usize> {
        match self.deadly? {
            Deadly::Deeper(less) => Some(less),
            Deadly::Drawn | Deadly::All => None,
        }
    }

    /// Whether what is drawn, or known to go wrong, may be run in this process.
    pub(crate) fn may_draw(&self) -> bool {
        matches!(self.deadly, None | Some(Deadly::Deeper(_)))
    }
}

#[cfg(test)]
impl<'a> Context<'a> {
    /// A check in which nothing is known.
    pub(crate) fn of(runner: Runner<'a>) -> Self {
        Self {
            runner,
            budget: Budget {
                depth: 3,
                sequences: 100,
                is_asked_for: true,
                length: 10,
                clients: 4,
            },
            seed: 1,
            progress: &|_| {},
            elsewhere: None,
            restarts: false,
            deadly: None,
            is_flaky: false,
            fails_alone: false,
            fails_at_once: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_by_what_was_done_and_ends_with_the_budget() {
        let second = Duration::from_secs(1);
        let left = |done, budget| {
            let estimated = Progress::new("random", done, 100).estimated(10 * second, budget);
            estimated.left
        };
        assert_eq!(left(0, Some(second)), None);
        assert_eq!(left(25, None), Some(30 * second));
        assert_eq!(left(25, Some(40 * second)), Some(30 * second));
        assert_eq!(left(25, Some(5 * second)), Some(5 * second));
        assert_eq!(left(100, None), Some(Duration::ZERO));
    }
}
