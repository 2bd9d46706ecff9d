//! Times: plain ones where they do, and at once where one alone would not.

use super::Shrinker;
use crate::conformance::program::Program;
use crate::model::{Nanos, Op};
use std::collections::BTreeSet;

const SECOND: Nanos = 1_000_000_000;

/// Times that programs wait or keep things for, in seconds.
const USUAL: [Nanos; 14] = [
    5, 10, 30, 60, 100, 300, 600, 900, 1_000, 1_800, 3_600, 7_200, 86_400, 604_800,
];

/// What narrow numbers count, and their bits.
const UNITS: [Nanos; 7] = [
    1,
    1_000,
    1_000_000,
    SECOND,
    60 * SECOND,
    3_600 * SECOND,
    86_400 * SECOND,
];
const WIDTHS: [u32; 6] = [8, 15, 16, 24, 31, 32];

/// The plainest times, in this order: 1, 2 and 3 ticks.
#[derive(Clone, Copy)]
struct Plain([Nanos; 3]);

impl<A: FnMut(&Program) -> Option<Program>> Shrinker<A> {
    pub(super) fn simplify_times(&mut self) -> bool {
        let distinct = self.distinct_times();
        // One long time alone may come down in small steps, so two are lowered before it; but where any
        // time will do, pairs of them would take many tries.
        self.make_alike_plain(&distinct)
            || self.lower_two()
            || self.change_alike(&distinct)
            || self.make_two_plain(&distinct)
            || self.change_one()
            || self.shift_two()
            || self.make_all_plain()
    }

    /// Every time to a plain one, wherever it occurs.
    pub(super) fn make_times_plain(&mut self) -> bool {
        let distinct = self.distinct_times();
        self.make_alike_plain(&distinct)
    }

    fn distinct_times(&self) -> Vec<Nanos> {
        let times: BTreeSet<Nanos> = self.best.ops().iter().filter_map(time).collect();
        times.into_iter().collect()
    }

    /// All times at once to plain ones, where they are few: often only together they keep the order
    /// of what happens.
    fn make_all_plain(&mut self) -> bool {
        const MOST: u32 = 4;
        let plain = self.plain();
        let times: Vec<Nanos> = self.best.ops().iter().filter_map(time).collect();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
        if !(2..=MOST).contains(&count) || times.iter().all(|time| plain.0.contains(time)) {
            return false;
        }
        (0..3_usize.pow(count)).any(|choice| {
            let mut rest = choice;
            let mut next = || {
                let chosen = plain.0[rest % 3];
                rest /= 3;
                chosen
            };
            let chosen: Vec<Nanos> = times.iter().map(|_| next()).collect();
            let mut chosen = chosen.into_iter();
            self.try_times(|_, time| chosen.next().unwrap_or(time))
        })
    }

    /// One time, wherever it occurs, to a plain one.
    fn make_alike_plain(&mut self, distinct: &[Nanos]) -> bool {
        let plain = self.plain();
        distinct.iter().any(|&old| {
            let mut simpler = plain
                .0
                .into_iter()
                .filter(|new| plain.rank(*new) < plain.rank(old));
            simpler.any(|new| self.try_times(|_, time| if time == old { new } else { time }))
        })
    }

    /// One time, wherever it occurs, to a simpler one.
    fn change_alike(&mut self, distinct: &[Nanos]) -> bool {
        distinct.iter().any(|&old| {
            self.plain()
                .simpler(old)
                .any(|new| self.try_times(|_, time| if time == old { new } else { time }))
        })
    }

    /// Two times at once, each wherever it occurs, to two plain ones.
    fn make_two_plain(&mut self, distinct: &[Nanos]) -> bool {
        let pairs = |times: &[Nanos]| -> Vec<(Nanos, Nanos)> {
            let of = |one: &Nanos| times.iter().map(|other| (*one, *other)).collect::<Vec<_>>();
            times.iter().flat_map(of).filter(|(a, b)| a < b).collect()
        };
        let plain = self.plain();
        let rank = |time| plain.rank(time);
        pairs(distinct).into_iter().any(|(a, b)| {
            pairs(&plain.0)
                .into_iter()
                .filter(|(x, y)| rank(*x) + rank(*y) < rank(a).saturating_add(rank(b)))
                .any(|(x, y)| {
                    self.try_times(|_, time| match time {
                        _ if time == a => x,
                        _ if time == b => y,
                        _ => time,
                    })
                })
        })
    }

    /// One time in one place to a simpler one.
    fn change_one(&mut self) -> bool {
        (0..self.best.ops().len()).any(|at| {
            let Some(old) = time(&self.best.ops()[at]) else {
                return false;
            };
            self.plain()
                .simpler(old)
                .any(|new| self.try_times(|place, time| if place == at { new } else { time }))
        })
    }

