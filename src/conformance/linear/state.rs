//! State: what may be the case after some of the calls have taken effect, in some order.
//!
//! Of the moments only this is kept: the least possible time now `T`, and `lo <= D <= hi` for the
//! deadline `D` of the live entry. That loses nothing. Let `u` be the uncertainty, and the deadline
//! lie from `a` to `K` after the moment of its commit. The possible pairs of deadline and time `t`
//! are then always `{lo <= D <= hi, t >= T, t >= D - K}`, and as `lo <= T + K` the last bound never
//! binds more than `T` does once `D` is low enough. A prepare in `[from, to]` that finds the entry
//! adds `D > t - u`, and its own time is an upper bound on the commit's: `hi <= to + K`.

use super::timeline::Timeline;
use super::{Kind, Start, Value};
use crate::model::Nanos;

/// A set of calls that are under way, by their slots.
pub(super) type Slots = u128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The calls under way that have not taken effect.
    pub(super) open: Slots,
    /// Those of them that may have written just before the last write did, so that nobody saw it.
    pub(super) unseen: Slots,
    pub(super) entry: Entry,
    /// The least possible time.
    pub(super) time: Nanos,
    /// The least and the greatest possible deadline of the live entry. Of an expired one, `hi` is the
    /// latest time at which it can have been found gone.
    lo: Nanos,
    hi: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing is there.
    None,
    /// Nobody has looked at what was there before the first call.
    Untold,
    /// What was there before the first call is this.
    Initial(Value),
    /// What this commit wrote.
    Live(u32),
    /// What this commit wrote has expired.
    Expired(u32),
}

impl State {
    pub(super) fn new(start: Start) -> Self {
        Self {
            open: 0,
            unseen: 0,
            entry: match start {
                Start::Empty => Entry::None,
                Start::Unknown => Entry::Untold,
            },
            time: Nanos::MIN,
            lo: 0,
            hi: 0,
        }
    }

    /// The value of the live entry, as far as somebody has seen it.
    pub(super) fn value(&self, timeline: &Timeline) -> Option<Value> {
        match self.entry {
            Entry::Initial(value) => Some(value),
            Entry::Live(commit) => match timeline.call(commit).kind {
                Kind::Commit { value, .. } => Some(value),
                _ => None,
            },
            Entry::None | Entry::Untold | Entry::Expired(_) => None,
        }
    }

    /// The commit of the live entry.
    pub(super) fn commit(&self) -> Option<u32> {
        match self.entry {
            Entry::Live(commit) => Some(commit),
            _ => None,
        }
    }

    /// The state after a call has taken effect, if it can do so now. `slot` is that of the call.
    pub(super) fn after(mut self, call: u32, slot: Slots, timeline: &Timeline) -> Option<Self> {
        let span = timeline.span(call);
        self.open &= !slot;
        self.time = self.time.max(span.from);
        match timeline.call(call).kind {
            Kind::Found(value) => self.find(value, span.to, timeline)?,
            Kind::Nothing => self.miss(span.to, timeline),
            Kind::Commit { ttl, .. } => {
                let (least, most) = timeline.rules.life(ttl);
                self.entry = Entry::Live(call);
                self.lo = self.time.saturating_add(least);
                self.hi = span.to.saturating_add(most);
            }
            Kind::Drop => self.clear(),
        }
        (self.time <= span.to).then_some(self)
    }

    fn clear(&mut self) {
        self.entry = Entry::None;
        (self.lo, self.hi) = (0, 0);
    }

    fn find(&mut self, value: Value, to: Nanos, timeline: &Timeline) -> Option<()> {
        if self.entry == Entry::Untold {
            self.entry = Entry::Initial(value);
            (self.lo, self.hi) = (Nanos::MIN, Nanos::MAX);
        }
        if self.value(timeline) != Some(value) {
            return None;
        }
        let latest = match self.entry {
            Entry::Live(commit) => to.saturating_add(life(commit, timeline).1),
            _ => Nanos::MAX,
        };
        self.hi = self.hi.min(latest);
        self.lo = self.lo.max(
            self.time
                .saturating_sub(timeline.rules.uncertainty)
                .saturating_add(1),
        );
        (self.lo <= self.hi).then_some(())
    }

    fn miss(&mut self, to: Nanos, timeline: &Timeline) {
        match self.entry {
            Entry::None => {}
            Entry::Expired(_) => self.hi = self.hi.min(to),
            Entry::Untold => self.clear(),
            Entry::Initial(_) | Entry::Live(_) if timeline.rules.may_evict => self.clear(),
            Entry::Initial(_) | Entry::Live(_) => {
                let expired = self.lo.saturating_sub(timeline.rules.uncertainty);
                self.time = self.time.max(expired);
                match self.entry {
                    Entry::Live(commit) => {
                        self.entry = Entry::Expired(commit);
                        (self.lo, self.hi) = (0, to);
                    }
                    _ => self.clear(),
                }
            }
        }
    }

    /// The state if a write had taken effect just before the last one, if it can have.
    pub(super) fn having_missed(
        mut self,
        call: u32,
        slot: Slots,
        timeline: &Timeline,
    ) -> Option<Self> {
        // The last write comes no earlier than this one. The calls since have returned after this one
        // was invoked, so they need not be looked at again.
        let from = timeline.span(call).from;
        self.open &= !slot;
        self.unseen &= !slot;
        self.time = self.time.max(from);
        match self.entry {
            Entry::Live(commit) => {
                let earliest = from.saturating_add(life(commit, timeline).0);
                self.lo = self.lo.max(earliest);
                (self.lo <= self.hi).then_some(self)
            }
            Entry::Expired(commit) => {
                let earliest = from.saturating_add(life(commit, timeline).0);
                let expired = earliest.saturating_sub(timeline.rules.uncertainty);
                self.time = self.time.max(expired);
                (expired <= self.hi).then_some(self)
            }
            Entry::None | Entry::Untold | Entry::Initial(_) => Some(self),
        }
    }

    /// Whether the live entry can be gone at `to`, if the next call takes effect no earlier than
    /// `from`.
    pub(super) fn can_expire(&self, from: Nanos, to: Nanos, timeline: &Timeline) -> bool {
        let expired = self.lo.saturating_sub(timeline.rules.uncertainty);
        timeline.rules.may_evict || self.time.max(from).max(expired) <= to
    }

    /// Whether whatever may follow `other` may follow this too: it has as many calls behind it that
    /// bind it, as many left that it need not make, and wider bounds.
    pub(super) fn covers(&self, other: &Self, reads: Slots, unknown: Slots) -> bool {
        let more = self.open & !other.open;
        let fewer = other.open & !self.open;
        self.entry == other.entry
            && more & !unknown == 0
            && fewer & !reads == 0
            && other.unseen & !self.unseen == 0
            && self.time <= other.time
            && self.lo <= other.lo
            && self.hi >= other.hi
    }
}

/// How long after the moment of this commit its deadline may be.
fn life(commit: u32, timeline: &Timeline) -> (Nanos, Nanos) {
    match timeline.call(commit).kind {
        Kind::Commit { ttl, .. } => timeline.rules.life(ttl),
        _ => (0, 0),
    }
}
