//! Said: what the kit says of every wrong store, given the shortest program that shows what is wrong with
//! it. No search is run, so this is quick, and any change in what is said is seen.

use super::animal::Animal;
use super::wrong::wrong;
use super::{broken_by, checked, shrunk_of};
use std::fmt::Write as _;

/// Programs for every wrong store, a line each: the shortest known, then some in which the same defect
/// shows otherwise.
const PROGRAMS: &str = include_str!("programs.txt");

fn programs(animal: &Animal) -> impl Iterator<Item = &'static str> {
    let name = animal.name;
    let lines = PROGRAMS.lines().filter_map(|line| line.split_once(" = "));
    lines.filter_map(move |(known, program)| (known == name).then_some(program))
}

/// The shortest program known for this store.
pub(crate) fn shortest(animal: &Animal) -> &'static str {
    let shortest = programs(animal).next();
    shortest.unwrap_or_else(|| panic!("{}: no program is known", animal.name))
}

#[test]
fn what_is_said_of_every_wrong_store() {
    let mut said = String::new();
    for animal in wrong() {
        let _ = writeln!(said, "{}", animal.name);
        for program in programs(animal) {
            let report = shrunk_of(checked(*animal), program);
            let found: Vec<_> = report.violations.iter().map(|it| it.clause).collect();
            let broken = broken_by(animal);
            let is_known = !found.is_empty() && found.iter().all(|clause| broken.contains(clause));
            assert!(is_known, "{}\n{report}", animal.name);
            for found in &report.violations {
                let _ = writeln!(said, "  {}", found.program);
                let _ = writeln!(said, "    {}: {}", found.clause, found.because);
                let near_misses = found.near_miss.iter();
                said.extend(near_misses.map(|near_miss| format!("    near: {near_miss}\n")));
            }
        }
    }
    insta::assert_snapshot!(said);
}