    /// Two times in two places by the same amount, so that one of them becomes plain, or a usual one, and
    /// what is between them stays.
    fn shift_two(&mut self) -> bool {
        let plain_times = self.plain();
        let rank = |time| plain_times.rank(time);
        let times: Vec<(usize, Nanos)> = self
            .best
            .ops()
            .iter()
            .enumerate()
            .filter_map(|(at, op)| Some((at, time(op)?)))
            .collect();
        let pairs = times
            .iter()
            .flat_map(|one| times.iter().map(move |other| (*one, *other)));
        let usual = USUAL.map(|seconds| seconds * SECOND);
        let simple: Vec<Nanos> = plain_times.0.into_iter().chain(usual).collect();
        let mut shifts =
            pairs.flat_map(|(one, other)| simple.iter().map(move |plain| (one, other, *plain)));
        shifts.any(|((first, a), (second, b), plain)| {
            let shifted = b - (a - plain);
            let simpler = rank(plain) + rank(shifted) < rank(a).saturating_add(rank(b));
            first != second
                && shifted > 0
                && simpler
                && self.try_times(|place, time| match place {
                    _ if place == first => plain,
                    _ if place == second => shifted,
                    _ => time,
                })
        })
    }

    /// Two long times by the same amount, on the way to a threshold by halving.
    fn lower_two(&mut self) -> bool {
        let longest_plain = 3 * self.tick;
        let ops = self.best.ops().iter().enumerate();
        let times = ops.filter_map(|(at, op)| Some((at, time(op)?)));
        let times: Vec<(usize, Nanos)> = times.filter(|(_, time)| *time > longest_plain).collect();
        let pairs = times.iter().enumerate();
        let pairs =
            pairs.flat_map(|(at, one)| times[at + 1..].iter().map(move |other| (one, other)));
        pairs.into_iter().any(|(one, other)| {
            let shorter = one.1.min(other.1);
            (1..=shorter.ilog2()).any(|halvings| {
                let by = shorter >> halvings;
                self.try_times(|place, time| match place == one.0 || place == other.0 {
                    true => time - by,
                    false => time,
                })
            })
        })
    }

    fn plain(&self) -> Plain {
        Plain([1, 2, 3].map(|ticks| ticks * self.tick))
    }

    fn try_times(&mut self, mut change: impl FnMut(usize, Nanos) -> Nanos) -> bool {
        if self.tries_left == 0 {
            return false;
        }
        let mut ops = self.best.ops().to_vec();
        for (at, op) in ops.iter_mut().enumerate() {
            match op {
                Op::Commit { ttl: time, .. } | Op::Advance { by: time } if *time > 0 => {
                    *time = change(at, *time);
                }
                _ => {}
            }
        }
        self.try_ops(ops)
    }
}

fn time(op: &Op) -> Option<Nanos> {
    match op {
        Op::Commit { ttl: time, .. } | Op::Advance { by: time } => Some(*time).filter(|t| *t > 0),
        _ => None,
    }
}

impl Plain {
    /// Positive times simpler than `time`: plain ones, on the way to a threshold by halving, and then those
    /// that a clock face, a wheel or a narrow number shows alike: a power of two of ticks less, a usual time
    /// instead of the whole seconds, or but one turn of a number of some bits that counts some unit.
    fn simpler(self, time: Nanos) -> impl Iterator<Item = Nanos> {
        let whole_ticks = time / self.0[0] * self.0[0];
        let lower = (1..=time.ilog2()).map(move |halvings| time - (time >> halvings));
        let tick = self.0[0];
        let turns = (0..40).rev().map(move |power| time - (tick << power));
        let usual = USUAL.into_iter();
        let usual = usual.map(move |seconds| seconds * SECOND + time % SECOND);
        let turns_of = |unit: Nanos| WIDTHS.map(|bits| unit << bits).into_iter();
        let narrow = UNITS.into_iter().flat_map(turns_of);
        let narrow = narrow.map(move |turn| turn + time % turn);
        self.0
            .into_iter()
            .chain([whole_ticks])
            .chain(lower)
            .chain(turns)
            .chain(usual)
            .chain(narrow)
            .filter(move |new| *new > 0 && self.rank(*new) < self.rank(time))
    }

    /// How simple a time is: plain ones first, then by size.
    fn rank(self, time: Nanos) -> Nanos {
        match self.0.iter().position(|plain| *plain == time) {
            Some(place) => place as Nanos,
            None => self.0.len() as Nanos + time,
        }
    }
}

#[cfg(test)]
mod tests;
