//! Beside: what else was called, besides the calls that no order explains.

use super::Disorder;
use crate::clause::Clause;
use crate::conformance::history::{History, Record};
use crate::conformance::program::Operation;

impl Disorder {
    /// What is needed to see that it is wrong need not be what made it so: where none of these calls
    /// overlap, those that were under way with them are told.
    pub(super) fn among(mut self, history: &History) -> Self {
        const MOST: usize = 4;
        let is_needed = |record: &Record| {
            let mut needed = self.records.iter();
            needed.any(|needed| needed.invoked == record.invoked)
        };
        let meets = |record: &Record| self.records.iter().any(|needed| needed.overlaps(record));
        let alone = |record: &Record| {
            let mut others = self
                .records
                .iter()
                .filter(|one| one.invoked != record.invoked);
            !others.any(|other| other.overlaps(record))
        };
        let others = history.records().iter();
        let others = others.filter(|record| !is_needed(record) && meets(record));
        let others: Vec<String> = others
            .map(|record| Operation(&record.op).to_string())
            .collect();
        if others.is_empty() || !self.records.iter().all(alone) {
            return self;
        }
        let more = match others.len().saturating_sub(MOST) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let some = others
            .iter()
            .take(MOST)
            .map(String::as_str)
            .collect::<Vec<_>>();
        self.context = format!("at the same time, by others: {}{more}\n", some.join("; "));
        self
    }

    /// A cancelled prepare says nothing, and one of another id is not among the calls; where neither
    /// they nor anything else was cancelled, the store would have been right.
    pub(super) fn with_cancelled(mut self, history: &History) -> Self {
        let is_cancelled = |record: &&Record| record.outcome.is_none();
        if self.clause != Clause::Can1 || self.records.iter().any(|record| record.outcome.is_none())
        {
            return self;
        }
        let last = self.records.iter().map(|record| record.returned).max();
        let is_before = |record: &&Record| Some(record.invoked) < last;
        let all = history
            .records()
            .iter()
            .filter(is_cancelled)
            .filter(is_before);
        let cancelled: Vec<Record> = all.cloned().collect();
        if let Some(first) = cancelled.first() {
            let calls = match cancelled.len() {
                1 => "a call was".to_owned(),
                many => format!("{many} calls were"),
            };
            let call = Operation(&first.op);
            let begin = self.records.iter().map(|record| record.invoked).min();
            let which = match cancelled.iter().all(|record| Some(record.returned) < begin) {
                true => "these",
                false => "the last of these",
            };
            self.lanes += &format!("before {which}, {calls} cancelled: {call}\n");
            self.records.splice(0..0, cancelled);
            self.records.sort_by_key(|record| record.invoked);
        }
        self
    }
}
