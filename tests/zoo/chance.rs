//! Chance: wrong stores of which the same program fails in some runs only.

use super::animal::{Animal, RIGHT, validate};
use super::{checked, shrunk_of};
use session_spec::Clause;
use session_spec::conformance::Report;
use std::cell::Cell;

/// A number below `end` that no two runs on a thread have in common, well mixed (`SplitMix64`).
fn draw(end: u64) -> u64 {
    thread_local! {
        static DRAWN: Cell<u64> = const { Cell::new(1) };
    }
    let drawn = DRAWN.replace(DRAWN.get() + 1);
    let mut mixed = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % end
}

const EVICTED: &str = "s1: commit A v1 ttl 1s; commit B v1 ttl 1s; commit C v1 ttl 1s; commit D v1 ttl 1s; \
    commit E v1 ttl 1s; commit F v1 ttl 1s; commit G v1 ttl 1s; commit H v1 ttl 1s; commit J v1 ttl 1s; \
    prepare A; prepare B; prepare C; prepare D; prepare E; prepare F; prepare G; prepare H";
const COMMITTED: &str = "s1: commit A v1 ttl 1s; commit B v1 ttl 1s; commit C v1 ttl 1s; commit D v1 ttl 1s; \
    commit E v1 ttl 1s; commit F v1 ttl 1s; commit G v1 ttl 1s; commit H v1 ttl 1s; commit J v1 ttl 1s; \
    prepare A; prepare B; prepare C; prepare D; prepare E; prepare F; prepare G; prepare H; prepare J";
const DROPPED: &str = "s1: commit A v1 ttl 1s; commit B v1 ttl 1s; commit C v1 ttl 1s; commit D v1 ttl 1s; \
    drop A; drop B; drop C; drop D; drop A; prepare A; prepare B; prepare C; prepare D";

/// Each with a program in which it goes wrong, and how many operations that takes.
const CHANCE: [(Animal, &str, usize); 3] = [
    (
        Animal {
            name: "evicts one of eight at random",
            clause: Some(Clause::Ttl1),
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
        EVICTED,
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
        COMMITTED,
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
        DROPPED,
        3,
    ),
];

fn assert_is_told(animal: Animal, operations: usize, report: &Report) {
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

/// One program runs on one thread, which draws the same numbers every time.
#[test]
fn what_fails_by_chance_is_shrunk_and_named_and_told_as_such() {
    for (animal, program, operations) in CHANCE {
        let report = shrunk_of(checked(animal), program);
        assert_is_told(animal, operations, &report);
    }
}

#[test]
#[ignore = "measures luck: which numbers a program draws depends on how threads take turns"]
fn how_often_what_fails_by_chance_is_caught() {
    const RUNS: u64 = 20;
    for (animal, _, operations) in CHANCE {
        let is_told = |seed: &u64| {
            let check = checked(animal).depth(3).sequences(2_000).seed(*seed);
            let report = check.run();
            let mut found = report.violations.iter();
            let found = (found.next(), found.next());
            matches!(found, (Some(found), None) if Some(found.clause) == animal.clause
                && found.program.ops().len() == operations)
        };
        let told = (0..RUNS).filter(is_told).count();
        println!("{:<46} caught and shrunk {told} of {RUNS}", animal.name);
    }
}
