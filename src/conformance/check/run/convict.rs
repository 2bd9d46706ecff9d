//! Convict: from the failing programs of a search to the clauses that the store breaks.

use super::Run;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::explain::diagnose;
use crate::conformance::explain::diagnose::Diagnosis;
use crate::conformance::explain::hidden;
use crate::conformance::explain::shrink;
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Mistake;
use crate::conformance::judge::failure::Probe;
use crate::conformance::judge::flaky;
use crate::conformance::judge::flaky::Flaky;
use crate::conformance::judge::flaky::comes_again;
use crate::conformance::report::Violation;
use crate::conformance::search::restarts;
use crate::conformance::search::{Caught, Search};
use crate::conformance::subject::Passing;
use crate::conformance::subject::workers;
use crate::model::Op;
use std::collections::BTreeSet;
use std::time::Duration;

/// In longer programs nothing hidden is looked for: it takes long, and there are shorter ones.
const LONGEST: usize = 64;

/// Where time goes on by itself, a program is shrunk for no longer: tries take as long as they wait, and
/// a time at which sums overflow, which is shrunk to the very instant, moves on meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What came of a failing program.
struct Convicted {
    violation: Violation,
    /// As small as it gets, if it failed again.
    shrunk: Option<Failing>,
    /// Whether the store goes by chance.
    is_luck: bool,
}

