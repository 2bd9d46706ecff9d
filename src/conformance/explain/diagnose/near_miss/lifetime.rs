//! Lifetime: until when the entry of a failing program really lives, found by moving its last advance a
//! nanosecond, and by doubling.

use super::last_commit::last_commit;
use crate::conformance::judge::failure::{Failing, Mistake, Probe};
use crate::conformance::program::generate::FURTHEST;
use crate::conformance::program::{Id, Payload, Time};
use crate::model::{Model, Nanos, Op};

/// Whether the entry, which should have expired, is never seen to.
pub(in super::super) fn never_expires(failing: &Failing, probe: Probe<'_>) -> bool {
    let lifetime = Lifetime::of(failing, probe);
    lifetime.is_some_and(|lifetime| {
        let is_live_at = |time| lifetime.is_live_at(time) == Some(true);
        is_live_at(lifetime.deadline) && is_live_at(FURTHEST)
    })
}

/// An entry whose life a program's last advance decides.
pub(super) struct Lifetime<'a> {
    ops: &'a [Op],
    probe: Probe<'a>,
    id: &'a str,
    /// The place of its commit.
    commit: usize,
    ttl: Nanos,
    /// The place of that advance, and when it begins.
    advance: usize,
    begin: Nanos,
    /// When the prepare behind it comes.
    now: Nanos,
    /// When the entry should expire.
    deadline: Nanos,
}

impl<'a> Lifetime<'a> {
    pub(super) fn of(failing: &'a Failing, probe: Probe<'a>) -> Option<Self> {
        let ops = &failing.ops[..];
        let Some(Op::Prepare { id }) = ops.last() else {
            return None;
        };
        let (commit, committed) = last_commit(&failing.counted(), id)?;
        let Op::Commit { ttl, .. } = &ops[commit] else {
            return None;
        };
        let advance = ops
            .iter()
            .rposition(|op| matches!(op, Op::Advance { .. }))
            .filter(|advance| *advance > commit)?;
        let Op::Advance { by } = &ops[advance] else {
            return None;
        };
        let begin = time_at(ops, advance);
        Some(Self {
            ops,
            probe,
            id,
            commit,
            ttl: *ttl,
            advance,
            begin,
            now: begin + by,
            deadline: committed + ttl,
        })
    }

    /// Whether the last prepare finds something at `time`; nothing if the program fails earlier, or if other
    /// calls would come at other times too.
    fn is_live_at(&self, time: Nanos) -> Option<bool> {
        let mut ops = self.ops.to_vec();
        let last = ops.len() - 1;
        match time < self.now {
            _ if self.advance + 1 == last => {
                ops[self.advance] = Op::Advance {
                    by: time - self.begin,
                };
            }
            true => return None,
            false => {
                let by = time - self.now;
                ops.insert(last, Op::Advance { by });
            }
        }
        let is_right = time < self.deadline;
        match (self.probe)(&ops) {
            None => Some(is_right),
            Some(failure) if failure.at + 1 < ops.len() => None,
            Some(failure) => match failure.mistake() {
                Mistake::Revived | Mistake::Changed => Some(true),
                Mistake::Lost => Some(false),
                _ => None,
            },
        }
    }

    /// How far off the end is of an entry that lives too long.
    pub(super) fn too_long(&self) -> Option<String> {
        let between = [self.deadline, self.deadline.midpoint(self.now)];
        for time in between.into_iter().filter(|time| *time < self.now) {
            if !self.is_live_at(time)? {
                let (gone, back) = (Time(time), Time(self.now));
                return Some(format!(
                    "the entry is gone at {gone}, and is there again at {back}"
                ));
            }
        }
        let next = self.is_live_at(self.now + 1)?;
        let is_no_other_deadline = self.deadline_of_another(self.now + 1).is_none();
        if !next
            && is_no_other_deadline
            && self.now == self.deadline
            && self.is_live_at(self.now - 1) == Some(true)
        {
            let other = self.deadline_of_another(self.deadline);
            return Some(match (other, self.is_live_at_another_deadline()) {
                (Some(other), _) => format!("{AGREES_AROUND}; that is the deadline of {other} too"),
                (None, false) => format!("{AGREES_AROUND}, and with a ttl of 1s: suspect rounding"),
                (None, true) => suspect_comparison(),
            });
        }
        let later = powers_of_two()
            .map(|by| self.now + by)
            .take_while(|time| *time < FURTHEST);
        let mut live = self.now;
        for time in later.chain([FURTHEST]) {
            if self.is_live_at(time)? {
                live = time;
                continue;
            }
            let end = self.bisect_end(live, time)?;
            let late = Time(end - self.deadline);
            return Some(format!(
                "the entry lived until {}: {late} too long{}",
                Time(end),
                self.coinciding_with(end)
            ));
        }
        Some(NEVER_EXPIRES.to_owned())
    }

