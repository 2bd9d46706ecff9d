//! Blamed: stores whose defects look like others, or hide each other. What they are charged with is what
//! their maintainer would look for.

use super::animal::{Animal, Entry, RIGHT, Reply, Shelf, failed, refused, validate};
use super::checked;
use serde_json::Value;
use session_spec::conformance::{Profile, Report};
use session_spec::{Clause, Constraint, Data, Snapshot};
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

fn clauses(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

/// What is said of it, within the budget of a test.
fn said_of(animal: Animal, profile: Profile) -> Report {
    let check = checked(animal).profile(profile).clients(1);
    let report = check.depth(4).sequences(10_000).run();
    let is_fault = |note: &String| note.starts_with("a fault of session-spec");
    assert!(!report.notes.iter().any(is_fault), "{report}");
    report
}

/// Whether these, and nothing else, are what it is charged with.
fn is_charged_with(animal: Animal, profile: Profile, expected: &[Clause]) {
    let report = said_of(animal, profile);
    assert_eq!(clauses(&report), expected, "{}\n{report}", animal.name);
}

/// 32 lower-case letters.
fn lower_case() -> Profile {
    Profile::default().ids(|number| {
        ["a", "b"].map(|letter| {
            let mut number = number;
            let tail = (0..31).map(|_| {
                let digit = b'a' + u8::try_from(number % 26).expect("it is a letter");
                number /= 26;
                char::from(digit)
            });
            letter.chars().chain(tail).collect()
        })
    })
}

fn whole_seconds(ttl: Duration) -> Duration {
    Duration::from_secs(ttl.as_secs())
}

const CUT: Animal = Animal {
    name: "ttl cut to whole seconds",
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        shelf.put(now, snapshot, whole_seconds(ttl));
        Ok(())
    },
    ..RIGHT
};

const CUT_DEADLINES: Animal = Animal {
    name: "deadlines cut to whole seconds",
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let deadline = now.saturating_add(ttl.as_nanos());
        let entry = Entry {
            snapshot: snapshot.clone(),
            deadline: deadline - deadline % SECOND,
        };
        shelf.entries.insert(snapshot.id().to_owned(), entry);
        Ok(())
    },
    ..RIGHT
};

const DROP_OF_NOTHING: Animal = Animal {
    name: "the drop of what is not there is an error",
    drop: |shelf, now, id| match shelf.live(now, id) {
        None if !id.is_empty() => failed("no such session"),
        _ => (RIGHT.drop)(shelf, now, id),
    },
    ..RIGHT
};

