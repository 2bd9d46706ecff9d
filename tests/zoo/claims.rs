//! Claims: stores that are wrong within what their profile claims.

use super::animal::{Animal, Entry, RIGHT, validate};
use super::checked;
use session_spec::Clause;
use session_spec::conformance::Profile;
use std::time::Duration;

const DAY: u128 = 86_400_000_000_000;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// A life that is worked out like this from the ttl, in nanoseconds.
macro_rules! living {
    ($name:literal, $clause:expr, $life:expr) => {
        Animal {
            name: $name,
            clause: Some($clause),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                let life: fn(u128) -> u128 = $life;
                let deadline = now + life(ttl.as_nanos());
                let (id, snapshot) = (snapshot.id().to_owned(), snapshot.clone());
                shelf.entries.insert(id, Entry { snapshot, deadline });
                Ok(())
            },
            ..RIGHT
        }
    };
}

fn wrong() -> Vec<(Animal, Profile)> {
    let profile = Profile::default;
    let horizon = || profile().horizon(MONTH);
    let pairs = |number: u64| [number, number + 1].map(|number| number.to_string());
    vec![
        (
            living!("fifteen milliseconds too long", Clause::Ttl2, |ttl| ttl
                + 15_000_000),
            profile().resolution(Duration::from_millis(10)),
        ),
        (
            living!("wraps around at its horizon", Clause::Com7, |ttl| {
                match ttl > 30 * DAY {
                    true => ttl % (30 * DAY),
                    false => ttl,
                }
            }),
            horizon(),
        ),
        (
            living!("a day short of its horizon", Clause::Com7, |ttl| {
                match ttl >= 30 * DAY {
                    true => 29 * DAY,
                    false => ttl,
                }
            }),
            horizon(),
        ),
        (DOUBLES, profile().ids(pairs)),
        (FOUR_THOUSAND, profile().size(4_096)),
    ]
}

/// It keeps the numbers that its ids are as doubles.
const DOUBLES: Animal = Animal {
    name: "ids are doubles",
    clause: Some(Clause::Idn1),
    prepare: |shelf, now, id| {
        let found = (RIGHT.prepare)(shelf, now, &double(id))?;
        Ok(found.map(|snapshot| snapshot.with_id(id)))
    },
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        shelf.put(now, &snapshot.with_id(double(snapshot.id())), ttl);
        Ok(())
    },
    drop: |shelf, now, id| (RIGHT.drop)(shelf, now, &double(id)),
};

fn double(id: &str) -> String {
    let double = id.parse::<f64>();
    double.map_or_else(|_| id.to_owned(), |double| double.to_string())
}

/// It claims somewhat more.
const FOUR_THOUSAND: Animal = Animal {
    name: "loses what is longer than 4,000 bytes",
    clause: Some(Clause::Snp4),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        shelf.entries.remove(snapshot.id());
        if snapshot.encode().len() <= 4_000 {
            shelf.put(now, snapshot, ttl);
        }
        Ok(())
    },
    ..RIGHT
};

#[test]
fn stores_that_are_wrong_within_their_claims_are_caught() {
    for (animal, profile) in wrong() {
        let check = checked(animal).profile(profile);
        let report = check.clients(1).depth(1).sequences(1_000).run();
        let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
        let (name, clause) = (animal.name, animal.clause);
        assert_eq!(found, Vec::from_iter(clause), "{name}\n{report}");
    }
}
