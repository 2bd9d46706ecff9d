//! Loss: with which time to live, or from which instant on, an entry is lost at once.

use super::last_commit::last_commit;
use super::lifetime::powers_of_two;
use crate::conformance::judge::failure::{Failing, Probe};
use crate::conformance::program::Time;
use crate::conformance::program::time::CLOCK_END;
use crate::conformance::program::time::WALL_ORIGIN;
use crate::model::{Nanos, Op};

const SECOND: Nanos = 1_000_000_000;

/// What the next shorter or longer time to live tells, or else the nanosecond before.
pub(super) fn near_miss(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    by_ttl(failing, probe).or_else(|| by_date(failing, probe))
}

/// From which time to live on the entry is lost, or is not.
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
    let is_kept_with = |ttl: Nanos| {
        let mut ops = failing.ops.clone();
        ops[place] = Op::Commit {
            snapshot: snapshot.clone(),
            ttl,
        };
        probe(&ops).is_none()
    };
    let sentence = |kept, lost| {
        let end = integer_limit(lost);
        let (kept, lost) = (Time(kept), Time(lost));
        format!("with a ttl of {kept} the entry is found, with one of {lost} it is not{end}")
    };
    if *ttl > 1 && is_kept_with(ttl - 1) {
        return Some(sentence(ttl - 1, *ttl));
    }
    let longer = powers_of_two()
        .map(|by| ttl + by)
        .take_while(|ttl| *ttl < CLOCK_END);
    let mut lost = *ttl;
    for longer in longer {
        if !is_kept_with(longer) {
            lost = longer;
            continue;
        }
        let mut kept = longer;
        while kept - lost > 1 {
            let middle = lost + (kept - lost) / 2;
            match is_kept_with(middle) {
                true => kept = middle,
                false => lost = middle,
            }
        }
        return Some(sentence(kept, lost));
    }
    None
}

/// Whether it is still lost when the program begins a nanosecond earlier.
fn by_date(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    let mut ops = failing.ops.clone();
    let Some(Op::Advance { by }) = ops.first_mut() else {
        return None;
    };
    let end = integer_limit(WALL_ORIGIN * SECOND + *by).replace("that", "since 1970 that");
    *by -= 1;
    let agrees = probe(&ops).is_none();
    agrees.then(|| format!("with all of it one nanosecond earlier it agrees{end}"))
}

/// Says so where integers that count some unit of time overflow at `time`, which is positive, or have come
/// round there.
fn integer_limit(time: Nanos) -> String {
    const DAY: Nanos = 86_400 * SECOND;
    let wide = [64, 63, 32, 31].into_iter().flat_map(|bits| {
        let units = [
            ("ms", SECOND / 1_000),
            ("us", SECOND / 1_000_000),
            ("ns", 1),
        ];
        units.map(|(name, unit)| (unit << bits, format!("2^{bits} {name}")))
    });
    // Of short units, narrow ones end at every other time.
    let narrow = [64, 63, 32, 31, 16, 15].into_iter().flat_map(|bits| {
        let units = [
            ("days", DAY),
            ("h", DAY / 24),
            ("min", DAY / 1_440),
            ("s", SECOND),
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
