//! The zoo: the kit's own test. Every wrong store must be caught under its clause, by a minimal
//! program; every odd but right one must be left in peace.

mod animal;
mod odd;
mod right;
mod wrong;

use animal::{Animal, Cage, RIGHT};
use odd::{Actor, Sharded, Slow, Sorted};
use right::ODD;
use session_spec::Clause;
use session_spec::conformance::{Report, Verdict, check};
use wrong::WRONG;

const SEED: u64 = 1;

fn judged(animal: Animal, seed: u64) -> Report {
    check(move |clock| Cage::new(animal, clock))
        .depth(4)
        .sequences(3_000)
        .seed(seed)
        .run()
}

/// Prints the table: `cargo test --all-features --test zoo -- --nocapture`.
#[test]
fn every_wrong_store_is_caught_under_its_clause_and_no_other() {
    println!(
        "{:<40} {:<6} {:>8} {:>10}",
        "store", "clause", "programs", "operations"
    );
    let mut missed = Vec::new();
    for animal in WRONG {
        let clause = animal.clause.expect("a wrong store has a clause");
        let report = judged(*animal, SEED);
        let [violation] = &report.violations[..] else {
            missed.push(format!("{} ({clause}):\n{report}", animal.name));
            continue;
        };
        if violation.clause != clause {
            missed.push(format!("{} ({clause}):\n{report}", animal.name));
        }
        let before = report
            .searches
            .iter()
            .take_while(|search| search.name != violation.search);
        let programs = before.map(|search| search.programs).sum::<u64>() + violation.after;
        let operations = violation.program.ops().len();
        println!(
            "{:<40} {:<6} {programs:>8} {operations:>10}",
            animal.name,
            violation.clause.id()
        );
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn no_odd_but_right_store_is_accused() {
    for animal in ODD.iter().chain([&RIGHT]) {
        for seed in 0..3 {
            let report = judged(*animal, seed);
            assert_eq!(
                report.verdict,
                Verdict::Conforms,
                "{}\n{report}",
                animal.name
            );
        }
    }
}

#[test]
fn idn_2_a_refused_id_is_noted() {
    let picky = ODD
        .iter()
        .find(|animal| animal.name == "refuses ids that are not ASCII");
    let report = judged(*picky.expect("it is in the zoo"), SEED);
    assert!(report.notes[0].ends_with("commits for ids that are not tokens, as IDN-2 allows"));
    assert!(judged(RIGHT, SEED).notes.is_empty());
}

#[test]
fn stores_built_in_a_way_of_their_own_are_left_in_peace() {
    check(Sorted::new).depth(4).sequences(3_000).assert();
    check(Sharded::new).depth(4).sequences(3_000).assert();
    // Every call of these goes through another thread.
    check(Actor::new).depth(3).sequences(100).assert();
    check(|clock| Slow(Cage::new(RIGHT, clock)))
        .depth(3)
        .sequences(100)
        .assert();
}

#[test]
fn the_zoo_covers_the_contract() {
    let caught: std::collections::BTreeSet<Clause> =
        WRONG.iter().filter_map(|animal| animal.clause).collect();
    assert!(
        WRONG.len() >= 15 && ODD.len() >= 3,
        "{} {}",
        WRONG.len(),
        ODD.len()
    );
    assert!(caught.len() >= 20, "{caught:?}");
}
