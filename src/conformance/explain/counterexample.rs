//! Counterexample: the calls that it takes for clients to go wrong, and the schedule in which they do.
//!
//! Those that no order explains show that a store is wrong, and often not why: what made it so may have
//! been another client's call, or what was before. So all calls are made again, with ever fewer of them.

use super::shrink;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::judge::schedule::threads::READINGS;
use crate::conformance::judge::schedule::{Execution, Luck, execute, executions};
use crate::conformance::program::Program;
use crate::conformance::program::outline::outline;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Call, Hold, Place, Schedule, Together};
use crate::conformance::search::context::Context;
use crate::conformance::search::found::Found;
use crate::conformance::search::histories::{self, SHORT};
use crate::conformance::subject::panics;
use std::cell::Cell;
use std::time::Duration;

/// Smaller programs are tried for no longer than this in schedules that are drawn; in the one in which the
/// program went wrong before, which takes them a run each, all are.
const ENOUGH: Duration = Duration::from_secs(2);

/// How often a schedule has to show the same before it is said to.
const AGAIN: usize = 3;

/// The same anomaly from no more calls than it takes, in a schedule that shows it again where there is
/// one; as it was where it does not come again.
pub(crate) fn smallest(context: &Context<'_>, anomaly: Anomaly) -> Anomaly {
    let Some(program) = &anomaly.program else {
        return anomaly;
    };
    let is_long = program.ops().len() > SHORT;
    let program = match is_long {
        true => of_needed(&anomaly, program),
        false => program.clone(),
    };
    let (clause, spent) = (anomaly.clause, Cell::default());
    let mut shown = None;
    let mut accept = |program: &Program| {
        let again = shown_by(context, program, clause, &spent)?;
        let program = again.program.clone();
        shown = Some(again);
        program
    };
    let Some(first) = accept(&program) else {
        return match is_long {
            true => Anomaly {
                program: Some(program),
                luck: Some(Luck::Many),
                ..anomaly
            },
            false => anomaly,
        };
    };
    let program = shrink::shrink_history(first, context.runner.tick, |program| {
        match program.ops().is_empty() {
            true => None,
            false => accept(program),
        }
    });
    let Some(mut shown) = shown else {
        return anomaly;
    };
    let pauses = program.together().iter().any(|together| together.pause > 0);
    // After how many polls is in no drawing.
    let is_more = !program.overlaps() || program.ops().len() > shown.records.len() || pauses;
    shown.context = match is_more {
        true => format!(
            "it takes these calls:\n{}",
            indented(&outline(&program, |_| String::new()))
        ),
        false => String::new(),
    };
    shown.after = anomaly.after;
    with_schedule(context, shown, &program)
}

/// What several tries show to be wrong under this clause.
fn shown_by(
    context: &Context<'_>,
    program: &Program,
    clause: Clause,
    spent: &Cell<Duration>,
) -> Option<Anomaly> {
    if program.is_cancelling() != (clause == Clause::Can1) {
        return None;
    }
    let drawn = drawn(program);
    let is_given = drawn != *program;
    // Clients that are threads are not held for long to look for something smaller.
    let has_threads = luck_of(program) == Some(Luck::Threads);
    let given = (is_given && !has_threads).then_some(program);
    let is_late = spent.get() > ENOUGH;
    let others = (!is_late).then_some(&drawn);
    let mut schedules = given.into_iter().chain(others);
    schedules.find_map(|program| {
        let mut spend = |time| spent.set(spent.get().saturating_add(time));
        let mut executions = executions(context.runner.subject, program, &mut spend);
        executions.find_map(|execution| shown_in(context, execution.ok()?, clause))
    })
}

/// What this one shows to be wrong under this clause.
fn shown_in(context: &Context<'_>, execution: Execution, clause: Clause) -> Option<Anomaly> {
    // A panic is ERR-1, and a mix CON-2, of clients that are run for the sake of CON-1.
    let sake = match clause {
        Clause::Can1 => clause,
        _ => Clause::Con1,
    };
    let mut found = Found::default();
    panics::silently(|| histories::judge(context, execution, sake, &mut found));
    found.anomalies.pop().filter(|found| found.clause == clause)
}

/// The same with all schedules to be drawn.
fn drawn(program: &Program) -> Program {
    let drawn = |together: &Together| match together.schedule {
        Schedule::Threads(_) => Schedule::Threads(None),
        _ => Schedule::Drawn,
    };
    program.with_schedules(program.together().iter().map(drawn).collect())
}

fn luck_of(program: &Program) -> Option<Luck> {
    let mut together = program.together().iter();
    let has_threads = together.any(|one| matches!(one.schedule, Schedule::Threads(_)));
    has_threads.then_some(Luck::Threads)
}

/// With a schedule that shows it again: the one that it was found in, or with one of the threads held.
fn with_schedule(context: &Context<'_>, mut shown: Anomaly, program: &Program) -> Anomaly {
    let (clause, clock) = (shown.clause, SystemClock::new());
    let comes_again = |program: &Program| {
        (0..AGAIN).all(|_| {
            let execution = execute(context.runner.subject, program, &mut Rng::new(0, 0));
            let shown = execution
                .ok()
                .and_then(|one| shown_in(context, one, clause));
            shown.is_some()
        })
    };
    let has_threads = luck_of(program) == Some(Luck::Threads);
    let schedule = match has_threads {
        true => held(program)
            .take_while(|_| clock.now() < ENOUGH)
            .find(comes_again),
        false => Some(program.clone()).filter(comes_again),
    };
    shown.repeats = schedule.is_some();
    shown.luck = match shown.repeats {
        true => None,
        false => shown.luck.or(Some(Luck::Unsteady)),
    };
    shown.program = Some(schedule.unwrap_or_else(|| drawn(program)));
    shown
}

/// The program with one of its threads held at one of its first readings of the clock.
fn held(program: &Program) -> impl Iterator<Item = Program> {
    let clients = program.together().iter();
    let clients = clients.map(Together::clients).max().unwrap_or(0);
    let holds = (1..=READINGS).flat_map(move |number| {
        (0..clients).map(move |client| Hold {
            client,
            place: Place::Clock,
            number,
        })
    });
    holds.map(|hold| {
        let schedule = |together: &Together| match together.schedule {
            Schedule::Threads(_) if hold.client < together.clients() => {
                Schedule::Threads(Some(hold))
            }
            ref other => other.clone(),
        };
        program.with_schedules(program.together().iter().map(schedule).collect())
    })
}

/// The calls of a long program that are needed to see what is wrong, each by its client.
fn of_needed(anomaly: &Anomaly, program: &Program) -> Program {
    let mut clients: Vec<(u32, Vec<Call>)> = Vec::new();
    for record in &anomaly.records {
        let (op, cancel) = (record.op.clone(), None);
        let call = Call { op, cancel };
        match clients
            .iter_mut()
            .find(|(client, _)| *client == record.client)
        {
            Some((_, calls)) => calls.push(call),
            None => clients.push((record.client, vec![call])),
        }
    }
    let schedule = match luck_of(program) {
        Some(_) => Schedule::Threads(None),
        None => Schedule::Drawn,
    };
    let mut needed = Program::default();
    let clients = clients.into_iter().map(|(_, calls)| calls).collect();
    needed.push_together(clients, schedule, 0);
    needed
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}\n"));
    lines.collect()
}
