//! Failure: the first wrong reply of a program, and what it looks like from outside.

use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::model::{Expected, Model, Nanos, Op, Reply};

/// What runs a program and gives its first failure.
pub(crate) type Probe<'a> = &'a dyn Fn(&[Op]) -> Option<Failure>;

/// A program that fails, cut at the failing operation, which is its last.
#[derive(Clone)]
pub(crate) struct Failing {
    pub(crate) ops: Vec<Op>,
    pub(crate) failure: Failure,
}

impl Failing {
    /// The operations, each in its place, without the commits that the store refused for their id:
    /// no time passes instead.
    pub(crate) fn counted(&self) -> Vec<Op> {
        let mut ops = self.ops.clone();
        for place in &self.failure.refused_ids {
            ops[*place] = Op::Advance { by: 0 };
        }
        ops
    }
}

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
