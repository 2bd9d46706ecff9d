//! Failure: a wrong reply in a program, and what it looks like from outside.

use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::unsupported::Refusals;
use crate::model::{Expected, Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;

/// What runs a program and gives a failure of it, if it has one that matters.
pub(crate) type Probe<'a> = &'a dyn Fn(&[Op]) -> Option<Failure>;

/// A program that fails, cut at the failing operation, which is its last.
#[derive(Clone)]
pub(crate) struct Failing {
    pub(crate) ops: Vec<Op>,
    pub(crate) failure: Failure,
}

impl Failing {
    /// The program up to its failure.
    pub(crate) fn cut(ops: &[Op], failure: Failure) -> Self {
        let ops = ops[..=failure.at].to_vec();
        Self { ops, failure }
    }

    /// The operations, each in its place, without the commits that the store refused as unsupported: no
    /// time passes instead.
    pub(crate) fn counted(&self) -> Vec<Op> {
        let mut ops = self.ops.clone();
        for place in self.failure.refusals.keys() {
            ops[*place] = Op::Advance { by: 0 };
        }
        ops
    }
}

/// A reply of a run that the model does not admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Index of the operation.
    pub(crate) at: usize,
    pub(crate) expected: Expected,
    pub(crate) outcome: Outcome,
    pub(crate) call: CallKind,
    /// Whose snapshot came back, if one did.
    pub(crate) found: Option<Whose>,
    /// When the call and those before it were made, in nanoseconds since the program began, where time
    /// was measured.
    pub(crate) times: Vec<Nanos>,
    /// What came before that is not what the model says, by its place: replies that are right all the
    /// same, since a store may evict, may lose entries at a restart, and its clock may be coarse or
    /// uncertain; and replies that are wrong in another way.
    pub(crate) otherwise: Vec<(usize, Outcome)>,
    /// Commits before it that the store refused as unsupported, as IDN-2 and VAL-1 allow.
    pub(crate) refusals: Refusals,
}

/// What a failure looks like from outside: the call, what was expected and what came. A program keeps this
/// while it is shrunk, so that it does not slip into another defect; the clause may come out clearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symptom {
    call: CallKind,
    expected: ReplyKind,
    mistake: Mistake,
    found: Option<Whose>,
}

/// Of which the searches shrink one failing program each, so that one defect does not hide another.
pub(crate) type Class = (Clause, Symptom);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum CallKind {
    Prepare,
    Commit,
    Drop,
    Advance,
    Restart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum ReplyKind {
    Found,
    Nothing,
    Done,
    Refused,
}

/// Whose snapshot came back, whatever id it bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// One that was committed under the id that was prepared.
    Own,
    /// One that was committed under another.
    Others,
    /// One that was committed under both.
    Eithers,
    /// None that was committed.
    Nobodys,
}

