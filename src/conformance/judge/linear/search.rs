//! Search: every state in which the id can be when a call returns.

use super::call::{Judgement, Kind};
use super::state::{Entry, Slots, State, UnderWay};
use super::timeline::Timeline;

/// The states that are kept, and those that are looked at for one call. Beyond, the search is given
/// up.
const MOST: usize = 1 << 11;

#[cfg(test)]
thread_local! {
    /// How many states all searches of this thread have looked at.
    pub(super) static LOOKED_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

pub(super) struct Search<'a> {
    timeline: &'a Timeline<'a>,
    /// By slot: the call under way.
    under_way: Vec<UnderWay>,
    taken: Slots,
    founds: Slots,
    nothings: Slots,
    commits: Slots,
    drops: Slots,
    /// Those that need not take effect.
    unknown: Slots,
    /// The writes that nobody has to find.
    unread: Slots,
    /// How many calls have been invoked.
    invoked: u32,
    /// The call that returns.
    returning: Slots,
    states: Vec<State>,
    /// For the call that returns: the states after it.
    after: Vec<State>,
    /// For the call that returns: the states before it, with others of those under way ahead of it.
    before: Vec<State>,
}

/// Why a search ended early.
enum End {
    NoOrder,
    TooMany,
}

impl<'a> Search<'a> {
    pub(super) fn new(timeline: &'a Timeline<'a>) -> Self {
        Self {
            timeline,
            under_way: Vec::new(),
            taken: 0,
            founds: 0,
            nothings: 0,
            commits: 0,
            drops: 0,
            unknown: 0,
            unread: 0,
            invoked: 0,
            returning: 0,
            states: vec![State::new(timeline.rules.start)],
            after: Vec::new(),
            before: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Judgement {
        for call in self.timeline.returns() {
            match self.until_returned(*call) {
                Ok(()) => {}
                Err(End::NoOrder) => return Judgement::Wrong { at: *call as usize },
                Err(End::TooMany) => return Judgement::Undecided { at: *call as usize },
            }
        }
        Judgement::Linearizable
    }

    fn until_returned(&mut self, call: u32) -> Result<(), End> {
        let returned = self.timeline.call(call).returned;
        while let Some(next) = self.timeline.calls.get(self.invoked as usize)
            && next.invoked < returned
        {
            self.invoke()?;
        }
        match slots(self.taken).find(|slot| self.under_way(*slot).call == call) {
            Some(slot) => self.give_back(slot),
            // A prepare of unknown outcome: it says nothing.
            None => Ok(()),
        }
    }

    fn invoke(&mut self) -> Result<(), End> {
        let index = self.invoked;
        let call = self.timeline.call(index);
        self.invoked += 1;
        let is_unknown = !self.timeline.is_certain(call);
        if is_unknown && matches!(call.kind, Kind::Found(_) | Kind::Nothing) {
            return Ok(());
        }
        if self.taken == Slots::MAX {
            return Err(End::TooMany);
        }
        let slot: Slots = 1 << self.taken.trailing_ones();
        self.taken |= slot;
        let under_way = UnderWay {
            call: index,
            kind: call.kind,
            span: self.timeline.span(index),
            returned: call.returned,
            is_awaited: self
                .timeline
                .found_until(index)
                .is_some_and(|until| until > 0),
        };
        let place = slot.trailing_zeros() as usize;
        match self.under_way.get_mut(place) {
            Some(before) => *before = under_way,
            None => self.under_way.push(under_way),
        }
        *match call.kind {
            Kind::Found(_) => &mut self.founds,
            Kind::Nothing => &mut self.nothings,
            Kind::Commit { .. } => &mut self.commits,
            Kind::Drop => &mut self.drops,
        } |= slot;
        if is_unknown {
            self.unknown |= slot;
        }
        if call.kind == Kind::Drop || self.timeline.found_until(index) == Some(0) {
            self.unread |= slot;
        }
        for state in &mut self.states {
            state.open |= slot;
        }
        Ok(())
    }

    /// Returns from a call: only those states are left in which it has taken effect.
    fn give_back(&mut self, slot: Slots) -> Result<(), End> {
        if self.states.iter().any(|state| state.open & slot != 0) {
            self.returning = slot;
            self.go_through()?;
        }
        for set in [
            &mut self.taken,
            &mut self.founds,
            &mut self.nothings,
            &mut self.commits,
            &mut self.drops,
            &mut self.unknown,
            &mut self.unread,
        ] {
            *set &= !slot;
        }
        Ok(())
    }

    /// Every state after the returning call has taken effect, from those before.
    fn go_through(&mut self) -> Result<(), End> {
        let mut states = std::mem::take(&mut self.states);
        self.after.clear();
        self.before.clear();
        for state in states.drain(..) {
            if let Some(state) = self.settle(state) {
                self.keep(state);
            }
        }
        let mut next = 0;
        while let Some(state) = self.before.get(next).copied() {
            next += 1;
            self.explore(state);
            let mut kept = [&self.before, &self.after].into_iter();
            if kept.any(|states| states.get(MOST).is_some()) {
                return Err(End::TooMany);
            }
        }
        self.states = std::mem::replace(&mut self.after, states);
        match self.states.is_empty() {
            true => Err(End::NoOrder),
            false => Ok(()),
        }
    }

    /// From one state: the call takes effect, or another one ahead of it.
    fn explore(&mut self, state: State) {
        let slot = self.returning;
        self.miss(state, slot);
        if let Some(after) = self.linearize(state, slot) {
            self.keep(after);
        }
        let ahead = state.open & !slot & self.worth_ahead(&state, slot);
        for other in slots(ahead) {
            if let Some(next) = self.linearize(state, other) {
                self.keep(next);
            }
        }
    }

    /// A write that nobody saw takes effect just before the last one, or never.
    fn miss(&mut self, state: State, slot: Slots) {
        if self.under_way(slot).is_awaited {
            return;
        }
        let can_be_missed = slot & (self.unknown | state.unseen) != 0;
        let missed = can_be_missed.then(|| state.having_missed(slot));
        if let Some(after) = missed.and_then(|state| self.settle(state)) {
            self.keep(after);
        }
    }

    /// The calls under way that may have to take effect before the one that returns.
    ///
    /// A write has to only if a prepare under way could have seen it: otherwise it takes effect when it
    /// returns, or has gone unseen by then. A prepare has to only if the entry that it needs ends, by a
    /// write or by being found gone: it can follow the one that returns otherwise.
    fn worth_ahead(&self, state: &State, slot: Slots) -> Slots {
        let kind = self.under_way(slot).kind;
        let writes = state.open & self.writes();
        if let Kind::Found(value) = kind
            && state.entry != Entry::Untold
            && !slots(writes).any(|other| self.writes_value(other, value))
        {
            return 0;
        }
        if self.is_awaited(state.entry) {
            return 0;
        }
        let seen = slots(writes & !slot)
            .filter(|write| self.could_be_seen(state, *write))
            .fold(0, |seen, write| seen | write);
        let is_write = matches!(kind, Kind::Commit { .. } | Kind::Drop);
        let nothings = state.open & self.nothings;
        let founds = state.open & self.founds;
        let ends = is_write || seen != 0;
        let reads = match state.entry {
            Entry::Untold => founds | nothings,
            Entry::Spent if ends => self.that_expire(state, nothings),
            Entry::Live(_) | Entry::Initial(_) if ends => {
                founds | self.that_expire(state, nothings)
            }
            // It is a prepare that found nothing: one that found this has, and any other has a write
            // to wait for.
            Entry::Live(_) | Entry::Initial(_) => founds,
            _ => 0,
        };
        seen | reads
    }

    /// Those of the prepares that can have found the live entry gone.
    fn that_expire(&self, state: &State, nothings: Slots) -> Slots {
        if self.timeline.rules.may_evict {
            return nothings;
        }
        let expired = state.expired(self.timeline);
        slots(nothings)
            .filter(|read| expired <= self.under_way(*read).span.to)
            .fold(0, |all, read| all | read)
    }

    /// Whether a prepare that is under way could have seen this write.
    fn could_be_seen(&self, state: &State, write: Slots) -> bool {
        match self.under_way(write).kind {
            Kind::Commit { value, .. } => {
                slots(state.open & self.founds).any(|read| self.finds(read, value))
                    || !self.timeline.rules.may_evict
                        && state
                            .after(self.under_way(write), write, self.timeline)
                            .is_some_and(|after| {
                                self.that_expire(&after, after.open & self.nothings) != 0
                            })
            }
            Kind::Drop => {
                !state.is_empty()
                    && !self.timeline.rules.may_evict
                    && state.open & self.nothings != 0
                    && !self.is_better_dropped_later(state, write)
            }
            Kind::Found(_) | Kind::Nothing => false,
        }
    }

    /// Whether another drop would do as well as this one, and has to take effect sooner: then the two
    /// can change places in any order, and this one goes unseen just before it.
    fn is_better_dropped_later(&self, state: &State, drop: Slots) -> bool {
        let due = |slot| {
            let under_way = self.under_way(slot);
            (under_way.returned, under_way.call)
        };
        let mut others = slots(state.open & self.drops & !drop);
        others.any(|other| due(other) < due(drop))
    }

    /// The state after the call in `slot` and the prepares that follow it for free.
    fn linearize(&self, state: State, slot: Slots) -> Option<State> {
        let mut after = state.after(self.under_way(slot), slot, self.timeline)?;
        if after.entry != state.entry && self.is_awaited(state.entry) {
            return None;
        }
        if slot & self.writes() != 0 {
            // One that returns now may have to come before what is ahead of it.
            after.unseen = after.open & self.writes() & !self.unknown & !self.returning;
        }
        self.settle(after)
    }

    /// Prepares that can be explained here, and nowhere else as well, are: that is never worse.
    fn settle(&self, mut state: State) -> Option<State> {
        if let Some(value) = state.value(self.timeline) {
            for read in slots(state.open & self.founds) {
                if self.finds(read, value) && !self.has_rival(&state, read, value) {
                    state = state.after(self.under_way(read), read, self.timeline)?;
                }
            }
        }
        // What nobody will find any more may be gone by now.
        state = state.forget(self.invoked, self.timeline);
        if state.is_empty() {
            for read in slots(state.open & self.nothings) {
                let after = state.after(self.under_way(read), read, self.timeline);
                state = after.unwrap_or(state);
            }
        }
        Some(state)
    }

    /// Whether somebody will only later be invoked that must find this entry.
    fn is_awaited(&self, entry: Entry) -> bool {
        match entry {
            Entry::Live(commit) => {
                let until = self.timeline.found_until(commit);
                until.is_some_and(|until| until > self.invoked)
            }
            _ => false,
        }
    }

    /// Whether a prepare that found `value` can have found what another commit wrote, later on.
    fn has_rival(&self, state: &State, read: Slots, value: u32) -> bool {
        if let Entry::Live(commit) = state.entry
            && self.timeline.found_until(commit).is_some()
        {
            return false;
        }
        let mut under_way = slots(state.open & self.commits);
        let returned = self.under_way(read).returned;
        under_way.any(|other| self.writes_value(other, value))
            || (self.timeline.commits_from(value, self.invoked).next())
                .is_some_and(|next| self.timeline.call(next).invoked < returned)
    }

    /// Whether whatever may follow `other` may follow `state` too.
    fn covers(&self, state: &State, other: &State) -> bool {
        if other.unseen & !state.unseen != 0 {
            return false;
        }
        // It can still have missed what the other one has behind it.
        let missed = state.open & !other.open & state.unseen & self.unread;
        let state = state.having_missed(missed);
        state.covers(other, self.reads(), self.unknown)
    }

    /// Keeps a state, unless another one covers it.
    fn keep(&mut self, state: State) {
        #[cfg(test)]
        LOOKED_AT.set(LOOKED_AT.get() + 1);
        let is_after = state.open & self.returning == 0;
        let mut states = std::mem::take(match is_after {
            true => &mut self.after,
            false => &mut self.before,
        });
        if !states.iter().any(|other| self.covers(other, &state)) {
            // Those before it stay where they are: the search goes on among them.
            if is_after {
                states.retain(|other| !self.covers(&state, other));
            }
            states.push(state);
        }
        *match is_after {
            true => &mut self.after,
            false => &mut self.before,
        } = states;
    }

    fn reads(&self) -> Slots {
        self.founds | self.nothings
    }

    fn writes(&self) -> Slots {
        self.commits | self.drops
    }

    fn under_way(&self, slot: Slots) -> &UnderWay {
        &self.under_way[slot.trailing_zeros() as usize]
    }

    fn finds(&self, read: Slots, value: u32) -> bool {
        self.under_way(read).kind == Kind::Found(value)
    }

    fn writes_value(&self, commit: Slots, value: u32) -> bool {
        let kind = self.under_way(commit).kind;
        matches!(kind, Kind::Commit { value: written, .. } if written == value)
    }
}

/// Each slot of a set.
fn slots(mut set: Slots) -> impl Iterator<Item = Slots> {
    std::iter::from_fn(move || {
        let first = set & set.wrapping_neg();
        set ^= first;
        (first != 0).then_some(first)
    })
}
