//! Stores with two defects that show in the same way, the plainer of which hides the other.

use super::animal::{Animal, RIGHT, validate};
use super::checked;
use session_spec::{Clause, Data, Snapshot};
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

fn are_both_found(animal: Animal, clauses: [Clause; 2]) {
    let check = checked(animal).clients(1).depth(4).sequences(4_000);
    let report = check.run();
    let found = report.violations.iter().map(|violation| violation.clause);
    assert_eq!(found.collect::<Vec<_>>(), clauses, "{report}");
}

#[test]
fn a_life_that_is_too_long_hides_one_that_a_prepare_prolongs() {
    let animal = Animal {
        name: "prepares prolong, and a second is added",
        prepare: |shelf, now, id| {
            let found = shelf.live(now, id).map(|entry| entry.snapshot.clone());
            if let Some(entry) = shelf.entries.get_mut(id).filter(|_| found.is_some()) {
                entry.deadline += 10 * SECOND;
            }
            Ok(found)
        },
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            shelf.put(now, snapshot, ttl.saturating_add(Duration::from_secs(1)));
            Ok(())
        },
        ..RIGHT
    };
    are_both_found(animal, [Clause::Pre4, Clause::Ttl2]);
}

#[test]
fn a_value_that_is_lost_hides_one_that_is_kept() {
    let animal = Animal {
        name: "keeps the old token, and drops nulls",
        commit: |shelf, now, snapshot, ttl| {
            validate(snapshot, ttl)?;
            let mut data = Data::default();
            for (key, value) in snapshot.data().iter().filter(|(_, value)| !value.is_null()) {
                data.set(key, value).expect("it was set before");
            }
            let old = shelf.live(now, snapshot.id());
            let old = old.map(|entry| entry.snapshot.csrf_token().to_owned());
            let csrf = old.unwrap_or_else(|| snapshot.csrf_token().to_owned());
            let kept = Snapshot::new(snapshot.id(), csrf, snapshot.user().cloned(), data);
            shelf.put(now, &kept, ttl);
            Ok(())
        },
        ..RIGHT
    };
    are_both_found(animal, [Clause::Snp4, Clause::Com6]);
}

#[test]
fn a_drop_that_takes_all_with_it_hides_a_prepare_that_does() {
    let animal = Animal {
        name: "one drop empties it, and so does finding nothing",
        prepare: |shelf, now, id| {
            let found = shelf.live(now, id).map(|entry| entry.snapshot.clone());
            if found.is_none() {
                shelf.entries.clear();
            }
            Ok(found)
        },
        drop: |shelf, _, id| {
            if !id.is_empty() {
                shelf.entries.clear();
            }
            Ok(())
        },
        ..RIGHT
    };
    are_both_found(animal, [Clause::Pre4, Clause::Drp4]);
}
