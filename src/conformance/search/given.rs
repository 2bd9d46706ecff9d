//! Given: programs as they stand.

use super::context::{Context, Progress};
use super::found::{Caught, Found};
use super::{cancelled, histories, listed};
use crate::clause::Clause;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule;
use crate::conformance::program::Program;
use crate::conformance::program::shape::Together;
use crate::conformance::subject::{NoRestart, panics, workers};
use std::iter::repeat_n;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs programs as they stand; where time goes on by itself, so many times, begun at its phases in turn.
///
/// # Errors
/// When a program cannot be run on this subject, with the reason.
pub(crate) fn run(
    context: &Context<'_>,
    name: &'static str,
    times: usize,
    programs: &[Program],
) -> Result<Found, String> {
    for program in programs {
        if let Some(reason) = why_not(context, program)? {
            return Err(format!("{reason}\n  {program}"));
        }
    }
    let (sequential, others): (Vec<_>, Vec<_>) =
        programs.iter().partition(|program| program.is_sequential());
    let mut found = match context.runner.is_in_lockstep() {
        true => in_lockstep(context, name, &sequential)?,
        false => by_times(context, name, times, &sequential)?,
    };
    for program in others {
        match context.runner.until.is_over() {
            true => found.left_out += 1,
            false => run_history(context, program, &mut found)?,
        }
    }
    Ok(found)
}

fn in_lockstep(
    context: &Context<'_>,
    name: &'static str,
    programs: &[&Program],
) -> Result<Found, String> {
    let (mut found, done) = (Found::default(), AtomicU64::new(0));
    let total = programs.len() as u64;
    let results = workers::each(programs.len(), |index| {
        if context.runner.until.is_over() {
            return None;
        }
        let mut tally = Tally::default();
        let failures = context
            .runner
            .run_counted(programs[index].ops(), &mut tally);
        (context.progress)(Progress::new(
            name,
            done.fetch_add(1, Ordering::Relaxed) + 1,
            total,
        ));
        Some((tally, failures))
    });
    for (program, result) in programs.iter().zip(results) {
        let Some((tally, failures)) = result else {
            found.left_out += 1;
            continue;
        };
        found.tally.add(&tally);
        for failure in failures? {
            let ops = program.ops().to_vec();
            found.catch(Caught::new(ops, failure, found.tally.programs));
        }
    }
    Ok(found)
}

fn by_times(
    context: &Context<'_>,
    name: &'static str,
    times: usize,
    programs: &[&Program],
) -> Result<Found, String> {
    let total = (programs.len() * times) as u64;
    let each = programs
        .iter()
        .flat_map(|program| repeat_n(program.ops().to_vec(), times));
    listed::run(context, name, total, each)
}

/// Why a program cannot be run on this subject, if it cannot.
fn why_not(context: &Context<'_>, program: &Program) -> Result<Option<String>, String> {
    let of_histories = !program.is_sequential();
    if !program.is_expressible() {
        return Ok(Some(
            "a Rust store cannot be handed this program: it has a nil snapshot, a negative ttl, or a \
             time beyond the longest Duration"
                .to_owned(),
        ));
    }
    if program.has_restart() && of_histories {
        return Ok(Some(
            "a store cannot be restarted in a program whose calls overlap or are cancelled"
                .to_owned(),
        ));
    }
    if program.has_restart() && !context.runner.can_restart()? {
        return Ok(Some(format!("{NoRestart}, as this program wants")));
    }
    let clients = program.together().iter().map(Together::clients);
    let overlaps = clients.max().is_some_and(|clients| clients > 1);
    if overlaps && context.runner.profile.one_client {
        return Ok(Some(
            "the store is for one client at a time (Profile::one_client), and calls of this program \
             overlap"
                .to_owned(),
        ));
    }
    if overlaps && context.budget.clients < 2 {
        return Ok(Some(
            "calls of this program overlap, and the check is for one client: see Check::clients"
                .to_owned(),
        ));
    }
    Ok(None)
}

/// Runs a program whose calls overlap or are cancelled: in the schedule that it gives, or in several where
/// it gives none or goes by luck, until one of them shows something.
fn run_history(context: &Context<'_>, program: &Program, found: &mut Found) -> Result<(), String> {
    let sake = match program.is_cancelling() {
        true => Clause::Can1,
        false => Clause::Con1,
    };
    let mut tries = Found::default();
    for execution in schedule::executions(context.runner.subject, program, &mut drop) {
        let execution = execution.map_err(|error| no_store(&*error))?;
        let broken = || cancelled::broken(context, &execution);
        let broken = panics::silently(broken).map_err(|error| no_store(&*error))?;
        tries.anomalies.extend(broken);
        panics::silently(|| histories::judge(context, execution, sake, &mut tries));
        if !tries.anomalies.is_empty() || !tries.caught.is_empty() {
            break;
        }
    }
    // However often it is tried, it is one program.
    let steps = tries.tally.steps / tries.tally.programs.max(1);
    found.tally.programs += 1;
    found.tally.steps += steps;
    for clause in [Clause::CONCURRENT, Clause::CANCELLED].concat() {
        if tries.tally.exercised(clause) > 0 {
            found.tally.exercise(clause);
        }
    }
    found.undecided += tries.undecided;
    found.failed += tries.failed;
    found.anomalies.extend(tries.anomalies);
    for caught in tries.caught.into_values() {
        found.catch(caught);
    }
    Ok(())
}
