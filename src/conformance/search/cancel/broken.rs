//! Broken: stores that fail with errors once a call was cancelled. "Later calls work" (CAN-1).
//!
//! An error alone is a call of unknown outcome, and no violation. But these come whenever the call is
//! cancelled, and never when it is done to its end or not made at all.

use super::Cancelled;
use crate::conformance::judge::history::Record;
use crate::conformance::judge::nonlinearizable::{self, Anomaly};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::search::Searcher;
use crate::store::BoxError;

/// A backend that fails now and then does not do so in every one of so many runs.
const RUNS: usize = 8;

/// What is remote is called so often before it is said to fail for ever.
const ENOUGH: usize = 3;

impl Searcher<'_> {
    /// The smallest program next to this one whose last call fails because an earlier one was
    /// cancelled; `records` is what the program showed when its call was polled so often.
    pub(super) fn broken(
        &self,
        program: &Cancelled,
        polls: usize,
        records: &[Record],
    ) -> Result<Option<Anomaly>, BoxError> {
        let Some(end) = self.first_failure(program, records) else {
            return Ok(None);
        };
        // What is remote must fail to the end every time, not only at first.
        if self.profile.remote && self.breaks(program, polls)?.is_none() {
            return Ok(None);
        }
        let mut broken = program.clone();
        broken.ops.truncate(end + 1);
        let Some(mut shown) = self.breaks(&broken, polls)? else {
            return Ok(None);
        };
        let mut at = 0;
        while at + 1 < broken.ops.len() {
            if at != broken.at {
                let fewer = broken.without(at);
                if let Some(less) = self.breaks(&fewer, polls)? {
                    (broken, shown) = (fewer, less);
                    continue;
                }
            }
            at += 1;
        }
        let records: Vec<&Record> = shown.iter().collect();
        let lanes = broken.lanes(polls, &shown);
        Ok(records
            .last()
            .map(|last| nonlinearizable::broken(&records, last, lanes)))
    }

    /// The place of the first call that was not cancelled and failed. What is remote may still be at
    /// the cancelled call and need a moment; so it must fail to the end.
    fn first_failure(&self, program: &Cancelled, records: &[Record]) -> Option<usize> {
        let calls = program.calls();
        let later = || {
            let all = calls.iter().zip(records);
            all.skip_while(|(_, record)| record.outcome.is_some())
                .filter(|(_, record)| record.outcome.is_some())
        };
        let end = later().find(|(_, record)| has_failed(record))?.0;
        let all_fail =
            || later().count() >= ENOUGH && later().all(|(_, record)| has_failed(record));
        let is_over = !self.profile.remote || all_fail();
        is_over.then_some(*end)
    }

    /// What the calls return, if the last one fails whenever one is cancelled, and none does otherwise.
    fn breaks(&self, program: &Cancelled, polls: usize) -> Result<Option<Vec<Record>>, BoxError> {
        let mut shown = None;
        for _ in 0..RUNS {
            let records = self.run_cancelled(program, polls)?;
            let is_cancelled = records.iter().any(|record| record.outcome.is_none());
            let all = records.len() == program.calls().len();
            if !all || !is_cancelled || !records.last().is_some_and(has_failed) {
                return Ok(None);
            }
            let to_its_end = self.run_cancelled(program, usize::MAX)?;
            let not_made = self.run_cancelled(&program.without_the_call(), usize::MAX)?;
            if to_its_end.iter().chain(&not_made).any(has_failed) {
                return Ok(None);
            }
            shown = Some(records);
        }
        Ok(shown)
    }
}

fn has_failed(record: &Record) -> bool {
    matches!(record.outcome, Some(Outcome::Failed(_)))
}
