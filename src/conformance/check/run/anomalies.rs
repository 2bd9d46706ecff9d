//! Anomalies: from calls that no order explains to what is told of them.

use super::{REPLAY, Run};
use crate::clause::Clause;
use crate::conformance::explain::counterexample;
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::judge::schedule::Luck;
use crate::conformance::program::Program;
use crate::conformance::report::Violation;
use crate::conformance::search::histories::SHORT;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Run<'_> {
    /// Of calls that no order explains: those of each clause that are the fewest, made fewer still. Those of
    /// a short program come first, since of a long one nobody knows which calls made the store so.
    pub(super) fn convict_anomalies(&mut self, name: &'static str, anomalies: Vec<Anomaly>) {
        let cancelled = |found: &&Anomaly| found.clause == Clause::Can1;
        let mut of_cancelled = anomalies.iter().filter(cancelled);
        let is_wrong_if_late = of_cancelled.any(|found| found.is_right_if_late == Some(false));
        let rank = |anomaly: &Anomaly| {
            let is_long = |program: &Program| program.ops().len() > SHORT;
            (
                anomaly.program.as_ref().is_some_and(is_long),
                anomaly.luck == Some(Luck::Threads),
                anomaly.size(),
            )
        };
        let mut smallest: BTreeMap<Clause, Anomaly> = BTreeMap::new();
        for mut anomaly in anomalies {
            // To claim that calls may come late would not do if some history stayed wrong.
            if is_wrong_if_late {
                anomaly.is_right_if_late = Some(false);
            }
            match smallest.entry(anomaly.clause) {
                Entry::Vacant(vacant) => {
                    vacant.insert(anomaly);
                }
                Entry::Occupied(mut known) if rank(&anomaly) < rank(known.get()) => {
                    known.insert(anomaly);
                }
                Entry::Occupied(_) => {}
            }
        }
        self.publish_anomalies(name, smallest.values().cloned());
        for anomaly in smallest.into_values() {
            let progress = |_| {};
            let context = self.context(&progress);
            let mut anomaly = match name {
                REPLAY => counterexample::as_given(anomaly),
                _ => counterexample::smallest(&context, anomaly),
            };
            if is_wrong_if_late {
                anomaly.is_right_if_late = Some(false);
            }
            self.keep(Violation::of_calls(anomaly, name));
        }
    }

    /// Tells also what was found, as it is: while it is made smaller, a call may hang.
    fn publish_anomalies(&mut self, name: &'static str, found: impl Iterator<Item = Anomaly>) {
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
    use crate::conformance::Factory;
    use crate::conformance::check::settings::Settings;
    use crate::conformance::report::Report;
    use crate::conformance::search::found::Found;
    use crate::conformance::subject::profile::Profile;
    use crate::memstore::MemStore;
    use std::sync::{Arc, Mutex};

    /// What is told of these, which were found in histories of that kind.
    fn told(name: &'static str, found: Vec<Anomaly>) -> (Report, Option<Report>) {
        let subject = Arc::new(Factory(MemStore::with_clock));
        let profile = Profile::default();
        let (settings, so_far) = (Settings::default(), Mutex::default());
        let mut run = Run::new(&subject, &settings, &profile, &so_far);
        let found = Found {
            anomalies: found,
            ..Found::default()
        };
        run.record(name, found);
        let report = run.conclude();
        (report, so_far.into_inner().unwrap().report)
    }

    fn found(clause: Clause, is_right_if_late: Option<bool>) -> Anomaly {
        Anomaly {
            clause,
            records: Vec::new(),
            beside: Vec::new(),
            lanes: String::new(),
            context: String::new(),
            because: "it was found".to_owned(),
            after: 1,
            program: None,
            luck: None,
            repeats: false,
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