/// How a reply is wrong.
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
    /// Of the last of `ops`, which got this reply.
    pub(crate) fn of<'a>(
        mut ops: impl DoubleEndedIterator<Item = &'a Op> + Clone,
        expected: Expected,
        outcome: Outcome,
    ) -> Self {
        let last = ops.next_back();
        Self {
            call: last.map_or(CallKind::Advance, CallKind::of),
            found: whose(&ops, last, &outcome),
            at: ops.count(),
            expected,
            outcome,
            times: Vec::new(),
            otherwise: Vec::new(),
            refusals: Refusals::new(),
        }
    }

    /// Of the last of `ops`, which the model answers otherwise; until then all was as the model says.
    pub(crate) fn of_last(ops: &[Op], outcome: Outcome) -> Self {
        let mut model = Model::default();
        let expected = ops.iter().map(|op| model.step(op)).last();
        let expected = expected.unwrap_or_else(|| Model::default().step(&Op::Advance { by: 0 }));
        Self::of(ops.iter(), expected, outcome)
    }

    pub(crate) fn class(&self) -> Class {
        (self.expected.clause, self.symptom())
    }

    pub(crate) fn symptom(&self) -> Symptom {
        let symptom = Symptom {
            call: self.call,
            expected: ReplyKind::of(&self.expected.reply),
            mistake: self.mistake(),
            found: self.found,
        };
        match symptom.mistake {
            // Nobody saw which call it was.
            Mistake::Died | Mistake::Hung => Symptom {
                call: CallKind::Advance,
                expected: ReplyKind::Done,
                ..symptom
            },
            _ => symptom,
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

impl Symptom {
    /// Whether a program that has this symptom may be shrunk to one that has `other`. What may be either's
    /// may turn out to be anybody's. A stale snapshot, or another's, may be one that was damaged until it
    /// looked like that, so it may become a damaged one, but not the other way.
    pub(crate) fn may_become(self, other: Self) -> bool {
        let may_it = match (self.found, other.found) {
            (Some(Whose::Eithers), Some(_)) => true,
            (Some(Whose::Own), Some(found)) => found != Whose::Others,
            (Some(Whose::Others), Some(Whose::Nobodys)) => self.mistake == Mistake::Changed,
            (one, other) => one == other,
        };
        let found = self.found;
        may_it && self == Self { found, ..other }
    }
}

impl CallKind {
    pub(crate) fn of(op: &Op) -> Self {
        match op {
            Op::Prepare { .. } => Self::Prepare,
            Op::Commit { .. } => Self::Commit,
            Op::Drop { .. } => Self::Drop,
            Op::Advance { .. } => Self::Advance,
            Op::Restart => Self::Restart,
        }
    }
}

impl ReplyKind {
    fn of(reply: &Reply) -> Self {
        match reply {
            Reply::Found(_) => Self::Found,
            Reply::Nothing => Self::Nothing,
            Reply::Done => Self::Done,
            Reply::Refused(_) => Self::Refused,
        }
    }
}

fn whose<'a>(
    before: &(impl Iterator<Item = &'a Op> + Clone),
    last: Option<&Op>,
    outcome: &Outcome,
) -> Option<Whose> {
    let Outcome::Replied(Reply::Found(found)) = outcome else {
        return None;
    };
    let (id, found) = (last.and_then(Op::id), found.with_id(""));
    let is_it = |snapshot: &&Snapshot| snapshot.with_id("") == found;
    let of_id = |own: bool| {
        let mut committed = before.clone().filter_map(payload::committed);
        committed.any(|snapshot| (Some(snapshot.id()) == id) == own && is_it(&snapshot))
    };
    Some(match (of_id(true), of_id(false)) {
        (true, true) => Whose::Eithers,
        (true, false) => Whose::Own,
        (false, true) => Whose::Others,
        (false, false) => Whose::Nobodys,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::Program;

    /// The symptom of a prepare that gives this payload at the end of a program.
    fn found(program: &str, number: u64) -> Symptom {
        let ops = program.parse::<Program>().unwrap().ops().to_vec();
        let found = payload::numbered(number, "A");
        Failure::of_last(&ops, Outcome::Replied(Reply::Found(found))).symptom()
    }

    #[test]
    fn whose_snapshot_came_back_is_kept_but_what_looked_like_one_may_be_damaged() {
        let own = "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A";
        let other = "commit B v1 ttl 1s; commit A v2 ttl 1s; prepare A";
        let both = "commit A v1 ttl 1s; commit B v1 ttl 1s; commit A v2 ttl 1s; prepare A";
        let [stale, others, eithers] = [own, other, both].map(|program| found(program, 1));
        let damaged = found(own, 9);
        assert_eq!(damaged.found, Some(Whose::Nobodys));
        for (from, to, may_it) in [
            (stale, damaged, true),
            (damaged, stale, false),
            (others, damaged, true),
            (others, stale, false),
            (stale, others, false),
            (eithers, stale, true),
            (eithers, others, true),
            (stale, stale, true),
        ] {
            assert_eq!(from.may_become(to), may_it, "{from:?} {to:?}");
        }
        // Where nothing should be there, nothing was damaged.
        let gone = found("commit B v1 ttl 1s; prepare A", 1);
        assert!(!gone.may_become(found("prepare A", 1)));
    }

    #[test]
    fn the_call_and_what_was_expected_are_part_of_a_symptom() {
        let failed = |program: &str| {
            let ops = program.parse::<Program>().unwrap().ops().to_vec();
            Failure::of_last(&ops, Outcome::Failed(String::new())).symptom()
        };
        let unknown = failed("prepare A");
        assert_ne!(unknown, failed("commit A v1 ttl 1s; prepare A"));
        assert_ne!(unknown, failed("drop A"));
        assert_eq!(unknown, failed("commit A v1 ttl 1s; drop A; prepare A"));
    }
}
