//! Much: wrong stores that take hundreds of operations, or thousands of ids, to go wrong.

use super::animal::{Animal, Entry, RIGHT, validate};
use super::checked;
use session_spec::Clause;

/// It takes hundreds of commits for one to look older than another.
const EIGHT_BITS: Animal = Animal {
    name: "numbers commits in eight bits, and drops stale ones",
    clause: Some(Clause::Com6),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        shelf.calls = (shelf.calls + 1) % 256;
        match shelf.calls == 0 && shelf.live(now, snapshot.id()).is_some() {
            true => Ok(()),
            false => (RIGHT.commit)(shelf, now, snapshot, ttl),
        }
    },
    ..RIGHT
};

/// Of 65,536 ids it takes two for one another.
const SHORT_HASH: Animal = Animal {
    name: "knows an id by a hash of sixteen bits",
    clause: Some(Clause::Idn1),
    prepare: |shelf, now, id| (RIGHT.prepare)(shelf, now, &hash(id)),
    commit: |shelf, now, snapshot, ttl| {
        validate(snapshot, ttl)?;
        let deadline = now + ttl.as_nanos();
        let (id, snapshot) = (hash(snapshot.id()), snapshot.clone());
        shelf.entries.insert(id, Entry { snapshot, deadline });
        Ok(())
    },
    drop: |shelf, now, id| (RIGHT.drop)(shelf, now, &hash(id)),
};

/// FNV-1a, folded.
fn hash(id: &str) -> String {
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    match id {
        "" => String::new(),
        _ => format!("{:04x}", (hash >> 16) ^ (hash & 0xffff)),
    }
}

#[test]
fn what_is_found_only_by_repeating_much_is_caught_with_the_default_budget() {
    for (animal, operations) in [(SHORT_HASH, 2), (EIGHT_BITS, 257)] {
        let report = checked(animal).clients(1).depth(1).run();
        let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
        assert_eq!(found, Vec::from_iter(animal.clause), "{report}");
        let program = &report.violations[0].program;
        assert_eq!(program.ops().len(), operations, "{report}");
    }
}
