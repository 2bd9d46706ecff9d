//! Reports: what is said of calls that overlap or were cancelled, one of each kind.

use super::broken;
use super::cancelled;
use super::meetings;
use super::placed;
use super::racer::Entrant;
use super::tasks;
use session_spec::Clause;
use session_spec::conformance::Report;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

/// Stores that show them: what no order explains, a panic, what hangs among others, and what is wrong,
/// fails or hangs after a cancelled call, or after ten of them. Which of several hangs is seen first is for
/// the machine to say, so the smallest program of each of these is the same from wherever it is looked for.
const STORES: [&str; 9] = [
    "caches what it read before a drop",
    "writes the user, then the data",
    "panics when a task comes between",
    "waits for a lock that waits for it",
    "keeps its lock",
    "loses one of ten permits",
    "leaves one half of each",
    "applies it two calls later",
    "fails when its ten connections are gone",
];

fn of_tasks() -> Vec<Entrant> {
    let mut entrants = tasks::entrants();
    entrants.extend(meetings::of_tasks());
    entrants.extend(cancelled::entrants());
    entrants.extend(broken::wrong());
    entrants
}

#[test]
fn every_kind_of_history_is_told() {
    let mut entrants = of_tasks();
    entrants.retain(|entrant| STORES.contains(&entrant.name));
    // Most of the time goes by waiting for what hangs.
    let reports: Vec<Report> = thread::scope(|scope| {
        let checks = entrants.iter().map(|it| scope.spawn(|| it.report(2_000)));
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
    // README.md shows the first, but for the line of a test.
    let (_, first) = text.split_once("\n\n").expect("there is a title");
    let (shown, _) = first.split_once("test     check").expect("it ends so");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(shown), "README.md does not have\n{shown}");
}

/// One of each: a race, a mix, a panic, and a cancelled call.
const KEPT: [&str; 4] = [STORES[0], STORES[1], STORES[2], STORES[7]];

fn clauses(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

#[test]
fn what_races_and_cancelled_calls_show_is_kept_and_run_first_from_then_on() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("racing");
    let _ = fs::remove_dir_all(&folder);
    let mut entrants = of_tasks();
    entrants.retain(|entrant| KEPT.contains(&entrant.name));
    assert_eq!(entrants.len(), KEPT.len());
    for entrant in entrants {
        let file = folder.join(entrant.name);
        let check = |sequences| entrant.checked(sequences, 1).regressions(&file);
        let (first, again) = (check(2_000).run(), check(0).run());
        assert_eq!(clauses(&again), entrant.clauses, "{first}\n{again}");
        let mut found = again.violations.iter();
        assert!(found.all(|found| found.search == "regressions"), "{again}");
    }
}

/// The fewest preemptions, and of those schedules the first.
#[test]
fn a_race_is_told_in_its_plainest_schedule() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plainest");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("there is room");
    let entrants = || tasks::entrants().into_iter().chain(placed::wrong());
    for (name, found, told) in [
        (
            "writes a copy of everything back",
            "polls 2 1 2 1",
            "polls 1 2 2 1",
        ),
        (
            "swaps a copy in without a look",
            "threads hold 2 at id 2 hold 1 at id 2",
            "threads hold 1 at id 2",
        ),
    ] {
        let program = |schedule| {
            format!(
                "s2: together {schedule} {{ commit A v1 ttl 1s | commit B v2 ttl 1s }}; prepare B"
            )
        };
        let file = folder.join(name);
        fs::write(&file, program(found)).expect("it can be written");
        let entrant = entrants().find(|entrant| entrant.name == name);
        let entrant = entrant.expect("it is there");
        let report = entrant.checked(0, 1).regressions(&file).run();
        let [violation] = &report.violations[..] else {
            panic!("{report}");
        };
        assert_eq!(violation.program.to_string(), program(told), "{report}");
    }
}
