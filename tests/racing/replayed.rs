//! Replayed: what was printed of a race, or of a cancelled call, shows it again from its text alone.

use super::racer::{Entrant, Racer, Shelf};
use super::{broken, by_luck, cancelled, meetings, placed, tasks};
use session_spec::conformance::{Outcome, Violation};
use session_spec::{Clause, Snapshot};
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;
use tokio::runtime::{self, Runtime};

/// How often each is replayed, and one that hangs, for which every replay waits.
const REPLAYS: usize = 100;
const REPLAYS_OF_A_HANG: usize = 3;

/// The program that is printed to be replayed.
fn printed(violation: &Violation) -> String {
    let text = violation.to_string();
    let quoted = text.lines().find_map(|line| {
        let quoted = line.strip_prefix("replay   session-spec replay '")?;
        quoted.strip_suffix('\'')
    });
    let quoted = quoted.unwrap_or_else(|| panic!("it has no such line:\n{text}"));
    quoted.replace(r"'\''", "'")
}

/// How many replays of what is printed show the clause again.
fn shown_again(entrant: &Entrant, violation: &Violation, replays: usize) -> usize {
    let program = printed(violation);
    let is_shown = || {
        let check = entrant.checked(0, 0).replay(&program).isolate(false);
        let mut found = check.run().violations.into_iter();
        found.any(|found| found.clause == violation.clause)
    };
    (0..replays).filter(|_| is_shown()).count()
}

/// Those of what is found of an entrant that not every replay shows again.
fn not_always_shown(entrant: &Entrant) -> Vec<String> {
    let violations = entrant.report(2_000).violations.into_iter();
    let fewer = violations.filter_map(|violation| {
        let replays = match violation.got {
            Outcome::Hung(_) => REPLAYS_OF_A_HANG,
            _ => REPLAYS,
        };
        let shown = shown_again(entrant, &violation, replays);
        let name = entrant.name;
        (shown < replays).then(|| format!("{name}: {shown} of {replays}\n{violation}"))
    });
    fewer.collect()
}

/// Most of the time goes by waiting for what hangs.
fn are_shown_by_every_replay(entrants: &[Entrant]) {
    let fewer: Vec<String> = thread::scope(|scope| {
        let all = entrants
            .iter()
            .map(|it| scope.spawn(|| not_always_shown(it)));
        let all: Vec<_> = all.collect();
        let fewer = all.into_iter().map(thread::ScopedJoinHandle::join);
        fewer
            .flat_map(|fewer| fewer.expect("it panicked"))
            .collect()
    });
    assert!(fewer.is_empty(), "{}", fewer.join("\n"));
}

#[test]
fn con_1_races_of_tasks_are_shown_by_every_replay() {
    are_shown_by_every_replay(&tasks::entrants());
}

#[test]
fn err_1_panics_and_hangs_of_tasks_that_meet_are_shown_by_every_replay() {
    are_shown_by_every_replay(&meetings::of_tasks());
}

#[test]
fn can_1_what_cancelled_calls_leave_behind_is_shown_by_every_replay() {
    are_shown_by_every_replay(&cancelled::entrants());
}

#[test]
fn can_1_errors_after_a_cancelled_call_are_shown_by_every_replay() {
    are_shown_by_every_replay(&broken::wrong());
}

/// Whether the text says that a replay goes by luck; it gives the reason behind that.
fn goes_by_luck(violation: &Violation) -> bool {
    violation
        .to_string()
        .contains("\n         which goes by luck: ")
}

#[test]
fn con_1_of_threads_one_is_held_or_the_replay_goes_by_luck() {
    for entrant in by_luck() {
        for violation in entrant.report(400).violations {
            assert!(
                goes_by_luck(&violation) || printed(&violation).contains(" threads hold "),
                "{}\n{violation}",
                entrant.name
            );
        }
    }
}

/// Takes the old entry out, and puts the new one in when a runtime of its own has done its part.
#[derive(Default)]
struct HasARuntime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).build().expect("it starts")
});

impl Racer for HasARuntime {
    async fn commit(&self, shelf: &Shelf, snapshot: &Snapshot, ttl: Duration) {
        shelf.take(snapshot.id());
        let done = RUNTIME.spawn(async {}).await;
        done.expect("it does not panic");
        shelf.put(snapshot, ttl);
    }
}

#[test]
fn con_1_of_a_store_with_a_runtime_of_its_own_the_replay_goes_by_luck() {
    let clauses = &[Clause::Con1, Clause::Can1];
    let entrant = Entrant::of::<HasARuntime>("has a runtime of its own", clauses);
    let report = entrant.report(400);
    // Whether clients that are tasks show it first, or threads, is for the machine to say.
    let woken = "the store wakes its calls from a thread or a runtime of its own, when it likes";
    let threads = "its clients are threads, which the machine runs as it likes";
    // On a busy machine the runtime may have done its part before anybody waits for it.
    let unsteady = "it did not go wrong again in the very same schedule";
    let race = report
        .violations
        .iter()
        .find(|found| found.clause == Clause::Con1);
    let why = race.and_then(|race| race.luck.as_deref());
    assert!(
        why.is_some_and(|why| [woken, threads, unsteady].contains(&why)),
        "{report}"
    );
}

/// Processes that do nothing but keep the machine busy.
struct Busy(Vec<Child>);

impl Busy {
    fn processes(many: usize) -> Self {
        let spin = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .spawn()
        };
        Self(
            (0..many)
                .map(|_| spin().expect("there is a shell"))
                .collect(),
        )
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "measures: how often a held thread shows its race again on a machine that is busy"]
fn how_often_a_held_thread_shows_its_race_again() {
    let _busy = Busy::processes(16);
    let mut fewer = Vec::new();
    for entrant in placed::wrong() {
        for violation in entrant.report(1_000).violations {
            if matches!(violation.got, Outcome::Hung(_)) {
                continue;
            }
            let program = printed(&violation);
            let shown = shown_again(&entrant, &violation, REPLAYS);
            println!("{:<46} {shown} of {REPLAYS}: {program}", entrant.name);
            if shown < 99 {
                fewer.push((entrant.name, shown));
            }
        }
    }
    assert!(fewer.is_empty(), "{fewer:?}");
}
