//! Life: from when until when the entry of a failing program really lives, found by moving its last
//! advance, or its time to live, a nanosecond at a time and by doubling.

use crate::conformance::explain::diagnose::irreducible::last_commit;
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Mistake;
use crate::conformance::judge::failure::Probe;
use crate::conformance::program::generate::{FURTHEST, WALL_ORIGIN};
use crate::conformance::program::time::CLOCK_END;
use crate::conformance::program::{Id, Payload, Time};
use crate::model::{Model, Nanos, Op};

/// How near the store came to being right.
pub(in super::super) fn near_miss(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    let watched = Watched::of(failing, probe);
    match (failing.failure.mistake(), watched) {
        (Mistake::Revived, Some(watched)) => watched.drawn_out(),
        (Mistake::Lost, Some(watched)) => watched.cut_short(),
        (Mistake::Lost, None) => by_ttl(failing, probe).or_else(|| by_date(failing, probe)),
        _ => None,
    }
}

/// Whether the entry, which should have expired, is never seen to.
pub(in super::super) fn is_immortal(failing: &Failing, probe: Probe<'_>) -> bool {
    let watched = Watched::of(failing, probe);
    let lives = |watched: &Watched<'_>, time| watched.lives_at(time) == Some(true);
    watched.is_some_and(|watched| lives(&watched, watched.deadline) && lives(&watched, FURTHEST))
}

/// An entry whose life a program's last advance decides.
struct Watched<'a> {
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

