//! Chance: wrong stores of which the same program fails in some runs only.

use super::animal::{Animal, RIGHT, validate};
use super::checked;
use session_spec::Clause;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number below `end` that no two runs have in common, well mixed (`SplitMix64`).
fn draw(end: u64) -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
    let mut mixed = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % end
}

const CHANCE: [(Animal, usize); 3] = [
    (
        Animal {
            name: "evicts one of eight at random",
            clause: Some(Clause::Pre3),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                let is_new = !shelf.entries.contains_key(snapshot.id());
                if is_new && shelf.entries.len() == 8 {
                    let victim = usize::try_from(draw(8)).expect("it is below eight");
                    let victim = shelf.entries.keys().nth(victim).cloned();
                    shelf.entries.remove(&victim.unwrap_or_default());
                }
                shelf.put(now, snapshot, ttl);
                Ok(())
            },
            ..RIGHT
        },
        10,
    ),
    (
        Animal {
            name: "every tenth commit gets lost on the way",
            clause: Some(Clause::Com5),
            commit: |shelf, now, snapshot, ttl| {
                validate(snapshot, ttl)?;
                if draw(10) > 0 {
                    shelf.put(now, snapshot, ttl);
                }
                Ok(())
            },
            ..RIGHT
        },
        2,
    ),
    (
        Animal {
            name: "every tenth drop gets lost on the way",
            clause: Some(Clause::Drp1),
            drop: |shelf, now, id| match draw(10) {
                0 => Ok(()),
                _ => (RIGHT.drop)(shelf, now, id),
            },
            ..RIGHT
        },
        3,
    ),
];

#[test]
fn what_fails_by_chance_is_shrunk_and_named_and_told_as_such() {
    for (animal, operations) in CHANCE {
        let report = checked(animal).depth(3).sequences(2_000).run();
        let found: Vec<Clause> = report.violations.iter().map(|found| found.clause).collect();
        assert_eq!(
            found,
            Vec::from_iter(animal.clause),
            "{}\n{report}",
            animal.name
        );
        let found = &report.violations[0];
        assert_eq!(found.program.ops().len(), operations, "{report}");
        let told = found.near_miss.as_deref().unwrap_or_default();
        assert!(
            told.ends_with("of 64 runs more: does the store go by chance?"),
            "{report}"
        );
    }
}
