//! Convict: from the failing programs of a search to the clauses that the store breaks.

use super::claimed::Claimed;
use super::{REPLAY, Run};
use crate::clause::Clause;
use crate::conformance::check::searches::SEARCHES;
use crate::conformance::explain::diagnose::{self, Diagnosis, violation};
use crate::conformance::explain::probe::{Runs, beside, of_symptom};
use crate::conformance::explain::{crash, masked, shrink};
use crate::conformance::judge::failure::{Class, Failing, Mistake, Probe};
use crate::conformance::judge::flaky::{self, Flaky, comes_again};
use crate::conformance::judge::until::Until;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::shape::Together;
use crate::conformance::report::Violation;
use crate::conformance::search::definition::Takes;
use crate::conformance::search::found::{Caught, Found};
use crate::conformance::search::restarted;
use crate::conformance::subject::workers;
use crate::model::Op;
use std::collections::BTreeSet;
use std::time::Duration;

/// In longer programs nothing that is masked is looked for: it takes long, and there are shorter ones.
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
    is_flaky: bool,
}

impl Run<'_> {
    /// Shrinks what a search caught, names the clauses, and keeps the smallest program of each.
    pub(super) fn convict(&mut self, name: &'static str, mut found: Found) {
        if is_of_histories(name) {
            // What one client shows as well, the searches in its programs tell more plainly.
            let is_new = |class: &Class| !self.classes.contains(class);
            found.caught.retain(|class, _| is_new(class));
            found.more.retain(|one| is_new(&one.failure.class()));
        }
        self.classes.extend(found.caught.keys());
        let caught: Vec<Caught> = found.caught.into_values().collect();
        let all = workers::each(caught.len(), |index| self.convicted(name, &caught[index]));
        for one in all {
            // A backend that could not answer just then has to say so (ERR-2).
            let Some(one) = one else {
                self.errors += 1;
                continue;
            };
            let is_crash = matches!(one.violation.got, Outcome::Died(_));
            self.keep(one.violation);
            self.known.extend(one.shrunk);
            self.is_flaky |= one.is_flaky;
            self.fails_alone |= !is_crash;
        }
        // Of what passes without a part, that may be flaky.
        if !self.is_flaky {
            self.convict_masked(name, &found.more);
        }
        self.convict_anomalies(name, found.anomalies);
    }

    /// Of what ended its process: it is only run in others.
    fn convicted_of_crash(&self, name: &'static str, caught: &Caught) -> Convicted {
        let elsewhere = self.isolation.as_ref();
        let shrunk = elsewhere.and_then(|one| crash::shrink(one, &caught.ops, self.runner.tick));
        let violation = match shrunk {
            Some((failing, near_miss)) => {
                let diagnosis = Diagnosis::of_crash(near_miss);
                violation(failing, name, caught.after, Some(diagnosis))
            }
            None => violation(caught.as_failing(), name, caught.after, None),
        };
        Convicted {
            violation,
            shrunk: None,
            is_flaky: false,
        }
    }

    /// Nothing for an error that does not come again.
    fn convicted(&self, name: &'static str, caught: &Caught) -> Option<Convicted> {
        if let Outcome::Died(_) = caught.failure.outcome {
            return Some(self.convicted_of_crash(name, caught));
        }
        let (ops, tick) = (&caught.ops, self.runner.tick);
        let is_exact = self.runner.is_exact();
        let mut runner = self.runner;
        if !is_exact && !runner.until.has_end() {
            runner.until = Until::within(LONGEST_WAIT);
        }
        let all = runner.runs(ops);
        let claimed = Claimed::of(ops, &self.runner.profile.supported);
        let runs: Runs<'_> = &|ops| match claimed.has_all(ops) {
            true => all(ops),
            false => Vec::new(),
        };
        let run = of_symptom(caught.failure.symptom(), runs);
        let may_lose = !self.runner.profile.durable;
        let with_a_restart = |ops: &[Op]| restarted::needing_one(ops, may_lose, &run);
        let run: Probe<'_> = match with_a_restart(ops) {
            Some(_) => &with_a_restart,
            None => &run,
        };
        let as_caught = || caught.as_failing();
        let mut shrunk = shrink::shrink(ops, tick, run);
        let repeats = |failing: &Failing| comes_again(&failing.ops, run);
        if caught.failure.mistake() == Mistake::Failed && !shrunk.as_ref().is_some_and(repeats) {
            return None;
        }
        let flaky = Flaky::new(run);
        let is_flaky = is_exact && flaky::is_likely(&shrunk.clone().unwrap_or_else(as_caught), run);
        let (shown, diagnosis) = if is_flaky {
            let run = |ops: &[Op]| flaky.run(ops);
            shrunk = shrink::shrink(ops, tick, run);
            self.told_of_flaky(shrunk.clone(), &flaky)
        } else {
            let told = shrunk.clone().map(|failing| self.told(failing, runs));
            told.unzip()
        };
        let given = run(ops).map(|failure| Failing::cut(ops, failure));
        let (shown, diagnosis) = match (given, diagnosis) {
            (Some(given), Some(diagnosis)) if name == REPLAY => {
                // It is told as it is. Which clause it breaks, the smallest of its kind says.
                let beside = beside(&given, runs);
                let near_miss = match is_flaky {
                    true => diagnosis.near_miss,
                    false => self.diagnose(&given, &beside).near_miss,
                };
                let diagnosis = Diagnosis {
                    near_miss,
                    ..diagnosis
                };
                (Some(given), Some(diagnosis))
            }
            (_, diagnosis) => (shown, diagnosis),
        };
        let shown = shown.unwrap_or_else(as_caught);
        let violation = Violation {
            is_cut_short: runner.until.is_over(),
            ..violation(shown, name, caught.after, diagnosis)
        };
        Some(Convicted {
            violation,
            shrunk,
            is_flaky,
        })
    }

    /// What the smallest program of a symptom shows.
    pub(super) fn told(&self, failing: Failing, runs: Runs<'_>) -> (Failing, Diagnosis) {
        let shown = self.plainest(failing, runs);
        let diagnosis = self.diagnose(&shown, &beside(&shown, runs));
        (shown, diagnosis)
    }

    /// The same of a store that goes by chance. What fails no more, tells nothing of what matters in it.
    fn told_of_flaky(
        &self,
        failing: Option<Failing>,
        flaky: &Flaky<'_>,
    ) -> (Option<Failing>, Option<Diagnosis>) {
        let often = |failing: &Failing| flaky.how_often(&failing.ops);
        let Some((failing, often)) = failing.and_then(|one| often(&one).map(|often| (one, often)))
        else {
            return (None, None);
        };
        let diagnosis = Diagnosis {
            near_miss: Some(often),
            ..self.diagnose(&failing, &|ops| flaky.run(ops))
        };
        (Some(failing), Some(diagnosis))
    }

    /// The same for what known defects mask. Where time must be waited for, that would take
    /// too long.
    fn convict_masked(&mut self, name: &'static str, caught: &[Caught]) {
        if !self.runner.is_exact() {
            return;
        }
        // As many operations as a tenth of a second allows.
        let budget = match self.runner.is_in_lockstep() {
            true => 500_000,
            false => 25_000,
        };
        let caught: Vec<&Caught> = caught
            .iter()
            .filter(|caught| caught.ops.len() <= LONGEST && !caught.ops.contains(&Op::Restart))
            .collect();
        let mistakes: BTreeSet<Mistake> = caught.iter().map(|c| c.failure.mistake()).collect();
        let mistakes: Vec<Mistake> = mistakes.into_iter().collect();
        let (tick, known) = (self.runner.tick, &self.known);
        let found = workers::each(mistakes.len(), |index| {
            let mistake = mistakes[index];
            let such: Vec<&Caught> = caught
                .iter()
                .filter(|caught| caught.failure.mistake() == mistake)
                .copied()
                .collect();
            let runs = self.runner.runs(&such[0].ops);
            let run = |ops: &[Op]| {
                let mut failures = runs(ops).into_iter();
                failures.find(|failure| failure.mistake() == mistake)
            };
            let found = masked::search(mistake, &such, known, tick, budget, &run);
            let comes_again =
                |failing: &Failing| mistake != Mistake::Failed || comes_again(&failing.ops, &run);
            let found = found.into_iter().filter(|(one, _)| comes_again(one));
            let diagnosed = found.map(|(failing, after)| {
                let (shown, diagnosis) = self.told(failing.clone(), &runs);
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
    fn plainest(&self, mut failing: Failing, runs: Runs<'_>) -> Failing {
        if !self.runner.is_exact() {
            return failing;
        }
        let tick = self.runner.tick;
        while let Some(plainer) =
            diagnose::without_a_disguise(&failing, tick, &beside(&failing, runs))
        {
            let run = of_symptom(plainer.failure.symptom(), runs);
            match shrink::shrink(&plainer.ops, tick, run) {
                Some(plainer) => failing = plainer,
                None => break,
            }
        }
        failing
    }

    fn diagnose(&self, failing: &Failing, run: Probe<'_>) -> Diagnosis {
        let is_exact = self.runner.is_exact();
        let probe = is_exact.then_some(run);
        let near = self.runner.is_in_lockstep().then_some(run);
        let mut diagnosis = Diagnosis::of(failing, self.runner.tick, probe, near);
        let supported = &self.runner.profile.supported;
        if diagnosis.clause == Clause::Idn2
            && let Some(claimed) = Claimed::of(&failing.ops, supported).ids
        {
            // Ids that are claimed are not strange: what does it break under those that never are?
            let plain = claimed.with_tokens(failing);
            let run = |ops: &[Op]| run(&claimed.with_claimed(ops));
            let probe: Option<Probe<'_>> = if is_exact { Some(&run) } else { None };
            diagnosis.clause = Diagnosis::of(&plain, self.runner.tick, probe, None).clause;
        }
        if diagnosis.clause == Clause::Snp4 && !supported.has_values_of(&failing.ops) {
            // What becomes of a value that is not claimed.
            diagnosis.clause = Clause::Val1;
        }
        let diagnosis = match is_exact {
            true => diagnosis,
            false => diagnosis.or_of_short_life(failing, self.runner.tick, run),
        };
        match self.runner.until.is_over() {
            // What was not run says nothing.
            true => Diagnosis::of(failing, self.runner.tick, None, None),
            false => diagnosis,
        }
    }

    /// Whether the store claims to keep the clause, and this check looks at it.
    pub(super) fn is_asked_for(&self, clause: Clause) -> bool {
        let only = &self.settings.only;
        let is_looked_at = only.is_empty() || only.contains(&clause);
        is_looked_at && self.runner.profile.why_unclaimed(clause).is_none()
    }

    /// Takes in a violation of a clause that was asked for, unless a smaller one is known. Where its
    /// heading was not asked for, another clause that it breaks is.
    pub(super) fn keep(&mut self, mut violation: Violation) {
        let Some(heading) = violation.broken().find(|clause| self.is_asked_for(*clause)) else {
            return;
        };
        violation.head(heading);
        let known = &mut self.report.violations;
        match known.iter_mut().find(|known| known.clause == heading) {
            Some(known) if size(&violation) < size(known) => *known = violation,
            Some(_) => {}
            None => known.push(violation),
        }
        known.sort_by_key(|violation| violation.clause);
    }
}

/// By what the better of two programs is told: whether its threads meet by luck, its operations, its text.
fn size(violation: &Violation) -> (bool, usize, usize) {
    let program = &violation.program;
    (
        program.together().iter().any(Together::is_at_once),
        program.ops().len(),
        program.to_string().len(),
    )
}

fn is_of_histories(name: &str) -> bool {
    let mut searches = SEARCHES.iter();
    searches.any(|search| search.name == name && search.takes == Takes::Histories)
}
