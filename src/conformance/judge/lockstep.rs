//! Lockstep: one program, run on a fresh store and on the model, reply against reply.

use super::coverage::{Coverage, Tally, Traits};
use super::failure::Failure;
use super::worlds::{Failures, Judged, World, Worlds};
use crate::clock::ManualClock;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::unsupported::Refusals;
use crate::conformance::program::{ids, payload, unsupported};
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::{erased, panics, watch};
use crate::constraint::Constraint;
use crate::model::{Expected, Model, Op, Reply};
use std::cell::Cell;
use std::collections::HashMap;

/// A right reply.
pub(crate) enum Right<'a> {
    AsExpected(&'a Expected),
    /// The store made use of its right to refuse what it cannot hold.
    Unsupported(Constraint),
}

/// Runs `ops` on the store that `make` makes, and gives the failures, of those that look alike the first.
/// `seen` is shown every right step.
pub(crate) fn run(
    make: &Make<'_>,
    ops: &[Op],
    supported: &Supported,
    mut seen: impl FnMut(&Op, Right<'_>),
) -> Vec<Failure> {
    let mut worlds = Worlds::new(Model::default());
    let at = Cell::new(0);
    let (mut failures, mut refusals) = (Failures::default(), Refusals::new());
    let run = panics::catching(|| {
        watch::call_begins();
        let clock = ManualClock::new();
        let store = panics::made(|| make(clock.clone()))?;
        watch::call_returned();
        for (index, op) in ops.iter().enumerate() {
            at.set(index);
            let outcome = erased::perform(&*store, &clock, op);
            if let Some(constraint) = unsupported::refusal(op, &outcome, supported)
                && !was_taken(constraint, op, &ops[..index], &refusals)
            {
                // To the model it did not happen; what follows is judged accordingly.
                refusals.insert(index, constraint);
                seen(op, Right::Unsupported(constraint));
                continue;
            }
            match worlds.judge(op, &outcome, |model| model.step(op)) {
                Judged::Right(expected) => seen(op, Right::AsExpected(&expected)),
                Judged::Open(expected) if right(&expected, &outcome) => {}
                Judged::Open(_) => failures.note(index, outcome),
                Judged::Wrong(expected) => {
                    let failure = Failure::of(ops[..=index].iter(), expected, outcome);
                    failures.push(failure, &refusals);
                }
            }
        }
        Some(())
    });
    if let Err(message) = run {
        let at = at.get();
        let op = ops.get(at).unwrap_or(&Op::Advance { by: 0 });
        let outcome = Outcome::Panicked(message);
        let judged = worlds.judge(op, &outcome, |model| model.step(op));
        let ops = ops[..(at + 1).min(ops.len())].iter();
        let failure = Failure::of(ops, judged.into_admitted(), outcome);
        failures.push(Failure { at, ..failure }, &refusals);
    }
    failures.into_vec()
}

impl World for Model {
    type Admitted = Expected;

    fn admits(admitted: &Expected, reply: &Reply) -> bool {
        admitted.admits(reply)
    }

    fn in_place_of<'a>(admitted: &'a mut Expected, _: Option<&Reply>) -> &'a mut Expected {
        admitted
    }

    fn observe(&mut self, _: &Op, _: &Reply) {}
}

/// Runs one program and counts what it exercised.
pub(crate) fn run_counted(
    make: &Make<'_>,
    ops: &[Op],
    supported: &Supported,
    tally: &mut Tally,
) -> Vec<Failure> {
    let ids = ids::ids(ops).into_iter();
    let slots: HashMap<&str, usize> = ids.enumerate().map(|(slot, id)| (id, slot)).collect();
    let mut coverage = Coverage::default();
    let mut steps = 0;
    let failures = run(make, ops, supported, |op, reply| {
        steps += 1;
        let expected = match reply {
            Right::AsExpected(expected) => expected,
            Right::Unsupported(constraint) => return coverage.refuse(constraint),
        };
        let slot = op.id().and_then(|id| slots.get(id).copied());
        coverage.step(op, Traits::of(op, slot), expected);
    });
    tally.count(&coverage, steps);
    failures
}

/// Whether `outcome` is a right answer.
pub(crate) fn right(expected: &Expected, outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Replied(reply) if expected.admits(reply))
}

/// Whether the store has taken before what it refuses now, so that it is nothing that it cannot hold: this id,
/// or this snapshot.
pub(crate) fn was_taken(
    constraint: Constraint,
    op: &Op,
    before: &[Op],
    refusals: &Refusals,
) -> bool {
    before.iter().enumerate().any(|(at, earlier)| {
        let is_done = matches!(earlier, Op::Commit { ttl, .. } if *ttl > 0);
        let is_same = match constraint {
            Constraint::UnsupportedId => earlier.id() == op.id(),
            _ => payload::committed(earlier) == payload::committed(op),
        };
        is_done && is_same && !refusals.contains_key(&at)
    })
}
