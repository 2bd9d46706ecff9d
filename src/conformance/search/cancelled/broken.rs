//! Broken: stores that fail with errors once a call was cancelled. "Later calls work" (CAN-1).
//!
//! An error alone is a call of unknown outcome, and no violation. But these come whenever the call is
//! cancelled, and never when it is done to its end or not made at all.

use crate::conformance::judge::history::Record;
use crate::conformance::judge::nonlinearizable::{self, Anomaly};
use crate::conformance::judge::schedule::{Execution, execute};
use crate::conformance::program::Program;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::rng::Rng;
use crate::conformance::search::context::Context;
use crate::model::Op;
use crate::store::BoxError;
use std::iter::repeat_n;

/// A backend that fails now and then does not do so in every one of so many runs.
const RUNS: usize = 8;

/// What is remote is called so often before it is said to fail for ever.
const ENOUGH: usize = 3;

/// The smallest program next to this one, of one client, whose last call fails because an earlier one was
/// cancelled.
pub(crate) fn broken(
    context: &Context<'_>,
    execution: &Execution,
) -> Result<Option<Anomaly>, BoxError> {
    let program = &execution.program;
    if program.overlaps() || !program.is_cancelling() {
        return Ok(None);
    }
    let Some(end) = first_failure(context, program, &execution.records) else {
        return Ok(None);
    };
    // What is remote must fail to the end every time, not only at first.
    let mut broken = match context.runner.profile.remote {
        true => program.clone(),
        false => program.without(end + 1..program.ops().len()),
    };
    let Some(mut shown) = breaks(context, &broken)? else {
        return Ok(None);
    };
    let mut at = 0;
    while at + 1 < broken.ops().len() {
        if broken.cancel(at).is_none() {
            let fewer = broken.without(at..at + 1);
            if let Some(less) = breaks(context, &fewer)? {
                (broken, shown) = (fewer, less);
                continue;
            }
        }
        at += 1;
    }
    Ok(nonlinearizable::broken(broken, &shown))
}

/// The place of the operation that each call of a run is.
fn calls(program: &Program) -> Vec<usize> {
    let each = program.ops().iter().enumerate();
    let each = each.filter(|(_, op)| !matches!(op, Op::Advance { .. }));
    let times = |at| program.cancel(at).map_or(1, |cancel| cancel.times);
    each.flat_map(|(at, _)| repeat_n(at, times(at))).collect()
}

/// The place of the first call that was not cancelled and failed. What is remote may still be at the
/// cancelled call and need a moment; so it must fail to the end.
fn first_failure(context: &Context<'_>, program: &Program, records: &[Record]) -> Option<usize> {
    let calls = calls(program);
    let later = || {
        let all = calls.iter().zip(records);
        all.skip_while(|(_, record)| record.outcome.is_some())
            .filter(|(_, record)| record.outcome.is_some())
    };
    let end = later().find(|(_, record)| has_failed(record))?.0;
    let all_fail = || later().count() >= ENOUGH && later().all(|(_, record)| has_failed(record));
    let is_over = !context.runner.profile.remote || all_fail();
    is_over.then_some(*end)
}

/// What the calls return, if the last one fails whenever one is cancelled, and none does otherwise.
fn breaks(context: &Context<'_>, program: &Program) -> Result<Option<Vec<Record>>, BoxError> {
    let run = |program: &Program| {
        let execution = execute(context.runner.subject, program, &mut Rng::new(0, 0));
        execution.map(|execution| execution.records)
    };
    let mut shown = None;
    for _ in 0..RUNS {
        let records = run(program)?;
        let is_cancelled = records.iter().any(|record| record.outcome.is_none());
        let all = records.len() == calls(program).len();
        if !all || !is_cancelled || !records.last().is_some_and(has_failed) {
            return Ok(None);
        }
        if first_failure(context, program, &records).is_none() {
            return Ok(None);
        }
        let to_its_end = run(&program.with_polls(usize::MAX))?;
        let not_made = run(&program.without_cancelled())?;
        if to_its_end.iter().chain(&not_made).any(has_failed) {
            return Ok(None);
        }
        shown = Some(records);
    }
    Ok(shown)
}

fn has_failed(record: &Record) -> bool {
    matches!(record.outcome, Some(Outcome::Failed(_)))
}
