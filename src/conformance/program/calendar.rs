//! Calendar: instants at which clocks and calendars have an edge, in nanoseconds since 2020-01-01 UTC, where a
//! [`ManualClock`](crate::ManualClock) starts.

use super::time::WALL_ORIGIN;
use crate::model::Nanos;

const SECOND: Nanos = 1_000_000_000;

/// Since 1970, in seconds, as an instant.
const fn unix(seconds: Nanos) -> Nanos {
    (seconds - WALL_ORIGIN) * SECOND
}

/// In the order of time.
pub(crate) const EDGES: [Nanos; 18] = [
    // Whole seconds and tenths.
    10 * SECOND,
    10 * SECOND + SECOND / 10,
    // A full hour, and midnight UTC.
    3_600 * SECOND,
    86_400 * SECOND,
    // Summer time in the US, at 2 o'clock local time: 2020-03-08, from the East to the West.
    unix(1_583_650_800),
    unix(1_583_661_600),
    // In the EU: 2020-03-29 01:00 UTC.
    unix(1_585_443_600),
    // Back from summer time in the south of Australia, and into it: 2020-04-05 and 2020-10-04.
    unix(1_586_016_000),
    unix(1_601_740_800),
    // Back again in the EU: 2020-10-25 01:00 UTC.
    unix(1_603_587_600),
    // In the US: 2020-11-01.
    unix(1_604_210_400),
    unix(1_604_221_200),
    // The end of a year, and of a February that is a day longer.
    unix(1_609_459_200),
    unix(1_709_164_800),
    unix(1_709_251_200),
    // 2038-01-19T03:14:08Z, and the same without a sign.
    unix(1 << 31),
    unix(1 << 32),
    // The end of the year 9999.
    unix(253_402_300_800),
];
