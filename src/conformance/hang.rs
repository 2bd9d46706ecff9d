//! Hang: the smallest program at whose end a store hangs.

use super::exec::{self, Outcome};
use super::lockstep::Failure;
use super::profile::Profile;
use super::search::Searcher;
use super::shrink::{self, Failing};
use super::subject::Subject;
use super::watch::{self, Watch, Watcher};
use super::workers;
use crate::model::{Expected, Model, Nanos, Op};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Each try that hangs leaves a thread behind, which may go on to burn a core.
const HANGING_TRIES: usize = 24;

/// Shrinks `ops`, at one of whose calls the store hung.
pub(super) fn shrink<S: Subject>(
    subject: &Arc<S>,
    profile: &Profile,
    tick: Nanos,
    ops: &[Op],
    patience: Duration,
) -> Failing {
    // What has hung for long need not be waited for as long again.
    let brief = (patience / 20)
        .max(Duration::from_millis(200))
        .min(patience);
    let left = Cell::new(HANGING_TRIES);
    let hangs = |ops: &[Op]| {
        let hangs = left.get() > 0 && hangs(subject, profile, tick, ops, brief);
        left.set(left.get() - usize::from(hangs));
        hangs
    };
    let failure = |ops: &[Op]| Failure {
        at: ops.len().saturating_sub(1),
        expected: expected(ops),
        outcome: Outcome::Hung(patience),
        measured: None,
        otherwise: Vec::new(),
        refused_ids: Vec::new(),
    };
    let first = first_hanging(ops, hangs);
    let shrunk = shrink::shrink(first.clone(), tick, |ops| hangs(ops).then(|| failure(ops)));
    shrunk.unwrap_or_else(|| Failing {
        failure: failure(&first),
        ops: first,
    })
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

/// What the last call should have been answered.
pub(super) fn expected(ops: &[Op]) -> Expected {
    let mut model = Model::default();
    let last = ops.iter().map(|op| model.step(op)).last();
    last.unwrap_or_else(|| Model::default().step(&Op::Advance { by: 0 }))
}

/// Whether the store does not return from some call of `ops`.
fn hangs<S: Subject>(
    subject: &Arc<S>,
    profile: &Profile,
    tick: Nanos,
    ops: &[Op],
    patience: Duration,
) -> bool {
    let watch = Arc::<Watch>::default();
    let mut watcher = Watcher::new(Arc::clone(&watch));
    let (send, receive) = mpsc::channel::<()>();
    let spawned = workers::roomy().spawn({
        let (subject, profile, ops) = (Arc::clone(subject), profile.clone(), ops.to_vec());
        move || {
            exec::silence_panics_here();
            watch.enter();
            watch::running(Arc::new(ops.clone()));
            let searcher = Searcher {
                subject: &*subject,
                profile: &profile,
                tick,
                deepest: None,
            };
            searcher.runner(&ops)(&ops);
            drop(send);
        }
    });
    spawned.expect("a thread can be had");
    loop {
        match receive.recv_timeout(patience / 8) {
            Err(RecvTimeoutError::Timeout) if watcher.hung(patience).is_some() => return true,
            Err(RecvTimeoutError::Timeout) => {}
            _ => return false,
        }
    }
}
