//! Flaky: what is left out of the report on a store that goes by chance.

use super::Run;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::report::Violation;
use crate::model::Op;
use std::mem;

impl Run<'_> {
    /// Of a store that goes by chance, leaves out what most likely is the same defect as something else:
    /// what failed once and not again, and what has all the calls of a shorter program in it.
    pub(super) fn forget_flaky(&mut self) {
        if !self.is_flaky {
            return;
        }
        let violations = &mut self.report.violations;
        let is_answer = |violation: &Violation| matches!(violation.got, Outcome::Replied(_));
        let comes_again = |violation: &Violation| {
            violation.repeats || violation.history.is_some() || !is_answer(violation)
        };
        let all = violations.clone();
        if all.iter().any(comes_again) {
            violations.retain(comes_again);
        }
        let programs = all.iter().filter(|one| one.repeats && is_answer(one));
        let programs: Vec<&Violation> = programs.collect();
        violations.retain(|violation| {
            let mut shorter = programs.iter();
            violation.history.is_some()
                || !is_answer(violation)
                || !shorter.any(|shorter| has_all_of(violation, shorter))
        });
        if violations.len() < all.len() {
            self.report.notes.push(
                "some programs are left out that failed once and not again, or have all the calls of a \
                 shorter one in them: since the store goes by chance, that is most likely what these show"
                    .to_owned(),
            );
        }
    }
}

/// Whether a program has the calls of a shorter one in it, in their order, and goes wrong alike.
fn has_all_of(long: &Violation, short: &Violation) -> bool {
    let replies = [long, short].map(|violation| match &violation.got {
        Outcome::Replied(reply) => Some(mem::discriminant(reply)),
        _ => None,
    });
    let expected = [long, short].map(|one| one.expected.as_ref().map(mem::discriminant));
    let [all, some] = [long, short].map(|violation| violation.program.ops());
    let mut left = all.iter();
    replies[0] == replies[1]
        && expected[0] == expected[1]
        && all.len() > some.len()
        && some.iter().all(|op| left.any(|other| is_alike(op, other)))
}

/// Whether two operations are of the same kind and on the same id.
fn is_alike(one: &Op, other: &Op) -> bool {
    mem::discriminant(one) == mem::discriminant(other) && one.id() == other.id()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Clause;
    use crate::conformance::Factory;
    use crate::conformance::check::settings::Settings;
    use crate::conformance::explain::diagnose::{Diagnosis, violation};
    use crate::conformance::judge::failure::{Failing, Failure};
    use crate::conformance::program::{Program, payload};
    use crate::conformance::subject::profile::Profile;
    use crate::memstore::MemStore;
    use crate::model::Reply;
    use std::sync::{Arc, Mutex};

    /// Of a clause, and whether its program failed again.
    fn found(clause: Clause, outcome: Outcome, comes_again: bool) -> Violation {
        found_in(
            "commit A v1 ttl 1s; prepare A",
            clause,
            outcome,
            comes_again,
        )
    }

    fn found_in(program: &str, clause: Clause, outcome: Outcome, comes_again: bool) -> Violation {
        let ops = program.parse::<Program>().unwrap().ops().to_vec();
        let failure = Failure::of_last(&ops, outcome);
        let diagnosis = comes_again.then_some(Diagnosis {
            clause,
            near_miss: None,
        });
        Violation {
            clause,
            ..violation(Failing { ops, failure }, "random", 1, diagnosis)
        }
    }

    /// What is left of this, and what is noted.
    fn kept(goes_by_chance: bool, found: Vec<Violation>) -> (Vec<Clause>, Vec<String>) {
        let subject = Arc::new(Factory(MemStore::with_clock));
        let profile = Profile::default();
        let (settings, so_far) = (Settings::default(), Mutex::default());
        let mut run = Run::new(&subject, &settings, &profile, &so_far);
        run.is_flaky = goes_by_chance;
        run.report.violations = found;
        run.forget_flaky();
        let left = run.report.violations.iter().map(|left| left.clause);
        (left.collect(), run.report.notes)
    }

    const NOTHING: Outcome = Outcome::Replied(Reply::Nothing);

    #[test]
    fn of_a_store_that_goes_by_chance_what_failed_once_is_left_out() {
        let again = || found(Clause::Com5, NOTHING, true);
        let once = || found(Clause::Ttl1, NOTHING, false);
        let (left, notes) = kept(true, vec![again(), once()]);
        assert_eq!(left, [Clause::Com5]);
        assert!(notes[0].contains("failed once and not again"), "{notes:?}");
        let both = [Clause::Com5, Clause::Ttl1];
        assert_eq!(kept(false, vec![again(), once()]), (both.to_vec(), vec![]));
        let alone = vec![Clause::Ttl1];
        assert_eq!(kept(true, vec![once()]), (alone, vec![]));
    }

    #[test]
    fn of_a_store_that_goes_by_chance_what_a_shorter_program_shows_is_not_told_twice() {
        let short = || found(Clause::Com5, NOTHING, true);
        let longer = |program| found_in(program, Clause::Com8, NOTHING, true);
        let clauses = |program| kept(true, vec![short(), longer(program)]).0;
        let again = "commit A v1 ttl 2s; drop A; commit A v2 ttl 1s; prepare A";
        assert_eq!(clauses(again), [Clause::Com5]);
        let both = [Clause::Com5, Clause::Com8];
        // Not in it, not as long, on another id, or wrong in another way.
        for other in [
            "drop A; commit A v1 ttl 1s; commit A v1 ttl 1s",
            "commit A v1 ttl 9s; prepare A",
            "commit B v1 ttl 1s; prepare B; prepare B",
            "commit A v1 ttl 1s; drop A; prepare A",
        ] {
            assert_eq!(clauses(other), both, "{other}");
        }
        let found_another = Outcome::Replied(Reply::Found(payload::numbered(9, "A")));
        let changed = found_in(again, Clause::Com8, found_another, true);
        assert_eq!(kept(true, vec![short(), changed]).0, both);
        assert_eq!(kept(false, vec![short(), longer(again)]).0, both);
    }

    #[test]
    fn a_history_or_a_panic_is_kept_though_it_came_once() {
        let again = || found(Clause::Com5, NOTHING, true);
        let panic = found(Clause::Err1, Outcome::Panicked("oh".to_owned()), false);
        let history = Violation {
            history: Some("c1 |---|".to_owned()),
            ..found(Clause::Con1, NOTHING, false)
        };
        let all = vec![Clause::Com5, Clause::Err1, Clause::Con1];
        let (left, notes) = kept(true, vec![again(), panic, history]);
        assert_eq!((left, notes), (all, vec![]));
    }
}
