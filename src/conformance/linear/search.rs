//! Search: every state in which the id can be when a call returns.

use super::state::{Entry, Slots, State};
use super::timeline::Timeline;
use super::{Judgement, Kind, Outcome};
use crate::model::Nanos;

/// The states that are kept, and those that are looked at for one call. Beyond, the search is given
/// up.
const MOST: usize = 1 << 11;

pub(super) struct Search<'a> {
    timeline: &'a Timeline<'a>,
    /// By slot: the call under way.
    under_way: [u32; Slots::BITS as usize],
    taken: Slots,
    founds: Slots,
    nothings: Slots,
    commits: Slots,
    drops: Slots,
    /// Those that need not take effect.
    unknown: Slots,
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
            under_way: [0; Slots::BITS as usize],
            taken: 0,
            founds: 0,
            nothings: 0,
            commits: 0,
            drops: 0,
            unknown: 0,
            invoked: 0,
            returning: 0,
            states: vec![State::new(timeline.rules.start)],
            after: Vec::new(),
            before: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Judgement {
        for call in &self.timeline.returns {
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
        match slots(self.taken).find(|slot| self.call(*slot) == call) {
            Some(slot) => self.give_back(call, slot),
            // A prepare of unknown outcome: it says nothing.
            None => Ok(()),
        }
    }

    fn invoke(&mut self) -> Result<(), End> {
        let index = self.invoked;
        let call = self.timeline.call(index);
        self.invoked += 1;
        let is_unknown = call.outcome == Outcome::Unknown;
        if is_unknown && matches!(call.kind, Kind::Found(_) | Kind::Nothing) {
            return Ok(());
        }
        if self.taken == Slots::MAX {
            return Err(End::TooMany);
        }
        let slot: Slots = 1 << self.taken.trailing_ones();
        self.taken |= slot;
        self.under_way[slot.trailing_zeros() as usize] = index;
        *match call.kind {
            Kind::Found(_) => &mut self.founds,
            Kind::Nothing => &mut self.nothings,
            Kind::Commit { .. } => &mut self.commits,
            Kind::Drop => &mut self.drops,
        } |= slot;
        if is_unknown {
            self.unknown |= slot;
        }
        for state in &mut self.states {
            state.open |= slot;
        }
        Ok(())
    }

    /// Returns from a call: only those states are left in which it has taken effect.
    fn give_back(&mut self, call: u32, slot: Slots) -> Result<(), End> {
        let mut states = std::mem::take(&mut self.states);
        self.after.clear();
        self.before.clear();
        self.returning = slot;
        for state in states.drain(..) {
            if let Some(state) = self.settle(state) {
                self.keep(state);
            }
        }
        let mut next = 0;
        while let Some(state) = self.before.get(next).copied() {
            next += 1;
            self.explore(state, call, slot);
            if self.before.len().max(self.after.len()) > MOST {
                return Err(End::TooMany);
            }
        }
        std::mem::swap(&mut self.states, &mut self.after);
        self.after = states;
        for set in [
            &mut self.taken,
            &mut self.founds,
            &mut self.nothings,
            &mut self.commits,
            &mut self.drops,
            &mut self.unknown,
        ] {
            *set &= !slot;
        }
        match self.states.is_empty() {
            true => Err(End::NoOrder),
            false => Ok(()),
        }
    }

    /// From one state: the call takes effect, or another one ahead of it.
    fn explore(&mut self, state: State, call: u32, slot: Slots) {
        if slot & self.writes() != 0 {
            self.miss(state, call, slot);
        }
        if let Some(after) = self.take(state, slot) {
            self.keep(after);
        }
        let ahead = state.open & !slot & self.worth_ahead(&state, call, slot);
        for other in slots(ahead) {
            if let Some(next) = self.take(state, other) {
                self.keep(next);
            }
        }
    }

    /// A write that nobody saw: just before the last one, or never.
    fn miss(&mut self, state: State, call: u32, slot: Slots) {
        if slot & self.unknown != 0 {
            let mut after = state;
            after.open &= !slot;
            self.keep(after);
        } else if slot & state.unseen != 0
            && let Some(after) = state.having_missed(call, slot, self.timeline)
        {
            self.keep(after);
        }
    }

    /// The calls under way that may have to take effect before the one that returns.
    ///
    /// A write has to only if a prepare under way could have seen it: otherwise it takes effect when it
    /// returns, or has gone unseen by then. A prepare has to only if the entry that it needs ends, by a
    /// write or by being found gone: it can follow the one that returns otherwise.
    fn worth_ahead(&self, state: &State, call: u32, slot: Slots) -> Slots {
        let kind = self.timeline.call(call).kind;
        let writes = state.open & self.writes();
        if let Kind::Found(value) = kind
            && state.entry != Entry::Untold
            && !slots(writes).any(|other| self.writes_value(other, value))
        {
            return 0;
        }
        let seen = slots(writes & !slot)
            .filter(|write| self.could_be_seen(state, *write))
            .fold(0, |seen, write| seen | write);
        let reads = match (kind, state.entry) {
            (Kind::Commit { .. } | Kind::Drop, _) | (_, Entry::Untold) => self.reads(),
            _ if seen != 0 => self.reads(),
            (Kind::Nothing, Entry::Live(_) | Entry::Initial(_)) => self.founds,
            _ => 0,
        };
        seen | state.open & reads
    }

    /// Whether a prepare that is under way could have seen this write.
    fn could_be_seen(&self, state: &State, write: Slots) -> bool {
        let index = self.call(write);
        match self.timeline.call(index).kind {
            Kind::Commit { value, .. } => {
                slots(state.open & self.founds).any(|read| self.finds(read, value))
                    || !self.timeline.rules.may_evict
                        && state
                            .after(index, write, self.timeline)
                            .is_some_and(|after| {
                                slots(state.open & self.nothings).any(|read| {
                                    let span = self.timeline.span(self.call(read));
                                    after.can_expire(span.from, span.to, self.timeline)
                                })
                            })
            }
            Kind::Drop => {
                let is_there = !matches!(state.entry, Entry::None | Entry::Expired(_));
                let is_first = || {
                    // Of drops that may take effect at any time, one is like another.
                    let earlier = (self.drops & self.unknown & state.open) & (write - 1);
                    !self.timeline.call(index).is_open()
                        || !slots(earlier).any(|drop| self.timeline.call(self.call(drop)).is_open())
                };
                is_there
                    && !self.timeline.rules.may_evict
                    && state.open & self.nothings != 0
                    && is_first()
            }
            Kind::Found(_) | Kind::Nothing => false,
        }
    }

    /// The state after the call in `slot` and the prepares that follow it for free.
    fn take(&self, state: State, slot: Slots) -> Option<State> {
        let call = self.call(slot);
        let mut after = state.after(call, slot, self.timeline)?;
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
                    state = state.after(self.call(read), read, self.timeline)?;
                }
            }
        } else if state.entry != Entry::Untold {
            // A commit that is under way would come later for it, and its entry expire later. Any
            // other call that has not returned may come after this moment.
            let commits = slots(state.open & self.commits);
            let from = |slot| self.timeline.span(self.call(slot)).from;
            let limit = commits.map(from).min().unwrap_or(Nanos::MAX);
            let limit = limit.max(state.time);
            for read in slots(state.open & self.nothings) {
                if from(read) <= limit || self.timeline.rules.may_evict {
                    state = state.after(self.call(read), read, self.timeline)?;
                }
            }
        }
        Some(state)
    }

    /// Whether a prepare that found `value` can have found what another commit wrote, later on.
    fn has_rival(&self, state: &State, read: Slots, value: u32) -> bool {
        let commit = state.commit();
        if !self.timeline.is_committed_again(value, commit) {
            return false;
        }
        let mut under_way = slots(state.open & self.commits);
        let returned = self.timeline.call(self.call(read)).returned;
        under_way.any(|other| self.writes_value(other, value))
            || (self.timeline.commits_from(value, self.invoked).next())
                .is_some_and(|next| self.timeline.call(next).invoked < returned)
    }

    /// Keeps a state, unless another one covers it.
    fn keep(&mut self, state: State) {
        let (reads, unknown) = (self.reads(), self.unknown);
        let is_after = state.open & self.returning == 0;
        let states = match is_after {
            true => &mut self.after,
            false => &mut self.before,
        };
        if states
            .iter()
            .any(|other| other.covers(&state, reads, unknown))
        {
            return;
        }
        // Those before it stay where they are: the search goes on among them.
        if is_after {
            states.retain(|other| !state.covers(other, reads, unknown));
        }
        states.push(state);
    }

    fn reads(&self) -> Slots {
        self.founds | self.nothings
    }

    fn writes(&self) -> Slots {
        self.commits | self.drops
    }

    fn call(&self, slot: Slots) -> u32 {
        self.under_way[slot.trailing_zeros() as usize]
    }

    fn finds(&self, read: Slots, value: u32) -> bool {
        self.timeline.call(self.call(read)).kind == Kind::Found(value)
    }

    fn writes_value(&self, commit: Slots, value: u32) -> bool {
        let kind = self.timeline.call(self.call(commit)).kind;
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
