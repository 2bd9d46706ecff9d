//! Hang: the smallest program in which a store hangs.

use super::shrink;
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::runner::Runner;
use crate::conformance::judge::schedule;
use crate::conformance::judge::until::Until;
use crate::conformance::program::Program;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::watch::{Watch, Watcher};
use crate::conformance::subject::{panics, workers};
use crate::model::{Nanos, Op};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Each try that hangs leaves a thread behind, which may go on to burn a core.
const HANGING_TRIES: usize = 24;

/// A hang of several clients may take some tries to see again. What those take that do not hang is no more
/// than this, as it would be on a machine with nothing else to do.
const LONGEST: Duration = Duration::from_secs(15);

/// What has hung for long need not be waited for as long again; but longer than a thread waits for its
/// turn on a busy machine.
fn shorter_patience(patience: Duration) -> Duration {
    let shorter = (patience / 20).max(Duration::from_millis(500));
    shorter.min(patience)
}

/// A subject whose store hung, and how it is run.
pub(crate) struct Hanging<'a> {
    pub(crate) subject: &'a Arc<dyn ErasedSubject>,
    pub(crate) profile: &'a Profile,
    pub(crate) tick: Nanos,
    pub(crate) patience: Duration,
}

impl Hanging<'_> {
    /// The smallest program found from this one in which some call hangs, the last one of those of one
    /// client; nothing where none does, in so many tries.
    pub(crate) fn smallest(&self, program: &Program) -> Option<Program> {
        match program.is_sequential() {
            true => self.of_one_client(program.ops()),
            false => self.of_several(program),
        }
    }

    fn of_one_client(&self, ops: &[Op]) -> Option<Program> {
        let left = Cell::new(HANGING_TRIES);
        let hangs = |ops: &[Op]| {
            let ops = ops.to_vec();
            let run = move |runner: &Runner<'_>| drop(runner.probe(&ops)(&ops));
            let hangs = left.get() > 0 && self.hangs(run).is_some();
            left.set(left.get() - usize::from(hangs));
            hangs
        };
        let failure = |ops: &[Op]| Failure::of_last(ops, Outcome::Hung(self.patience));
        let first = up_to_the_hang(ops, hangs);
        let shrunk = shrink::shrink(&first, self.tick, |ops| hangs(ops).then(|| failure(ops)));
        shrunk.map(|failing| failing.ops.into())
    }

    fn of_several(&self, program: &Program) -> Option<Program> {
        let (mut left, spent) = (HANGING_TRIES, Arc::<AtomicU64>::default());
        let longest = LONGEST.as_millis().try_into().unwrap_or(u64::MAX);
        let mut accept = |program: &Program| {
            if left == 0 || spent.load(Ordering::SeqCst) > longest || program.ops().is_empty() {
                return None;
            }
            let (program, spent) = (program.clone(), Arc::clone(&spent));
            // What becomes of the calls does not matter here, only whether they return.
            let run = move |runner: &Runner<'_>| {
                let mut spend = |time: Duration| {
                    let millis = time.as_millis().try_into().unwrap_or(u64::MAX);
                    spent.fetch_add(millis, Ordering::SeqCst);
                };
                schedule::executions(runner.subject, &program, &mut spend).for_each(drop);
            };
            let hung = self.hangs(run);
            left -= usize::from(hung.is_some());
            hung
        };
        let first = accept(program)?;
        Some(shrink::shrink_history(first, self.tick, accept))
    }

    /// The program under way when the store did not return from some call that `run` makes, if it did not.
    fn hangs(&self, run: impl FnOnce(&Runner<'_>) + Send + 'static) -> Option<Program> {
        let watch = Arc::<Watch>::default();
        let (patience, tick) = (shorter_patience(self.patience), self.tick);
        let look = patience / 8;
        let mut watcher = Watcher::new(Arc::clone(&watch), look);
        let (send, receive) = mpsc::channel::<()>();
        let spawned = workers::roomy().spawn({
            let (subject, profile) = (Arc::clone(self.subject), self.profile.clone());
            let watch = Arc::clone(&watch);
            move || {
                panics::silence_panics_here();
                watch.enter();
                run(&Runner {
                    subject: &*subject,
                    profile: &profile,
                    tick,
                    until: Until::never(),
                    backend: None,
                });
                drop(send);
            }
        });
        let spawned = spawned.expect("a thread can be had");
        loop {
            if let Err(RecvTimeoutError::Timeout) = receive.recv_timeout(look) {
                if let Some(hung) = watcher.hung(patience) {
                    watch.stop();
                    return Some(hung);
                }
            } else {
                let _ = spawned.join();
                return None;
            }
        }
    }
}

/// `ops` up to the call that hangs, by halving.
fn up_to_the_hang(ops: &[Op], hangs: impl Fn(&[Op]) -> bool) -> Vec<Op> {
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
