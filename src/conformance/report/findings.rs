//! Findings: what a check knows of every clause in the end.

use super::{Finding, Report, Status, Verdict, Violation};
use crate::clause::Clause;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::subject::profile::Profile;

/// What the findings of a report come to.
pub(crate) fn conclusion(report: &Report) -> Verdict {
    if !report.violations.is_empty() {
        return Verdict::Violated;
    }
    let undecided = clauses_with(report, |status| status == Status::Undecided);
    if !undecided.is_empty() {
        return Verdict::Undecided(format!(
            "the search for an order of overlapping calls was given up, and they might show a \
             violation of {}",
            undecided.join(" ")
        ));
    }
    let all_asked = report.clauses.len() == Clause::STORE.len();
    let is_open = |status| match status {
        Status::Vacuous => report.has_searched(),
        // Nobody expects these, unless they were asked for by name.
        Status::NotChecked | Status::ByConstruction | Status::NotClaimed => !all_asked,
        _ => false,
    };
    let open = clauses_with(report, is_open);
    let nothing_ran = report.searches.iter().all(|search| search.programs == 0);
    if open.is_empty() && nothing_ran {
        Verdict::Undecided("no program was run".to_owned())
    } else if open.is_empty() {
        Verdict::Conforms
    } else {
        let clauses = open.join(" ");
        Verdict::Undecided(format!(
            "nothing that was run could show a violation of {clauses}"
        ))
    }
}

fn clauses_with(report: &Report, is_so: impl Fn(Status) -> bool) -> Vec<&'static str> {
    let findings = report.clauses.iter();
    let such = findings.filter(|finding| is_so(finding.status));
    such.map(|finding| finding.clause.id()).collect()
}

impl Finding {
    /// What is known of every clause of stores, or of those in `only`. For those in `undecided`, not
    /// every history was decided; `restarts` tells whether the subject can restart its store.
    pub(crate) fn all(
        tally: &Tally,
        undecided: &[Clause],
        violations: &[Violation],
        profile: &Profile,
        only: &[Clause],
        restarts: bool,
    ) -> Vec<Self> {
        let asked = |clause: &&Clause| only.is_empty() || only.contains(clause);
        let violated = |clause| violations.iter().any(|found| found.clause == clause);
        let cited = |clause| {
            let mut violations = violations.iter();
            violations.find_map(|found| found.cited.contains(&clause).then_some(found.clause))
        };
        let finding = |&clause| {
            let exercised = tally.exercised(clause);
            let see = cited(clause).filter(|_| !violated(clause));
            let status = if violated(clause) {
                Status::Violated
            } else if Clause::BY_CONSTRUCTION.contains(&clause) {
                Status::ByConstruction
            } else if profile.why_unclaimed(clause).is_some() {
                Status::NotClaimed
            } else if see.is_some() {
                Status::Cited
            } else if Clause::NOT_CHECKED.contains(&clause)
                || !restarts && Clause::RESTARTED.contains(&clause)
            {
                Status::NotChecked
            } else if undecided.contains(&clause) {
                Status::Undecided
            } else if exercised == 0 {
                Status::Vacuous
            } else {
                Status::Kept
            };
            Self {
                clause,
                status,
                see: see.filter(|_| status == Status::Cited),
                exercised,
            }
        };
        Clause::STORE.iter().filter(asked).map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::report::Searched;

    /// What is concluded where every clause was exercised, and histories for these are undecided.
    fn concluded(undecided: &[Clause]) -> Report {
        let mut tally = Tally::default();
        for clause in Clause::STORE {
            tally.exercise(*clause);
        }
        let mut report = Report::of_nothing();
        report.searches.push(Searched {
            name: "concurrent",
            claim: String::new(),
            programs: 1,
            steps: 1,
        });
        let profile = Profile::default();
        report.clauses = Finding::all(&tally, undecided, &[], &profile, &[], true);
        report.verdict = conclusion(&report);
        report
    }

    #[test]
    fn a_search_that_was_given_up_is_no_conformance() {
        assert_eq!(concluded(&[]).verdict, Verdict::Conforms);
        let report = concluded(Clause::CONCURRENT);
        let Verdict::Undecided(why) = &report.verdict else {
            panic!("{report}");
        };
        assert!(why.ends_with("a violation of CON-1 CON-2"), "{why}");
        let status = |clause| {
            let finding = report
                .clauses
                .iter()
                .find(|finding| finding.clause == clause);
            finding.map(|finding| finding.status)
        };
        assert_eq!(status(Clause::Con1), Some(Status::Undecided));
        assert_eq!(status(Clause::Can1), Some(Status::Kept));
    }
}
