//! Shorten: what can be told in fewer operations, when all searches that run programs have ended.

use super::Run;
use crate::conformance::explain::diagnose::violation;
use crate::conformance::explain::probe::of_symptom;
use crate::conformance::explain::shrink;
use crate::conformance::judge::failure::Failing;
use crate::conformance::program::fewer;
use crate::conformance::report::Violation;
use crate::conformance::subject::workers;
use crate::model::Op;

/// How many shorter programs may turn out to show another defect, which is known.
const TRIES: usize = 8;

impl Run<'_> {
    /// Puts shorter programs in place of those that are not the shortest, also where these show a clause
    /// to be broken that no other does: of one defect, that is the plainer sign. All programs of few operations
    /// have been run by then.
    pub(super) fn shorten(&mut self) {
        let depth = self.budget.depth;
        if !self.runner.is_in_lockstep() || self.is_flaky {
            return;
        }
        let violations = &self.report.violations;
        let is_long = |at: &usize| {
            let program = &violations[*at].program;
            let ops = program.ops();
            violations[*at].history.is_none()
                && ops.len() > depth + 1
                && !ops.contains(&Op::Restart)
        };
        let long: Vec<usize> = (0..violations.len()).filter(is_long).collect();
        let shorter = workers::each(long.len(), |index| self.shorter(&violations[long[index]]));
        for (at, shorter) in long.into_iter().zip(shorter).rev() {
            if let Some(shorter) = shorter {
                self.report.violations.remove(at);
                self.keep(shorter);
            }
        }
    }

    fn shorter(&self, known: &Violation) -> Option<Violation> {
        let (runs, tick) = (self.runner.runs(known.program.ops()), self.runner.tick);
        let ops = known.program.ops().to_vec();
        let failures = runs(&ops);
        let mut at_last = failures.iter();
        let at_last = at_last.find(|failure| failure.at + 1 == ops.len());
        let failure = at_last.or(failures.first())?.clone();
        let failing = Failing { ops, failure };
        let run = of_symptom(failing.failure.symptom(), &runs);
        let (mut shorter, mut in_vain) = (None, 0);
        let expected = &failing.failure.expected.reply;
        fewer::fewer(&failing.ops, expected, |ops| {
            if run(ops).is_none() {
                return false;
            }
            let shrunk = shrink::shrink(ops, tick, &run);
            let shown = shrunk.map(|failing| {
                let (shown, diagnosis) = self.told(failing, &runs);
                violation(shown, known.search, known.after, Some(diagnosis))
            });
            shorter = shown.filter(|shorter| self.may_replace(known, shorter));
            if shorter.is_some() {
                return true;
            }
            in_vain += 1;
            in_vain == TRIES
        });
        shorter
    }

    /// Whether it shows the same clause, or one that was asked for and is not known to be broken.
    fn may_replace(&self, known: &Violation, shorter: &Violation) -> bool {
        let is_known = |clause| {
            let mut violations = self.report.violations.iter();
            violations.any(|violation| violation.clause == clause)
        };
        let is_new = !is_known(shorter.clause) && self.is_asked_for(shorter.clause);
        shorter.clause == known.clause || is_new
    }
}

#[cfg(test)]
mod tests;
