//! Stores that one client at a time cannot find out: they race, or break off half way. And right
//! ones that only look as if they did.

mod broken;
mod cancelled;
mod meetings;
mod placed;
mod racer;
mod replayed;
mod reports;
mod right;
mod sweepers;
mod tasks;
mod threads;

use racer::Entrant;
use session_spec::Clause;
use session_spec::conformance::{Report, Verdict};

fn caught(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

/// Whoever waits for a task in the midst of a call is found, whatever the seed.
fn are_caught(entrants: &[Entrant]) {
    let mut missed = Vec::new();
    for entrant in entrants {
        let report = entrant.report(2_000);
        if caught(&report) != entrant.clauses {
            missed.push(format!("{}:\n{report}", entrant.name));
        }
        for violation in &report.violations {
            let name = entrant.name;
            println!(
                "{name:<44} {:<6} {}",
                violation.clause.id(),
                violation.because
            );
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn con_1_stores_that_race_between_two_steps_are_caught() {
    are_caught(&tasks::entrants());
}

/// So no seed matters.
#[test]
fn con_1_races_of_tasks_are_caught_in_schedules_that_are_not_drawn() {
    let mut entrants = tasks::entrants();
    entrants.extend(meetings::of_tasks());
    for entrant in entrants {
        let report = entrant.report(2_000);
        let races = report.violations.iter();
        let mut races = races.filter(|found| found.clause != Clause::Can1);
        let is_drawn = |search| !["scenarios", "schedules"].contains(&search);
        let drawn = races.find(|found| is_drawn(found.search));
        assert!(drawn.is_none(), "{}\n{report}", entrant.name);
    }
}

/// Nor how busy the machine is: whoever is held is, until the other has returned.
#[test]
fn con_1_races_of_threads_at_a_place_are_caught_in_schedules_that_are_not_drawn() {
    for entrant in placed::wrong() {
        let report = entrant.report(1_000);
        assert_eq!(
            caught(&report),
            entrant.clauses,
            "{}\n{report}",
            entrant.name
        );
        for found in &report.violations {
            println!(
                "{:<44} {:<6} {} {}",
                entrant.name,
                found.clause.id(),
                found.search,
                found.after
            );
            assert!(found.luck.is_none(), "{}\n{report}", entrant.name);
            let holds = found.program.to_string().matches(" hold ").count();
            assert_eq!(holds, 1, "{}\n{report}", entrant.name);
        }
    }
}

#[test]
fn can_1_calls_that_break_off_half_way_are_caught() {
    are_caught(&cancelled::entrants());
}

#[test]
fn can_1_stores_that_fail_after_a_cancelled_call_are_caught() {
    are_caught(&broken::wrong());
    for entrant in broken::right() {
        let report = entrant.report(400);
        let can_1 = report
            .violations
            .iter()
            .find(|found| found.clause == Clause::Can1);
        assert_eq!(can_1, None, "{}\n{report}", entrant.name);
    }
}

#[test]
fn err_1_tasks_that_panic_or_hang_when_they_meet_are_caught() {
    are_caught(&meetings::of_tasks());
}

/// Those that only luck finds out: threads meet by it.
fn by_luck() -> Vec<Entrant> {
    let mut entrants = threads::entrants();
    entrants.extend(meetings::of_threads());
    entrants.push(sweepers::wrong());
    entrants.extend(threads::seldom_caught());
    entrants
}

/// Whether they are caught is measured, and not tested; but what is found of them is their own.
#[test]
fn con_1_stores_that_race_between_two_instructions_are_named_no_other_clause() {
    for entrant in by_luck() {
        let report = entrant.report(400);
        let is_its_own = |clause| entrant.clauses.contains(clause);
        assert!(
            caught(&report).iter().all(is_its_own),
            "{}\n{report}",
            entrant.name
        );
    }
}

#[test]
#[ignore = "measures luck: how often threads meet with the default budget"]
fn how_often_threads_meet() {
    const RUNS: u64 = 20;
    for entrant in by_luck() {
        let runs = (0..RUNS).filter(|seed| !caught(&entrant.judged(10_000, *seed)).is_empty());
        println!("{:<46} caught {} of {RUNS}", entrant.name, runs.count());
    }
}

/// The kit lingers between calls, so that such a thread has its time.
#[test]
fn right_stores_with_a_thread_of_their_own_are_left_in_peace() {
    let report = sweepers::right().judged(2_000, 1);
    assert_eq!(report.verdict, Verdict::Conforms, "{report}");
}

fn are_left_in_peace(sequences: usize, seeds: u64) {
    for entrant in right::entrants().into_iter().chain(placed::right()) {
        for seed in 0..seeds {
            let report = entrant.judged(sequences, seed);
            assert_eq!(
                report.verdict,
                Verdict::Conforms,
                "{}\n{report}",
                entrant.name
            );
        }
    }
}

#[test]
fn right_stores_that_look_as_if_they_raced_are_left_in_peace() {
    are_left_in_peace(600, 1);
}

#[test]
#[ignore = "a hundred checks of every right store take minutes: run it with --release"]
fn no_right_store_is_accused_by_a_hundred_checks() {
    are_left_in_peace(5_000, 100);
}
