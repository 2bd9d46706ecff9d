//! Histories: what is told of calls that no order explains.

use super::Violation;
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::program::outcome::Outcome;
use crate::model::{Op, Reply};

impl Violation {
    /// Of calls that overlap, or of which some were cancelled.
    pub(crate) fn of_calls(anomaly: Anomaly, search: &'static str) -> Self {
        let last = anomaly
            .records
            .iter()
            .rev()
            .find_map(|record| record.outcome.clone());
        let because = anomaly.because();
        let ops: Vec<Op> = anomaly
            .records
            .into_iter()
            .map(|record| record.op)
            .collect();
        Self {
            clause: anomaly.clause,
            program: ops.into(),
            expected: None,
            got: last.unwrap_or(Outcome::Replied(Reply::Done)),
            because,
            near_miss: None,
            refused_ids: Vec::new(),
            history: Some(anomaly.lanes + &anomaly.context),
            search,
            after: anomaly.after,
            repeats: false,
            otherwise: Vec::new(),
        }
    }
}
