//! Given: programs as they stand.

use super::context::Context;
use super::found::{Caught, Found};
use super::{cancelled, histories};
use crate::clause::Clause;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule;
use crate::conformance::program::Program;
use crate::conformance::program::shape::Together;
use crate::conformance::subject::{NoRestart, panics, workers};

/// Runs programs as they stand.
///
/// # Errors
/// When a program cannot be run on this subject, with the reason.
pub(crate) fn run(context: &Context<'_>, programs: &[Program]) -> Result<Found, String> {
    for program in programs {
        if let Some(reason) = why_not(context, program)? {
            return Err(format!("{reason}\n  {program}"));
        }
    }
    let mut found = Found::default();
    let (sequential, others): (Vec<_>, Vec<_>) =
        programs.iter().partition(|program| program.is_sequential());
    let results = workers::each(sequential.len(), |index| {
        let mut tally = Tally::default();
        let ops = sequential[index].ops();
        let failures = context.runner.run_counted(ops, &mut tally);
        (tally, failures)
    });
    for (program, (tally, failures)) in sequential.iter().zip(results) {
        found.tally.add(&tally);
        for failure in failures? {
            let ops = program.ops().to_vec();
            found.catch(Caught::new(ops, failure, found.tally.programs));
        }
    }
    for program in others {
        run_history(context, program, &mut found)?;
    }
    Ok(found)
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
