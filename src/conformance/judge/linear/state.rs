//! State: what may be the case after some of the calls have taken effect, in some order.
//!
//! Each call reads the clock once, at some moment between its invocation and its return, which need not
//! be the one at which it takes effect: a store may work out a deadline before it waits for its lock.
//! So all that is kept of the moments is `lo <= D <= hi` for the deadline `D` of the entry. A prepare in
//! `[from, to]` that finds the entry adds `D + r > from - u`, where `u` is the uncertainty and `r` the
//! resolution, and each that finds it gone needs `D <= to + u`: if another call has freed it before, the
//! clock has not gone back since. Between `D` and `D + r` it is found until some call finds it gone, for
//! whatever reason: a store may sweep now and then. From there on nobody finds it any more (TTL-4).

use super::call::{Kind, Rules, Start, Value};
use super::timeline::Timeline;
use crate::conformance::judge::spans::Span;
use crate::model::Nanos;

/// A call that has been invoked and has not returned.
#[derive(Clone, Copy)]
pub(super) struct UnderWay {
    pub(super) call: u32,
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) returned: u64,
    /// Somebody finds what it writes.
    pub(super) is_awaited: bool,
}

/// A set of calls that are under way, by their slots.
pub(super) type Slots = u128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The calls under way that have not taken effect.
    pub(super) open: Slots,
    /// Those of them that may have written just before the last write did, so that nobody saw it.
    pub(super) unseen: Slots,
    pub(super) entry: Entry,
    /// The least and the greatest possible deadline of the live entry.
    pub(super) lo: Nanos,
    pub(super) hi: Nanos,
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
    /// Something that nobody will find any more; it may expire.
    Spent,
    /// Something that was found gone.
    Expired,
}

impl State {
    pub(super) fn new(start: Start) -> Self {
        let (entry, lo, hi) = match start {
            Start::Empty => (Entry::None, 0, 0),
            Start::Unknown => (Entry::Untold, Nanos::MIN, Nanos::MAX),
        };
        Self {
            open: 0,
            unseen: 0,
            entry,
            lo,
            hi,
        }
    }

    /// The value of the live entry, as far as somebody may find it.
    pub(super) fn value(&self, timeline: &Timeline) -> Option<Value> {
        match self.entry {
            Entry::Initial(value) => Some(value),
            Entry::Live(commit) => match timeline.call(commit).kind {
                Kind::Commit { value, .. } => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a prepare would find nothing, at whatever time.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.entry, Entry::None | Entry::Expired)
    }

    /// The state after a call has taken effect, if it can do so now. `slot` is that of the call.
    pub(super) fn after(
        mut self,
        call: &UnderWay,
        slot: Slots,
        timeline: &Timeline,
    ) -> Option<Self> {
        let span = call.span;
        self.open &= !slot;
        match call.kind {
            Kind::Found(value) => self.find(value, span.from, timeline)?,
            Kind::Nothing => self.miss(span.to, timeline)?,
            Kind::Commit { ttl, .. } => {
                let (least, most) = timeline.rules.deadline(ttl);
                self.entry = Entry::Live(call.call);
                self.lo = span.from.saturating_add(least);
                self.hi = span.to.saturating_add(most);
            }
            Kind::Drop => self.clear(),
        }
        Some(self)
    }

    fn clear(&mut self) {
        self.entry = Entry::None;
        (self.lo, self.hi) = (0, 0);
    }

    fn find(&mut self, value: Value, from: Nanos, timeline: &Timeline) -> Option<()> {
        match self.entry {
            Entry::Untold => self.entry = Entry::Initial(value),
            _ if self.value(timeline) == Some(value) => {}
            _ => return None,
        }
        let ttl = match self.entry {
            Entry::Live(commit) => timeline.ttl(commit),
            _ => None,
        };
        let Rules { uncertainty, .. } = timeline.rules;
        let late = timeline.rules.late(ttl);
        let later = from.saturating_sub(*uncertainty).saturating_sub(late);
        self.lo = self.lo.max(later.saturating_add(1));
        (self.lo <= self.hi).then_some(())
    }

    fn miss(&mut self, to: Nanos, timeline: &Timeline) -> Option<()> {
        match self.entry {
            Entry::None => {}
            _ if timeline.rules.may_evict => self.clear(),
            _ => {
                self.entry = Entry::Expired;
                self.hi = Nanos::MAX;
                return (self.expired(timeline) <= to).then_some(());
            }
        }
        Some(())
    }

    /// When the live entry can be found gone.
    pub(super) fn expired(&self, timeline: &Timeline) -> Nanos {
        self.lo.saturating_sub(timeline.rules.uncertainty)
    }

    /// The state if these writes have taken effect just before the last one, or never.
    pub(super) fn having_missed(mut self, slots: Slots) -> Self {
        self.open &= !slots;
        self.unseen &= !slots;
        self
    }

    /// Forgets what makes no difference any more, once so many calls have been invoked and those under
    /// way that can only find the live entry have.
    pub(super) fn forget(mut self, invoked: u32, timeline: &Timeline) -> Self {
        if let Entry::Live(commit) = self.entry
            && timeline
                .found_until(commit)
                .is_some_and(|until| until <= invoked)
        {
            self.entry = Entry::Spent;
            // Those that found it have returned after whatever it may still have hidden was invoked.
            self.hi = Nanos::MAX;
        }
        if matches!(self.entry, Entry::Spent | Entry::Expired)
            && self.expired(timeline) > timeline.found_gone_until(invoked)
        {
            // It cannot be found gone before something else is written.
            self.lo = Nanos::MAX;
        }
        if self.entry == Entry::Spent && timeline.rules.may_evict {
            self.clear();
        }
        self
    }

    /// Whether whatever may follow `other` may follow this too: it has as many calls behind it that
    /// bind it, as many left that it need not make, and wider bounds.
    pub(super) fn covers(&self, other: &Self, reads: Slots, unknown: Slots) -> bool {
        let more = self.open & !other.open;
        let fewer = other.open & !self.open;
        let entry_does = match (self.entry, other.entry) {
            (Entry::None, Entry::None | Entry::Expired | Entry::Spent) => true,
            (one, other_one) => one == other_one && self.lo <= other.lo && self.hi >= other.hi,
        };
        entry_does
            && more & !unknown == 0
            && fewer & !reads == 0
            && other.unseen & !self.unseen == 0
    }
}
