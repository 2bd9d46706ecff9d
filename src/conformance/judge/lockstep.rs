//! Lockstep: one program, run on a fresh store and on the model, reply against reply.

use super::coverage::{Coverage, Tally, Traits};
use super::failure::Failure;
use super::worlds::{Failures, Judged, World, Worlds};
use crate::clock::ManualClock;
use crate::conformance::program::ids;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::{erased, panics, watch};
use crate::constraint::Constraint;
use crate::model::{Expected, Model, Op, Reply};
use crate::token;
use std::cell::Cell;
use std::collections::HashMap;

/// Runs `ops` on the store that `make` makes, and gives the failures, of those that look alike the first.
/// `seen` is shown every right step, and nothing as expected where the store made use of its right to
/// refuse an id.
pub(crate) fn run(
    make: &Make<'_>,
    ops: &[Op],
    mut seen: impl FnMut(&Op, Option<&Expected>),
) -> Vec<Failure> {
    let mut worlds = Worlds::new(Model::default());
    let at = Cell::new(0);
    let (mut failures, mut refused_ids) = (Failures::default(), Vec::new());
    let run = panics::catching(|| {
        watch::call_begins();
        let clock = ManualClock::new();
        let store = panics::made(|| make(clock.clone()))?;
        watch::call_returned();
        for (index, op) in ops.iter().enumerate() {
            at.set(index);
            let outcome = erased::perform(&*store, &clock, op);
            if refuses_an_id(op, &outcome) && !was_taken(op, &ops[..index], &refused_ids) {
                // To the model it did not happen; what follows is judged accordingly.
                refused_ids.push(index);
                seen(op, None);
                continue;
            }
            match worlds.judge(op, &outcome, |model| model.step(op)) {
                Judged::Right(expected) => seen(op, Some(&expected)),
                Judged::Open(expected) if right(&expected, &outcome) => {}
                Judged::Open(_) => failures.note(index, outcome),
                Judged::Wrong(expected) => {
                    let failure = Failure::of(ops[..=index].iter(), expected, outcome);
                    failures.push(failure, &refused_ids);
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
        failures.push(Failure { at, ..failure }, &refused_ids);
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
pub(crate) fn run_counted(make: &Make<'_>, ops: &[Op], tally: &mut Tally) -> Vec<Failure> {
    let ids = ids::ids(ops).into_iter();
    let slots: HashMap<&str, usize> = ids.enumerate().map(|(slot, id)| (id, slot)).collect();
    let mut coverage = Coverage::default();
    let mut steps = 0;
    let failures = run(make, ops, |op, expected| {
        steps += 1;
        let Some(expected) = expected else {
            return coverage.refuse_id();
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

/// Whether a store makes use of its right to refuse ids that it cannot hold (IDN-2). Tokens it must
/// hold: they are what sessions have (TOK-1).
pub(crate) fn refuses_an_id(op: &Op, outcome: &Outcome) -> bool {
    let refusal = Reply::Refused(Constraint::UnsupportedId);
    match (op, outcome) {
        (
            Op::Commit {
                snapshot: Some(snapshot),
                ..
            },
            Outcome::Replied(reply),
        ) => *reply == refusal && !snapshot.id().is_empty() && !token::is_token(snapshot.id()),
        _ => false,
    }
}

/// Whether the store has taken the id of this commit before, so that it is none that it cannot hold.
pub(crate) fn was_taken(op: &Op, before: &[Op], refused: &[usize]) -> bool {
    before.iter().enumerate().any(|(at, earlier)| {
        let is_done = matches!(earlier, Op::Commit { ttl, .. } if *ttl > 0);
        is_done && earlier.id() == op.id() && !refused.contains(&at)
    })
}
