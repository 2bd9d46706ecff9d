//! Diagnose: the clause that a minimal program shows to be broken, and the argument.
//!
//! Every operation of a minimal program is needed for it to fail, so what occurs in it is what
//! matters: a drop of another id, a refused commit, a time to live that could not be made plainer.
//! Where a program is quickly run, programs next to it tell the rest.

mod argument;
mod clause_applied;
mod counting;
mod disguise;
mod evidence;
mod irreducible;
mod near_miss;

use crate::clause::Clause;
use crate::conformance::judge::failure::{CallKind, Failing, Mistake, Probe};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::report::Violation;
use crate::model::{Nanos, Op, Reply};
use argument::why_expected;
use clause_applied::clause_applied;
use counting::{Counting, counting};
pub(crate) use disguise::without_a_disguise;
use evidence::Evidence;
use near_miss::near_miss;

/// What a failing program shows.
pub(crate) struct Diagnosis {
    /// The clause that the store breaks.
    pub(crate) clause: Clause,
    /// What programs next to the failing one, or the wrong reply itself, say of the defect: one
    /// sentence, where there is something certain to say.
    pub(crate) near_miss: Option<String>,
}

impl Diagnosis {
    /// Of a program that ends its process, of which nothing but that is known.
    pub(crate) fn of_crash(near_miss: Option<String>) -> Self {
        Self {
            clause: Clause::Err1,
            near_miss,
        }
    }

    /// `tick` is the unit of plain times; `probe` runs other programs, where that is quick and time
    /// exact; so does `near_miss_probe`, where besides only one reply is right. Where there are two, a
    /// program that passes does not tell when a life ends.
    pub(crate) fn of(
        failing: &Failing,
        tick: Nanos,
        probe: Option<Probe<'_>>,
        near_miss_probe: Option<Probe<'_>>,
    ) -> Self {
        let counting = probe.and_then(|probe| counting(failing, tick, probe));
        let expected = &failing.failure.expected;
        let clause = match (counting.map(|it| it.kind), &expected.reply) {
            (Some(CallKind::Commit), Reply::Found(_)) => Clause::Com5,
            (Some(CallKind::Prepare), _) => Clause::Pre4,
            (Some(_), _) => expected.clause,
            (None, _) => broken_clause(failing, tick, probe),
        };
        let counted = counting.map(Counting::told);
        Self {
            clause,
            near_miss: counted.or_else(|| near_miss(failing, clause, near_miss_probe)),
        }
    }
}

impl Diagnosis {
    /// Where time can only be waited for, of an entry that is lost at once: that longer lives are kept, which
    /// takes no time to see.
    pub(crate) fn or_of_short_life(self, failing: &Failing, tick: Nanos, run: Probe<'_>) -> Self {
        const LONGER: Nanos = 2_000_000_000;
        let ops = &failing.ops;
        let waits = ops
            .iter()
            .any(|op| matches!(op, Op::Advance { by } if *by > tick));
        let is_lost = failing.failure.mistake() == Mistake::Lost;
        if waits || !is_lost || !matches!(self.clause, Clause::Com5 | Clause::Ttl1) {
            return self;
        }
        let longer = |op: &Op| match op {
            Op::Commit { snapshot, ttl } if *ttl > 0 => Op::Commit {
                snapshot: snapshot.clone(),
                ttl: ttl + LONGER,
            },
            _ => op.clone(),
        };
        let ops: Vec<Op> = ops.iter().map(longer).collect();
        if run(&ops).is_some() {
            return self;
        }
        let near_miss = "longer lives are kept: with 2s more it is found";
        Self {
            clause: Clause::Com7,
            near_miss: Some(near_miss.to_owned()),
        }
    }
}

fn broken_clause(failing: &Failing, tick: Nanos, probe: Option<Probe<'_>>) -> Clause {
    if let Some(plainer) = probe.and_then(|probe| without_a_disguise(failing, tick, probe)) {
        return broken_clause(&plainer, tick, probe);
    }
    let last = failing.ops.last();
    let evidence = |id| Evidence::of(failing, id, tick, probe);
    match (last, &failing.failure.outcome) {
        (_, Outcome::Panicked(_) | Outcome::Hung(_) | Outcome::Died(_)) | (None, _) => Clause::Err1,
        _ if failing.failure.expected.clause == Clause::Err3 => Clause::Err3,
        // A smaller program without it does not fail.
        _ if failing.ops.contains(&Op::Restart) => Clause::Dur1,
        (Some(Op::Prepare { id }), outcome) => evidence(id).clause_of_prepare(failing, outcome),
        (Some(op), _) => {
            let id = op.id().unwrap_or_default();
            evidence(id).clause_of_write(failing, op)
        }
    }
}

/// What a failing program shows; of one that did not fail again, nothing says what in it matters.
pub(crate) fn violation(
    failing: Failing,
    search: &'static str,
    after: u64,
    diagnosis: Option<Diagnosis>,
) -> Violation {
    let repeats = diagnosis.is_some();
    let Diagnosis { clause, near_miss } = diagnosis.unwrap_or(Diagnosis {
        clause: failing.failure.expected.clause,
        near_miss: None,
    });
    let (because, cited) = argument(&failing, clause);
    Violation {
        clause,
        cited,
        because,
        near_miss,
        refusals: failing.failure.refusals,
        program: failing.ops.into(),
        expected: Some(failing.failure.expected.reply),
        got: failing.failure.outcome,
        history: None,
        luck: None,
        search,
        after,
        repeats,
        otherwise: failing.failure.otherwise,
        times: failing.failure.times,
        is_cut_short: false,
    }
}

/// Why the store is wrong: what should have been answered, and why, up to the clause that it breaks; and
/// the other clauses of that argument that the reply contradicts as well.
pub(crate) fn argument(failing: &Failing, clause: Clause) -> (String, Vec<Clause>) {
    let mut argument = why_expected(failing);
    if clause == Clause::Val1 && !failing.failure.refusals.is_empty() {
        argument.contradicted.push(Clause::Com4);
    }
    argument.contradicted.retain(|other| *other != clause);
    let text = match clause_applied(failing, clause) {
        Some(applied) if !argument.text.contains(clause.id()) => {
            format!("{}; {applied}", argument.text)
        }
        _ => argument.text,
    };
    (text, argument.contradicted)
}

#[cfg(test)]
mod tests;
