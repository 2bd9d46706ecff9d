//! Said: what the kit says of every wrong store, given the shortest program that shows what is wrong with
//! it. No search is run, so this is quick, and any change in what is said is seen.

use super::animal::Animal;
use super::checked;
use super::wrong::wrong;
use std::fmt::Write as _;

/// The shortest program known for every wrong store, a line each.
const SHORTEST: &str = include_str!("shortest.txt");

/// The shortest program known for this store.
pub(crate) fn shortest(animal: &Animal) -> &'static str {
    let mut lines = SHORTEST.lines().filter_map(|line| line.split_once(" = "));
    let found = lines.find(|(name, _)| *name == animal.name);
    let (_, program) = found.unwrap_or_else(|| panic!("{}: no program is known", animal.name));
    program
}

#[test]
fn what_is_said_of_every_wrong_store() {
    let mut said = String::new();
    for animal in wrong() {
        let report = checked(*animal).replay(shortest(animal)).run();
        for found in &report.violations {
            let (name, clause) = (animal.name, found.clause);
            let _ = writeln!(
                said,
                "{name}\n  {}\n  {clause}: {}",
                found.program, found.because
            );
            let near_misses = found.near_miss.iter();
            said.extend(near_misses.map(|near_miss| format!("  near: {near_miss}\n")));
        }
    }
    insta::assert_snapshot!(said);
}
