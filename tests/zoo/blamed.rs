//! Blamed: stores whose defects look like others, or hide each other. What they are charged with is what
//! their maintainer would look for.

use super::animal::{Animal, Entry, RIGHT, failed, refused, validate};
use super::checked;
use serde_json::Value;
use session_spec::conformance::{Profile, Report};
use session_spec::{Clause, Constraint, Data, Snapshot};
use std::time::Duration;

pub(crate) const SECOND: u128 = 1_000_000_000;

pub(crate) fn clauses(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

/// What is said of it, within the budget of a test.
pub(crate) fn said_of(animal: Animal, profile: Profile) -> Report {
    let check = checked(animal).profile(profile).clients(1);
    let report = check.depth(4).sequences(10_000).run();
    let is_fault = |note: &String| note.starts_with("a fault of session-spec");
    assert!(!report.notes.iter().any(is_fault), "{report}");
    report
}

/// Whether these, and nothing else, are what it is charged with.
pub(crate) fn is_charged_with(animal: Animal, profile: Profile, expected: &[Clause]) {
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

pub(crate) const CUT_DEADLINES: Animal = Animal {
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
