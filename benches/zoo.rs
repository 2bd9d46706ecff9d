//! How long it takes to catch a wrong store of the zoo, to shrink what was caught and to name the
//! clause, beside a whole check of a right one.

mod ratio;

#[path = "../tests/zoo"]
mod animals {
    pub(crate) mod animal;
    pub(crate) mod wrong;
}

use animals::animal::{Animal, Cage};
use animals::wrong;
use session_spec::conformance::{Report, Verdict, check};
use session_spec::{ManualClock, MemStore};
use std::time::Duration;

/// As a store author looks for a defect: a small scope first, then more.
fn caught(animal: Animal) -> Report {
    let budgets = [(3, 0), (0, 1_000), (5, 10_000)];
    let mut reports = budgets.into_iter().map(|(depth, sequences)| {
        let make = move |clock: ManualClock| Cage::new(animal, clock);
        let check = check(make).seed(1).isolate(false).clients(1);
        check.depth(depth).sequences(sequences).run()
    });
    let caught = |report: &Report| report.verdict == Verdict::Violated;
    let report = reports.find(caught);
    let report = report.unwrap_or_else(|| panic!("{} is not caught", animal.name));
    assert_eq!(Some(report.violations[0].clause), animal.clause);
    report
}

fn main() {
    let whole = || check(MemStore::with_clock).seed(1).isolate(false).run();
    let mut times: Vec<(Duration, &str)> = wrong::wrong()
        .map(|animal| (ratio::time(&mut || caught(*animal)), animal.name))
        .collect();
    times.sort();
    let (median, name) = times[times.len() / 2];
    println!(
        "{} wrong stores; caught, shrunk and named within",
        times.len()
    );
    println!("  {median:>8.1?}  the median, {name:?}");
    for (time, name) in times.iter().rev().take(5) {
        println!("  {time:>8.1?}  {name:?}");
    }
    println!(
        "  {:>8.1?}  a whole check of MemStore",
        ratio::time(&mut || whole())
    );
    let animal = *wrong::wrong()
        .find(|animal| animal.name == name)
        .expect("it was there before");
    ratio::print(
        "the median wrong store / a check of MemStore",
        || caught(animal),
        whole,
    );
}