impl Run<'_> {
    /// Shrinks what a search caught, names the clauses, and keeps the smallest program of each.
    pub(super) fn convict(&mut self, name: &'static str, search: Search) {
        self.symptoms.extend(search.caught.keys());
        let caught: Vec<Caught> = search.caught.into_values().collect();
        let all = workers::each(caught.len(), |index| self.convicted(name, &caught[index]));
        for one in all {
            // A backend that could not answer just then has to say so (ERR-2).
            let Some(one) = one else {
                self.errors += 1;
                continue;
            };
            self.keep(one.violation);
            self.known.extend(one.shrunk);
            self.searcher.goes_by_chance |= one.is_luck;
            self.searcher.is_wrong_alone = true;
        }
        // Of what passes without a part, that may be luck.
        if !self.searcher.goes_by_chance {
            self.convict_hidden(name, &search.more);
        }
    }

    /// Nothing for an error that does not come again.
    fn convicted(&self, name: &'static str, caught: &Caught) -> Option<Convicted> {
        let (ops, tick) = (&caught.ops, self.searcher.tick);
        let is_exact = self.searcher.subject.passing() == Passing::Injected;
        let (runs, clock) = (self.searcher.runner(ops), SystemClock::new());
        let run = |ops: &[Op]| match is_exact || clock.now() < LONGEST_WAIT {
            true => runs(ops),
            false => None,
        };
        let with_a_restart = |ops: &[Op]| restarts::needing_one(ops, run);
        let run: Probe<'_> = match with_a_restart(ops) {
            Some(_) => &with_a_restart,
            None => &run,
        };
        let as_caught = || Failing {
            ops: ops.clone(),
            failure: caught.failure.clone(),
        };
        let mut shrunk = shrink::shrink(ops.clone(), tick, run);
        let repeats = |failing: &Failing| comes_again(&failing.ops, &runs);
        if caught.failure.mistake() == Mistake::Failed && !shrunk.as_ref().is_some_and(repeats) {
            return None;
        }
        let luck = Flaky::new(run);
        let at_last = |ops: &[Op]| luck.run(ops);
        let is_luck = is_exact && flaky::is_likely(&shrunk.clone().unwrap_or_else(as_caught), run);
        let run: Probe<'_> = if is_luck { &at_last } else { run };
        if is_luck {
            shrunk = shrink::shrink(ops.clone(), tick, run);
        }
        let mut shown = shrunk.clone().map(|failing| self.plainest(failing, run));
        let mut often = None;
        if is_luck {
            often = shown.as_ref().and_then(|shown| luck.how_often(&shown.ops));
            // What fails no more, tells nothing of what matters in it.
            shown = shown.filter(|_| often.is_some());
        }
        let mut diagnosis = shown.as_ref().map(|failing| self.diagnose(failing, run));
        if let Some(diagnosis) = diagnosis.as_mut().filter(|_| is_luck) {
            diagnosis.near_miss = often;
        }
        let shown = shown.unwrap_or_else(as_caught);
        Some(Convicted {
            violation: violation(shown, name, caught.after, diagnosis),
            shrunk,
            is_luck,
        })
    }

    /// The same for what hides behind known defects. Where time must be waited for, that would take
    /// too long.
    fn convict_hidden(&mut self, name: &'static str, caught: &[Caught]) {
        if self.searcher.subject.passing() != Passing::Injected {
            return;
        }
        // As many operations as a tenth of a second allows.
        let budget = match self.searcher.is_in_lockstep() {
            true => 500_000,
            false => 25_000,
        };
        let caught: Vec<&Caught> = caught
            .iter()
            .filter(|caught| caught.ops.len() <= LONGEST && !caught.ops.contains(&Op::Restart))
            .collect();
        let mistakes: BTreeSet<Mistake> = caught.iter().map(|c| c.failure.mistake()).collect();
        let mistakes: Vec<Mistake> = mistakes.into_iter().collect();
        let (tick, known) = (self.searcher.tick, &self.known);
        let found = workers::each(mistakes.len(), |index| {
            let mistake = mistakes[index];
            let such: Vec<&Caught> = caught
                .iter()
                .filter(|caught| caught.failure.mistake() == mistake)
                .copied()
                .collect();
            let run = self.searcher.runner(&such[0].ops);
            let found = hidden::search(mistake, &such, known, tick, budget, &run);
            let comes_again =
                |failing: &Failing| mistake != Mistake::Failed || comes_again(&failing.ops, &run);
            let found = found.into_iter().filter(|(one, _)| comes_again(one));
            let diagnosed = found.map(|(failing, after)| {
                let shown = self.plainest(failing.clone(), &run);
                let diagnosis = self.diagnose(&shown, &run);
                let violation = violation(shown, name, after, Some(diagnosis));
                (violation, failing)
            });
            diagnosed.collect::<Vec<_>>()
        });
        for (violation, failing) in found.into_iter().flatten() {
            self.keep(violation);
            self.known.push(failing);
        }
    }

    /// What shows the same defect more plainly, where its first sign is that something else is found.
    pub(super) fn plainest(&self, mut failing: Failing, run: Probe<'_>) -> Failing {
        if self.searcher.subject.passing() != Passing::Injected {
            return failing;
        }
        while let Some(plainer) = diagnose::without_the_remnant(&failing, run) {
            match shrink::shrink(plainer.ops, self.searcher.tick, run) {
                Some(plainer) => failing = plainer,
                None => break,
            }
        }
        failing
    }

    pub(super) fn diagnose(&self, failing: &Failing, run: Probe<'_>) -> Diagnosis {
        let is_exact = self.searcher.subject.passing() == Passing::Injected;
        let probe = is_exact.then_some(run);
        let near = self.searcher.is_in_lockstep().then_some(run);
        Diagnosis::of(failing, self.searcher.tick, probe, near)
    }

    /// Whether the store claims to keep the clause, and this check looks at it.
    pub(super) fn is_asked_for(&self, clause: Clause) -> bool {
        let only = &self.settings.only;
        let is_looked_at = only.is_empty() || only.contains(&clause);
        is_looked_at && self.searcher.profile.why_unclaimed(clause).is_none()
    }

    /// Takes in a violation of a clause that was asked for, unless a smaller one is known.
    pub(super) fn keep(&mut self, violation: Violation) {
        let clause = violation.clause;
        if !self.is_asked_for(clause) {
            return;
        }
        let known = &mut self.report.violations;
        match known.iter_mut().find(|known| known.clause == clause) {
            Some(known) if size(&violation) < size(known) => *known = violation,
            Some(_) => {}
            None => known.push(violation),
        }
        known.sort_by_key(|violation| violation.clause);
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
    Violation {
        clause,
        because: diagnose::argument(&failing, clause),
        near_miss,
        refused_ids: failing.failure.refused_ids,
        program: failing.ops.into(),
        expected: Some(failing.failure.expected.reply),
        got: failing.failure.outcome,
        history: None,
        search,
        after,
        repeats,
        otherwise: failing.failure.otherwise,
    }
}

/// By what the smaller of two programs is told: its operations, then its text.
fn size(violation: &Violation) -> (usize, usize) {
    let program = &violation.program;
    (program.ops().len(), program.to_string().len())
}
