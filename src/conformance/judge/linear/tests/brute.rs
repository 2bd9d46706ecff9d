//! Brute: every order of a small history's calls, with every reading of the clock and every deadline,
//! as plainly as can be.

use super::{Call, Kind, Nanos, Outcome, Rules, Span, Start};

/// Later than anything in a small history.
const END: usize = 18;
const DEADLINES: usize = END + 1;
/// Values are below this.
const VALUES: usize = 8;
const ENTRIES: usize = 1 + 4 * VALUES * DEADLINES;

/// Whether some order of the calls, with some moments and some deadlines, explains them.
pub(super) fn is_linearizable(calls: &[Call], rules: &Rules) -> bool {
    let starts = match rules.start {
        Start::Empty => vec![None],
        Start::Unknown => (0..VALUES)
            .flat_map(|value| (0..DEADLINES).map(move |deadline| (value, deadline)))
            .flat_map(|(value, deadline)| {
                // Of what was there before, nobody knows for how long it was committed.
                let long = [false, true].into_iter();
                let long = long.filter(|is_long| !is_long || rules.horizon.is_some());
                long.map(move |is_long| Some(Thing::new(value, deadline, is_long)))
            })
            .chain([None])
            .collect(),
    };
    let mut brute = Brute::new(calls, rules);
    let mut starts = starts.into_iter();
    starts.any(|entry| brute.can_go_on(World { done: 0, entry }))
}

/// By call: when it can have taken effect. The clock read before a call was invoked bounds all that was
/// invoked later, and the one read after it had returned all that returned earlier.
pub(super) fn within(calls: &[Call]) -> Vec<Span> {
    let each = calls.iter().map(|call| {
        let before = calls.iter().filter(|other| other.invoked <= call.invoked);
        let after = calls.iter().filter(|other| other.returned >= call.returned);
        Span {
            from: before.map(|other| other.clock.from).max().unwrap_or(0),
            to: after.map(|other| other.clock.to).min().unwrap_or(0),
        }
    });
    each.collect()
}

struct Brute<'a> {
    calls: &'a [Call],
    rules: &'a Rules,
    /// By call: those that had returned before it was invoked.
    past: Vec<usize>,
    /// By call: when it can have read the clock.
    within: Vec<Span>,
    /// The calls that took effect for certain.
    certain: usize,
    /// The worlds that have been tried, each a bit.
    tried: Vec<u64>,
}

/// An entry, live or not.
#[derive(Clone, Copy)]
struct Thing {
    value: usize,
    deadline: usize,
    /// It was committed for longer than the horizon: its deadline is that.
    is_long: bool,
    /// A prepare has found it gone.
    is_gone: bool,
}

impl Thing {
    fn new(value: usize, deadline: usize, is_long: bool) -> Self {
        Self {
            value,
            deadline,
            is_long,
            is_gone: false,
        }
    }
}

#[derive(Clone, Copy)]
struct World {
    /// The calls that have taken effect, or never will: each a bit.
    done: usize,
    entry: Option<Thing>,
}

impl<'a> Brute<'a> {
    fn new(calls: &'a [Call], rules: &'a Rules) -> Self {
        let set = |is_in: &dyn Fn(&Call) -> bool| {
            let each = calls.iter().enumerate();
            each.filter(|(_, call)| is_in(call))
                .fold(0, |set, (index, _)| set | 1 << index)
        };
        let within = within(calls);
        let certain = set(&|call| call.outcome == Outcome::Certain);
        Self {
            calls,
            rules,
            past: calls
                .iter()
                .map(|call| set(&|other| other.returned < call.invoked))
                .collect(),
            within,
            certain,
            tried: vec![0; (ENTRIES << calls.len()).div_ceil(64)],
        }
    }

    fn can_go_on(&mut self, world: World) -> bool {
        let World { done, entry } = world;
        if self.certain & !done == 0 {
            return true;
        }
        let flags = |thing: Thing| 2 * usize::from(thing.is_long) + usize::from(thing.is_gone);
        let number = |thing: Thing| 4 * (thing.value * DEADLINES + thing.deadline);
        let bit = entry.map_or(0, |thing| 1 + number(thing) + flags(thing));
        let bit = done * ENTRIES + bit;
        if self.tried[bit / 64] >> (bit % 64) & 1 == 1 {
            return false;
        }
        self.tried[bit / 64] |= 1 << (bit % 64);

        for index in 0..self.calls.len() {
            let is_ready = self.past[index] & self.certain & !done == 0;
            if done >> index & 1 == 1 || !is_ready {
                continue;
            }
            // Whatever returned before this call can no longer take effect.
            let done = done | 1 << index | self.past[index];
            for entry in self.entries_after(index, entry) {
                if self.can_go_on(World { done, entry }) {
                    return true;
                }
            }
        }
        false
    }

    /// What can be there after a call, if it can take effect as it did.
    fn entries_after(&self, index: usize, before: Option<Thing>) -> Vec<Option<Thing>> {
        let (rules, Span { from, to }) = (self.rules, self.within[index]);
        // Of calls that never returned, no reading matters beyond the end of all deadlines.
        let last = to.min(END as Nanos) + rules.uncertainty;
        let mut readings = from - rules.uncertainty..=last;
        if self.calls[index].outcome == Outcome::Unknown
            && matches!(self.calls[index].kind, Kind::Found(_) | Kind::Nothing)
        {
            // Nobody knows what it returned.
            return vec![before];
        }
        match (self.calls[index].kind, before) {
            (Kind::Drop, _) | (Kind::Nothing, None) => vec![None],
            (Kind::Found(value), Some(thing)) => {
                let until = thing.deadline as Nanos + rules.resolution;
                let is_live = thing.is_long || readings.any(|reading| reading < until);
                match thing.value == value as usize && is_live && !thing.is_gone {
                    true => vec![before],
                    false => vec![],
                }
            }
            (Kind::Found(_), None) => vec![],
            (Kind::Nothing, Some(_)) if rules.may_evict => vec![None],
            (Kind::Nothing, Some(thing)) => {
                let is_expired = readings.any(|reading| reading >= thing.deadline as Nanos);
                let gone = Thing {
                    is_gone: true,
                    ..thing
                };
                match is_expired {
                    true => vec![Some(gone)],
                    false => vec![],
                }
            }
            (Kind::Commit { value, ttl }, _) => {
                let is_long = rules.horizon.is_some_and(|horizon| ttl > horizon);
                let life = rules.horizon.map_or(ttl, |horizon| ttl.min(horizon));
                let can_be =
                    |deadline: Nanos| readings.clone().any(|reading| deadline == reading + life);
                let deadlines = (0..DEADLINES).filter(|deadline| can_be(*deadline as Nanos));
                deadlines
                    .map(|deadline| Some(Thing::new(value as usize, deadline, is_long)))
                    .collect()
            }
        }
    }
}
