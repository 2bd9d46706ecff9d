//! Cancelled: calls whose futures are dropped, after every number of polls (CAN-1).

mod broken;

pub(crate) use broken::broken;

use super::concurrent::{LONGEST, is_plenty, scene, sure};
use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::histories::judge;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::history::History;
use crate::conformance::judge::nonlinearizable::{self, Anomaly, Verdict};
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule::execute;
use crate::conformance::program::overlapping::cancelling;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Call, Cancel, Schedule};
use crate::conformance::program::{Program, payload};
use crate::conformance::subject::{Passing, panics, workers};
use crate::model::{Nanos, Op};
use crate::store::BoxError;

/// Calls that are dropped half way.
pub(crate) const SEARCH: Search = Search {
    name: "cancelled",
    runs: "calls whose futures are dropped half way, after every number of polls up to where they return",
    takes: Takes::Histories,
    shows: |clause| Clause::CANCELLED.contains(&clause),
    fits: |_| true,
    share: |budget| budget.sequences.div_ceil(5),
    weight: 3,
    run,
};

/// A call is cancelled after no more polls than this.
const MOST_POLLS: usize = 32;

/// What a pool has ten of, or a hundred, takes as many cancelled calls to use up.
const TIMES: [usize; 19] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32, 64, 128,
];

/// Programs after which a store fails with errors: more would show the same.
const PLENTY_BROKEN: usize = 4;

/// Schedules in which a program is tried without cancelling anything.
const TRIES: usize = 64;

/// Small programs in which one call is cancelled, each after every number of polls up to where it
/// returns. Of a store whose calls wait, also calls that are cancelled many times, and while others are
/// under way.
fn run(context: &Context<'_>) -> Result<Found, String> {
    let mut found = Found::default();
    // What races shows among others without cancelling anything.
    let among_others = match context.fails_at_once {
        true => 0,
        false => context.budget.sequences / 5,
    };
    let waits = cancel_each(context, &programs(context), &mut found)?;
    if waits {
        cancel_each(context, &programs_often(context), &mut found)?;
        cancel_among_others(context, among_others, &mut found)?;
    }
    found.claim = format!(
        "{{programs}} histories in which one call is cancelled, after every number of polls up to where \
         it returns{}",
        match among_others {
            0 => "",
            _ => ", or some are, among those of other clients",
        }
    );
    Ok(found)
}

/// Runs each program with every number of polls. Says whether any call waited.
fn cancel_each(
    context: &Context<'_>,
    programs: &[Program],
    found: &mut Found,
) -> Result<bool, String> {
    let subject = context.runner.subject;
    let is_advance = |op: &Op| matches!(op, Op::Advance { .. });
    let runs = workers::each(programs.len(), |index| {
        let program = &programs[index];
        let mut executions = Vec::new();
        if subject.passing() == Passing::Waiting && program.ops().iter().any(is_advance) {
            return Ok(executions);
        }
        for polls in 0..=MOST_POLLS {
            if context.runner.until.is_over() {
                break;
            }
            let execution = execute(subject, &program.with_polls(polls), &mut Rng::new(0, 0))?;
            let mut records = execution.records.iter();
            let returned = records.all(|record| record.outcome.is_some());
            executions.push(execution);
            if returned {
                break;
            }
        }
        Ok::<_, BoxError>(executions)
    });
    let (mut waits, mut is_broken) = (false, 0);
    for executions in runs {
        let executions = executions.map_err(|error| no_store(&*error))?;
        waits |= executions.len() > 2;
        for execution in executions {
            if is_broken < PLENTY_BROKEN {
                let anomaly = panics::silently(|| broken(context, &execution));
                let anomaly = anomaly.map_err(|error| no_store(&*error))?;
                is_broken += usize::from(anomaly.is_some());
                let after = found.tally.programs + 1;
                found
                    .anomalies
                    .extend(anomaly.map(|anomaly| Anomaly { after, ..anomaly }));
            }
            judge(context, execution, Clause::Can1, found);
        }
    }
    Ok(waits)
}

/// Clients that are tasks, with a call or two of theirs cancelled.
fn cancel_among_others(
    context: &Context<'_>,
    most: usize,
    found: &mut Found,
) -> Result<(), String> {
    let (clock, clients) = (SystemClock::new(), context.budget.clients.clamp(2, 3));
    let (scene, sure) = (scene(context), sure(context));
    let runs = workers::each(most, |number| {
        let is_late = !context.runner.is_in_lockstep() && number >= sure && clock.now() > LONGEST;
        if is_late || context.runner.until.is_over() {
            return None;
        }
        let mut rng = Rng::new(!context.seed, number as u64);
        let clients = 2 + number % (clients - 1);
        let calls = if number < most / 4 { 1 } else { 2 };
        let program = scene.short(clients, calls, &mut rng);
        let program = cancelling(program, &mut rng);
        Some(execute(context.runner.subject, &program, &mut rng))
    });
    let mut races = 0;
    for execution in runs.into_iter().flatten() {
        if is_plenty(found) {
            break;
        }
        let execution = execution.map_err(|error| no_store(&*error))?;
        let program = execution.program.clone();
        let before = found.anomalies.len();
        judge(context, execution, Clause::Can1, found);
        // What goes wrong without cancelling as well, is none of its doing.
        if found.anomalies.len() > before
            && (races > 8 || panics::silently(|| goes_wrong_anyway(context, &program))?)
        {
            found.anomalies.truncate(before);
            races += 1;
        }
    }
    Ok(())
}