impl<'a> Watched<'a> {
    fn of(failing: &'a Failing, probe: Probe<'a>) -> Option<Self> {
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

    /// Whether the last prepare finds something at `time`; nothing if the program fails earlier.
    fn lives_at(&self, time: Nanos) -> Option<bool> {
        let mut ops = self.ops.to_vec();
        ops[self.advance] = Op::Advance {
            by: time - self.begin,
        };
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

    /// It lived too long.
    fn drawn_out(&self) -> Option<String> {
        let between = [self.deadline, self.deadline.midpoint(self.now)];
        for time in between.into_iter().filter(|time| *time < self.now) {
            if !self.lives_at(time)? {
                let (gone, back) = (Time(time), Time(self.now));
                return Some(format!(
                    "the entry is gone at {gone}, and is there again at {back}"
                ));
            }
        }
        let next = self.lives_at(self.now + 1)?;
        let is_sign = self.other_end(self.now + 1).is_none();
        if !next && is_sign && self.now == self.deadline && self.lives_at(self.now - 1)? {
            return Some(match self.lives_at_another_deadline() {
                false => format!("{AGREES_AROUND}, and with a ttl of 1s: suspect rounding"),
                true => suspect_sign(),
            });
        }
        let later = doubling()
            .map(|by| self.now + by)
            .take_while(|time| *time < FURTHEST);
        let mut live = self.now;
        for time in later.chain([FURTHEST]) {
            if self.lives_at(time)? {
                live = time;
                continue;
            }
            let end = self.bisect(live, time)?;
            let late = Time(end - self.deadline);
            return Some(format!(
                "the entry lived until {}: {late} too long{}",
                Time(end),
                self.sign(end)
            ));
        }
        Some(IMMORTAL.to_owned())
    }

    /// Whether it lives at its deadline also with a ttl of a second, or nobody knows.
    fn lives_at_another_deadline(&self) -> bool {
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

    /// Whether something is written after the advance, so that to move it moves that too.
    fn writes_later(&self) -> bool {
        let later = &self.ops[self.advance..];
        let is_write = |op: &Op| matches!(op, Op::Commit { .. } | Op::Drop { .. });
        later.iter().any(is_write)
    }

    /// It was gone too early.
    fn cut_short(&self) -> Option<String> {
        if self.now + 1 < self.deadline && self.lives_at(self.now + 1)? {
            let around = self.lives_at(self.now - 1)?;
            return around.then(suspect_sign);
        }
        let earlier = doubling()
            .map(|by| self.now - by)
            .take_while(|time| *time > self.begin);
        let mut gone = self.now;
        for time in earlier.chain([self.begin]) {
            if !self.lives_at(time)? {
                gone = time;
                continue;
            }
            let end = self.bisect(time, gone)?;
            if end == self.begin + 1 && self.writes_later() {
                // It takes those calls, and not the time.
                return None;
            }
            let early = Time(self.deadline - end);
            return Some(format!(
                "the entry was gone from {} on: {early} too early{}",
                Time(end),
                self.sign(end)
            ));
        }
        None
    }

    /// The instant at which it is gone, between two at which it lives and does not.
    fn bisect(&self, mut live: Nanos, mut gone: Nanos) -> Option<Nanos> {
        while gone - live > 1 {
            let middle = live + (gone - live) / 2;
            match self.lives_at(middle)? {
                true => live = middle,
                false => gone = middle,
            }
        }
        Some(gone)
    }

    /// The deadline of another commit that falls on `end`: of one under the same id, if there is one.
    fn other_end(&self, end: Nanos) -> Option<String> {
        let commits = self.ops.iter().enumerate().rev();
        let others = commits.filter_map(|(at, op)| match op {
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if time_at(self.ops, at) + ttl == end => Some(snapshot),
            _ => None,
        });
        let (own, foreign): (Vec<_>, Vec<_>) = others.partition(|other| other.id() == self.id);
        let own = own.first().map(|own| Payload(own).to_string());
        let name = own.or_else(|| foreign.first().map(|other| Id(other.id()).to_string()));
        name.map(|name| format!(", at the deadline of {name}"))
    }

    /// What else falls on `end`, where the entry's life ends.
    fn sign(&self, end: Nanos) -> String {
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
        let mut signs = self.other_end(end).into_iter().chain(prolonged);
        let rounded = || {
            let unit = UNITS.iter().find(|unit| self.is_rounded(end, **unit))?;
            Some(format!(", its deadline rounded to {}", Time(*unit)))
        };
        signs.next().or_else(rounded).unwrap_or_default()
    }

    /// Whether `end` is the deadline rounded to a multiple of `unit`, also of the next longer life.
    fn is_rounded(&self, end: Nanos, unit: Nanos) -> bool {
        let mut ops = self.ops.to_vec();
        if let Op::Commit { ttl, .. } = &mut ops[self.commit] {
            *ttl += unit;
        }
        let longer = Watched {
            ops: &ops,
            deadline: self.deadline + unit,
            ..*self
        };
        end % unit == 0
            && (end - self.deadline).abs() < unit
            && longer.lives_at(end + unit - 1) == Some(true)
            && longer.lives_at(end + unit) == Some(false)
    }
}

/// It does not even die of [`FURTHEST`].
pub(super) const IMMORTAL: &str = "the entry is still there after an advance of 20,000 years";

const AGREES_AROUND: &str = "agrees one nanosecond earlier and later";

fn suspect_sign() -> String {
    format!("{AGREES_AROUND}: suspect `<` for `<=`")
}

/// Steps of coarse clocks.
const UNITS: [Nanos; 3] = [1_000_000_000, 1_000_000, 1_000];

/// Of an entry that is lost at once: from which time to live on it is, or is not.
fn by_ttl(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    let id = failing.ops.last().and_then(Op::id)?;
    let (place, _) = last_commit(&failing.counted(), id)?;
    let Op::Commit { snapshot, ttl } = &failing.ops[place] else {
        return None;
    };
    let commit = &failing.ops[place];
    if failing.ops[..place].contains(commit) {
        // Where the same commit once more is the matter, another ttl makes it another.
        return None;
    }
    let keeps = |ttl: Nanos| {
        let mut ops = failing.ops.clone();
        ops[place] = Op::Commit {
            snapshot: snapshot.clone(),
            ttl,
        };
        probe(&ops).is_none()
    };
    let say = |kept, lost| {
        let end = end_of_integers(lost);
        let (kept, lost) = (Time(kept), Time(lost));
        format!("with a ttl of {kept} the entry is found, with one of {lost} it is not{end}")
    };
    if *ttl > 1 && keeps(ttl - 1) {
        return Some(say(ttl - 1, *ttl));
    }
    let longer = doubling()
        .map(|by| ttl + by)
        .take_while(|ttl| *ttl < CLOCK_END);
    let mut lost = *ttl;
    for longer in longer {
        if !keeps(longer) {
            lost = longer;
            continue;
        }
        let mut kept = longer;
        while kept - lost > 1 {
            let middle = lost + (kept - lost) / 2;
            match keeps(middle) {
                true => kept = middle,
                false => lost = middle,
            }
        }
        return Some(say(kept, lost));
    }
    None
}

/// Of an entry that is lost at once: whether it is, when the program begins a nanosecond earlier.
fn by_date(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    let mut ops = failing.ops.clone();
    let Some(Op::Advance { by }) = ops.first_mut() else {
        return None;
    };
    let end = end_of_integers(WALL_ORIGIN * UNITS[0] + *by).replace("that", "since 1970 that");
    *by -= 1;
    let agrees = probe(&ops).is_none();
    agrees.then(|| format!("with all of it one nanosecond earlier it agrees{end}"))
}

/// The time at which `ops[at]` is done.
fn time_at(ops: &[Op], at: usize) -> Nanos {
    let mut model = Model::default();
    for op in &ops[..at] {
        model.step(op);
    }
    model.now()
}

fn doubling() -> impl Iterator<Item = Nanos> {
    (0..120).map(|doublings| 1 << doublings)
}

/// Says so where `time`, which is positive, is where integers end, once or many times over.
fn end_of_integers(time: Nanos) -> String {
    const DAY: Nanos = 86_400 * UNITS[0];
    let wide = [64, 63, 32, 31].into_iter().flat_map(|bits| {
        let units = [("ms", UNITS[1]), ("us", UNITS[2]), ("ns", 1)];
        units.map(|(name, unit)| (unit << bits, format!("2^{bits} {name}")))
    });
    // Of short units, narrow ones end at every other time.
    let narrow = [64, 63, 32, 31, 16, 15].into_iter().flat_map(|bits| {
        let units = [
            ("days", DAY),
            ("h", DAY / 24),
            ("min", DAY / 1_440),
            ("s", UNITS[0]),
        ];
        units.map(|(name, unit)| (unit << bits, format!("2^{bits} {name}")))
    });
    let ends = wide.chain(narrow);
    let ends = ends.filter(|(end, _)| time % end == 0);
    match ends.max_by_key(|(end, _)| *end) {
        Some((end, name)) if end == time => format!(", and that is {name}"),
        Some((_, name)) => format!(", and that is a multiple of {name}"),
        None => String::new(),
    }
}
