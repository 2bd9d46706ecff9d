//! Counterexample: the calls that it takes for clients to go wrong, and the schedule in which they do.
//!
//! Those that no order explains show that a store is wrong, and often not why: what made it so may have
//! been another client's call, or what was before. So all calls are made again, with ever fewer of them.

use super::shrink;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::judge::schedule::{
    Bounds, Execution, Luck, Schedules, execute, executions, holds,
};
use crate::conformance::program::Program;
use crate::conformance::program::outline::outline;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Call, Schedule, Together};
use crate::conformance::search::context::Context;
use crate::conformance::search::found::Found;
use crate::conformance::search::histories::{self, SHORT};
use crate::conformance::subject::panics;
use std::cell::Cell;
use std::time::Duration;

/// Smaller programs are tried for no longer than this in schedules that are drawn. In the schedule in which
/// the program went wrong before, which takes one run each, all are tried.
const LONGEST: Duration = Duration::from_secs(2);

/// How often in a row a schedule has to show the anomaly before it is said to show it again.
const REPETITIONS: usize = 3;

/// The same anomaly from no more calls than it takes, in a schedule that shows it again where there is
/// one; as it was where it does not come again.
pub(crate) fn smallest(context: &Context<'_>, anomaly: Anomaly) -> Anomaly {
    let Some(program) = &anomaly.program else {
        return anomaly;
    };
    let is_long = program.ops().len() > SHORT;
    let program = match is_long {
        true => of_needed_calls(&anomaly, program),
        // Where a thread that was held had to be let go, it was not the hold that showed it.
        false if anomaly.luck == Some(Luck::Threads) => with_drawn_schedules(program),
        false => program.clone(),
    };
    let (clause, spent) = (anomaly.clause, Cell::default());
    let mut shown = None;
    let mut accept = |program: &Program| {
        let again = anomaly_of_program(context, program, clause, &spent)?;
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
            false => Anomaly {
                program: Some(program),
                ..anomaly
            },
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
    shown.context = other_calls(&program, &shown);
    shown.after = anomaly.after;
    with_repeating_schedule(context, shown, &program)
}

/// The anomaly of a program that was given, as it is. Where that gave a schedule, it has shown it again in
/// that.
pub(crate) fn as_given(mut anomaly: Anomaly) -> Anomaly {
    let Some(program) = &anomaly.program else {
        return anomaly;
    };
    anomaly.context = other_calls(program, &anomaly);
    anomaly.repeats = true;
    anomaly
}

/// All calls of the program, where its drawing does not say all: nor after how many polls a call was
/// cancelled.
fn other_calls(program: &Program, shown: &Anomaly) -> String {
    let pauses = program.together().iter().any(|together| together.pause > 0);
    let is_more = !program.overlaps() || program.ops().len() > shown.drawn().len() || pauses;
    match is_more {
        true => format!(
            "it takes these calls:\n{}",
            indented(&outline(program, |_| String::new()))
        ),
        false => String::new(),
    }
}

/// What a program shows to be wrong under this clause, in its schedule or in some that are drawn.
fn anomaly_of_program(
    context: &Context<'_>,
    program: &Program,
    clause: Clause,
    spent: &Cell<Duration>,
) -> Option<Anomaly> {
    if program.is_cancelling() != (clause == Clause::Can1) {
        return None;
    }
    let with_drawn = with_drawn_schedules(program);
    let is_given = with_drawn != *program;
    let given = is_given.then_some(program);
    // What shows where a thread is held is not left to luck again.
    let is_held = program.together().iter().any(Together::is_held);
    let is_late = is_held || spent.get() > LONGEST;
    let others = (!is_late).then_some(&with_drawn);
    let mut schedules = given.into_iter().chain(others);
    schedules.find_map(|program| {
        let mut spend = |time| spent.set(spent.get().saturating_add(time));
        let mut executions = executions(context.runner.subject, program, &mut spend);
        executions.find_map(|execution| anomaly_of_execution(context, execution.ok()?, clause))
    })
}

/// What one execution shows to be wrong under this clause.
fn anomaly_of_execution(
    context: &Context<'_>,
    execution: Execution,
    clause: Clause,
) -> Option<Anomaly> {
    // Of clients that are run for the sake of CON-1, a panic breaks ERR-1, and a snapshot that nobody had
    // committed CON-2.
    let sake = match clause {
        Clause::Can1 => clause,
        _ => Clause::Con1,
    };
    let mut found = Found::default();
    panics::silently(|| histories::judge(context, execution, sake, &mut found));
    found.anomalies.pop().filter(|found| found.clause == clause)
}

/// The same with all schedules to be drawn.
fn with_drawn_schedules(program: &Program) -> Program {
    let drawn = |together: &Together| match together.schedule {
        Schedule::Threads(_) => Schedule::Threads(Vec::new()),
        _ => Schedule::Drawn,
    };
    program.with_schedules(program.together().iter().map(drawn).collect())
}

fn has_threads(program: &Program) -> bool {
    let mut together = program.together().iter();
    together.any(|one| matches!(one.schedule, Schedule::Threads(_)))
}

/// The anomaly with a schedule that shows it again, if there is one: the plainest, or that in which it was
/// found.
fn with_repeating_schedule(
    context: &Context<'_>,
    mut shown: Anomaly,
    program: &Program,
) -> Anomaly {
    let clause = shown.clause;
    let comes_again = |program: &Program| {
        (0..REPETITIONS).all(|_| {
            let execution = execute(context.runner.subject, program, &mut Rng::new(0, 0));
            let shown = execution
                .ok()
                .and_then(|one| anomaly_of_execution(context, one, clause));
            shown.is_some_and(|shown| shown.luck.is_none() || !has_threads(program))
        })
    };
    let plain = plainest(context, program, clause);
    if let Some(plain) = plain.filter(|one| one.program.as_ref().is_some_and(comes_again)) {
        return Anomaly {
            context: other_calls(program, &plain),
            after: shown.after,
            repeats: true,
            ..plain
        };
    }
    shown.repeats = comes_again(program);
    // What wakes tasks from outside does so when it likes, though it did the same for some times.
    shown.luck = match (shown.repeats, shown.luck) {
        (true, Some(Luck::Woken)) => Some(Luck::Woken),
        (true, _) => None,
        (false, luck) => luck.or(Some(Luck::Unsteady)),
    };
    shown.program = Some(match shown.repeats {
        true => program.clone(),
        false => with_drawn_schedules(program),
    });
    shown
}

/// No more schedules of a program than this are gone through for a plain one.
const SCHEDULES: usize = 500;
const PREEMPTIONS: usize = 2;

/// What the program shows in the schedule with the fewest preemptions, of those the first, if clients that
/// meet once show it in one that says all.
fn plainest(context: &Context<'_>, program: &Program, clause: Clause) -> Option<Anomaly> {
    let subject = context.runner.subject;
    let shown = |execution: Execution| match execution.luck {
        None => anomaly_of_execution(context, execution, clause),
        Some(_) => None,
    };
    if program.together().len() != 1 {
        return None;
    }
    if !has_threads(program) {
        let bounds = Bounds {
            polls: usize::MAX,
            preemptions: PREEMPTIONS,
            schedules: SCHEDULES,
        };
        return Schedules::new(subject, program, bounds).find_map(|one| shown(one.ok()?));
    }
    let (clock, mut found) = (SystemClock::new(), None);
    let bounds = holds::Bounds {
        fewest: 0,
        holds: PREEMPTIONS,
        schedules: SCHEDULES,
    };
    let take = |execution: Execution| {
        found = shown(execution);
        found.is_none() && clock.now() < LONGEST
    };
    holds::each(subject, program, bounds, take).ok()?;
    found
}

/// The calls of a long program that are needed to see what is wrong, each by its client; or all of them,
/// where those needed are one client's, which alone show nothing.
fn of_needed_calls(anomaly: &Anomaly, program: &Program) -> Program {
    let mut clients: Vec<(u32, Vec<Call>)> = Vec::new();
    for record in anomaly.drawn() {
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
    if clients.len() < 2 {
        return with_drawn_schedules(program);
    }
    let schedule = match has_threads(program) {
        true => Schedule::Threads(Vec::new()),
        false => Schedule::Drawn,
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
