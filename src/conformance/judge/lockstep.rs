//! Lockstep: one program, run on a fresh store and on the model, reply against reply.

use crate::clause::Clause;
use crate::clock::ManualClock;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::subject::erased;
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::panics;
use crate::conformance::subject::watch;
use crate::constraint::Constraint;
use crate::model::{Expected, Model, Nanos, Op, Reply};
use crate::token;
use std::cell::Cell;

/// The first reply of a run that the model does not admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Index of the operation.
    pub(crate) at: usize,
    pub(crate) expected: Expected,
    pub(crate) outcome: Outcome,
    /// When the call was made, in nanoseconds since the program began, where time was measured.
    pub(crate) measured: Option<Nanos>,
    /// The replies before that are right and not the model's, by their places: a store may evict, may
    /// lose entries at a restart, and its clock may be coarse or uncertain.
    pub(crate) otherwise: Vec<(usize, Reply)>,
    /// The places of commits before it that the store refused for their id, as IDN-2 allows.
    pub(crate) refused_ids: Vec<usize>,
}

/// What a failure looks like from outside: the searches shrink one failing program of each kind, so
/// that one defect does not hide another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symptom {
    clause: Clause,
    mistake: Mistake,
}

/// How a reply is wrong. A program keeps this while it is shrunk; the clause may come out clearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Mistake {
    /// Nothing instead of a snapshot.
    Lost,
    /// A snapshot instead of nothing.
    Revived,
    /// Another snapshot.
    Changed,
    /// Done instead of refused.
    NotRefused,
    /// Refused for a reason that is none, or instead of done.
    Refused,
    Failed,
    Panicked,
    Hung,
    Died,
}

impl Failure {
    /// Of the last of `ops`, which the model answers otherwise; until then all was as the model says.
    pub(crate) fn of_last(ops: &[Op], outcome: Outcome) -> Self {
        let mut model = Model::default();
        let expected = ops.iter().map(|op| model.step(op)).last();
        Self {
            at: ops.len().saturating_sub(1),
            expected: expected.unwrap_or_else(|| Model::default().step(&Op::Advance { by: 0 })),
            outcome,
            measured: None,
            otherwise: Vec::new(),
            refused_ids: Vec::new(),
        }
    }

    pub(crate) fn symptom(&self) -> Symptom {
        Symptom {
            clause: self.expected.clause,
            mistake: self.mistake(),
        }
    }

    pub(crate) fn mistake(&self) -> Mistake {
        match (&self.outcome, &self.expected.reply) {
            (Outcome::Panicked(_), _) => Mistake::Panicked,
            (Outcome::Hung(_), _) => Mistake::Hung,
            (Outcome::Died(_), _) => Mistake::Died,
            (Outcome::Failed(_), _) => Mistake::Failed,
            (Outcome::Replied(Reply::Refused(_)), _) => Mistake::Refused,
            (Outcome::Replied(Reply::Done), _) => Mistake::NotRefused,
            (Outcome::Replied(Reply::Nothing), _) => Mistake::Lost,
            (Outcome::Replied(Reply::Found(_)), Reply::Nothing) => Mistake::Revived,
            (Outcome::Replied(Reply::Found(_)), _) => Mistake::Changed,
        }
    }
}

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
        let store = make(clock.clone());
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