    /// Whether it is live at its deadline also with a ttl of a second, or nobody knows.
    fn is_live_at_another_deadline(&self) -> bool {
        let mut ops = self.ops.to_vec();
        let shift = UNITS[0] - self.ttl;
        if let Op::Commit { ttl, .. } = &mut ops[self.commit] {
            *ttl = UNITS[0];
        }
        match &mut ops[self.advance] {
            Op::Advance { by } if *by + shift >= 0 => *by += shift,
            _ => return true,
        }
        (self.probe)(&ops).is_some()
    }

    /// How far off the end is of an entry that is gone too early.
    pub(super) fn too_short(&self) -> Option<String> {
        if self.now + 1 < self.deadline && self.is_live_at(self.now + 1)? {
            let around = self.is_live_at(self.now - 1)?;
            return around.then(suspect_comparison);
        }
        let earlier = powers_of_two()
            .map(|by| self.now - by)
            .take_while(|time| *time > self.begin);
        let mut gone = self.now;
        for time in earlier.chain([self.begin]) {
            if !self.is_live_at(time)? {
                gone = time;
                continue;
            }
            let end = self.bisect_end(time, gone)?;
            let early = Time(self.deadline - end);
            return Some(format!(
                "the entry was gone from {} on: {early} too early{}",
                Time(end),
                self.coinciding_with(end)
            ));
        }
        None
    }

    /// The instant at which it is gone, between two at which it lives and does not.
    fn bisect_end(&self, mut live: Nanos, mut gone: Nanos) -> Option<Nanos> {
        while gone - live > 1 {
            let middle = live + (gone - live) / 2;
            match self.is_live_at(middle)? {
                true => live = middle,
                false => gone = middle,
            }
        }
        Some(gone)
    }

    /// The deadline of another commit that falls on `end`: of one under the same id, if there is one.
    fn deadline_of_another(&self, end: Nanos) -> Option<String> {
        let commits = self.ops.iter().enumerate().rev();
        let others = commits.filter_map(|(at, op)| match op {
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if at != self.commit && time_at(self.ops, at) + ttl == end => Some(snapshot),
            _ => None,
        });
        let (own, foreign): (Vec<_>, Vec<_>) = others.partition(|other| other.id() == self.id);
        let own = own.first().map(|own| Payload(own).to_string());
        own.or_else(|| foreign.first().map(|other| Id(other.id()).to_string()))
    }

    /// What else falls on `end`, where the entry's life ends, or what that is rounded to.
    fn coinciding_with(&self, end: Nanos) -> String {
        let others = self.ops.iter().enumerate().rev().skip(1);
        let prolonged = others.filter_map(|(at, op)| {
            let begin = time_at(self.ops, at);
            match op {
                Op::Prepare { id } if id == self.id && begin + self.ttl == end => {
                    let begin = Time(begin);
                    Some(format!(", a whole ttl after the prepare at {begin}"))
                }
                _ => None,
            }
        });
        let other = self.deadline_of_another(end);
        let other = other.map(|other| format!(", at the deadline of {other}"));
        let mut coinciding = other.into_iter().chain(prolonged);
        let rounded = || {
            let unit = UNITS.iter().find(|unit| self.is_rounded(end, **unit))?;
            Some(format!(", its deadline rounded to {}", Time(*unit)))
        };
        coinciding.next().or_else(rounded).unwrap_or_default()
    }

    /// Whether `end` is the deadline rounded to a multiple of `unit`, also of the next longer life.
    fn is_rounded(&self, end: Nanos, unit: Nanos) -> bool {
        let mut ops = self.ops.to_vec();
        if let Op::Commit { ttl, .. } = &mut ops[self.commit] {
            *ttl += unit;
        }
        let longer = Lifetime {
            ops: &ops,
            deadline: self.deadline + unit,
            ..*self
        };
        end % unit == 0
            && (end - self.deadline).abs() < unit
            && longer.is_live_at(end + unit - 1) == Some(true)
            && longer.is_live_at(end + unit) == Some(false)
    }
}

/// It is live even at [`FURTHEST`].
pub(super) const NEVER_EXPIRES: &str = "the entry is still there after an advance of 20,000 years";

const AGREES_AROUND: &str = "agrees one nanosecond earlier and later";

fn suspect_comparison() -> String {
    format!("{AGREES_AROUND}: suspect `<` for `<=`")
}

/// Steps of coarse clocks.
const UNITS: [Nanos; 3] = [1_000_000_000, 1_000_000, 1_000];

/// The time at which `ops[at]` is done.
fn time_at(ops: &[Op], at: usize) -> Nanos {
    let mut model = Model::default();
    for op in &ops[..at] {
        model.step(op);
    }
    model.now()
}

pub(super) fn powers_of_two() -> impl Iterator<Item = Nanos> {
    (0..120).map(|doublings| 1 << doublings)
}
