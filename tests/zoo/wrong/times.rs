//! Time: lives cut short, drawn out, and mixed up.

use super::super::animal::{Animal, Entry, RIGHT, failed, refused, validate};
use super::{MILLISECOND, SECOND};
use session_spec::{Clause, Constraint};
use std::time::Duration;

pub(crate) const TIMES: &[Animal] = &[
    timed!(
        "a life in 16 bits of days",
        Clause::Com7,
        |now: u128, ttl: Duration| now + ttl.as_nanos() % (65_536 * 86_400 * SECOND)
    ),
    timed!(
        "whole seconds, rounded down",
        Clause::Com7,
        |now, ttl: Duration| { now + u128::from(ttl.as_secs()) * SECOND }
    ),
    timed!("seconds in 32 bits", Clause::Com7, |now, ttl: Duration| {
        now + u128::from(ttl.as_secs() % (1 << 32)) * SECOND + u128::from(ttl.subsec_nanos())
    }),
    timed!(
        "nanoseconds in 64 bits",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_nanos() % (1 << 64) }
    ),
    timed!(
        "no ttl above a month",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_nanos().min(30 * 86_400 * SECOND) }
    ),
    timed!(
        "expires a nanosecond early",
        Clause::Ttl1,
        |now, ttl: Duration| { now + ttl.as_nanos().max(2) - 1 }
    ),
    timed!(
        "live at the deadline",
        Clause::Ttl2,
        |now, ttl: Duration| now + ttl.as_nanos() + 1
    ),
    timed!(
        "whole seconds, rounded up",
        Clause::Ttl2,
        |now, ttl: Duration| { now + ttl.as_nanos().next_multiple_of(SECOND) }
    ),
    Animal {
        name: "expired is an error",
        clause: Some(Clause::Ttl2),
        prepare: |shelf, now, id| match shelf.entries.get(id) {
            Some(entry) if now >= entry.deadline => failed("session expired"),
            _ => (RIGHT.prepare)(shelf, now, id),
        },
        ..RIGHT
    },
    Animal {
        name: "one deadline for all",
        clause: Some(Clause::Ttl3),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            let latest = shelf
                .live(now, snapshot.id())
                .map_or(0, |entry| entry.deadline);
            for entry in shelf
                .entries
                .values_mut()
                .filter(|entry| now < entry.deadline)
            {
                entry.deadline = latest;
            }
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "the second look finds it again",
        clause: Some(Clause::Ttl4),
        prepare: |shelf, now, id| {
            let expired = shelf
                .entries
                .get(id)
                .cloned()
                .filter(|entry| now >= entry.deadline);
            let found = (RIGHT.prepare)(shelf, now, id);
            if let Some(mut entry) = expired {
                entry.deadline = u128::MAX;
                shelf.entries.insert(id.to_owned(), entry);
            }
            found
        },
        ..RIGHT
    },
    timed!(
        "milliseconds, rounded down",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_millis() * MILLISECOND }
    ),
    timed!(
        "milliseconds, rounded up",
        Clause::Ttl2,
        |now, ttl: Duration| { now + ttl.as_nanos().next_multiple_of(MILLISECOND) }
    ),
    timed!(
        "milliseconds in 32 bits",
        Clause::Com7,
        |now, ttl: Duration| { now + ttl.as_nanos() % (MILLISECOND << 32) }
    ),
    timed!(
        "beyond a month it is a date",
        Clause::Com7,
        |now, ttl: Duration| match ttl.as_secs() <= 30 * 86_400 {
            true => now + ttl.as_nanos(),
            false => ttl.as_nanos().saturating_sub(1_577_836_800 * SECOND),
        }
    ),
    timed!(
        "beyond three centuries it is for ever",
        Clause::Com7,
        |now, ttl: Duration| match i64::try_from(ttl.as_nanos()) {
            Ok(_) => now + ttl.as_nanos(),
            Err(_) => u128::MAX,
        }
    ),
    timed!(
        "below a second it is for ever",
        Clause::Com7,
        |now, ttl: Duration| match ttl.as_secs() {
            0 => u128::MAX,
            _ => now + ttl.as_nanos(),
        }
    ),
    timed!("dates end in 2038", Clause::Com7, |now, ttl: Duration| {
        u128::min(
            now + ttl.as_nanos(),
            ((1_u128 << 31) - 1_577_836_800) * SECOND,
        )
    }),
    Animal {
        name: "less than a millisecond is refused",
        clause: Some(Clause::Com7),
        commit: |shelf, now, snapshot, ttl| match ttl.as_millis() {
            0 => {
                validate(snapshot, Duration::from_secs(1))?;
                refused(Constraint::TtlNotPositive)
            }
            _ => (RIGHT.commit)(shelf, now, snapshot, ttl),
        },
        ..RIGHT
    },
    timed!("half the life", Clause::Ttl1, |now, ttl: Duration| {
        now + ttl.as_nanos().div_ceil(2)
    }),
    timed!(
        "the life begins with the store",
        Clause::Ttl1,
        |_, ttl: Duration| { ttl.as_nanos() }
    ),
    Animal {
        name: "sweeps a second too early",
        clause: Some(Clause::Ttl3),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf
                .entries
                .retain(|_, entry| now + SECOND < entry.deadline);
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    timed!("a second too long", Clause::Ttl2, |now, ttl: Duration| {
        now + ttl.as_nanos() + SECOND
    }),
    timed!("nothing expires", Clause::Ttl2, |_, _: Duration| u128::MAX),
    Animal {
        name: "the expired are seen once more",
        clause: Some(Clause::Ttl2),
        prepare: |shelf, now, id| {
            let found = shelf.entries.get(id).map(|entry| entry.snapshot.clone());
            if shelf.expired(now, id).is_some() {
                shelf.entries.remove(id);
            }
            Ok(found)
        },
        ..RIGHT
    },
    Animal {
        name: "time stands still between commits",
        clause: Some(Clause::Ttl2),
        prepare: |shelf, _, id| (RIGHT.prepare)(shelf, shelf.written, id),
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.written = now;
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    },
    Animal {
        name: "one expiry sweeps all",
        clause: Some(Clause::Ttl3),
        prepare: |shelf, now, id| {
            if shelf.entries.values().any(|entry| now >= entry.deadline) {
                shelf.entries.clear();
            }
            (RIGHT.prepare)(shelf, now, id)
        },
        ..RIGHT
    },
    Animal {
        name: "the last deadline is everybody's",
        clause: Some(Clause::Ttl3),
        prepare: |shelf, now, id| {
            let last = shelf.entries.values().map(|entry| entry.deadline).max();
            let entry = shelf.entries.get(id).filter(|_| last > Some(now));
            Ok(entry.map(|entry| entry.snapshot.clone()))
        },
        commit: |shelf, now, snapshot, ttl| {
            shelf.entries.retain(|_, entry| now < entry.deadline);
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        drop: |shelf, now, id| {
            shelf
                .entries
                .retain(|key, entry| now < entry.deadline && key != id);
            Ok(())
        },
    },
    Animal {
        name: "a commit of another revives the expired",
        clause: Some(Clause::Ttl3),
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            for entry in shelf.entries.values_mut() {
                if now >= entry.deadline {
                    entry.deadline = now + SECOND;
                }
            }
            Ok(())
        },
        ..RIGHT
    },
];
