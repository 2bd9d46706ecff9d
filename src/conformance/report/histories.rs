//! Histories: what is told of calls that no order explains.

use super::Violation;
use crate::clause::Clause;
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::judge::schedule::Luck;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::outline::outline;
use crate::conformance::program::shape::Together;
use crate::conformance::program::{OutcomeText, Program};
use crate::model::{Op, Reply};
use std::collections::BTreeMap;

impl Violation {
    /// Of calls that overlap, or of which some were cancelled.
    pub(crate) fn of_calls(anomaly: Anomaly, search: &'static str) -> Self {
        let last = anomaly
            .records
            .iter()
            .rev()
            .find_map(|record| record.outcome.clone());
        let because = anomaly.because();
        let of_calls = || {
            let calls = anomaly.records.iter().map(|record| record.op.clone());
            Program::from(calls.collect::<Vec<Op>>())
        };
        let program = anomaly.program.clone().unwrap_or_else(of_calls);
        Self {
            clause: anomaly.clause,
            cited: Vec::new(),
            program,
            expected: None,
            got: last.unwrap_or(Outcome::Replied(Reply::Done)),
            because,
            near_miss: None,
            refusals: BTreeMap::new(),
            history: Some(anomaly.lanes + &anomaly.context),
            search,
            after: anomaly.after,
            luck: anomaly.luck.map(|luck| luck.to_string()),
            repeats: anomaly.repeats,
            otherwise: Vec::new(),
            is_cut_short: false,
            times: Vec::new(),
        }
    }

    /// Of a program whose calls overlap or are cancelled, one of which did not return.
    pub(crate) fn of_hang(
        program: Program,
        because: String,
        got: Outcome,
        search: &'static str,
        repeats: bool,
    ) -> Self {
        let clause = match program.is_cancelling() {
            true => Clause::Can1,
            false => Clause::Err1,
        };
        let last = program.ops().len().saturating_sub(1);
        let history = outline(&program, |at| match repeats && at == last {
            true => format!("   {:#}", OutcomeText(&got)),
            false => String::new(),
        });
        let mut together = program.together().iter();
        let luck = match together.any(Together::is_at_once) {
            true => Some(Luck::Threads),
            false => (!repeats).then_some(Luck::Woken),
        };
        Self {
            clause,
            cited: Vec::new(),
            because,
            program,
            expected: None,
            near_miss: None,
            refusals: BTreeMap::new(),
            history: Some(history),
            luck: luck.map(|luck| luck.to_string()),
            search,
            after: 0,
            repeats,
            otherwise: Vec::new(),
            is_cut_short: false,
            times: Vec::new(),
            got,
        }
    }
}
