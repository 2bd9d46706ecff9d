//! Brute: every order of a small history's calls, with every moment and every deadline, as plainly as
//! can be.

use super::{Call, Kind, Nanos, Outcome, Rules, Start};

/// Later than anything in a small history.
const END: usize = 18;
const DEADLINES: usize = END + 1;
/// Values are below this.
const VALUES: usize = 6;
const ENTRIES: usize = 1 + VALUES * DEADLINES;

/// Whether some order of the calls, with some moments and some deadlines, explains them.
pub(super) fn is_linearizable(calls: &[Call], rules: &Rules) -> bool {
    let starts = match rules.start {
        Start::Empty => vec![None],
        Start::Unknown => (0..VALUES)
            .flat_map(|value| (0..DEADLINES).map(move |deadline| Some((value, deadline))))
            .chain([None])
            .collect(),
    };
    let mut brute = Brute::new(calls, rules);
    let now = calls.iter().map(|call| call.clock.from).min();
    let now = now.map_or(0, |now| now as usize);
    starts.into_iter().any(|entry| {
        brute.can_go_on(World {
            done: 0,
            now,
            entry,
        })
    })
}

struct Brute<'a> {
    calls: &'a [Call],
    rules: &'a Rules,
    /// By call: those that had returned before it was invoked.
    past: Vec<usize>,
    /// By call: when it can have taken effect.
    within: Vec<(Nanos, Nanos)>,
    /// The calls that took effect for certain.
    certain: usize,
    /// The worlds that have been tried, each a bit.
    tried: Vec<u64>,
}

#[derive(Clone, Copy)]
struct World {
    /// The calls that have taken effect, or never will: each a bit.
    done: usize,
    now: usize,
    entry: Option<(usize, usize)>,
}

impl<'a> Brute<'a> {
    fn new(calls: &'a [Call], rules: &'a Rules) -> Self {
        let set = |is_in: &dyn Fn(&Call) -> bool| {
            let each = calls.iter().enumerate();
            each.filter(|(_, call)| is_in(call))
                .fold(0, |set, (index, _)| set | 1 << index)
        };
        // The clock read before a call was invoked bounds all that was invoked later, and the one read
        // after it had returned all that returned earlier.
        let within = |call: &Call| {
            let before = calls.iter().filter(|other| other.invoked <= call.invoked);
            let after = calls.iter().filter(|other| other.returned >= call.returned);
            let from = before.map(|other| other.clock.from).max();
            let to = after.map(|other| other.clock.to).min();
            (from.unwrap_or(0), to.unwrap_or(0))
        };
        Self {
            calls,
            rules,
            past: calls
                .iter()
                .map(|call| set(&|other| other.returned < call.invoked))
                .collect(),
            within: calls.iter().map(within).collect(),
            certain: set(&|call| call.outcome == Outcome::Certain),
            tried: vec![0; ((END + 1) * ENTRIES << calls.len()).div_ceil(64)],
        }
    }

    fn can_go_on(&mut self, world: World) -> bool {
        let World { done, now, entry } = world;
        if self.certain & !done == 0 {
            return true;
        }
        let bit = entry.map_or(0, |(value, deadline)| 1 + value * DEADLINES + deadline);
        let bit = (done * (END + 1) + now) * ENTRIES + bit;
        if self.tried[bit / 64] >> (bit % 64) & 1 == 1 {
            return false;
        }
        self.tried[bit / 64] |= 1 << (bit % 64);

        for index in 0..self.calls.len() {
            let (from, to) = self.within[index];
            let is_ready = self.past[index] & self.certain & !done == 0;
            if done >> index & 1 == 1 || !is_ready || (now as Nanos) < from || now as Nanos > to {
                continue;
            }
            // Whatever returned before this call can no longer take effect.
            let done = done | 1 << index | self.past[index];
            for entry in self.entries_after(&self.calls[index], world) {
                if self.can_go_on(World { done, now, entry }) {
                    return true;
                }
            }
        }
        now < END
            && self.can_go_on(World {
                now: now + 1,
                ..world
            })
    }

    /// What can be there after a call, if it can take effect as it did.
    fn entries_after(&self, call: &Call, world: World) -> Vec<Option<(usize, usize)>> {
        let rules = self.rules;
        let now = world.now as Nanos;
        let mut readings = now - rules.uncertainty..=now + rules.uncertainty;
        match (call.kind, world.entry) {
            (Kind::Drop, _) | (Kind::Nothing, None) => vec![None],
            (Kind::Found(value), Some((there, deadline))) => {
                let is_live = readings.any(|reading| reading < deadline as Nanos);
                match there == value as usize && is_live {
                    true => vec![world.entry],
                    false => vec![],
                }
            }
            (Kind::Found(_), None) => vec![],
            (Kind::Nothing, Some((_, deadline))) => {
                let is_expired = readings.any(|reading| reading >= deadline as Nanos);
                match is_expired || rules.may_evict {
                    true => vec![None],
                    false => vec![],
                }
            }
            (Kind::Commit { value, ttl }, _) => {
                let can_be = |deadline: Nanos| {
                    readings.clone().any(|reading| match rules.horizon {
                        Some(horizon) if ttl > horizon => deadline >= reading + horizon,
                        _ => {
                            let rounding = deadline - (reading + ttl);
                            0 <= rounding && rounding <= rules.resolution
                        }
                    })
                };
                let deadlines = (0..DEADLINES).filter(|deadline| can_be(*deadline as Nanos));
                deadlines
                    .map(|deadline| Some((value as usize, deadline)))
                    .collect()
            }
        }
    }
}
