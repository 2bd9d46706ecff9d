//! Lockstep: one program, run on a fresh store and on the model, reply against reply.

use super::coverage::{Coverage, Tally, Traits};
use super::failure::Failure;
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

/// Runs `ops` on the store that `make` makes. `seen` is shown every right step, and nothing as
/// expected where the store made use of its right to refuse an id.
pub(crate) fn run(
    make: &Make<'_>,
    ops: &[Op],
    mut seen: impl FnMut(&Op, Option<&Expected>),
) -> Option<Failure> {
    let mut model = Model::default();
    let at = Cell::new(0);
    let mut refused_ids = Vec::new();
    let run = panics::catching(|| {
        watch::call_begins();
        let clock = ManualClock::new();
        let store = panics::made(|| make(clock.clone()))?;
        watch::call_returned();
        ops.iter().enumerate().find_map(|(index, op)| {
            at.set(index);
            let outcome = erased::perform(&*store, &clock, op);
            if refuses_an_id(op, &outcome) && !was_taken(op, &ops[..index], &refused_ids) {
                // To the model it did not happen; what follows is judged accordingly.
                refused_ids.push(index);
                seen(op, None);
                return None;
            }
            let expected = model.step(op);
            if right(&expected, &outcome) {
                seen(op, Some(&expected));
                return None;
            }
            Some(Failure {
                at: index,
                expected,
                outcome,
                measured: None,
                otherwise: Vec::new(),
                refused_ids: Vec::new(),
            })
        })
    });
    let failure = run.unwrap_or_else(|message| {
        let at = at.get();
        Some(Failure {
            at,
            expected: model.step(ops.get(at).unwrap_or(&Op::Advance { by: 0 })),
            outcome: Outcome::Panicked(message),
            measured: None,
            otherwise: Vec::new(),
            refused_ids: Vec::new(),
        })
    })?;
    Some(Failure {
        refused_ids,
        ..failure
    })
}

/// Runs one program and counts what it exercised.
pub(crate) fn run_counted(make: &Make<'_>, ops: &[Op], tally: &mut Tally) -> Option<Failure> {
    let ids = ids::ids(ops).into_iter();
    let slots: HashMap<&str, usize> = ids.enumerate().map(|(slot, id)| (id, slot)).collect();
    let mut coverage = Coverage::default();
    let mut steps = 0;
    let failure = run(make, ops, |op, expected| {
        steps += 1;
        let Some(expected) = expected else {
            return coverage.refuse_id();
        };
        let slot = op.id().and_then(|id| slots.get(id).copied());
        coverage.step(op, Traits::of(op, slot), expected);
    });
    tally.count(&coverage, steps);
    failure
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
