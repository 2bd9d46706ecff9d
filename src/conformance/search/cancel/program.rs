//! Program: calls of one client, of which one is cancelled.

use crate::conformance::judge::history::Record;
use crate::conformance::program::{Operation, OutcomeText};
use crate::model::Op;
use std::iter::repeat_n;
use std::mem;

/// A program with a call that is cancelled, once or many times.
#[derive(Clone)]
pub(crate) struct Cancelled {
    pub(crate) ops: Vec<Op>,
    /// Which.
    pub(super) at: usize,
    pub(super) times: usize,
}

impl Cancelled {
    /// The place of the operation that each call of a run is.
    pub(super) fn calls(&self) -> Vec<usize> {
        let each = self.ops.iter().enumerate();
        let each = each.filter(|(_, op)| !matches!(op, Op::Advance { .. }));
        each.flat_map(|(at, _)| repeat_n(at, if at == self.at { self.times } else { 1 }))
            .collect()
    }

    /// The program without the operation at `at`, which is not the one that is cancelled.
    pub(super) fn without(&self, at: usize) -> Self {
        let mut fewer = self.clone();
        fewer.ops.remove(at);
        fewer.at -= usize::from(at < self.at);
        fewer
    }

    /// Programs with less in them, but for the call that is cancelled: without all that comes after the
    /// next call first; then with prepares in place of other calls.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let ends = self.at + 2..self.ops.len();
        let shorter = ends.map(|end| {
            let mut shorter = self.clone();
            shorter.ops.truncate(end);
            shorter
        });
        let others = (0..self.ops.len()).filter(|at| *at != self.at);
        let fewer = others.map(|at| self.without(at));
        let halvings = [1, self.times / 2, self.times - 1].into_iter();
        let seldom = halvings.filter(|times| (1..self.times).contains(times));
        let seldom = seldom.map(|times| Self {
            times,
            ..self.clone()
        });
        let prepares = (0..self.ops.len()).filter_map(|at| {
            let id = self.ops[at].id()?.to_owned();
            let mut plainer = self.clone();
            let before = mem::replace(&mut plainer.ops[at], Op::Prepare { id });
            (before != plainer.ops[at]).then_some(plainer)
        });
        shorter.chain(fewer).chain(seldom).chain(prepares).collect()
    }

    /// The program without the one that is cancelled, so that none is.
    pub(super) fn without_the_call(&self) -> Self {
        let mut fewer = self.clone();
        fewer.ops.remove(self.at);
        fewer.at = usize::MAX;
        fewer
    }

    /// An operation a line, with what came of it; of that which is cancelled after so many polls, that
    /// it is.
    pub(crate) fn lines(&self, polls: usize, came_of: impl Fn(usize) -> String) -> String {
        let each = self.ops.iter().enumerate();
        let each = each.map(|(at, op)| {
            let came_of = match at == self.at {
                true => {
                    let polls = format!("{polls} poll{}", if polls == 1 { "" } else { "s" });
                    let times = match self.times {
                        1 => String::new(),
                        times => format!(", {times} times"),
                    };
                    format!("   cancelled after {polls}{times}")
                }
                false => came_of(at),
            };
            format!("{}{came_of}\n", Operation(op))
        });
        each.collect()
    }

    /// The same with what its calls returned.
    pub(super) fn lanes(&self, polls: usize, records: &[Record]) -> String {
        let calls = self.calls();
        self.lines(polls, |at| {
            let call = calls.iter().position(|call| *call == at);
            let outcome = call.and_then(|call| records.get(call)?.outcome.as_ref());
            outcome.map_or_else(String::new, |outcome| {
                format!("   {}", OutcomeText(outcome))
            })
        })
    }
}
