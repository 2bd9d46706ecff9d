//! Timeline: the calls of a history as they happened, with all that is known of their moments.

use super::{Call, Kind, Outcome, Rules, Span, Value};
use crate::model::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub(super) struct Timeline<'a> {
    pub(super) calls: &'a [Call],
    pub(super) rules: &'a Rules,
    /// By call: the moments at which it can have taken effect.
    spans: Vec<Span>,
    /// The calls in the order in which they returned. Those whose outcome nobody ever learnt are not
    /// among them.
    pub(super) returns: Vec<u32>,
    /// Every commit of a value, in the order of the values, then of the calls.
    commits: Vec<(Value, u32)>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(calls: &'a [Call], rules: &'a Rules) -> Self {
        let returns = returns(calls);
        let mut commits: Vec<_> = (0u32..)
            .zip(calls)
            .filter_map(|(index, call)| match call.kind {
                Kind::Commit { value, .. } => Some((value, index)),
                _ => None,
            })
            .collect();
        commits.sort_unstable();
        Self {
            calls,
            rules,
            spans: spans(calls, &returns),
            returns: returns
                .into_iter()
                .filter(|call| !calls[*call as usize].is_open())
                .collect(),
            commits,
        }
    }

    pub(super) fn call(&self, index: u32) -> &'a Call {
        &self.calls[index as usize]
    }

    /// When a call can have taken effect.
    pub(super) fn span(&self, index: u32) -> Span {
        self.spans[index as usize]
    }

    /// How many times a value is committed.
    pub(super) fn is_committed_again(&self, value: Value, commit: Option<u32>) -> bool {
        self.commits_from(value, 0)
            .any(|other| Some(other) != commit)
    }

    /// The commits of a value among the calls from `first` on.
    pub(super) fn commits_from(&self, value: Value, first: u32) -> impl Iterator<Item = u32> {
        let start = self.commits.partition_point(|each| *each < (value, first));
        let here = self.commits[start..].iter();
        here.take_while(move |each| each.0 == value)
            .map(|each| each.1)
    }
}

impl Call {
    /// Whether it may still take effect after everything else.
    pub(super) fn is_open(&self) -> bool {
        self.outcome == Outcome::Unknown && self.returned == u64::MAX
    }
}

/// The calls in the order in which they returned.
fn returns(calls: &[Call]) -> Vec<u32> {
    let mut returns = Vec::with_capacity(calls.len());
    let mut under_way = BinaryHeap::new();
    for (index, call) in (0u32..).zip(calls) {
        while let Some(Reverse((returned, other))) = under_way.peek()
            && *returned < call.invoked
        {
            returns.push(*other);
            under_way.pop();
        }
        under_way.push(Reverse((call.returned, index)));
    }
    while let Some(Reverse((_, index))) = under_way.pop() {
        returns.push(index);
    }
    returns
}

/// Clocks are read outside of the calls, and some time may pass in between. So what one call read
/// bounds others too: those invoked no earlier from below, those that returned no later from above.
fn spans(calls: &[Call], returns: &[u32]) -> Vec<Span> {
    let mut from = Nanos::MIN;
    let mut spans: Vec<_> = calls
        .iter()
        .map(|call| {
            from = from.max(call.clock.from);
            Span {
                from,
                to: call.clock.to,
            }
        })
        .collect();
    let mut to = Nanos::MAX;
    for call in returns.iter().rev() {
        let span = &mut spans[*call as usize];
        to = to.min(span.to);
        span.to = to;
    }
    spans
}
