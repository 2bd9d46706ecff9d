//! Dates: deadlines as tower-sessions keeps them.

use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

/// The furthest deadline of the bridge: the last nanosecond of the year 9999, UTC. There
/// [`OffsetDateTime`] ends, unless somebody in the build switches on its `large-dates`, and there the
/// text forms end in which databases keep dates.
///
/// A later deadline counts as this one (COM-7).
pub const HORIZON: OffsetDateTime = at(LAST);

/// [`HORIZON`], in nanoseconds since 1970.
const LAST: i128 = 253_402_300_800 * SECOND - 1;

/// As far back as forward, in the year -6060, where no clock is.
const FIRST: i128 = -LAST;

const SECOND: i128 = 1_000_000_000;

/// The date that many nanoseconds after 1970; the nearest one that the bridge has.
const fn at(nanos: i128) -> OffsetDateTime {
    let nanos = match nanos {
        ..FIRST => FIRST,
        LAST.. => LAST,
        _ => nanos,
    };
    match OffsetDateTime::from_unix_timestamp_nanos(nanos) {
        Ok(date) => date,
        Err(_) => unreachable!(),
    }
}

/// When what is committed at `now` for `ttl` expires; [`HORIZON`] if that is earlier.
pub(super) fn deadline(now: SystemTime, ttl: Duration) -> OffsetDateTime {
    at(since_1970(now).saturating_add(nanos(ttl)))
}

/// How long it is from `now` until `date`; nothing when it has come.
pub(super) fn until(date: OffsetDateTime, now: SystemTime) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let nanos = date.unix_timestamp_nanos() - since_1970(now);
    let nanos = u128::try_from(nanos).ok()?;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    let duration = Duration::new(seconds, (nanos % SECOND) as u32);
    (!duration.is_zero()).then_some(duration)
}

/// `date` as whole seconds since 1970, rounded down, and nanoseconds. (JSON's integers do not hold
/// its nanoseconds; the form that dates have by themselves changes with the build's features.)
pub(super) fn to_parts(date: OffsetDateTime) -> (i64, u32) {
    (date.unix_timestamp(), date.nanosecond())
}

/// The date of these parts, if there is one.
pub(super) fn from_parts((seconds, nanosecond): (i64, u32)) -> Option<OffsetDateTime> {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    date.replace_nanosecond(nanosecond).ok()
}

/// Nanoseconds since 1970, negative before.
fn since_1970(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => nanos(since),
        Err(before) => -nanos(before.duration()),
    }
}

/// The longest `Duration` has 94 bits of them.
fn nanos(duration: Duration) -> i128 {
    duration.as_nanos().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(seconds: i64) -> SystemTime {
        let by = Duration::from_secs(seconds.unsigned_abs());
        match seconds < 0 {
            true => SystemTime::UNIX_EPOCH - by,
            false => SystemTime::UNIX_EPOCH + by,
        }
    }

    #[test]
    fn the_horizon_is_the_end_of_the_year_9999() {
        assert_eq!(
            HORIZON.to_string(),
            "9999-12-31 23:59:59.999999999 +00:00:00"
        );
    }

    #[test]
    fn com_7_a_deadline_is_exact_to_the_nanosecond() {
        for seconds in [-1, 0, 1_577_836_800, 253_402_300_798] {
            let now = wall(seconds);
            let before = deadline(now, Duration::ZERO);
            assert_eq!(before.unix_timestamp(), seconds);
            let after = deadline(now, Duration::from_nanos(1));
            assert_eq!(
                after.unix_timestamp_nanos() - before.unix_timestamp_nanos(),
                1
            );
        }
    }

    #[test]
    fn com_7_a_deadline_beyond_the_horizon_is_at_it() {
        for (seconds, ttl) in [
            (0, Duration::MAX),
            (1_577_836_800, Duration::from_secs(u64::MAX / 2)),
            (253_402_300_800, Duration::from_nanos(1)),
            (1 << 40, Duration::ZERO),
        ] {
            assert_eq!(deadline(wall(seconds), ttl), HORIZON, "{seconds}");
        }
    }

    #[test]
    fn err_1_times_before_all_dates_do_not_panic() {
        let date = deadline(wall(-(1 << 50)), Duration::from_secs(1));
        assert!(date < OffsetDateTime::UNIX_EPOCH);
    }

    #[test]
    fn the_time_until_a_date_is_exact_and_nothing_once_it_has_come() {
        let now = wall(1_577_836_800);
        let in_ns = |nanos| at(since_1970(now) + nanos);
        assert_eq!(until(in_ns(-1), now), None);
        assert_eq!(until(in_ns(0), now), None);
        assert_eq!(until(in_ns(1), now), Some(Duration::from_nanos(1)));
        let far = until(HORIZON, now).unwrap();
        assert_eq!(deadline(now, far), HORIZON);
        assert!(deadline(now, far.saturating_sub(Duration::from_nanos(1))) < HORIZON);
    }

    #[test]
    fn parts_give_the_date_back() {
        for nanos in [FIRST, -1, 0, 1, SECOND - 1, SECOND, LAST] {
            assert_eq!(from_parts(to_parts(at(nanos))), Some(at(nanos)), "{nanos}");
        }
        for wrong in [(i64::MAX, 0), (i64::MIN, 0), (0, 1_000_000_000)] {
            assert_eq!(from_parts(wrong), None, "{wrong:?}");
        }
    }
}
