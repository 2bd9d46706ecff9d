//! Histories: the searches in what several clients do at once, and in cancelled calls.

use super::Run;
use crate::clause::Clause;
use crate::conformance::check::budget::Budget;
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::report::Violation;
use crate::conformance::search::concurrent::{self, Concurrent};
use crate::conformance::search::{Progress, Search};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Run<'_> {
    /// The searches in histories of several clients, and of cancelled calls.
    pub(super) fn histories(
        &mut self,
        budget: &Budget,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<(), String> {
        // A panic or a hang where calls meet is ERR-1, of a store whose calls may meet.
        let by_clients = |clause| clause == Clause::Err1 || Clause::CONCURRENT.contains(&clause);
        let profile = self.searcher.profile;
        let is_claimed = |clause: &Clause| profile.why_unclaimed(*clause).is_none();
        let sure = self.settings.sequences.map_or(0, |_| concurrent::SURE);
        let may_meet = budget.clients > 1 && Clause::CONCURRENT.iter().any(is_claimed);
        if may_meet && self.wants(by_clients) {
            self.publish("concurrent");
            let search = concurrent::Budget {
                clients: budget.clients,
                sure,
                short: budget.sequences / 2,
                tasks: budget.sequences / 20,
                threads: (budget.sequences / 500).clamp(4, 1_000),
            };
            let found = self
                .searcher
                .concurrent(search, self.report.seed, progress)?;
            let claim = format!(
                "{{programs}} histories of up to {} clients at once on one or two ids, as tasks polled \
                 in random order and as threads, judged for linearizability id by id",
                budget.clients
            );
            self.take_histories("concurrent", claim, Clause::CONCURRENT, found);
        }
        if self.wants(|clause| Clause::CANCELLED.contains(&clause)) {
            self.publish("cancelled");
            // What races shows among others without cancelling anything.
            let mut violations = self.report.violations.iter();
            let short = match violations.any(|found| by_clients(found.clause)) {
                true => 0,
                false => budget.sequences / 5,
            };
            let seed = self.report.seed;
            let found = self.searcher.cancelled(short, budget.clients, sure, seed)?;
            let claim = match short {
                0 => {
                    "{programs} histories in which one call is cancelled, after every number of polls \
                     up to where it returns"
                }
                _ => {
                    "{programs} histories in which one call is cancelled, after every number of polls \
                     up to where it returns, or some are, among those of other clients"
                }
            };
            self.take_histories("cancelled", claim.to_owned(), Clause::CANCELLED, found);
        }
        Ok(())
    }

    fn take_histories(
        &mut self,
        name: &'static str,
        claim: String,
        clauses: &[Clause],
        found: Concurrent,
    ) {
        let mut search = Search {
            tally: found.tally,
            ..Search::default()
        };
        if found.undecided > 0 {
            self.undecided.0 += found.undecided;
            self.undecided.1.extend(clauses);
        }
        self.failed += found.failed;
        for caught in found.sequential {
            if !self.symptoms.contains(&caught.failure.symptom()) {
                search.catch(caught);
            }
        }
        self.take(name, claim, search);
        let cancelled = |found: &&Anomaly| found.clause == Clause::Can1;
        let mut of_cancelled = found.anomalies.iter().filter(cancelled);
        let is_wrong_if_late = of_cancelled.any(|found| found.is_right_if_late == Some(false));
        let mut smallest: BTreeMap<Clause, Anomaly> = BTreeMap::new();
        for mut anomaly in found.anomalies {
            // To claim that calls may come late would not do if some history stayed wrong.
            if is_wrong_if_late {
                anomaly.is_right_if_late = Some(false);
            }
            match smallest.entry(anomaly.clause) {
                Entry::Vacant(vacant) => {
                    vacant.insert(anomaly);
                }
                Entry::Occupied(mut known) if anomaly.size() < known.get().size() => {
                    known.insert(anomaly);
                }
                Entry::Occupied(_) => {}
            }
        }
        self.publish_found(name, smallest.values().cloned());
        for anomaly in smallest.into_values() {
            let mut anomaly = self.searcher.with_causes(anomaly);
            if is_wrong_if_late {
                anomaly.is_right_if_late = Some(false);
            }
            self.keep(Violation::of_calls(anomaly, name));
        }
    }

    /// Tells also what was found, as it is: while its causes are looked for, a call may hang.
    fn publish_found(&mut self, name: &'static str, found: impl Iterator<Item = Anomaly>) {
        let known = self.report.violations.clone();
        for anomaly in found {
            self.keep(Violation::of_calls(anomaly, name));
        }
        self.publish(name);
        self.report.violations = known;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Made;
    use crate::conformance::check::Settings;
    use crate::conformance::report::Report;
    use crate::conformance::subject::profile::Profile;
    use crate::memstore::MemStore;
    use std::sync::{Arc, Mutex};

    /// What is told of these, which were found in histories of that kind.
    fn told(name: &'static str, found: Vec<Anomaly>) -> (Report, Option<Report>) {
        let subject = Arc::new(Made(MemStore::with_clock));
        let profile = Profile::default();
        let (settings, so_far) = (Settings::default(), Mutex::default());
        let mut run = Run::new(&subject, &settings, &profile, &so_far);
        let found = Concurrent {
            anomalies: found,
            ..Concurrent::default()
        };
        run.take_histories(name, String::new(), Clause::CONCURRENT, found);
        let report = run.conclude();
        (report, so_far.into_inner().unwrap().report)
    }

    fn found(clause: Clause, is_right_if_late: Option<bool>) -> Anomaly {
        Anomaly {
            clause,
            records: Vec::new(),
            lanes: String::new(),
            context: String::new(),
            because: "it was found".to_owned(),
            after: 1,
            scenario: None,
            is_right_if_late,
        }
    }

    #[test]
    fn what_was_found_is_told_before_its_causes_are_looked_for() {
        let (_, before) = told("concurrent", vec![found(Clause::Con1, Some(false))]);
        let before = before.map(|report| report.violations[0].because.clone());
        assert_eq!(before.as_deref(), Some("it was found"));
    }

    #[test]
    fn a_claim_is_only_hinted_at_where_all_would_be_right_with_it() {
        let hints = |others: &[Option<bool>]| {
            let one = found(Clause::Can1, Some(true));
            let others = others.iter().map(|is_late| found(Clause::Can1, *is_late));
            let (report, _) = told("cancelled", [one].into_iter().chain(others).collect());
            report.violations[0].because.contains("`Profile::remote`")
        };
        assert!(hints(&[]) && hints(&[Some(true), None]));
        assert!(!hints(&[Some(false)]) && !hints(&[Some(true), Some(false)]));
    }
}
