//! Histories: what came of calls that overlap or were cancelled, judged and taken in.

use super::context::Context;
use super::found::{Caught, Found};
use super::one_at_a_time::{alone, in_some_order, one_at_a_time};
use crate::clause::Clause;
use crate::conformance::judge::history::{History, Record};
use crate::conformance::judge::nonlinearizable::{self, Anomaly, Verdict};
use crate::conformance::judge::schedule::{Execution, execute};
use crate::conformance::program::Program;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::rng::Rng;
use crate::model::Op;
use std::collections::HashSet;

/// Programs of more operations are long: nobody finds those that matter in them in time.
pub(crate) const SHORT: usize = 64;

/// A short program has no more serial orders than this looked at.
const MOST_ORDERS: usize = 128;

/// What goes wrong after many calls only, may do so with one client too: each of the first wrong long
/// programs is made in so many orders with one call at a time.
const DOUBTED: usize = 8;
const TURNS: usize = 16;

/// Judges what came of a program that was run for the sake of `clause`, and takes in what it shows: what
/// the store answers wrong as well without another call at the same time is caught, and no anomaly. Says
/// how many calls overlapped.
pub(crate) fn judge(
    context: &Context<'_>,
    execution: Execution,
    clause: Clause,
    found: &mut Found,
) -> usize {
    let Execution {
        records,
        program,
        luck,
        ..
    } = execution;
    let history = History::new(records);
    found.tally.programs += 1;
    found.tally.steps += history.records().len() as u64;
    found.failed += history.failed();
    let verdict = nonlinearizable::judge(&history, context.runner.profile, clause);
    if !matches!(verdict, Verdict::Undecided) {
        history.exercise(&mut found.tally);
    }
    let is_wrong = matches!(verdict, Verdict::Wrong(_));
    let are_few = found.anomalies.len().max(found.sequential) < DOUBTED;
    if !is_wrong && luck.is_none() && clause == Clause::Con1 && are_few {
        let after = found.tally.programs;
        if let Some(failed) = fails_among_others(context, &program, &history) {
            match made_one_at_a_time(context, &program, &history, true, after) {
                Some(caught) => {
                    found.sequential += 1;
                    found.catch(caught);
                }
                None => found.anomalies.push(Anomaly {
                    after,
                    program: Some(program),
                    ..nonlinearizable::among_others(history.records(), failed)
                }),
            }
            return history.overlaps();
        }
    }
    match verdict {
        Verdict::Explained => {}
        Verdict::Undecided => found.undecided += 1,
        Verdict::Wrong(anomaly) => {
            let after = found.tally.programs;
            let is_doubted = found.anomalies.len() < DOUBTED;
            let needed = in_some_order(context, &anomaly.records, after);
            let caught = needed
                .or_else(|| made_one_at_a_time(context, &program, &history, is_doubted, after));
            match caught {
                Some(caught) => {
                    found.sequential += 1;
                    found.catch(caught);
                }
                // Known to go wrong alone, at some phase of the clock.
                None if is_of_one_client(context, &anomaly) => found.sequential += 1,
                None => found.anomalies.push(Anomaly {
                    after,
                    luck,
                    program: Some(program),
                    ..*anomaly
                }),
            }
        }
    }
    history.overlaps()
}

/// A call that fails in this schedule, each time that it is made, of a store that is all in this process.
fn fails_among_others<'a>(
    context: &Context<'_>,
    program: &Program,
    history: &'a History,
) -> Option<&'a Record> {
    const TIMES: usize = 3;
    let has_failed = |record: &Record| matches!(record.outcome, Some(Outcome::Failed(_)));
    let failed = history.records().iter().find(|record| has_failed(record))?;
    if context.runner.profile.remote || !program.overlaps() || program.is_cancelling() {
        return None;
    }
    let fails_again = || {
        let execution = execute(context.runner.subject, program, &mut Rng::new(0, 0));
        let records = execution.map(|execution| execution.records);
        let is_it = |record: &Record| record.client == failed.client && record.op == failed.op;
        let mut records = records.unwrap_or_default().into_iter();
        records.any(|record| is_it(&record) && has_failed(&record))
    };
    (1..TIMES).all(|_| fails_again()).then_some(failed)
}

/// Whether one client's calls are all that it takes, on a clock that goes on by itself, of a store that one
/// client is known to find out.
fn is_of_one_client(context: &Context<'_>, anomaly: &Anomaly) -> bool {
    let clients: HashSet<u32> = anomaly.records.iter().map(|record| record.client).collect();
    let is_returned = |record: &Record| record.outcome.is_some();
    context.fails_alone
        && !context.runner.is_exact()
        && clients.len() < 2
        && anomaly.records.iter().all(is_returned)
}

/// What the calls show when they are made one at a time.
fn made_one_at_a_time(
    context: &Context<'_>,
    program: &Program,
    history: &History,
    is_doubted: bool,
    after: u64,
) -> Option<Caught> {
    if !program.overlaps() {
        return one_at_a_time(context, history, after);
    }
    if program.ops().len() > SHORT {
        let as_it_was = one_at_a_time(context, history, after);
        return as_it_was.or_else(|| {
            let mut rng = Rng::new(0, after);
            let turns = if is_doubted { TURNS } else { 0 };
            (0..turns).find_map(|_| alone(context, in_some_turn(program, &mut rng), after))
        });
    }
    let as_it_was = in_some_order(context, history.records(), after);
    as_it_was.or_else(|| {
        let mut orders = orders(program, Rng::new(0, after));
        orders.find_map(|ops| alone(context, ops, after))
    })
}

/// The calls one at a time, in an order that is drawn.
fn in_some_turn(program: &Program, rng: &mut Rng) -> Vec<Op> {
    program.in_turn(|left| left[rng.below(left.len())])
}

/// The calls of a short program one at a time, in many orders that keep those of each client, with the
/// cancelled ones and without.
fn orders(program: &Program, mut rng: Rng) -> impl Iterator<Item = Vec<Op>> {
    let mut programs = vec![program.clone()];
    if program.is_cancelling() {
        programs.push(program.without_cancelled());
    }
    let orders = (0..MOST_ORDERS).flat_map(move |_| {
        let in_turn = |program: &Program| in_some_turn(program, &mut rng);
        programs.iter().map(in_turn).collect::<Vec<_>>()
    });
    let mut known = HashSet::new();
    orders.filter(move |order| known.insert(Program::from(order.clone()).to_string()))
}

#[cfg(test)]
mod tests;