/// Whether a store of 32 lower-case letters knows it.
fn is_lower_case(id: &str) -> bool {
    id.is_empty() || id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[test]
fn ids_of_a_form_of_their_own_are_not_foreign() {
    let drop_of_nothing = Animal {
        prepare: |shelf, now, id| match is_lower_case(id) {
            true => (RIGHT.prepare)(shelf, now, id),
            false => failed("no such form"),
        },
        drop: |shelf, now, id| match is_lower_case(id) {
            true => (DROP_OF_NOTHING.drop)(shelf, now, id),
            false => failed("no such form"),
        },
        ..DROP_OF_NOTHING
    };
    let cut = Animal {
        commit: |shelf, now, snapshot, ttl| match is_lower_case(snapshot.id()) {
            true => (CUT.commit)(shelf, now, snapshot, ttl),
            false => failed("no such form"),
        },
        prepare: drop_of_nothing.prepare,
        ..CUT
    };
    let letters = Profile::default().ids_of("abcdefghijklmnopqrstuvwxyz", 32..=32);
    for profile in [lower_case(), letters] {
        is_charged_with(drop_of_nothing, profile.clone(), &[Clause::Drp2]);
        let report = said_of(cut, profile);
        assert_eq!(clauses(&report), [Clause::Com7], "{report}");
        let found = &report.violations[0];
        assert_eq!(found.cited, [Clause::Com5], "{report}");
        let mut ids = found.program.ops().iter().filter_map(session_spec::Op::id);
        assert!(ids.all(is_lower_case), "{report}");
    }
}

/// Marks that an alphabet has are tried for one another.
#[test]
fn ids_of_an_alphabet_are_told_apart() {
    let folds = Animal {
        name: "a colon is stored as an underscore",
        prepare: |shelf, now, id| {
            let found = (RIGHT.prepare)(shelf, now, &id.replace(':', "_"))?;
            Ok(found.map(|found| found.with_id(id)))
        },
        commit: |shelf, now, snapshot, ttl| {
            let id = snapshot.id().replace(':', "_");
            (RIGHT.commit)(shelf, now, &snapshot.with_id(id), ttl)
        },
        drop: |shelf, now, id| (RIGHT.drop)(shelf, now, &id.replace(':', "_")),
        ..RIGHT
    };
    let profile = Profile::default().ids_of("abcdefghij:_-", 8..=64);
    is_charged_with(folds, profile, &[Clause::Idn1]);
}

#[test]
fn two_defects_that_show_alike_are_both_found() {
    let both = Animal {
        name: "what is not there is an error, and ttl cut to whole seconds",
        prepare: |shelf, now, id| match shelf.live(now, id) {
            None if !id.is_empty() => failed("no such session"),
            found => Ok(found.map(|entry| entry.snapshot.clone())),
        },
        ..CUT
    };
    is_charged_with(both, Profile::default(), &[Clause::Pre1, Clause::Com7]);
}

#[test]
fn what_a_reply_contradicts_besides_is_cited() {
    is_charged_with(CUT_DEADLINES, Profile::default(), &[Clause::Com7]);
}

#[test]
fn what_goes_of_very_many_is_lost() {
    let sieve = Animal {
        name: "of 500 entries every third goes",
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            if shelf.entries.len() == 500 {
                let ids: Vec<String> = shelf.entries.keys().step_by(3).cloned().collect();
                for id in ids {
                    shelf.entries.remove(&id);
                }
            }
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(sieve, Profile::default(), &[Clause::Ttl1]);
}

#[test]
fn a_refused_token_is_one_finding() {
    let refuses = Animal {
        name: "refuses tokens that begin with a digit",
        commit: |shelf, now, snapshot, ttl| {
            if snapshot.id().len() == 32 && snapshot.id().starts_with(|c: char| c.is_lowercase()) {
                return refused(Constraint::UnsupportedId);
            }
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    is_charged_with(refuses, Profile::default(), &[Clause::Com5]);
}

#[test]
fn whose_snapshot_came_back_is_looked_at_first() {
    let ring = Animal {
        name: "slots in a ring of sixteen",
        prepare: |shelf, now, id| {
            let slot = shelf.recent.iter().position(|known| known == id);
            let slot = slot.map(|slot| (slot % 16).to_string());
            let entry = slot.and_then(|slot| shelf.live(now, &slot));
            Ok(entry.map(|entry| entry.snapshot.with_id(id)))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let id = snapshot.id().to_owned();
            let slot = shelf.recent.iter().position(|known| *known == id);
            let slot = slot.unwrap_or_else(|| {
                shelf.recent.push(id);
                shelf.recent.len() - 1
            });
            shelf.put(now, &snapshot.with_id((slot % 16).to_string()), ttl);
            Ok(())
        },
        drop: |shelf, _, id| {
            if let Some(slot) = shelf.recent.iter().position(|known| known == id) {
                shelf.entries.remove(&(slot % 16).to_string());
            }
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(ring, Profile::default(), &[Clause::Idn1]);
}

#[test]
fn an_error_leaves_both_worlds_open_and_nothing_else() {
    let leaves = Animal {
        name: "an error leaves an entry behind that never expires",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.put(now, snapshot, Duration::MAX);
            if snapshot.data().iter().count() > 2 {
                return failed("too many columns");
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(leaves, Profile::default(), &[Clause::Val1, Clause::Err3]);
}

/// Where either snapshot or nothing is right, another snapshot is not: it is the value that is wrong.
#[test]
fn a_changed_value_is_one_finding_where_the_clock_is_coarse() {
    fn without_a_sign(value: &Value) -> Value {
        match value {
            Value::Number(it) if it.is_f64() && it.as_f64() == Some(0.0) => Value::from(0.0),
            Value::Array(all) => all.iter().map(without_a_sign).collect(),
            Value::Object(all) => {
                let all = all.iter().map(|(key, value)| (key, without_a_sign(value)));
                all.map(|(key, value)| (key.clone(), value)).collect()
            }
            other => other.clone(),
        }
    }
    let unsigned = Animal {
        name: "-0.0 comes back as 0.0, and lives go on until the next whole second",
        prepare: |shelf, now, id| {
            let found = shelf.live(now / SECOND * SECOND, id);
            Ok(found.map(|entry| entry.snapshot.clone()))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let mut data = Data::default();
            for (key, value) in snapshot.data().iter() {
                let value = without_a_sign(value);
                data.set(key, value).expect("it was set before");
            }
            let (csrf, user) = (snapshot.csrf_token(), snapshot.user().cloned());
            shelf.put(now, &Snapshot::new(snapshot.id(), csrf, user, data), ttl);
            Ok(())
        },
        ..RIGHT
    };
    let profile = Profile::default().resolution(Duration::from_secs(1));
    is_charged_with(unsigned, profile, &[Clause::Snp4]);
}

fn merged(old: &Data, new: &Data) -> Data {
    let mut all = new.clone();
    for (key, value) in old.iter() {
        if let (Some(one), Some(other)) =
            (value.as_object(), new.iter().find(|(name, _)| *name == key))
        {
            let mut both = one.clone();
            if let Some(newer) = other.1.as_object() {
                both.extend(newer.clone());
                all.set(key, both).expect("it was set before");
            }
        }
    }
    all
}

#[test]
fn a_mix_of_two_commits_is_shown_as_one() {
    let merges = Animal {
        name: "merges at every depth but the first",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let old = shelf
                .live(now, snapshot.id())
                .map(|entry| entry.snapshot.data().clone());
            let data = merged(&old.unwrap_or_default(), snapshot.data());
            let (csrf, user) = (snapshot.csrf_token(), snapshot.user().cloned());
            shelf.put(now, &Snapshot::new(snapshot.id(), csrf, user, data), ttl);
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(merges, Profile::default(), &[Clause::Com6]);
}

#[test]
fn what_counts_calls_is_one_finding() {
    let every = Animal {
        name: "every 24th commit is lost",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.calls += 1;
            if shelf.calls % 24 != 0 {
                shelf.put(now, snapshot, ttl);
            }
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(every, Profile::default(), &[Clause::Com5]);
    let stale = Animal {
        name: "every fifth prepare is stale",
        prepare: |shelf, now, id| {
            shelf.calls += 1;
            let aside = match shelf.calls % 5 {
                0 => shelf.aside.get(id),
                _ => None,
            };
            let entry = aside.or_else(|| shelf.live(now, id));
            Ok(entry.map(|entry| entry.snapshot.clone()))
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            if let Some(old) = shelf.live(now, snapshot.id()).cloned() {
                shelf.aside.insert(snapshot.id().to_owned(), old);
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(stale, Profile::default(), &[Clause::Pre4]);
}

#[test]
fn the_oldest_that_goes_while_all_are_live_is_lost() {
    let room = Animal {
        name: "room for twelve",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.recent.retain(|id| id != snapshot.id());
            shelf.recent.push(snapshot.id().to_owned());
            if shelf.recent.len() > 12 {
                let oldest = shelf.recent.remove(0);
                shelf.entries.remove(&oldest);
            }
            shelf.put(now, snapshot, ttl);
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(room, Profile::default(), &[Clause::Ttl1]);
}

#[test]
fn a_view_of_a_pooled_buffer_is_one_finding() {
    let pooled = Animal {
        name: "a key is a view of a pooled buffer",
        prepare: |shelf, now, id| {
            let found = shelf.live(now, id).map(|entry| entry.snapshot.clone());
            // The buffer of the last key is written over.
            if let Some(last) = shelf.recent.pop()
                && let Some(entry) = shelf.entries.remove(&last)
            {
                shelf.entries.insert(id.to_owned(), entry);
            }
            Ok(found.map(|snapshot| snapshot.with_id(id)))
        },
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.recent.push(snapshot.id().to_owned());
            Ok(())
        },
        ..RIGHT
    };
    is_charged_with(pooled, Profile::default(), &[Clause::Pre4]);
}

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

#[test]
fn a_deep_value_is_told_by_its_shape() {
    fn levels(value: &Value) -> usize {
        let inside = match value {
            Value::Array(items) => items.iter().map(levels).max(),
            Value::Object(map) => map.values().map(levels).max(),
            _ => return 0,
        };
        1 + inside.unwrap_or(0)
    }
    let panics = Animal {
        name: "panics on values of a hundred levels",
        commit: |shelf, now, snapshot, ttl| {
            let mut values = snapshot.data().iter().map(|(_, value)| value);
            assert!(values.all(|value| levels(value) < 100), "too deep");
            (RIGHT.commit)(shelf, now, snapshot, ttl)
        },
        ..RIGHT
    };
    let report = said_of(panics, Profile::default());
    assert_eq!(clauses(&report), [Clause::Err1], "{report}");
    let text = report.violations[0].to_string();
    let line = text.lines().find(|line| line.contains("t=0s"));
    let line = line.expect("there is a commit");
    assert!(
        line.starts_with("    t=0s  commit A {\"csrf_token\":\"\",\"data\":{\"\":[[[["),
        "{text}"
    );
    assert!(line.contains(" bytes, 100 levels deep) ttl 1s "), "{text}");
    let program = report.violations[0].program.to_string();
    assert!(program.contains(&"[".repeat(100)), "{program}");
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
    for (animal, sequences) in [(by_12_bits, 10_000), (by_hash, 100), (by_the_end, 100)] {
        let check = checked(animal).clients(1).depth(1);
        let report = check.sequences(sequences).run();
        assert_eq!(
            clauses(&report),
            [Clause::Com6],
            "{}\n{report}",
            animal.name
        );
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

#[test]
fn what_counts_drops_or_any_calls_is_told_so() {
    let every = Animal {
        name: "every seventh drop does nothing",
        drop: |shelf, now, id| {
            shelf.calls += 1;
            match shelf.calls % 7 {
                0 => Ok(()),
                _ => (RIGHT.drop)(shelf, now, id),
            }
        },
        ..RIGHT
    };
    let near_miss = |report: &Report| report.violations[0].near_miss.clone().unwrap_or_default();
    let report = said_of(every, Profile::default());
    assert_eq!(clauses(&report), [Clause::Drp1], "{report}");
    let told = "any 6 drops before it do as well, on whatever id: it takes the 7th drop";
    assert_eq!(near_miss(&report), told, "{report}");
    let compacts = Animal {
        name: "the fiftieth commit brings back what was dropped",
        commit: |shelf, now, snapshot, ttl| {
            (RIGHT.commit)(shelf, now, snapshot, ttl)?;
            shelf.aside.remove(snapshot.id());
            shelf.calls += 1;
            if shelf.calls == 50 {
                shelf.entries.append(&mut shelf.aside);
            }
            Ok(())
        },
        drop: |shelf, _, id| {
            if let Some(entry) = shelf.entries.remove(id) {
                shelf.aside.insert(id.to_owned(), entry);
            }
            Ok(())
        },
        ..RIGHT
    };
    let report = said_of(compacts, Profile::default());
    assert_eq!(clauses(&report), [Clause::Drp1], "{report}");
    let told = "any 49 other commits do as well, on whatever id: it takes 50 commits";
    assert_eq!(near_miss(&report), told, "{report}");
}
