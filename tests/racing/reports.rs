//! Reports: what is said of calls that overlap or were cancelled, one of each kind.

use super::broken;
use super::cancelled;
use super::meetings;
use super::racer::Entrant;
use super::tasks;
use std::fmt::Write as _;

/// Stores that show them: what no order explains, a panic, what hangs among others, and what is wrong,
/// fails or hangs after a cancelled call, or after ten of them.
const STORES: [&str; 9] = [
    "caches what it read before a drop",
    "writes the user, then the data",
    "panics when a task comes between",
    "waits for a lock that waits for it",
    "wakes one of those that wait",
    "keeps its lock",
    "loses one of ten permits",
    "leaves one half of each",
    "fails when its ten connections are gone",
];

#[test]
fn every_kind_of_history_is_told() {
    let mut entrants = tasks::entrants();
    entrants.extend(meetings::of_tasks());
    entrants.extend(cancelled::entrants());
    entrants.extend(broken::wrong());
    let told = |entrant: &&Entrant| STORES.contains(&entrant.name);
    let mut text = String::new();
    for entrant in entrants.iter().filter(told) {
        let _ = writeln!(text, "# {}\n", entrant.name);
        for violation in entrant.judged(2_000, 1).violations {
            let _ = writeln!(text, "{violation}");
        }
    }
    insta::assert_snapshot!(text);
}
