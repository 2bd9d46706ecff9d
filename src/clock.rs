//! Clocks: where a store reads the time, so that a test can be the one who moves it.

use crate::places::{self, Place};
use crate::sync::{AtomicU64, Mutex};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A source of time that never runs backwards.
pub trait Clock: Send + Sync {
    /// Time since this clock's own origin. Two readings of one clock compare; readings of two
    /// clocks do not.
    fn now(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// A source of calendar time, for stores that keep their deadlines as dates.
///
/// Unlike a [`Clock`] it can be set, by an operator or by the network. A store whose deadlines stand
/// on one keeps its times (TTL-1, TTL-2, TTL-4) only as long as nobody sets it back.
pub trait WallClock: Send + Sync {
    /// The date and the time of day.
    fn system_time(&self) -> SystemTime;
}

impl<C: WallClock + ?Sized> WallClock for &C {
    fn system_time(&self) -> SystemTime {
        (**self).system_time()
    }
}

impl<C: WallClock + ?Sized> WallClock for Arc<C> {
    fn system_time(&self) -> SystemTime {
        (**self).system_time()
    }
}

/// The machine's clocks: as a [`Clock`] the monotonic one, whose origin is the moment this was made;
/// as a [`WallClock`] the calendar.
///
/// The monotonic one stands still while the machine sleeps, as [`Instant`] does, and a change of the
/// calendar does not touch it.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock that reads zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Duration {
        let now = Instant::now().duration_since(self.origin);
        places::here(Place::Clock);
        now
    }
}

impl WallClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn system_time(&self) -> SystemTime {
        let now = SystemTime::now();
        places::here(Place::Clock);
        now
    }
}

/// A clock that moves only when told to. Clones show the same time.
///
/// It reads as [`Duration`] (since it was made), as [`Instant`] and as [`SystemTime`], for stores
/// that keep their deadlines in any of these. It goes as far as [`Duration::MAX`], some 584 billion
/// years, and stays there.
///
/// ```
/// # use session_spec::{Clock, ManualClock};
/// # use std::time::Duration;
/// let clock = ManualClock::new();
/// let seen_by_the_store = clock.clone();
/// clock.advance(Duration::from_secs(3));
/// assert_eq!(seen_by_the_store.now(), Duration::from_secs(3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    hand: Arc<Hand>,
}

/// Readings vastly outnumber advances, so a reading is one atomic load wherever 64 bits of
/// nanoseconds suffice (584 years).
#[derive(Debug, Default)]
struct Hand {
    /// Nanoseconds, or [`WIDE`]: then `wide` has the time.
    narrow: AtomicU64,
    wide: Mutex<Duration>,
}

const WIDE: u64 = u64::MAX;

/// What a manual clock at zero reads as a [`SystemTime`]: 2020-01-01T00:00:00Z, in seconds.
const WALL_ORIGIN: Duration = Duration::from_secs(1_577_836_800);

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
static INSTANT_ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl ManualClock {
    /// A clock that reads zero: as a [`SystemTime`], the first instant of 2020 (UTC).
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        let mut wide = self
            .hand
            .wide
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *wide = wide.saturating_add(by);
        let narrow = u64::try_from(wide.as_nanos()).unwrap_or(WIDE);
        self.hand.narrow.store(narrow, Ordering::SeqCst);
    }

    /// The time as an [`Instant`]; the last one this platform has, when the clock is beyond it.
    pub fn instant(&self) -> Instant {
        furthest(self.now(), |by| INSTANT_ORIGIN.checked_add(by)).unwrap_or(*INSTANT_ORIGIN)
    }

    /// The time as a [`SystemTime`]; the last one this platform has, when the clock is beyond it.
    pub fn system_time(&self) -> SystemTime {
        let origin = SystemTime::UNIX_EPOCH + WALL_ORIGIN;
        furthest(self.now(), |by| origin.checked_add(by)).unwrap_or(origin)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        let now = match self.hand.narrow.load(Ordering::SeqCst) {
            WIDE => *self
                .hand
                .wide
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
            nanos => Duration::from_nanos(nanos),
        };
        places::here(Place::Clock);
        now
    }
}

impl WallClock for ManualClock {
    /// As [`ManualClock::system_time`].
    fn system_time(&self) -> SystemTime {
        self.system_time()
    }
}

/// `add(by)`, or with the longest shorter duration (to the second) for which it is something.
fn furthest<T>(by: Duration, add: impl Fn(Duration) -> Option<T>) -> Option<T> {
    add(by).or_else(|| {
        let (mut fits, mut beyond) = (0, by.as_secs());
        while beyond - fits > 1 {
            let middle = fits + (beyond - fits) / 2;
            match add(Duration::from_secs(middle)) {
                Some(_) => fits = middle,
                None => beyond = middle,
            }
        }
        add(Duration::from_secs(fits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_is_wider_than_64_bit_nanoseconds() {
        let clock = ManualClock::new();
        let far = Duration::from_nanos(u64::MAX - 1);
        clock.advance(far);
        assert_eq!(clock.now(), far);
        for _ in 0..3 {
            let before = clock.now();
            clock.advance(Duration::from_nanos(1));
            assert_eq!(clock.now(), before + Duration::from_nanos(1));
        }
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Duration::MAX);
    }

    #[test]
    fn a_manual_clock_reads_as_instant_and_system_time() {
        let clock = ManualClock::new();
        let (instant, wall) = (clock.instant(), clock.system_time());
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.instant() - instant, Duration::from_millis(1_500));
        assert_eq!(
            clock.system_time().duration_since(wall).unwrap(),
            Duration::from_millis(1_500)
        );
    }

    #[test]
    fn a_manual_clock_beyond_the_platforms_range_shows_its_end() {
        let clock = ManualClock::new();
        clock.advance(Duration::from_secs(1 << 40));
        let (instant, wall) = (clock.instant(), clock.system_time());
        clock.advance(Duration::MAX);
        assert!(clock.instant() > instant && clock.system_time() > wall);
        let (instant, wall) = (clock.instant(), clock.system_time());
        clock.advance(Duration::MAX);
        assert_eq!((clock.instant(), clock.system_time()), (instant, wall));
    }

    #[test]
    fn the_system_clock_starts_at_its_making_and_does_not_run_backwards() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(clock.now() >= first);
        assert!(first < Duration::from_secs(3600));
    }
}
