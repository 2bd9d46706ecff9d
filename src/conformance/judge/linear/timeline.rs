//! Timeline: the calls of a history as they happened, with all that is known of them in hindsight.

use super::call::{Call, Kind, Outcome, Rules, Start, Value};
use crate::conformance::judge::spans::Span;
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
    returns: Vec<u32>,
    /// Every commit of a value, in the order of the values, then of the calls.
    commits: Vec<(Value, u32)>,
    /// By call, for the only commit of a value: how many calls are invoked until the last prepare that
    /// found it has been.
    found_until: Vec<Option<u32>>,
    /// By call: the latest moment at which a prepare can find something gone that is there when the call
    /// is invoked, before something else is written.
    found_gone_until: Vec<Nanos>,
    /// How far was looked ahead: so many calls have returned, the last of them then.
    returned: usize,
    until: u64,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(calls: &'a [Call], rules: &'a Rules) -> Self {
        let mut returns = returns(calls);
        let spans = spans(calls, &returns);
        returns.retain(|call| !calls[*call as usize].is_open());
        let mut commits: Vec<_> = (0u32..)
            .zip(calls)
            .filter_map(|(index, call)| match call.kind {
                Kind::Commit { value, .. } => Some((value, index)),
                _ => None,
            })
            .collect();
        commits.sort_unstable();
        let mut timeline = Self {
            calls,
            rules,
            spans,
            returns,
            commits,
            found_until: Vec::new(),
            found_gone_until: Vec::new(),
            returned: 0,
            until: 0,
        };
        timeline.look_ahead(timeline.returns.len());
        timeline
    }

    /// The calls that have returned, as far as was looked ahead.
    pub(super) fn returns(&self) -> &[u32] {
        &self.returns[..self.returned]
    }

    /// Looks ahead to so many returns, and no further.
    pub(super) fn look_ahead(&mut self, returned: usize) {
        self.returned = returned;
        let last = self.returns().last();
        self.until = last.map_or(0, |last| self.call(*last).returned);
        let mut found_until = vec![None; self.calls.len()];
        if self.rules.start == Start::Empty {
            for same in self.commits.chunk_by(|one, next| one.0 == next.0) {
                if let [(_, commit)] = same {
                    found_until[*commit as usize] = Some(0);
                }
            }
        }
        for (number, call) in (1u32..).zip(self.calls) {
            if let Kind::Found(value) = call.kind
                && self.is_certain(call)
                && let Some(commit) = self.commits_from(value, 0).next()
                && let Some(found_until) = &mut found_until[commit as usize]
            {
                *found_until = number;
            }
        }
        self.found_until = found_until;

        // By how many calls have been invoked: the latest moment of a prepare among them that found
        // nothing.
        let mut latest = vec![Nanos::MIN];
        for (call, span) in self.calls.iter().zip(&self.spans) {
            let before = latest.last().copied().unwrap_or(Nanos::MIN);
            latest.push(match call.kind {
                Kind::Nothing => before.max(span.to),
                _ => before,
            });
        }
        let mut until = vec![Nanos::MAX; self.calls.len() + 1];
        for (index, call) in self.calls.iter().enumerate().rev() {
            let writes =
                matches!(call.kind, Kind::Commit { .. } | Kind::Drop) && self.is_certain(call);
            until[index] = until[index + 1];
            if writes {
                let invoked = self
                    .calls
                    .partition_point(|other| other.invoked < call.returned);
                until[index] = until[index].min(latest[invoked]);
            }
        }
        self.found_gone_until = until;
    }

    /// Whether a call has taken effect for certain, as far as was looked ahead.
    pub(super) fn is_certain(&self, call: &Call) -> bool {
        call.outcome == Outcome::Certain && call.returned <= self.until
    }

    pub(super) fn call(&self, index: u32) -> &'a Call {
        &self.calls[index as usize]
    }

    /// The time to live that a commit gave.
    pub(super) fn ttl(&self, commit: u32) -> Option<Nanos> {
        match self.call(commit).kind {
            Kind::Commit { ttl, .. } => Some(ttl),
            _ => None,
        }
    }

    /// When a call can have taken effect.
    pub(super) fn span(&self, index: u32) -> Span {
        self.spans[index as usize]
    }

    /// How many calls are invoked until nobody will find what this commit wrote any more; unknown if
    /// its value may be there in another way.
    pub(super) fn found_until(&self, commit: u32) -> Option<u32> {
        self.found_until[commit as usize]
    }

    /// The latest moment at which a prepare can find something gone that is there once so many calls have
    /// been invoked, before something else is written.
    pub(super) fn found_gone_until(&self, invoked: u32) -> Nanos {
        self.found_gone_until[invoked as usize]
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
