//! Context: what else was called, besides the calls that no order explains.

use super::anomaly::{Anomaly, lane, name};
use crate::clause::Clause;
use crate::conformance::judge::history::{History, Record};
use crate::conformance::program::Operation;

impl Anomaly {
    /// What is needed to see that it is wrong need not be what made it so: where none of these calls
    /// overlap, those that were under way with them are told.
    pub(super) fn among(mut self, history: &History) -> Self {
        const MOST: usize = 4;
        let drawn = self.drawn();
        let is_needed = |record: &Record| {
            let mut needed = drawn.iter();
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
        // What they were under way with says what they cannot have come behind.
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for other in others {
            let needed = self.records.iter().filter(|needed| needed.overlaps(other));
            let call =
                |needed: &Record| format!("c{}'s {}", lane(&drawn, needed), name(&needed.op));
            let needed: Vec<String> = needed.map(call).collect();
            let (needed, call) = (needed.join(" and "), format!("{:#}", Operation(&other.op)));
            match groups.iter_mut().find(|(known, _)| *known == needed) {
                Some((_, calls)) => calls.push(call),
                None => groups.push((needed, vec![call])),
            }
        }
        if groups.is_empty() || !self.records.iter().all(alone) {
            return self;
        }
        let lines = groups.iter().map(|(needed, calls)| {
            let more = match calls.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let some = calls[..calls.len().min(MOST)].join("; ");
            format!("at the same time as {needed}, by others: {some}{more}\n")
        });
        self.context = lines.collect();
        self
    }

    /// A cancelled prepare says nothing, and one of another id is not among the calls; where neither
    /// they nor anything else was cancelled, the store would have been right.
    pub(super) fn with_cancelled(mut self, history: &History) -> Self {
        let is_drawn = |record: &&Record| {
            let mut beside = self.beside.iter();
            beside.any(|drawn| drawn.invoked == record.invoked)
        };
        let is_cancelled = |record: &&Record| record.outcome.is_none() && !is_drawn(record);
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
            self.lanes += &format!("before {which}, {calls} cancelled: {call:#}\n");
            self.records.splice(0..0, cancelled);
            self.records.sort_by_key(|record| record.invoked);
        }
        self
    }
}
