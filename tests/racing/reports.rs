//! Reports: what is said of calls that overlap or were cancelled, one of each kind.

use super::broken;
use super::cancelled;
use super::meetings;
use super::tasks;
use session_spec::conformance::Report;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

/// Stores that show them: what no order explains, a panic, what hangs among others, and what is wrong,
/// fails or hangs after a cancelled call, or after ten of them.
const STORES: [&str; 10] = [
    "caches what it read before a drop",
    "writes the user, then the data",
    "panics when a task comes between",
    "waits for a lock that waits for it",
    "wakes one of those that wait",
    "keeps its lock",
    "loses one of ten permits",
    "leaves one half of each",
    "applies it two calls later",
    "fails when its ten connections are gone",
];

#[test]
fn every_kind_of_history_is_told() {
    let mut entrants = tasks::entrants();
    entrants.extend(meetings::of_tasks());
    entrants.extend(cancelled::entrants());
    entrants.extend(broken::wrong());
    entrants.retain(|entrant| STORES.contains(&entrant.name));
    // Most of the time goes by waiting for what hangs.
    let reports: Vec<Report> = thread::scope(|scope| {
        let checks = entrants
            .iter()
            .map(|it| scope.spawn(|| it.judged(2_000, 1)));
        let checks: Vec<_> = checks.collect();
        let reports = checks.into_iter().map(thread::ScopedJoinHandle::join);
        reports.collect::<Result<_, _>>().expect("no check panics")
    });
    let mut text = String::new();
    for (entrant, report) in entrants.iter().zip(reports) {
        let _ = writeln!(text, "# {}\n", entrant.name);
        for violation in report.violations {
            let _ = writeln!(text, "{violation}");
        }
    }
    insta::assert_snapshot!(text);
}

/// A history is no program that could be kept, but the same seed draws its calls again.
#[test]
fn histories_are_not_kept_and_drawn_again_as_they_say() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("racing.txt");
    let _ = fs::remove_file(&file);
    let mut entrants = tasks::entrants();
    entrants.extend(meetings::of_tasks());
    for name in STORES.iter().take(3) {
        let entrant = entrants.iter().find(|entrant| entrant.name == *name);
        let check = || entrant.expect("there is such a store").checked(2_000, 1);
        let report = check().regressions(&file).run();
        assert!(!report.violations.is_empty(), "{report}");
        for found in &report.violations {
            let clause = found.clause;
            let line = format!("test     check(..).seed(1).only(Clause::{clause:?}).assert();");
            assert!(report.to_string().contains(&line), "{report}");
            let again = check().only(clause).run();
            assert!(
                found.history.is_some() && again.violations.len() == 1,
                "{again}"
            );
        }
    }
    assert!(!file.exists(), "{:?}", fs::read_to_string(&file));
}
