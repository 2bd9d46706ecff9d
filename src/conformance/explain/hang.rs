//! Hang: the smallest program at whose end a store hangs, or scenario in which it does.

use super::shrink;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::search::Searcher;
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::erased::AnySubject;
use crate::conformance::subject::panics;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::watch::{Watch, Watcher};
use crate::conformance::subject::workers;
use crate::model::{Nanos, Op};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Each try that hangs leaves a thread behind, which may go on to burn a core.
const HANGING_TRIES: usize = 24;

/// A hang of several clients takes some luck to see again, so smaller ones are tried for no longer than
/// this: some times as long as all tries that hang.
const LONGEST: Duration = Duration::from_secs(30);

/// What has hung for long need not be waited for as long again; but longer than a thread waits for its
/// turn on a busy machine.
fn brief(patience: Duration) -> Duration {
    let brief = (patience / 20).max(Duration::from_millis(500));
    brief.min(patience)
}

/// Shrinks `ops`, at one of whose calls the store hung.
pub(crate) fn shrink(
    subject: &Arc<dyn AnySubject>,
    profile: &Profile,
    tick: Nanos,
    ops: &[Op],
    patience: Duration,
) -> Failing {
    let left = Cell::new(HANGING_TRIES);
    let hangs = |ops: &[Op]| {
        let ops = ops.to_vec();
        let run = move |searcher: &Searcher<'_>| drop(searcher.runner(&ops)(&ops));
        let hangs = left.get() > 0 && hangs(subject, profile, tick, run, brief(patience));
        left.set(left.get() - usize::from(hangs));
        hangs
    };
    let failure = |ops: &[Op]| Failure::of_last(ops, Outcome::Hung(patience));
    let first = first_hanging(ops, hangs);
    let shrunk = shrink::shrink(first.clone(), tick, |ops| hangs(ops).then(|| failure(ops)));
    shrunk.unwrap_or_else(|| Failing {
        failure: failure(&first),
        ops: first,
    })
}

/// The smallest scenario found from this one in which some call hangs; nothing where none does, in so
/// many tries.
pub(crate) fn reduce(
    subject: &Arc<dyn AnySubject>,
    profile: &Profile,
    tick: Nanos,
    scenario: &Scenario,
    patience: Duration,
) -> Option<Scenario> {
    let mut left = HANGING_TRIES;
    let mut hangs = |scenario: &Scenario| {
        let scenario = scenario.clone();
        // What becomes of the calls does not matter here, only whether they return.
        let run = move |searcher: &Searcher<'_>| {
            scenario.tries(searcher, &Cell::default()).for_each(drop);
        };
        let hangs = left > 0 && hangs(subject, profile, tick, run, brief(patience));
        left -= usize::from(hangs);
        hangs
    };
    let (is_seen_again, clock) = (hangs(scenario), SystemClock::new());
    let is_late = || clock.now() > LONGEST;
    is_seen_again.then(|| scenario.clone().simplest(tick, is_late, hangs))
}

/// `ops` up to the call that hangs.
fn first_hanging(ops: &[Op], hangs: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    let (mut returns, mut hanging) = (0, ops.len());
    while returns + 1 < hanging {
        let middle = usize::midpoint(returns, hanging);
        match hangs(&ops[..middle]) {
            true => hanging = middle,
            false => returns = middle,
        }
    }
    ops[..hanging].to_vec()
}

/// Whether the store does not return from some call that `run` makes.
fn hangs(
    subject: &Arc<dyn AnySubject>,
    profile: &Profile,
    tick: Nanos,
    run: impl FnOnce(&Searcher<'_>) + Send + 'static,
    patience: Duration,
) -> bool {
    let watch = Arc::<Watch>::default();
    let look = patience / 8;
    let mut watcher = Watcher::new(Arc::clone(&watch), look);
    let (send, receive) = mpsc::channel::<()>();
    let spawned = workers::roomy().spawn({
        let (subject, profile, watch) = (Arc::clone(subject), profile.clone(), Arc::clone(&watch));
        move || {
            panics::silence_panics_here();
            watch.enter();
            run(&Searcher {
                subject: &*subject,
                profile: &profile,
                tick,
                deepest: None,
                goes_by_chance: false,
                is_wrong_alone: false,
            });
            drop(send);
        }
    });
    let spawned = spawned.expect("a thread can be had");
    loop {
        match receive.recv_timeout(look) {
            Err(RecvTimeoutError::Timeout) if watcher.hung(patience).is_some() => {
                watch.stop();
                return true;
            }
            Err(RecvTimeoutError::Timeout) => {}
            _ => {
                let _ = spawned.join();
                return false;
            }
        }
    }
}