/// Whether clients that do all of this to its end, or only what is not cancelled, go wrong.
fn goes_wrong_anyway(context: &Context<'_>, program: &Program) -> Result<bool, String> {
    for program in [program.without_cancelling(), program.without_cancelled()] {
        let schedules = program.together().iter().map(|_| Schedule::Drawn);
        let program = program.with_schedules(schedules.collect());
        for number in 0..TRIES {
            let mut rng = Rng::new(0, number as u64);
            let execution = execute(context.runner.subject, &program, &mut rng);
            let execution = execution.map_err(|error| no_store(&*error))?;
            let history = History::new(execution.records);
            let profile = context.runner.profile;
            let verdict = nonlinearizable::judge(&history, profile, Clause::Con1);
            if matches!(verdict, Verdict::Wrong(_)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// `before`, a call that is cancelled so often, and what comes after it.
fn program(before: Vec<Op>, op: Op, times: usize, after: Vec<Op>) -> Program {
    let mut program = Program::from(before);
    let cancel = Some(Cancel { polls: 0, times });
    program.push(Call { op, cancel });
    for op in after {
        program.push(Call { op, cancel: None });
    }
    program
}

/// Every way to come to the call, every call, and every way to go on.
fn programs(context: &Context<'_>) -> Vec<Program> {
    let [a, b] = context.runner.profile.supported.two_ids();
    let ticks = |ticks: Nanos| ticks * context.runner.tick;
    let prepare = || Op::Prepare { id: a.clone() };
    let drop = || Op::Drop { id: a.clone() };
    let advance = |by| Op::Advance { by: ticks(by) };
    let commit_under = |id: &str, number, ttl| Op::Commit {
        snapshot: Some(payload::numbered(number, id)),
        ttl: ticks(ttl),
    };
    let commit = |number, ttl| commit_under(&a, number, ttl);
    let before = [
        vec![],
        vec![commit(1, 20)],
        vec![commit(1, 2), advance(1)],
        vec![commit(1, 1), advance(1)],
        vec![commit(1, 20), drop()],
    ];
    let refused = commit(2, 0);
    let calls = [prepare(), commit(2, 2), commit(2, 40), drop(), refused];
    let after = [
        vec![],
        vec![drop()],
        vec![commit(3, 10)],
        vec![advance(1)],
        vec![prepare(), advance(1)],
        // Whoever comes next may do what was left undone.
        vec![prepare(), commit_under(&b, 8, 1_000)],
        vec![prepare(), Op::Drop { id: b.clone() }],
        vec![advance(2)],
        vec![prepare(), advance(19)],
        vec![advance(20)],
    ];
    // What hangs ends the check, so the shortest come first.
    let next = [prepare(), commit(3, 10), drop()];
    let pairs = calls.iter().flat_map(|call| {
        next.iter()
            .map(move |next| program(Vec::new(), call.clone(), 1, vec![next.clone()]))
    });
    let mut programs: Vec<Program> = pairs.collect();
    for before in &before {
        for call in &calls {
            for after in &after {
                // Somebody else's entry, which is to stay as it is.
                let mut first = vec![commit_under(&b, 9, 1_000)];
                first.extend(before.iter().cloned());
                let mut then = after.clone();
                then.extend([prepare(), prepare(), Op::Prepare { id: b.clone() }]);
                programs.push(program(first, call.clone(), 1, then));
            }
        }
    }
    programs
}

/// A call that is cancelled again and again, and then one of each kind.
fn programs_often(context: &Context<'_>) -> Vec<Program> {
    let [a, _] = context.runner.profile.supported.two_ids();
    let prepare = || Op::Prepare { id: a.clone() };
    let drop = || Op::Drop { id: a.clone() };
    let commit = |number| Op::Commit {
        snapshot: Some(payload::numbered(number, &a)),
        ttl: 1_000 * context.runner.tick,
    };
    let mut calls = vec![prepare()];
    // Each write that may still take effect at any later time doubles what may be the case.
    if !context.runner.profile.remote {
        calls.extend([commit(2), drop()]);
    }
    let often = |(call, times): (&Op, usize)| {
        let after = vec![prepare(), commit(3), prepare(), drop(), prepare()];
        program(vec![commit(1)], call.clone(), times, after)
    };
    let all = TIMES
        .iter()
        .flat_map(|times| calls.iter().map(|call| (call, *times)));
    all.map(often).collect()
}
