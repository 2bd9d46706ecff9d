//! Causes: the calls that it takes for clients to go wrong. Those that no order explains show that it is
//! wrong, and often not why: what made it so may have been another client's call, or what was before.

use crate::clause::Clause;
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::search::Searcher;
use crate::conformance::search::concurrent::Concurrent;
use crate::conformance::search::plan::Plan;
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::panics;
use std::cell::Cell;
use std::time::Duration;

/// Simpler scenarios are tried for no longer than this.
const ENOUGH: Duration = Duration::from_secs(2);

impl Searcher<'_> {
    /// The same anomaly from no more calls than it takes, with those told; as it was where it does not
    /// come again.
    pub(crate) fn with_causes(&self, anomaly: Anomaly) -> Anomaly {
        let clause = anomaly.clause;
        let (mut shown, spent) = (None, Cell::default());
        let mut shows = |scenario: &Scenario| {
            let found = panics::silently(|| self.shown_by(scenario, clause, &spent));
            let is_shown = found.is_some();
            shown = found.or(shown.take());
            is_shown
        };
        let Some(scenario) = anomaly.scenario.as_deref().cloned().filter(&mut shows) else {
            return anomaly;
        };
        let scenario = scenario.simplest(self.tick, || spent.get() > ENOUGH, shows);
        let Some(mut shown) = shown else {
            return anomaly;
        };
        let is_more = match scenario.plan() {
            Some(plan) => plan.ops().count() > shown.records.len() || !plan.linger.is_zero(),
            // After how many polls is in no drawing.
            None => true,
        };
        shown.context = match is_more {
            true => format!("it takes these calls:\n{}", indented(&scenario.lines(None))),
            false => String::new(),
        };
        shown.after = anomaly.after;
        shown
    }

    /// What several tries show to be wrong under this clause.
    fn shown_by(
        &self,
        scenario: &Scenario,
        clause: Clause,
        spent: &Cell<Duration>,
    ) -> Option<Anomaly> {
        if scenario.is_cancelling() != (clause == Clause::Can1) {
            return None;
        }
        // A panic is ERR-1, and a mix CON-2, of clients that are run for the sake of CON-1.
        let sake = match clause {
            Clause::Can1 => clause,
            _ => Clause::Con1,
        };
        scenario.tries(self, spent).find_map(|records| {
            let (records, mut found) = (records.ok()?, Concurrent::default());
            let mut short =
                |plan: &Plan, made| self.judge_short(plan, made, records.clone(), sake, &mut found);
            match scenario {
                Scenario::Tasks(plan) => short(plan, Scenario::Tasks),
                Scenario::Threads(plan) => short(plan, Scenario::Threads),
                Scenario::Cancelled(program, polls) => {
                    self.judge_cancelled(program, *polls, records, &mut found);
                }
            }
            found.anomalies.pop().filter(|found| found.clause == clause)
        })
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}\n"));
    lines.collect()
}
