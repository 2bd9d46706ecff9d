//! Time: model time and `Duration`, each as the other, and what a Rust store can be handed of it.

use crate::model::{Nanos, Op};
use std::time::Duration;

/// A duration in model time.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().cast_signed()
}

/// The last instant a [`ManualClock`](crate::ManualClock) can show.
pub(crate) const CLOCK_END: Nanos = {
    let max = Duration::MAX;
    max.as_nanos().cast_signed()
};

/// 2020-01-01, where a [`ManualClock`](crate::ManualClock) starts, in seconds since 1970.
pub(crate) const WALL_ORIGIN: Nanos = 1_577_836_800;

/// Whether a Rust store can be handed this: it has no nil snapshot and no negative time to live.
pub(crate) fn expressible(op: &Op) -> bool {
    match op {
        Op::Commit { snapshot, ttl } => snapshot.is_some() && duration(*ttl).is_some(),
        _ => true,
    }
}

/// Model time as a `Duration`, where there is one.
pub(crate) fn duration(nanos: Nanos) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    // The short way for the times most programs have: 128-bit division is slow.
    if let Ok(nanos) = u64::try_from(nanos) {
        return Some(Duration::from_nanos(nanos));
    }
    let nanos = u128::try_from(nanos).ok()?;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    Some(Duration::new(seconds, (nanos % SECOND) as u32))
}

/// Units of time, longest first.
pub(crate) const UNITS: [(&str, Nanos); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// `-1.5ms` in nanoseconds.
pub(crate) fn parse(word: &str) -> Option<Nanos> {
    let digits_end = word.find(|c: char| !matches!(c, '0'..='9' | '.' | '-'))?;
    let (number, unit) = word.split_at(digits_end);
    let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let scale = 10i128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction = fraction.parse::<Nanos>().ok()? * unit;
    if fraction % scale != 0 {
        return None;
    }
    let nanos = whole.parse::<Nanos>().ok()?.checked_mul(unit)?;
    nanos.checked_add(fraction / scale)?.checked_mul(sign)
}

/// An instant of a manual clock that runs from 2020-01-01 UTC on, as a date: to the second.
pub(crate) fn date(time: Nanos) -> String {
    const DAY: Nanos = 86_400;
    let seconds = WALL_ORIGIN + time / 1_000_000_000;
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // Days since 0000-03-01, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * era + year + Nanos::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let of = |unix: Nanos| date((unix - WALL_ORIGIN) * 1_000_000_000);
        assert_eq!(date(0), "2020-01-01T00:00:00Z");
        assert_eq!(of(1_585_443_600), "2020-03-29T01:00:00Z");
        assert_eq!(of(1_709_164_799), "2024-02-28T23:59:59Z");
        assert_eq!(of(1_709_164_800), "2024-02-29T00:00:00Z");
        assert_eq!(of(1 << 31), "2038-01-19T03:14:08Z");
        assert_eq!(of(253_402_300_799), "9999-12-31T23:59:59Z");
    }
}
