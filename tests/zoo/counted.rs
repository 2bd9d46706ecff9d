//! Counted: stores that go wrong at every so manieth call, whatever it is on.

use super::animal::{Animal, RIGHT, SETS_ASIDE, validate};
use super::blamed::{clauses, is_charged_with, said_of};
use session_spec::Clause;
use session_spec::conformance::{Profile, Report};

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
        ..SETS_ASIDE
    };
    let report = said_of(compacts, Profile::default());
    assert_eq!(clauses(&report), [Clause::Drp1], "{report}");
    let told = "any 49 other commits do as well, on whatever id: it takes 50 commits";
    assert_eq!(near_miss(&report), told, "{report}");
}
