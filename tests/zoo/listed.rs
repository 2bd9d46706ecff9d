//! Listed: stores with a defect that some list of the kit has programs for, so that it is found whatever the
//! seed.

use super::animal::{Animal, Entry, RIGHT, Reply, Shelf, validate};
use super::blamed::{CUT_DEADLINES, SECOND, clauses};
use super::checked;
use session_spec::conformance::Profile;
use session_spec::{Clause, Snapshot};
use std::time::Duration;

/// The calendar of a zone that has summer time, as far as it shows a store whose clock is local.
fn local(now: u128, hour: u128) -> u128 {
    /// Where the clock of a program begins: 2020-01-01.
    const ORIGIN: u128 = 1_577_836_800;
    let spring = (1_585_443_600 - ORIGIN) * SECOND;
    let autumn = (1_603_587_600 - ORIGIN) * SECOND;
    match (spring..autumn).contains(&now) {
        true => now + hour * SECOND,
        false => now,
    }
}

#[test]
fn deadlines_in_local_time_are_wrong_where_summer_time_begins_and_ends() {
    let summer = Animal {
        name: "deadlines in local time",
        prepare: |shelf, now, id| (RIGHT.prepare)(shelf, local(now, 3_600), id),
        commit: |shelf, now, snapshot, ttl| (RIGHT.commit)(shelf, local(now, 3_600), snapshot, ttl),
        ..RIGHT
    };
    for seed in 0..5 {
        let check = checked(summer).clients(1).depth(1).sequences(1).seed(seed);
        let report = check.run();
        assert_eq!(clauses(&report), [Clause::Ttl1, Clause::Ttl2], "{report}");
        let text = report.to_string();
        let is_dated = text.contains("(2020-03-29T") && text.contains("(2020-10-25T");
        assert!(is_dated, "{report}");
    }
}

#[test]
fn dates_that_are_compared_as_text_are_wrong_on_whole_seconds() {
    fn text(nanos: u128) -> String {
        let fraction = nanos % SECOND;
        let fraction = match fraction {
            0 => String::new(),
            _ => format!(".{fraction:09}").trim_end_matches('0').to_owned(),
        };
        format!("{:020}{fraction}Z", nanos / SECOND)
    }
    let texts = Animal {
        name: "dates are compared as text",
        prepare: |shelf, now, id| {
            let entry = shelf.entries.get(id);
            let live = entry.filter(|entry| text(entry.deadline) > text(now));
            Ok(live.map(|entry| entry.snapshot.clone()))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let deadline = now.saturating_add(ttl.as_nanos());
            let snapshot = snapshot.clone();
            let id = snapshot.id().to_owned();
            shelf.entries.insert(id, Entry { snapshot, deadline });
            Ok(())
        },
        ..RIGHT
    };
    for seed in 0..5 {
        let check = checked(texts).clients(1).depth(1).sequences(1).seed(seed);
        let report = check.run();
        assert_eq!(clauses(&report), [Clause::Com7, Clause::Ttl2], "{report}");
    }
}

#[test]
fn a_coarse_clock_that_rounds_down_is_caught_with_every_seed() {
    let profile = Profile::default().resolution(Duration::from_secs(1));
    for seed in 0..5 {
        let check = checked(CUT_DEADLINES)
            .profile(profile.clone())
            .clients(1)
            .depth(1);
        let report = check.sequences(1).seed(seed).run();
        assert_eq!(clauses(&report), [Clause::Com7], "{report}");
    }
}

/// What is as good as unchanged is not written.
fn unchanged(
    is_unchanged: fn(&Snapshot, &Snapshot) -> bool,
) -> impl Fn(&mut Shelf, u128, &Snapshot, Duration) -> Reply<()> {
    move |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let kept = shelf
            .live(now, snapshot.id())
            .map(|entry| entry.snapshot.clone());
        let written = kept.filter(|kept| is_unchanged(kept, snapshot));
        shelf.put(now, &written.unwrap_or_else(|| snapshot.clone()), ttl);
        Ok(())
    }
}

#[test]
fn what_a_checksum_or_an_end_takes_for_unchanged_is_caught() {
    fn sum(snapshot: &Snapshot) -> u32 {
        let bytes = snapshot.encode();
        let hashed = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        hashed >> 20
    }
    fn by_31(snapshot: &Snapshot) -> u32 {
        let bytes = snapshot.encode();
        bytes.iter().fold(0_u32, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(u32::from(*byte))
        })
    }
    let by_12_bits = Animal {
        name: "unchanged by 12 bits of a checksum",
        commit: |shelf, now, snapshot, ttl| {
            unchanged(|one, other| sum(one) == sum(other))(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    let by_hash = Animal {
        name: "unchanged by a hash that multiplies by 31",
        commit: |shelf, now, snapshot, ttl| {
            unchanged(|one, other| by_31(one) == by_31(other))(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    let by_the_end = Animal {
        name: "unchanged by the length and the last 64 bytes",
        commit: |shelf, now, snapshot, ttl| {
            let is_alike = |one: &Snapshot, other: &Snapshot| {
                let [one, other] = [one, other].map(Snapshot::encode);
                let end = |bytes: &[u8]| bytes[bytes.len().saturating_sub(64)..].to_vec();
                one.len() == other.len() && end(&one) == end(&other)
            };
            unchanged(is_alike)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    // What shows them is not drawn.
    for (animal, sequences, search) in [
        (by_12_bits, 10_000, "repeated"),
        (by_hash, 100, "notorious"),
        (by_the_end, 100, "notorious"),
    ] {
        let check = checked(animal).clients(1).depth(1);
        let report = check.sequences(sequences).run();
        assert_eq!(
            clauses(&report),
            [Clause::Com6],
            "{}\n{report}",
            animal.name
        );
        assert_eq!(report.violations[0].search, search, "{report}");
    }
}

#[test]
fn a_cache_that_lets_go_of_the_newest_of_a_crowd_is_caught() {
    let crowded = Animal {
        name: "lets go of what was not read",
        prepare: |shelf, now, id| {
            while now > shelf.written + 3 * SECOND / 10 && shelf.entries.len() > 20 {
                let unread = |id: &&String| !shelf.marks.contains(*id);
                let ids = || shelf.entries.keys();
                let least = ids().find(unread).or_else(|| ids().next());
                let least = least.expect("there are many").clone();
                shelf.entries.remove(&least);
            }
            shelf.marks.insert(id.to_owned());
            (RIGHT.prepare)(shelf, now, id)
        },
        commit: |shelf, now, snapshot, ttl| {
            shelf.written = now;
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    // What shows it is not drawn.
    let check = checked(crowded).profile(Profile::default().may_evict());
    let report = check.clients(1).depth(1).sequences(100).run();
    assert_eq!(clauses(&report), [Clause::Com5], "{report}");
}
