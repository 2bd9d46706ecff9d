//! Claims: stores that are wrong within what their profile claims.

use super::animal::{Animal, Entry, RIGHT, validate};
use super::checked;
use session_spec::Clause;
use session_spec::conformance::Profile;
use std::time::Duration;

const SECOND: u128 = 1_000_000_000;
const MILLISECOND: u128 = 1_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// No time to live that is tried for its own sake.
const HORIZON: Duration = Duration::from_secs(29 * 86_400);

fn wrong() -> Vec<(Animal, Profile)> {
    let profile = Profile::default;
    let pairs = |number: u64| [number, number + 1].map(|number| number.to_string());
    vec![
        (LATE, profile().resolution(Duration::from_millis(10))),
        (EARLY, profile().resolution(Duration::from_millis(1))),
        (PROLONGS, profile().resolution(Duration::from_secs(1))),
        (WRAPS, profile().horizon(HORIZON)),
        (SHORT, profile().horizon(HORIZON)),
        (DOUBLES, profile().ids(pairs)),
        (FOUR_THOUSAND, profile().size(4_096)),
    ]
}

/// It may be late by less than its resolution.
const LATE: Animal = Animal {
    name: "late by half as much again as its resolution",
    clause: Some(Clause::Ttl2),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let late = Duration::from_millis(15);
        shelf.put(now, snapshot, ttl.saturating_add(late));
        Ok(())
    },
    ..RIGHT
};

/// It rounds the time to live up, but its clock down, so that the sum may be too early.
const EARLY: Animal = Animal {
    name: "adds a whole ttl to a clock of milliseconds",
    clause: Some(Clause::Ttl1),
    prepare: |shelf, now, id| (RIGHT.prepare)(shelf, now - now % MILLISECOND, id),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let whole = ttl.as_nanos().div_ceil(MILLISECOND) * MILLISECOND;
        let deadline = now - now % MILLISECOND + whole;
        let (id, snapshot) = (snapshot.id().to_owned(), snapshot.clone());
        shelf.entries.insert(id, Entry { snapshot, deadline });
        Ok(())
    },
    ..RIGHT
};

pub(crate) const PROLONGS: Animal = Animal {
    name: "every look rounds up what is left",
    clause: Some(Clause::Pre4),
    prepare: |shelf, now, id| {
        let found = (RIGHT.prepare)(shelf, now, id)?;
        if let (Some(_), Some(entry)) = (&found, shelf.entries.get_mut(id)) {
            entry.deadline = now + (entry.deadline - now).div_ceil(SECOND) * SECOND;
        }
        Ok(found)
    },
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let more = u64::from(ttl.subsec_nanos() > 0);
        let seconds = ttl.as_secs().saturating_add(more);
        shelf.put(now, snapshot, Duration::from_secs(seconds));
        Ok(())
    },
    ..RIGHT
};

const WRAPS: Animal = Animal {
    name: "wraps around at its horizon",
    clause: Some(Clause::Com7),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let wrapped = Duration::from_secs(ttl.as_secs() % HORIZON.as_secs());
        let life = if ttl > HORIZON { wrapped } else { ttl };
        shelf.put(now, snapshot, life);
        Ok(())
    },
    ..RIGHT
};

const SHORT: Animal = Animal {
    name: "a day short for a ttl of just its horizon",
    clause: Some(Clause::Com7),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let life = if ttl == HORIZON {
            ttl.saturating_sub(DAY)
        } else {
            ttl
        };
        shelf.put(now, snapshot, life);
        Ok(())
    },
    ..RIGHT
};

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
